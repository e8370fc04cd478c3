//! The central index: the suite, its two messages, its single point of failure, misbehaving peers.

use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::RoutingKey;
use bolthole::limits;
use bolthole::message::contact::Contact;
use bolthole::overlay::central::{Central, Message};
use bolthole::overlay::mode::Offence;
use bolthole::overlay::mode::calls::CallId;
use bolthole::sim::engine::address_of;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::scenario::{FidelityChoice, ModeName, Target};

use crate::suite::{self, run_quietly, scenario, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Central;

// Those who go take their documents along, so the share found is not that of an overlay with replicas.
suite!(MODE, after_loss: 1.0, with_churn: 0.8);

/// Check C18: two messages find anything, apart from the download.
#[test]
fn two_messages_find_anything_and_the_server_holds_all_that_is_shared() {
    let report = run_quietly(&scenario(MODE, 100, 3, FidelityChoice::Values));
    let messages = report.messages_per_lookup.expect("lookups");
    // But for what the node itself shares: 1 in 100, five standard deviations wide.
    assert!((1.92..=2.0).contains(&messages), "{messages}");
    assert_eq!(report.state_per_node.map(|state| state.max), Some(160.0), "100 clients and 60 shares");
}

#[test]
fn without_the_server_nothing_new_is_found() {
    let mut scenario = scenario(MODE, 100, 4, FidelityChoice::Values);
    scenario.faults.fail_fraction = 0.01;
    scenario.faults.target = Target::Busiest;
    scenario.faults.repair = false;
    let report = run_quietly(&scenario);
    // What the node itself shares is found there: 1 in 100, and of 300 lookups hardly more than 12.
    assert!(report.success.is_some_and(|share| share < 0.04), "{:?}", report.success);
    assert!(report.documents.is_some_and(|documents| documents.existing == documents.published));
}

#[test]
fn further_publishers_are_further_copies() {
    let mut scenario = scenario(MODE, 40, 5, FidelityChoice::Values);
    scenario.workload.copies = 3;
    let report = run_quietly(&scenario);
    // Three draws of forty nodes are seldom the same.
    assert!(report.copies_per_document.is_some_and(|copies| copies.mean > 2.7), "{:?}", report.copies_per_document);
}

fn contact(number: u32) -> Contact {
    Contact::new(NodeId([number as u8 + 1; 32]), address_of(number))
}

fn mesh() -> (Mesh<Central>, Vec<NodeId>) {
    let mut mesh = Mesh::new(3);
    for number in 0..3 {
        let me = contact(number);
        let node = match number {
            0 => Central::server(me.clone(), std::iter::empty()),
            _ => Central::client(me.clone(), contact(0), false),
        };
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(10));
    }
    (mesh, (0..3).map(|number| contact(number).id()).collect())
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let (mut mesh, ids) = mesh();
    let never = CallId(u32::MAX);
    let key = RoutingKey([3; 32]);
    for (to, message, offence) in [
        (0, Message::Pong { call: never }, Offence::Unasked),
        (0, Message::Share { call: never, key, sender: contact(2) }, Offence::OutOfTurn),
        (0, Message::Hits { call: never, holders: vec![contact(2); limits::CALL_CONTACTS + 1] }, Offence::Flood),
        (2, Message::Search { call: never, key }, Offence::OutOfTurn),
    ] {
        suite::is_an_offence(&mut mesh, ids[1], ids[to], message, offence);
    }
}

#[test]
fn a_client_that_shares_without_end_is_cut_short() {
    let (mut mesh, ids) = mesh();
    for number in 0..limits::CENTRAL_SHARES as u32 + 1_000 {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        let share = Message::Share { call: CallId(number), key: RoutingKey(key), sender: contact(1) };
        mesh.inject(ids[1], ids[0], share);
        if number.is_multiple_of(1_000) {
            mesh.run_for(Duration::from_millis(1));
        }
    }
    assert_eq!(mesh.mode(&ids[0]).map(|server| server.entries().1), Some(limits::CENTRAL_SHARES));
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let sender = suite::longest_contact();
    let (call, key, parcel) = (CallId(u32::MAX), RoutingKey([255; 32]), block(1).parcel());
    let all = [
        Message::Login { call, sender: sender.clone() },
        Message::Share { call, key, sender: sender.clone() },
        Message::Noted { call, taken: true },
        Message::Search { call, key },
        Message::Hits { call, holders: vec![sender; limits::CALL_CONTACTS] },
        Message::Get { call, key },
        Message::Data { call, parcel },
        Message::Missing { call },
        Message::Ping { call },
        Message::Pong { call },
    ];
    suite::fit_and_come_back(all);
}
