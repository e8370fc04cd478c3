//! Sixteen whole nodes with pre-routing in virtual time: overlay, store, relays and links as in production, cells and all.
//! What a client asks comes back through three relays, and no link tells two packets of it to belong together.

#[path = "onion_support/mod.rs"]
mod onion_support;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bolthole::onion::Direction;
use bolthole::overlay::mode::{Answer, Command};
use bolthole::wire::cell::Kind;
use onion_support::{Net, Sent};
use support::{block, signed};

#[test]
fn blocks_go_and_come_through_relays_and_the_asker_is_seen_asking_by_nobody() {
    let mut net = Net::of(16);
    assert!(net.ids().iter().all(|id| net.node(id).onion().expect("it relays").standing().relays == 15));
    let (client, reader) = (net.ids()[4], net.ids()[11]);
    for wanted in [block(1), block(2), signed("name", b"hello")] {
        net.sent.clear();
        let answer = net.routed(client, Command::Insert { block: wanted.clone() });
        assert!(matches!(answer, Some(Answer::Inserted { stores, wanted }) if stores >= wanted), "{answer:?}");
        let asked_directly = |net: &Net, who| net.sent.iter().any(|sent| sent.from == who && sent.is_request());
        assert!(!asked_directly(&net, client), "the client itself inserts nothing");
        net.sent.clear();
        let answer = net.routed(reader, Command::Fetch { key: wanted.key(), own_store: false });
        assert!(matches!(&answer, Some(Answer::Found { block, .. }) if *block == wanted), "{answer:?}");
        let forwarded = net.sent.iter().filter(|sent| sent.kind == Kind::Forward).count();
        assert_eq!(forwarded, 3, "guard, middle, exit");
    }
    assert_eq!(net.offences, 0);
}

#[test]
fn every_packet_of_a_class_has_one_size_and_no_two_links_of_a_reply_share_sixteen_bytes() {
    let mut net = Net::of(16);
    let (client, reader) = (net.ids()[2], net.ids()[9]);
    net.routed(client, Command::Insert { block: block(1) }).expect("an answer");
    net.sent.clear();
    let key = block(1).key();
    for _ in 0..3 {
        let from = net.sent.len();
        net.routed(reader, Command::Fetch { key, own_store: false }).expect("an answer");
        let onion = |kind| net.sent[from..].iter().filter(move |sent| sent.kind == kind).collect::<Vec<&Sent>>();
        let (forward, reply) = (onion(Kind::Forward), onion(Kind::Reply));
        assert_eq!((forward.len(), reply.len()), (3, 3));
        assert!(forward.iter().all(|sent| sent.cells.len() == 1_136), "a question is one cell at every hop");
        assert!(reply.iter().all(|sent| sent.cells.len() == 34_080), "its answer is thirty at every hop");
        let packets: Vec<Vec<u8>> = forward.iter().chain(&reply).map(|sent| sent.packet()).collect();
        let mut seen: BTreeMap<&[u8], usize> = BTreeMap::new();
        for (number, packet) in packets.iter().enumerate() {
            for window in packet.windows(16) {
                let first = *seen.entry(window).or_insert(number);
                assert_eq!(first, number, "packets {first} and {number} share sixteen bytes");
            }
        }
        let ends: BTreeSet<_> = forward.iter().map(|sent| sent.to).collect();
        assert!(ends.len() == 3 && !ends.contains(&reader));
        assert_eq!(forward[0].from, reader);
        assert_eq!(reply[2].to, reader);
    }
}

#[test]
fn a_miss_looks_like_a_hit_until_the_client_has_opened_it() {
    let mut net = Net::of(8);
    let reader = net.ids()[3];
    net.sent.clear();
    let answer = net.routed(reader, Command::Fetch { key: block(77).key(), own_store: false });
    assert_eq!(answer, Some(Answer::NotFound));
    let replies = net.sent.iter().filter(|sent| sent.kind == Kind::Reply);
    assert!(replies.clone().count() == 3 && replies.into_iter().all(|sent| sent.cells.len() == 34_080));
}

#[test]
fn links_for_pre_routing_are_no_neighbours_until_the_overlay_wants_them() {
    let mut net = Net::sparse(16);
    let neighbours: usize = net.ids().iter().map(|id| net.node(id).overlay().neighbours().len()).sum();
    let (client, reader) = (net.ids()[2], net.ids()[9]);
    net.routed(client, Command::Insert { block: block(1) }).expect("an answer");
    for _ in 0..12 {
        let answer = net.routed(reader, Command::Fetch { key: block(1).key(), own_store: false });
        assert!(matches!(answer, Some(Answer::Found { .. })), "{answer:?}");
    }
    let after: usize = net.ids().iter().map(|id| net.node(id).overlay().neighbours().len()).sum();
    assert_eq!(after, neighbours, "no neighbour came of a packet");
    assert!(net.open_links() * 2 > neighbours, "and there are more links than those of neighbours");
    assert_eq!(net.offences, 0);
}

#[test]
fn a_packet_that_was_recorded_and_sent_again_goes_nowhere() {
    let mut net = Net::of(16);
    let reader = net.ids()[9];
    net.sent.clear();
    net.routed(reader, Command::Fetch { key: block(5).key(), own_store: false }).expect("an answer");
    let first = net.sent.iter().find(|sent| sent.kind == Kind::Forward).expect("it was sent").clone();
    let recorded = first.packet();
    net.sent.clear();
    net.replay(first.from, first.to, Direction::Forward, recorded.into());
    net.run_for(Duration::from_secs(5));
    assert!(net.sent.iter().all(|sent| sent.kind == Kind::Message || sent.kind == Kind::Directory));
}
