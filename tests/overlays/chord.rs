//! Chord: the suite, the tables that joining reaches, the published path length, misbehaving peers.

use std::sync::Arc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::{Location, RoutingKey};
use bolthole::limits;
use bolthole::message::contact::Contact;
use bolthole::overlay::chord::{Chord, Config, Message, Peer, Way};
use bolthole::overlay::mode::Offence;
use bolthole::overlay::mode::calls::CallId;
use bolthole::sim::engine::address_of;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::overlays::{Network, Ring};
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{ChordLookup, FidelityChoice, FingersPerRound, Growth, ModeName, PublishKind, Session};

use crate::suite::{self, run_quietly, scenario, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Chord;

suite!(MODE, after_loss: 1.0, with_churn: 0.99);

/// The same nodes are asked as iteratively, but only the first and the owner learn who asks.
#[test]
fn questions_that_are_passed_on_tell_few_who_asks() {
    let report = |lookup| {
        let mut scenario = scenario(MODE, 400, 5, FidelityChoice::Values);
        scenario.chord.as_mut().expect("its table").lookup = lookup;
        run_quietly(&scenario)
    };
    let (iterative, recursive) = (report(ChordLookup::Iterative), report(ChordLookup::Recursive));
    assert_eq!((recursive.success, recursive.failed_inserts), (Some(1.0), 0));
    let hops = |report: &Report| report.hops.expect("lookups succeed").mean;
    assert!((hops(&iterative) - hops(&recursive)).abs() < 0.2, "{} {}", hops(&iterative), hops(&recursive));
    let exposure = recursive.exposure.expect("lookups");
    assert!(exposure.requester_and_key <= 2.0 && exposure.key_only > 0.5, "{exposure:?}");
    assert!(iterative.exposure.is_some_and(|all| all.requester_and_key > 2.5 && all.key_only == 0.0));
}

#[test]
fn recursive_lookups_go_around_the_dead() {
    let mut scenario = scenario(MODE, 200, 11, FidelityChoice::Values);
    scenario.chord.as_mut().expect("its table").lookup = ChordLookup::Recursive;
    (scenario.faults.fail_fraction, scenario.faults.repair) = (0.3, false);
    let report = run_quietly(&scenario);
    assert_eq!(report.success_of_existing, Some(1.0), "{:?}", report.misses);
    assert!(report.timeouts_per_lookup.is_some_and(|timeouts| timeouts.mean > 0.1));
}

#[test]
fn references_lead_to_whoever_published() {
    let mut scenario = scenario(MODE, 40, 5, FidelityChoice::Values);
    scenario.chord.as_mut().expect("its table").publish = PublishKind::Reference;
    let report = run_quietly(&scenario);
    assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0));
}

#[test]
fn three_copies_outlast_the_loss_of_a_fifth() {
    let mut scenario = scenario(MODE, 60, 6, FidelityChoice::Values);
    scenario.workload.copies = 3;
    scenario.faults.fail_fraction = 0.2;
    scenario.faults.repair = false;
    let report = run_quietly(&scenario);
    assert_eq!(report.success_of_existing, Some(1.0));
    // Of 60 documents with three copies, half a document is lost on average.
    assert!(report.documents.is_some_and(|documents| documents.existing >= 55), "{:?}", report.documents);
}

/// One thousand nodes join one after the other and stabilise: they know what a ring built at once knows.
#[test]
fn joining_reaches_the_tables_of_a_settled_ring() {
    let mut scenario = scenario(MODE, 1_000, 4, FidelityChoice::Values);
    let table = scenario.chord.as_mut().expect("its table");
    table.fingers_per_round = FingersPerRound::All;
    // A newcomer gets into lists one place farther back in every round.
    table.successors = 8;
    let settled = Network::<Ring>::new(&scenario, false);
    let mut grown = Network::<Ring>::founded(&scenario);
    while grown.engine.len() < 1_000 {
        grown.join();
        grown.run_for(Duration::from_millis(500));
    }
    // Sixty rounds: stale fingers lead lookups to stale owners, so the last errors take a while to go.
    grown.run_for(Duration::from_secs(1_920));
    let tables = |network: &Network<Ring>, node| network.engine.mode(node).expect("alive").tables(0);
    let differing = (0..1_000).filter(|node| tables(&grown, *node) != tables(&settled, *node)).count();
    assert_eq!(differing, 0);
    assert!(grown.engine.alarms.is_empty(), "{:?}", grown.engine.alarms.first());
}

/// Check C1: half of log2 N, within 0.15 of the published mean; 4,000 lookups, whose mean has a standard error of 0.026.
#[test]
fn the_path_is_half_of_the_binary_logarithm() {
    let mut scenario = scenario(MODE, 1_024, 1, FidelityChoice::Values);
    scenario.chord.as_mut().expect("its table").successors = 1;
    scenario.workload.documents = 2_000;
    scenario.workload.lookups = 4_000;
    scenario.workload.lookups_per_second = 400.0;
    let hops = run_quietly(&scenario).hops.expect("lookups succeed");
    assert!((hops.mean - 4.9).abs() < 0.15, "{hops:?}");
}

