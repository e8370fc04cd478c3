//! Scenarios of the architectures that are compared: one workload over any of them.
//!
//! A run has seven parts: a network in its places (or one that grows from there by joins), operations before anything is
//! measured, publication by real inserts, faults, comings and goings, a span of rest, lookups at a Poisson rate. What an
//! overlay is to the driver says `kind`; every overlay has a file of its own here, and the driver knows none of them.
//! Swarms that trade pieces have a workload of their own, in `downloads`.

mod can;
mod census;
mod central;
mod chord;
mod downloads;
mod flooding;
mod kademlia;
mod kind;
mod network;
mod supernode;
mod swarm;
mod workload;

pub use self::can::Torus;
pub use self::central::Hub;
pub use self::chord::Ring;
pub use self::flooding::Web;
pub use self::kademlia::Trie;
pub use self::kind::{Kind, Witnessed};
pub use self::network::Network;
pub use self::supernode::Tiers;
pub use self::swarm::Crowd;
pub use self::workload::Measured;
use crate::sim::documents::Shape;
use crate::sim::report::Report;
use crate::sim::scenario::{ModeName, Scenario};
use crate::sim::watch::Watch;

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
        ModeName::Can => Some(run_kind::<Torus>(scenario, namesakes, progress)),
        ModeName::Supernode => Some(run_kind::<Tiers>(scenario, namesakes, progress)),
        ModeName::Flooding => Some(run_kind::<Web>(scenario, namesakes, progress)),
        ModeName::Swarm if scenario.trades() => Some(run_swarm(scenario, namesakes, progress)),
        ModeName::Swarm => Some(run_kind::<Crowd>(scenario, namesakes, progress)),
        ModeName::Chord => Some(run_kind::<Ring>(scenario, namesakes, progress)),
    }
}

fn run_kind<K: Kind>(scenario: &Scenario, namesakes: bool, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::<K>::new(scenario, namesakes);
    network.operate(progress);
    let first = network.engine.depot.len() as u32;
    let watch = Watch::begin(&network.engine, 0, 0);
    let shape = Shape::of(scenario.workload.object_bytes).from(first);
    let failed = workload::publish(&mut network, &shape, &scenario.publishers(), progress);
    let publication = watch.publication(&network.engine, scenario.workload.documents);
    network.fail();
    network.begin_churn();
    let idle = network.idle();
    let measured = workload::look_up(&mut network, shape.clone(), progress);
    let mut report = census::report(&mut network, &measured, &shape);
    report.failed_inserts = failed;
    report.publication = publication;
    report.note_rest(idle);
    report
}

fn run_swarm(scenario: &Scenario, namesakes: bool, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::<Crowd>::new(scenario, namesakes);
    network.operate(progress);
    let first = network.engine.depot.len() as u32;
    let leechers = network.live.clone();
    let (downloads, failed) = downloads::run(&mut network, progress);
    let everybody: Vec<u32> = network.servers.iter().copied().chain(leechers).collect();
    // Every block by itself: listings and pieces.
    let blocks = Shape::of(1).from(first);
    let mut report = census::report_on(&mut network, &downloads.measured, &blocks, &everybody);
    downloads.write(&mut report);
    report.failed_inserts = failed;
    report
}
