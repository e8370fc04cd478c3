//! Kademlia: the suite, the buckets that joining reaches, rounds and losses as the paper's argument has them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::RoutingKey;
use bolthole::limits;
use bolthole::message::contact::Contact;
use bolthole::overlay::kademlia::{Config, Kademlia, Message};
use bolthole::overlay::mode::Offence;
use bolthole::overlay::mode::calls::CallId;
use bolthole::sim::engine::address_of;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::overlays::{Network, Trie};
use bolthole::sim::scenario::{FidelityChoice, ModeName, PublishKind};

use crate::suite::{self, run_quietly, scenario, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Kademlia;

// With one copy a document goes with its node, until it is stored again.
suite!(MODE, after_loss: 1.0, with_churn: 0.8);

/// Check C9: half of all nodes die at once and of twenty copies one survives; rounds are at most log2 n - log2 k + 2.
#[test]
fn half_of_all_nodes_die_and_twenty_copies_outlast_it() {
    let mut scenario = scenario(MODE, 1_000, 2, FidelityChoice::Values);
    scenario.workload.copies = 20;
    scenario.workload.documents = 100;
    scenario.faults.fail_fraction = 0.5;
    scenario.faults.repair = false;
    let report = run_quietly(&scenario);
    assert_eq!(report.success, Some(1.0), "{:?}", report.misses);
    assert!(report.hops.is_some_and(|hops| hops.max <= 7.65), "{:?}", report.hops);
}

/// Two nodes whose only way in is closed know each other alone; once it opens they are of the network there.
#[test]
fn networks_that_began_apart_become_one() {
    let (config, mut mesh) = (Arc::new(Config::default()), Mesh::new(3));
    let begin = |mesh: &mut Mesh<Kademlia>, number: u32, door: Option<u32>, seconds| {
        let contact = |number: u32| Contact::new(NodeId([number as u8 * 50 + 7; 32]), address_of(number));
        let (me, doors) = (contact(number), door.map(contact).into_iter().collect());
        let node = Kademlia::newcomer(Arc::clone(&config), me.clone(), doors, [number as u8; 32]);
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(seconds));
        me.id()
    };
    let known = |mesh: &Mesh<Kademlia>, id: &NodeId| {
        let buckets = mesh.mode(id).expect("alive").buckets();
        buckets.into_values().flatten().collect::<std::collections::BTreeSet<NodeId>>()
    };
    let (one, two) = (begin(&mut mesh, 1, Some(0), 0), begin(&mut mesh, 2, Some(1), 240));
    assert!(known(&mesh, &one).contains(&two) && known(&mesh, &two).contains(&one));
    let (zero, three) = (begin(&mut mesh, 0, None, 0), begin(&mut mesh, 3, Some(0), 60));
    assert!(!known(&mesh, &three).contains(&two));
    mesh.run_for(Duration::from_secs(8_000));
    for id in [zero, one, two, three] {
        assert_eq!(known(&mesh, &id).len(), 3, "{id:?}");
    }
}

/// Every lookup ends at one of those who published: a document lives as long as one of them, and is never copied.
#[test]
fn records_lead_to_whoever_published() {
    let mut scenario = scenario(MODE, 100, 5, FidelityChoice::Values);
    scenario.kademlia.as_mut().expect("its table").publish = PublishKind::Reference;
    scenario.workload.copies = 5;
    let report = run_quietly(&scenario);
    assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0), "{:?}", report.misses);
    assert!(report.copies_per_document.is_some_and(|copies| copies.max == 1.0), "{:?}", report.copies_per_document);
    (scenario.faults.fail_fraction, scenario.faults.repair) = (0.3, false);
    let report = run_quietly(&scenario);
    assert!(report.success_of_existing > Some(0.99), "{:?}", report.misses);
    assert!(report.misses.lost > 0);
}

