//! Nobody is blamed for what passed through it: a peer cannot make honest neighbours cut each other.

mod support;

use std::time::Duration;

use bolthole::key::RoutingKey;
use bolthole::message::block::{Block, BlockKind};
use bolthole::overlay::freenet::{ExchangeId, Message};
use support::{block, founders, place, signed};

/// Node 1 tells node 0 `messages`, `pause` apart. Afterwards nobody has anything against node 0.
///
/// The real node 1 is honest and surprised by answers to what it never asked, so its word does not count.
fn check(pause: Duration, messages: &[Message]) {
    let (mut mesh, ids) = founders(6, 1);
    for message in messages {
        mesh.inject(ids[1], ids[0], message.clone());
        mesh.run_for(pause);
    }
    mesh.run_for(Duration::from_secs(30));
    let framed: Vec<_> = mesh.offences().iter().filter(|(saw, did, _)| *did == ids[0] && *saw != ids[1]).collect();
    assert!(framed.is_empty(), "{} times, first {:?}", framed.len(), framed[0]);
}

/// Node 1 asks node 0 for a thousand things that lead further, and hangs up before they are answered.
fn hang_up(message: impl Fn(u64) -> Message) {
    let (mut mesh, ids) = founders(6, 2);
    for round in 0..10 {
        for number in 0..100 {
            mesh.inject(ids[1], ids[0], message(100 * round + number));
        }
        // Until it is passed on, but not answered; and then until the two have found each other again.
        mesh.run_for(Duration::from_millis(18));
        mesh.cut(ids[0], ids[1]);
        mesh.run_for(Duration::from_secs(20));
        assert!(mesh.linked(ids[0], ids[1]), "round {round}");
    }
    let blamed: Vec<_> = mesh.offences().iter().filter(|(saw, did, _)| *saw == ids[0] && *did != ids[1]).collect();
    assert!(blamed.is_empty(), "{} times, first {:?}", blamed.len(), blamed[0]);
}

/// A key that nobody has, far from every other.
fn key(number: u64) -> RoutingKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    RoutingKey(bytes)
}

#[test]
fn whoever_asks_and_hangs_up_has_nobody_blamed_for_the_answers() {
    hang_up(|number| Message::Request { id: ExchangeId(number), key: key(number), htl: 18, detours: 4 });
    let kind = BlockKind::Content;
    hang_up(|number| Message::Insert { id: ExchangeId(number), key: key(number), kind, htl: 18 });
    hang_up(|number| Message::Offer { id: ExchangeId(number), key: key(number), kind, location: place(6, 2) });
}

const AT_ONCE: Duration = Duration::ZERO;
const IN_TURN: Duration = Duration::from_millis(200);
const ID: ExchangeId = ExchangeId(1);

/// An offer for node 2, through node 0.
fn offer(block: &Block) -> Message {
    Message::Offer { id: ID, key: block.key(), kind: block.kind(), location: place(6, 2) }
}

fn offer_data(block: &Block) -> Message {
    Message::OfferData { id: ID, parcel: block.parcel() }
}

#[test]
fn a_block_offered_through_a_node_before_anybody_wants_it_goes_no_further() {
    check(AT_ONCE, &[offer(&block(1)), offer_data(&block(1))]);
}

#[test]
fn a_block_sent_many_times_through_a_node_goes_on_once() {
    let repeated = vec![offer_data(&block(1)); 300];
    check(AT_ONCE, &[vec![offer(&block(1))], repeated.clone()].concat());
    check(Duration::from_micros(500), &[vec![offer(&block(1))], repeated].concat());
}

#[test]
fn lies_and_repetitions_stop_at_the_first_node() {
    let (block, other, name) = (block(1), block(2), signed("name", b"text"));
    let insert = Message::Insert { id: ID, key: block.key(), kind: block.kind(), htl: 18 };
    let data = |block: &Block| Message::InsertData { id: ID, parcel: block.parcel() };
    let request = Message::Request { id: ID, key: name.key(), htl: 255, detours: 255 };
    let found = Message::Found { id: ID, parcel: name.parcel(), source: None, hops: 255 };
    for pause in [AT_ONCE, IN_TURN] {
        check(pause, &[offer(&block), offer_data(&other)]);
        check(pause, &[offer(&block), Message::Kept { id: ID }, Message::Want { id: ID }]);
        check(pause, &[insert.clone(), insert.clone(), data(&other)]);
        check(pause, &[insert.clone(), data(&block), data(&block), Message::Stored { id: ID, copies: 9 }]);
        check(pause, &[request.clone(), request.clone(), found.clone()]);
    }
}