/// Whoever comes back takes its place again within a minute or so, and draws nobody into a ring apart. Sessions of five minutes,
/// a tenth of the nodes away, one copy, 300 lookups. A fifth fails if a minute of every session is lost.
#[test]
fn whoever_comes_back_is_found_again() {
    let mut scenario = scenario(MODE, 200, 31, FidelityChoice::Values);
    scenario.workload.documents = 1_000;
    scenario.workload.lookups_per_second = 0.33;
    scenario.churn.session = Session::Exponential;
    scenario.churn.mean_seconds = 300.0;
    scenario.churn.availability = 0.9;
    scenario.churn.graceful = false;
    let report = run_quietly(&scenario);
    assert!(report.success_of_existing >= Some(0.85), "{:?} {:?}", report.success_of_existing, report.misses);
}

/// A ring that grows from two nodes, one a second, faster than it stabilises: what is published meanwhile is found once it has.
#[test]
fn what_is_put_while_the_ring_grows_reaches_its_owner() {
    let mut scenario = scenario(MODE, 120, 5, FidelityChoice::Values);
    scenario.growth = Some(Growth { start: 2, operations_per_join: 0 });
    scenario.workload.documents = 200;
    scenario.workload.idle_seconds = 300.0;
    let report = run_quietly(&scenario);
    assert!(report.success >= Some(0.99), "{:?} {:?}", report.success, report.misses);
}

fn contact(number: u32) -> Contact {
    let mut id = [number as u8 + 1; 32];
    id[0] = (number as u8).wrapping_mul(80).wrapping_add(7);
    Contact::new(NodeId(id), address_of(number))
}

fn mesh() -> (Mesh<Chord>, Vec<NodeId>) {
    let (config, mut mesh) = (Arc::new(Config::default()), Mesh::new(3));
    for number in 0..3 {
        let me = contact(number);
        let node = match number {
            0 => Chord::founder(Arc::clone(&config), &me, [1; 32]),
            _ => Chord::newcomer(Arc::clone(&config), &me, vec![contact(0)], [number as u8; 32]),
        };
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(60));
    }
    (mesh, (0..3).map(|number| contact(number).id()).collect())
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let (mut mesh, ids) = mesh();
    let (key, peers) = (RoutingKey([3; 32]), vec![Peer::new(contact(1), 0); limits::CALL_CONTACTS + 1]);
    let never = CallId(u32::MAX);
    let nodes = |preceding, call| Message::Nodes { call, upkeep: false, preceding, following: Vec::new() };
    let put = Message::Put { call: CallId(1), key, parcel: block(1).parcel(), replicas: 0 };
    let notify = Message::Notify { member: 0, sender: Peer::new(contact(2), 0) };
    for (message, offence) in [
        (nodes(Vec::new(), never), Offence::Unasked),
        (Message::Missing { call: never }, Offence::Unasked),
        (nodes(peers, CallId(0)), Offence::Flood),
        (put, Offence::BadBlock),
        (notify, Offence::OutOfTurn),
    ] {
        suite::is_an_offence(&mut mesh, ids[1], ids[0], message, offence);
    }
}

#[test]
fn a_flood_of_questions_leaves_nothing_behind() {
    let (mut mesh, ids) = mesh();
    for number in 0..20_000 {
        let key = RoutingKey([number as u8; 32]);
        mesh.inject(ids[1], ids[0], Message::Get { call: CallId(number), key });
        mesh.inject(ids[1], ids[0], Message::Neighbours { call: CallId(number), member: 9 });
        let open = mesh.mode(&ids[0]).map_or(0, Chord::open);
        assert!(open <= limits::CALL_READS + limits::CALLS, "{open}");
    }
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let peer = Peer::new(suite::longest_contact(), u8::MAX);
    let (call, key, member) = (CallId(u32::MAX), RoutingKey([255; 32]), u8::MAX);
    let (parcel, holder, way) = (block(1).parcel(), peer.clone(), Way { hops: u16::MAX, timeouts: u16::MAX });
    let most = |count| vec![peer.clone(); count];
    let all = [
        Message::Around { call, member, key: Location(u64::MAX), upkeep: true },
        Message::Nodes { call, upkeep: true, preceding: most(4), following: most(limits::CALL_CONTACTS - 4) },
        Message::Neighbours { call, member },
        Message::NeighboursAre { call, predecessor: Some(peer.clone()), successors: most(limits::CALL_CONTACTS - 1) },
        Message::Notify { member, sender: peer.clone() },
        Message::Leaving {
            sender: peer.clone(),
            predecessor: Some(peer.clone()),
            successors: most(limits::CALL_CONTACTS - 2),
        },
        Message::Seek { call, member, key: Location(u64::MAX), way },
        Message::Taken { call },
        Message::Owners { call, owners: most(limits::CALL_CONTACTS), way },
        Message::Stuck { call, way },
        Message::Put { call, key, parcel: parcel.clone(), replicas: u8::MAX },
        Message::Refer { call, key, holder: holder.clone(), replicas: u8::MAX },
        Message::Stored { call, durable: true },
        Message::Get { call, key },
        Message::Data { call, parcel },
        Message::Held { call, holder },
        Message::Missing { call },
    ];
    suite::fit_and_come_back(all);
}
