//! Scenarios of the overlay `freenet`: the production machine in networks that always grow by their own joins.
//!
//! A run has six parts: growth, operations before anything is measured, publication by real inserts, faults, a span of rest,
//! lookups at a Poisson rate; where nodes come and go they do so from the end of the operations on. Everything follows from the scenario and its seed. In
//! `values` messages are handed over, blocks have names only and signatures are ideal; machines and decisions are the same.

mod census;
mod growth;
mod network;
mod workload;

pub use self::network::{Names, Network};
use crate::sim::documents::Shape;
use crate::sim::report::Report;
use crate::sim::scenario::{Fidelity, Scenario};
use crate::sim::watch::Watch;

/// How far a run has come: steps done, of how many.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// A network that has grown to its size and has gone through nothing yet.
pub fn grown(scenario: &Scenario, names: Names) -> Network {
    let mut network = Network::new(scenario, names);
    growth::grow(&mut network, &mut |_, _| {});
    network
}

/// Runs a scenario to its report.
pub fn run(scenario: &Scenario, progress: &mut Progress<'_>) -> Report {
    let names = match scenario.fidelity() {
        Fidelity::Bytes => Names::Real,
        Fidelity::Values => Names::Numbered,
    };
    run_with(scenario, names, progress)
}

/// The same with a choice of names, to compare the fidelities on one network.
pub fn run_with(scenario: &Scenario, names: Names, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::new(scenario, names);
    let growing = growth::grow(&mut network, progress);
    growth::operate(&mut network, progress);
    network.begin_churn();
    let shape = Shape::of(scenario.workload.object_bytes).from(network.engine.depot.len() as u32);
    let watch = Watch::begin(&network.engine, 0, 0);
    let failed_inserts = workload::publish(&mut network, &shape, progress);
    let publication = watch.publication(&network.engine, scenario.workload.documents);
    workload::fail(&mut network);
    let idle = network.idle();
    let searched = workload::look_up(&mut network, shape.clone(), progress);
    let mut report = census::report(&network, &searched.lookups, &shape);
    report.presence = workload::presence(&mut network, &searched);
    report.blocks = searched.blocks;
    report.growth = Some(growing);
    report.failed_inserts = failed_inserts;
    report.publication = publication;
    report.note_rest(idle);
    report
}
