//! Scenarios of the overlay `classic`: the simulations of the 2001 paper, with real messages and machines.
//!
//! One operation at a time. Requests and probes ask for keys that still have a copy somewhere, dead nodes included. These
//! and other details the papers leave open were found by ablation; docs/simulation.md lists them.

pub mod graph;
mod network;
mod probes;
mod report;

pub use network::{Network, Progress};
pub use probes::Wanted;

use crate::sim::report::Report;
use crate::sim::scenario::Scenario;
use crate::sim::watch::Watch;

/// Runs a scenario to its report.
pub fn run(scenario: &Scenario, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::new(scenario);
    network.grow_to(scenario.nodes, progress);
    network.operate(scenario.workload.warmup_operations, progress);
    let watch = Watch::begin(&network.engine, 0, 0);
    network.publish(scenario.workload.documents, progress);
    let publication = watch.publication(&network.engine, scenario.workload.documents);
    network.fail_to(scenario.faults.fail_fraction, progress);
    let idle = network.idle();
    let wanted = if scenario.workload.documents > 0 { Wanted::Published } else { Wanted::Existing };
    let lookups = network.probe(
        scenario.workload.lookups,
        scenario.classic.map_or(0, |classic| classic.probe_htl),
        wanted,
        progress,
    );
    let mut report = network.report(&lookups);
    report.publication = publication;
    report.note_rest(idle);
    report
}
