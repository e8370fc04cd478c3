//! The suite: what any overlay of the comparison must do, whatever way it finds a document.

use std::fmt::Debug;

use bolthole::id::NodeId;
use bolthole::limits;
use bolthole::message::class::Message;
use bolthole::message::contact::Contact;
use bolthole::overlay::mode::{Mode, Offence};
use bolthole::sim::latency::LatencyKind;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::overlays::{run, run_with};
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario, Session, Target};
use bolthole::wire::codec::{self, Budget};

/// The suite as tests of one overlay. `after_loss` is the least share of what still exists that is found when a fifth has
/// died, `with_churn` the least share of all that is found while nodes come and go.
macro_rules! suite {
    ($mode:expr, after_loss: $after_loss:expr, with_churn: $with_churn:expr) => {
        #[test]
        fn what_is_published_is_found_from_anywhere() {
            crate::suite::finds_what_is_published($mode);
        }

        #[test]
        fn one_seed_gives_one_report() {
            crate::suite::one_seed_gives_one_report($mode);
        }

        #[test]
        fn both_fidelities_decide_alike() {
            crate::suite::fidelities_decide_alike($mode);
        }

        #[test]
        fn a_fifth_of_the_nodes_dies_and_the_rest_is_found() {
            crate::suite::survives_a_loss($mode, $after_loss);
        }

        #[test]
        fn lost_packets_delay_and_lose_nothing() {
            crate::suite::bears_lost_packets($mode);
        }

        #[test]
        fn everything_at_once_breaks_no_rule() {
            crate::suite::goes_through_everything($mode);
        }

        #[test]
        fn nodes_come_and_go() {
            crate::suite::lives_with_churn($mode, $with_churn);
        }
    };
}
pub(crate) use suite;

pub(crate) fn scenario(mode: ModeName, nodes: u32, seed: u64, fidelity: FidelityChoice) -> Scenario {
    let mut scenario = Scenario { seed, fidelity, ..Scenario::defaults(mode, nodes) };
    scenario.workload.documents = 60;
    scenario.workload.object_bytes = 32_768;
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

/// A document of forty blocks is published and looked up block by block, and bears the loss of some: where what one node
/// holds is gone with it, check blocks stand in.
#[test]
fn documents_of_many_blocks_are_found_block_by_block() {
    for mode in
        [ModeName::Central, ModeName::Flooding, ModeName::Supernode, ModeName::Chord, ModeName::Kademlia, ModeName::Can]
    {
        let mut scenario = scenario(mode, 40, 23, FidelityChoice::Values);
        (scenario.workload.documents, scenario.workload.lookups) = (4, 20);
        scenario.workload.lookups_per_second = 0.5;
        scenario.workload.object_bytes = 40 * 32_736;
        let report = run_quietly(&scenario);
        assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0), "{mode}");
        assert_eq!(report.documents.map(|all| (all.published, all.existing)), Some((4, 4)), "{mode}");
        // A top, two standbys and what names them, forty data and twenty check blocks; the top and forty others are needed.
        let blocks = report.blocks.expect("documents of several blocks");
        assert_eq!(blocks.per_document, 65, "{mode}");
        assert!(blocks.searches >= 20 * 41, "{mode}: {blocks:?}");
        let (first, last) = (report.latency_ms.expect("found"), report.completion_seconds.expect("found"));
        assert!(last.mean * 1_000.0 > first.mean, "{mode}: the last block comes after the first");
        scenario.faults.fail_fraction = 0.1;
        scenario.faults.repair = false;
        let report = run_quietly(&scenario);
        let blocks = report.blocks.expect("documents of several blocks");
        // What its publisher alone has dies with it, whole.
        if !matches!(mode, ModeName::Central | ModeName::Flooding | ModeName::Supernode) {
            assert!(blocks.success < 1.0, "{mode}: blocks are gone: {blocks:?}");
            assert_eq!(report.success_of_existing, Some(1.0), "{mode}: {:?}", report.misses);
        }
    }
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

/// One message in twenty is lost and sent again: all is found. 300 lookups.
pub(crate) fn bears_lost_packets(mode: ModeName) {
    let clean = scenario(mode, 60, 17, FidelityChoice::Values);
    let mut lossy = clean.clone();
    lossy.latency.loss = 0.05;
    let reports = [clean, lossy].map(|scenario| run_quietly(&scenario));
    let [clean, lossy] = reports.map(|report| (report.success, report.latency_ms.expect("lookups").mean));
    assert_eq!((clean.0, lossy.0), (Some(1.0), Some(1.0)));
    assert!(lossy.1 > clean.1, "what is lost takes longer: {} ms, {} ms without loss", lossy.1, clean.1);
}

/// A network that grows, is used before, loses its busiest nodes, whose nodes then come and go without a word, over lossy
/// links in a plane: no rule is broken, and what came of every lookup is said.
pub(crate) fn goes_through_everything(mode: ModeName) {
    let mut scenario = scenario(mode, 60, 19, FidelityChoice::Values);
    scenario.growth = Some(Growth { start: 30, operations_per_join: 2 });
    scenario.workload.warmup_operations = 20;
    scenario.workload.idle_seconds = 60.0;
    scenario.workload.fetch_at_most_once = true;
    scenario.latency.kind = LatencyKind::Euclidean;
    scenario.latency.loss = 0.01;
    scenario.faults.fail_fraction = 0.05;
    scenario.faults.target = Target::Busiest;
    scenario.faults.repair_seconds = 120.0;
    scenario.churn.session = Session::Weibull;
    scenario.churn.mean_seconds = 300.0;
    scenario.churn.availability = 0.5;
    scenario.churn.joins_per_second = 0.01;
    scenario.churn.leaves_per_second = 0.01;
    scenario.churn.graceful = false;
    let report = run_quietly(&scenario);
    let misses = report.misses;
    let failed = (misses.lost + misses.not_found + misses.timed_out) as f64;
    let presence = report.presence.expect("nodes come and go");
    let counted = 300.0 - presence.abandoned_lookups as f64;
    assert!((report.success.expect("lookups") - (1.0 - failed / counted)).abs() < 1e-9, "{misses:?} {presence:?}");
    assert!(report.idle.is_some_and(|idle| idle.seconds == 60.0) && report.linkage.is_some());
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

/// Each message is of its class's size on the wire and comes back as it was.
pub(crate) fn fit_and_come_back<M: Message + PartialEq + Debug>(all: impl IntoIterator<Item = M>) {
    for message in all {
        let cells = codec::encode(&message, 0, Budget::LINK).expect("it fits its class");
        assert_eq!(cells.len(), message.class().cells() * limits::CELL_BYTES, "{message:?}");
        assert_eq!(codec::decode::<M>(&cells).expect("it decodes"), message);
    }
}

/// Whoever gets `message` blames its sender, for `offence` and nothing else.
pub(crate) fn is_an_offence<M: Mode>(
    mesh: &mut Mesh<M>,
    from: NodeId,
    to: NodeId,
    message: M::Message,
    offence: Offence,
) {
    let before = mesh.offences().len();
    let what = format!("{message:?}");
    mesh.inject(from, to, message);
    assert_eq!(mesh.offences()[before..], [(to, from, offence)], "{what}");
}

/// The contact whose encoding is longest.
pub(crate) fn longest_contact() -> Contact {
    let address = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().expect("a literal address");
    Contact::new(NodeId([255; 32]), address)
}