/// Buckets that are not full name everybody in their range; which of many a full one names depends on who came first.
#[test]
fn joining_reaches_the_buckets_of_a_settled_network() {
    let scenario = scenario(MODE, 1_000, 4, FidelityChoice::Values);
    let settled = Network::<Trie>::new(&scenario, false);
    let mut grown = Network::<Trie>::founded(&scenario);
    while grown.engine.len() < 1_000 {
        grown.join();
        grown.run_for(Duration::from_millis(500));
    }
    // Two refreshes.
    grown.run_for(Duration::from_secs(7_800));
    let shape = |network: &Network<Trie>, node| -> BTreeMap<u16, Vec<NodeId>> {
        let buckets = network.engine.mode(node).expect("alive").buckets();
        let all_or_count = |mut ids: Vec<NodeId>| {
            ids.sort_unstable();
            if ids.len() < 20 { ids } else { vec![NodeId([0; 32]); ids.len()] }
        };
        buckets.into_iter().map(|(shared, ids)| (shared, all_or_count(ids))).collect()
    };
    let count = |network: &Network<Trie>| -> usize {
        (0..1_000).map(|node| network.engine.mode(node).expect("alive").entries()).sum()
    };
    let same = (0..1_000).filter(|node| shape(&grown, *node) == shape(&settled, *node)).count();
    assert!(same >= 990, "{same} nodes have the same buckets, entries {} of {}", count(&grown), count(&settled));
    assert!(grown.engine.alarms.is_empty(), "{:?}", grown.engine.alarms.first());
}

fn contact(number: u32) -> Contact {
    Contact::new(NodeId([number as u8 * 70 + 1; 32]), address_of(number))
}

fn mesh() -> (Mesh<Kademlia>, Vec<NodeId>) {
    let (config, mut mesh) = (Arc::new(Config::default()), Mesh::new(3));
    for number in 0..3 {
        let entries = if number == 0 { Vec::new() } else { vec![contact(0)] };
        let me = contact(number);
        let node = Kademlia::newcomer(Arc::clone(&config), me.clone(), entries, [number as u8; 32]);
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(10));
    }
    (mesh, (0..3).map(|number| contact(number).id()).collect())
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let (mut mesh, ids) = mesh();
    let (never, key) = (CallId(u32::MAX), RoutingKey([3; 32]));
    let parcel = block(1).parcel();
    let many = vec![contact(2); limits::CALL_CONTACTS + 1];
    for (message, offence) in [
        (Message::Stored { call: never, durable: true }, Offence::Unasked),
        (Message::Nodes { call: never, value: false, contacts: many }, Offence::Flood),
        (Message::FindNode { call: never, sender: contact(2), target: key }, Offence::OutOfTurn),
        (Message::Store { call: never, sender: contact(1), key, parcel, passing: false }, Offence::BadBlock),
    ] {
        suite::is_an_offence(&mut mesh, ids[1], ids[0], message, offence);
    }
}

#[test]
fn a_flood_of_questions_leaves_nothing_behind() {
    let (mut mesh, ids) = mesh();
    for number in 0..20_000 {
        let key = RoutingKey([number as u8; 32]);
        mesh.inject(ids[1], ids[0], Message::FindValue { call: CallId(number), sender: contact(1), key });
        let open = mesh.mode(&ids[0]).map_or(0, Kademlia::open);
        assert!(open <= limits::CALL_READS + limits::CALLS, "{open}");
    }
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let sender = suite::longest_contact();
    let (call, key, parcel) = (CallId(u32::MAX), RoutingKey([255; 32]), block(1).parcel());
    let all = [
        Message::FindNode { call, sender: sender.clone(), target: key },
        Message::FindValue { call, sender: sender.clone(), key },
        Message::Nodes { call, value: true, contacts: vec![sender.clone(); limits::CALL_CONTACTS] },
        Message::Value { call, parcel: parcel.clone() },
        Message::Store { call, sender, key, parcel, passing: true },
        Message::Stored { call, durable: true },
        Message::Provide { call, sender: suite::longest_contact(), key },
        Message::Providers { call, providers: vec![suite::longest_contact(); limits::CALL_CONTACTS] },
    ];
    suite::fit_and_come_back(all);
}
