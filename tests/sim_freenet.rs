//! Claims of scenarios of the overlay `freenet`: what one seed decides, and what a network that grew by itself can do.

use bolthole::sim::freenet::{Names, run, run_with};
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario, Session};

fn scenario(nodes: u32, seed: u64, fidelity: FidelityChoice) -> Scenario {
    let mut scenario = Scenario { seed, fidelity, ..Scenario::defaults(ModeName::Freenet, nodes) };
    scenario.workload.documents = 60;
    scenario.workload.lookups = 120;
    scenario.workload.lookups_per_second = 10.0;
    scenario.check(u64::MAX).expect("a possible scenario");
    scenario
}

fn run_quietly(scenario: &Scenario) -> Report {
    run(scenario, &mut |_, _| {})
}

fn assert_sound(report: &Report) {
    let violations = report.violations;
    assert_eq!((violations.altered, violations.answered_twice, violations.unanswered), (0, 0, 0));
    assert_eq!(violations.offences, 0, "honest nodes break no rule");
    assert_eq!(report.growth.as_ref().map(|growth| growth.unplaced), Some(0), "everybody has a place");
}

#[test]
fn a_small_network_that_grew_by_itself_finds_everything() {
    for (nodes, seed) in [(2, 1), (5, 2), (50, 3)] {
        let report = run_quietly(&scenario(nodes, seed, FidelityChoice::Bytes));
        assert_sound(&report);
        assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0), "{nodes} nodes");
        assert_eq!(report.largest_component, Some(1.0));
    }
}

#[test]
fn one_seed_gives_one_report_and_another_seed_another() {
    let once = run_quietly(&scenario(60, 7, FidelityChoice::Values));
    let again = run_quietly(&scenario(60, 7, FidelityChoice::Values));
    assert_eq!(format!("{once:?}"), format!("{again:?}"));
    let other = run_quietly(&scenario(60, 8, FidelityChoice::Values));
    assert_ne!(once.events, other.events);
}

#[test]
fn bytes_and_values_decide_alike_on_one_network() {
    let quiet = &mut |_, _| {};
    let bytes = run_with(&scenario(40, 9, FidelityChoice::Bytes), Names::Real, quiet);
    let mut values = run_with(&scenario(40, 9, FidelityChoice::Values), Names::Real, quiet);
    assert!(!values.stand_ins.is_empty() && values.stand_ins != bytes.stand_ins);
    values.scenario = bytes.scenario.clone();
    values.fidelity = bytes.fidelity;
    values.stand_ins.clone_from(&bytes.stand_ins);
    assert_eq!(format!("{bytes:?}"), format!("{values:?}"));
}

#[test]
fn a_quarter_of_the_nodes_dies_and_the_network_repairs_itself() {
    let mut scenario = scenario(60, 11, FidelityChoice::Values);
    scenario.faults.fail_fraction = 0.25;
    scenario.faults.repair_seconds = 120.0;
    let report = run_quietly(&scenario);
    assert_eq!(report.documents.map(|documents| documents.published), Some(60));
    assert_eq!(report.success_of_existing, Some(1.0), "{:?}", report.misses);
    assert_eq!(report.largest_component, Some(1.0));
}

#[test]
fn documents_of_forty_blocks_outlive_the_sudden_death_of_three_in_ten() {
    let mut scenario = scenario(120, 13, FidelityChoice::Values);
    scenario.workload.documents = 20;
    scenario.workload.lookups = 40;
    scenario.workload.object_bytes = 40 * 32_736;
    scenario.faults.fail_fraction = 0.3;
    scenario.faults.repair = false;
    scenario.check(u64::MAX).expect("a possible scenario");
    let report = run_quietly(&scenario);
    assert_eq!(report.documents.map(|documents| (documents.published, documents.existing)), Some((20, 20)));
    assert_eq!(report.success, Some(1.0), "{:?}", report.misses);
    assert_eq!(report.violations.unanswered, 0);
    let blocks = report.blocks.expect("documents of several blocks");
    // A top, two standbys and what names them, forty data and twenty check blocks; each of forty documents takes at least
    // 41 searches.
    assert_eq!(blocks.per_document, 65);
    assert!(blocks.searches >= 40 * 41, "{blocks:?}");
}

#[test]
fn nodes_that_come_and_go_are_counted_and_come_back_with_what_they_had() {
    let mut scenario = scenario(60, 17, FidelityChoice::Values);
    scenario.workload.lookups = 200;
    scenario.workload.lookups_per_second = 200.0 / 14_400.0;
    scenario.churn.session = Session::Exponential;
    scenario.churn.mean_seconds = 1_800.0;
    scenario.churn.availability = 0.5;
    scenario.check(u64::MAX).expect("a possible scenario");
    let report = run_quietly(&scenario);
    let presence = report.presence.expect("nodes come and go");
    // About 60 × 0.5 nodes are online, each leaving every half hour for four hours: about 240 departures, and as many
    // returns. Six standard deviations of a Poisson number of that mean are 93.
    assert!((15.0..45.0).contains(&presence.online), "{presence:?}");
    assert!((100..400).contains(&presence.departures) && (100..400).contains(&presence.arrivals), "{presence:?}");
    let violations = report.violations;
    assert_eq!((violations.altered, violations.answered_twice, violations.offences), (0, 0, 0));
    assert_eq!(format!("{report:?}"), format!("{:?}", run_quietly(&scenario)), "one seed, one report");
}

#[test]
fn a_network_that_works_while_it_grows_and_then_loses_nodes_that_come_and_go_finds_what_exists() {
    let mut scenario = scenario(50, 19, FidelityChoice::Values);
    scenario.growth = Some(Growth { start: 20, operations_per_join: 3 });
    scenario.workload.warmup_operations = 40;
    scenario.workload.fetch_at_most_once = true;
    scenario.faults.fail_fraction = 0.1;
    scenario.faults.repair_seconds = 60.0;
    scenario.churn.session = Session::Exponential;
    scenario.churn.mean_seconds = 3_600.0;
    scenario.churn.availability = 0.8;
    scenario.check(u64::MAX).expect("a possible scenario");
    let report = run_quietly(&scenario);
    // What operations insert is no document of the workload.
    assert_eq!(report.documents.map(|documents| documents.published), Some(60));
    let joined = report.growth.as_ref().expect("a network that grew");
    assert_eq!((joined.founders, joined.unplaced), (10, 0), "the founders are half of the twenty at the start");
    assert!(report.success_of_existing >= Some(0.99), "{:?}", report.misses);
    let violations = report.violations;
    assert_eq!((violations.altered, violations.answered_twice, violations.offences), (0, 0, 0));
    assert!(report.presence.is_some_and(|presence| presence.online < 50.0), "{:?}", report.presence);
    assert_eq!(format!("{report:?}"), format!("{:?}", run_quietly(&scenario)), "one seed, one report");
}

#[test]
fn what_operations_have_inserted_is_there_before_the_first_document() {
    let mut scenario = scenario(20, 23, FidelityChoice::Values);
    scenario.workload.warmup_operations = 30;
    let worked = run_quietly(&scenario);
    assert_sound(&worked);
    assert_eq!((worked.success, worked.failed_inserts), (Some(1.0), 0));
    scenario.workload.warmup_operations = 0;
    let idle = run_quietly(&scenario);
    let held = |report: &Report| report.keys_per_node.expect("nodes hold something").mean;
    assert!(held(&worked) > held(&idle), "fifteen blocks more lie in its stores");
}
