//! Whatever a peer can make grow stays within its bound, and honest traffic goes on (protocol.md §9).

mod support;

use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::{Location, RoutingKey};
use bolthole::limits;
use bolthole::message::block::BlockKind;
use bolthole::overlay::freenet::{ExchangeId, Freenet, Message};
use bolthole::overlay::mode::{CloseReason, Offence};
use bolthole::sim::mesh::Mesh;
use support::{block, fetch, founders, insert, is_found};

/// A key that nobody has, far from every other.
fn key(number: u64) -> RoutingKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    RoutingKey(bytes)
}

/// The neighbour 1 sends node 0 a flood and nothing gets out of hand; returns what was in use at the peak.
fn flood(seed: u64, message: impl Fn(u64) -> Message) -> (Mesh<Freenet>, Vec<NodeId>) {
    let (mut mesh, ids) = founders(6, seed);
    for number in 0..20_000 {
        mesh.inject(ids[1], ids[0], message(number));
        if number % 1_000 == 0 {
            mesh.run_for(Duration::from_millis(1));
        }
        let Some(node) = mesh.mode(&ids[0]) else { break };
        let used = node.occupancy();
        assert!(used.searches <= limits::REQUESTS_PER_LINK, "{used:?}");
        assert!(used.inserts <= limits::INSERTS_PER_LINK, "{used:?}");
        assert!(used.offers <= limits::OFFERS_PER_LINK, "{used:?}");
    }
    (mesh, ids)
}

/// Another neighbour is served as if nothing had happened.
fn serves_others(mesh: &mut Mesh<Freenet>, ids: &[NodeId]) {
    mesh.run_for(Duration::from_secs(60));
    let block = block(1);
    insert(mesh, ids[2], &block).expect("the insert is answered");
    let answer = fetch(mesh, ids[3], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn a_flood_of_requests_is_refused_beyond_the_bound_of_its_link() {
    let request = |number| Message::Request { id: ExchangeId(number), key: key(number), htl: 18, detours: 4 };
    let (mut mesh, ids) = flood(1, request);
    serves_others(&mut mesh, &ids);
}

#[test]
fn a_flood_of_inserts_is_refused_beyond_the_bound_of_its_link() {
    let insert =
        |number| Message::Insert { id: ExchangeId(number), key: key(number), kind: BlockKind::Content, htl: 18 };
    let (mut mesh, ids) = flood(2, insert);
    serves_others(&mut mesh, &ids);
}

#[test]
fn a_flood_of_offers_is_refused_beyond_the_bound_of_its_link() {
    let (mesh, ids) = founders(6, 3);
    let here = mesh.mode(&ids[0]).and_then(Freenet::location).expect("a founder has a place");
    let offer = move |number| Message::Offer {
        id: ExchangeId(number),
        key: key(number),
        kind: BlockKind::Content,
        location: here,
    };
    let (mut mesh, ids) = flood(3, offer);
    serves_others(&mut mesh, &ids);
}

#[test]
fn a_stream_of_answers_that_nobody_asked_for_ends_the_link() {
    let (mut mesh, ids) = founders(6, 4);
    for number in 0..=u64::from(limits::UNASKED_TOLERATED) {
        mesh.inject(ids[1], ids[0], Message::NotFound { id: ExchangeId(number) });
    }
    mesh.run_for(Duration::from_millis(100));
    assert!(mesh.closes().contains(&(ids[0], ids[1], CloseReason::Offence(Offence::Unasked))));
    assert!(!mesh.linked(ids[0], ids[1]));
}

#[test]
fn an_offer_for_a_place_that_is_no_neighbour_goes_nowhere() {
    let (mut mesh, ids) = founders(6, 5);
    let before = mesh.sent_in_all();
    let offer = Message::Offer { id: ExchangeId(1), key: key(1), kind: BlockKind::Content, location: Location(42) };
    mesh.inject(ids[1], ids[0], offer);
    assert_eq!(mesh.sent_in_all(), before + 1, "one refusal and nothing else");
}

#[test]
fn what_is_open_ends_after_everybody_else_has_died() {
    let (mut mesh, ids) = founders(6, 6);
    for number in 0..100 {
        mesh.inject(ids[1], ids[0], Message::Request { id: ExchangeId(number), key: key(number), htl: 18, detours: 4 });
    }
    for id in &ids[1..] {
        mesh.kill(*id);
    }
    mesh.run_for(Duration::from_secs(120));
    let used = mesh.mode(&ids[0]).expect("alive").occupancy();
    assert_eq!((used.searches, used.inserts, used.offers, used.links), (0, 0, 0, 0));
}
