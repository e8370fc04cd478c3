//! The suite: what any overlay of the comparison must do, whatever way it finds a document.

use bolthole::sim::overlays::{run, run_with};
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{FidelityChoice, ModeName, Scenario};

pub(crate) fn scenario(mode: ModeName, nodes: u32, seed: u64, fidelity: FidelityChoice) -> Scenario {
    let mut scenario = Scenario { seed, fidelity, ..Scenario::defaults(mode, nodes) };
    scenario.workload.documents = 60;
    scenario.workload.lookups = 300;
    scenario.workload.zipf = 0.0;
    scenario.workload.lookups_per_second = 10.0;
    scenario
}

pub(crate) fn run_quietly(scenario: &Scenario) -> Report {
    scenario.check(u64::MAX).expect("a possible scenario");
    let report = run(scenario, &mut |_, _| {}).expect("an overlay of the comparison");
    let violations = report.violations;
    assert_eq!((violations.altered, violations.answered_twice, violations.unanswered), (0, 0, 0));
    assert_eq!(violations.offences, 0, "honest nodes break no rule");
    report
}

/// What is published is found from anywhere, in networks of two nodes and more.
pub(crate) fn finds_what_is_published(mode: ModeName) {
    for (nodes, seed) in [(2, 1), (3, 2), (40, 3)] {
        let report = run_quietly(&scenario(mode, nodes, seed, FidelityChoice::Bytes));
        assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0), "{nodes} nodes");
    }
}

/// One seed gives one course of events, another seed another.
pub(crate) fn one_seed_gives_one_report(mode: ModeName) {
    let once = run_quietly(&scenario(mode, 60, 7, FidelityChoice::Values));
    let again = run_quietly(&scenario(mode, 60, 7, FidelityChoice::Values));
    assert_eq!(format!("{once:?}"), format!("{again:?}"));
    let other = run_quietly(&scenario(mode, 60, 8, FidelityChoice::Values));
    assert_ne!(format!("{:?}", once.latency_ms), format!("{:?}", other.latency_ms));
}

/// Both fidelities decide alike.
pub(crate) fn fidelities_decide_alike(mode: ModeName) {
    let quiet = &mut |_, _| {};
    let real = scenario(mode, 40, 9, FidelityChoice::Bytes);
    let bytes = run_with(&real, true, quiet).expect("an overlay of the comparison");
    let ideal = scenario(mode, 40, 9, FidelityChoice::Values);
    let mut values = run_with(&ideal, true, quiet).expect("an overlay of the comparison");
    assert_ne!(values.stand_ins, bytes.stand_ins);
    values.scenario = bytes.scenario.clone();
    values.fidelity = bytes.fidelity;
    values.stand_ins.clone_from(&bytes.stand_ins);
    assert_eq!(format!("{bytes:?}"), format!("{values:?}"));
}

/// A fifth of all nodes dies without a word: of what still exists, at least `share` is found at once. 300 lookups.
pub(crate) fn survives_a_loss(mode: ModeName, share: f64) {
    let mut scenario = scenario(mode, 60, 11, FidelityChoice::Values);
    scenario.faults.fail_fraction = 0.2;
    scenario.faults.repair = false;
    let report = run_quietly(&scenario);
    assert!(report.success_of_existing >= Some(share), "{:?}", report.success_of_existing);
    assert!(report.misses.lost > 0, "some documents are lost with their nodes: {:?}", report.misses);
}

/// Nodes come and go, with a word or without; most lookups succeed and nothing is left open.
pub(crate) fn lives_with_churn(mode: ModeName, share: f64) {
    let mut scenario = scenario(mode, 60, 13, FidelityChoice::Values);
    scenario.workload.lookups_per_second = 1.0;
    scenario.churn.joins_per_second = 0.02;
    scenario.churn.leaves_per_second = 0.02;
    let report = run_quietly(&scenario);
    assert!(report.presence.is_some_and(|presence| presence.arrivals > 0 && presence.departures > 0));
    assert!(report.success >= Some(share), "{:?} {:?}", report.success, report.misses);
}
