//! Scenarios of the architectures that are compared: one workload over any of them.
//!
//! A run has six parts: a network in its places (or one that grows from there by joins), operations before anything
//! is measured, publication by real inserts, faults, comings and goings, lookups at a Poisson rate. What an overlay
//! is to the driver says `kind`; every overlay has a file of its own here, and the driver knows none of them. Swarms
//! that trade pieces have a workload of their own, in `downloads`.

mod census;
mod central;
mod chord;
mod downloads;
mod kademlia;
mod kind;
mod network;
mod swarm;
mod workload;

pub use self::central::Hub;
pub use self::chord::Ring;
pub use self::kademlia::Trie;
pub use self::kind::Kind;
pub use self::network::Network;
pub use self::swarm::Crowd;
pub use self::workload::Measured;
use crate::sim::report::Report;
use crate::sim::scenario::{ModeName, Scenario};

/// How far a run has come: steps done, of how many.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// Runs a scenario to its report; `None` if its overlay has a driver of its own.
pub fn run(scenario: &Scenario, progress: &mut Progress<'_>) -> Option<Report> {
    run_with(scenario, false, progress)
}

/// The same; with `namesakes` to compare the fidelities on one network.
pub fn run_with(scenario: &Scenario, namesakes: bool, progress: &mut Progress<'_>) -> Option<Report> {
    match scenario.mode {
        ModeName::Freenet | ModeName::Classic => None,
        ModeName::Central => Some(run_kind::<Hub>(scenario, namesakes, progress)),
        ModeName::Kademlia => Some(run_kind::<Trie>(scenario, namesakes, progress)),
        ModeName::Swarm if scenario.trades() => Some(run_swarm(scenario, namesakes, progress)),
        ModeName::Swarm => Some(run_kind::<Crowd>(scenario, namesakes, progress)),
        ModeName::Chord => Some(run_kind::<Ring>(scenario, namesakes, progress)),
    }
}

fn run_kind<K: Kind>(scenario: &Scenario, namesakes: bool, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::<K>::new(scenario, namesakes);
    network.operate(progress);
    let first = network.engine.depot.len() as u32;
    let publishers = if scenario.publishes_copies() { scenario.workload.copies } else { 1 };
    let failed = workload::publish(&mut network, publishers, progress);
    network.fail();
    network.begin_churn();
    let measured = workload::look_up(&mut network, first, progress);
    let mut report = census::report(&mut network, &measured, first);
    report.failed_inserts = failed;
    report
}

fn run_swarm(scenario: &Scenario, namesakes: bool, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::<Crowd>::new(scenario, namesakes);
    let leechers = network.live.clone();
    let (downloads, failed) = downloads::run(&mut network, progress);
    let everybody: Vec<u32> = network.servers.iter().copied().chain(leechers).collect();
    let mut report = census::report_on(&mut network, &downloads.measured, 0, &everybody);
    downloads.write(&mut report);
    report.failed_inserts = failed;
    report
}
