//! Every message fits its class at its largest, and what is too large does not decode (protocol.md §6, §9).

mod support;

use std::net::SocketAddr;

use bolthole::id::{AddressGroup, NodeId};
use bolthole::key::{Location, RoutingKey};
use bolthole::limits;
use bolthole::message::block::BlockKind;
use bolthole::message::certificate::{Certificate, Claim, Testimony};
use bolthole::message::class::{Class, Message as _};
use bolthole::message::genesis::Genesis;
use bolthole::message::reference::{Introduction, NodeRef};
use bolthole::overlay::freenet::{
    Certify, Errand, ExchangeId, Hello, LocationList, Message, Query, Question, Refusal, Reply, Reveal,
};
use bolthole::time::Day;
use bolthole::wire::codec::{self, Budget};
use support::{block, genesis, node_key, signed};

const ID: ExchangeId = ExchangeId(u64::MAX);
const KEY: RoutingKey = RoutingKey([255; 32]);
const SEED: [u8; 32] = [255; 32];

fn longest_address() -> SocketAddr {
    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().expect("a literal address")
}

fn reference() -> NodeRef {
    let network = genesis(1).network();
    NodeRef::sign(&node_key(1), &network, longest_address(), Location(u64::MAX), u64::MAX)
}

fn claim() -> Claim {
    let group = AddressGroup::of(&longest_address());
    Claim { node: NodeId(node_key(1).id()), location: Location(u64::MAX), day: Day(u32::MAX), group }
}

fn certificate() -> Certificate {
    let (claim, network) = (claim(), genesis(1).network());
    let testimony = |number| Testimony::sign(&node_key(number), &network, Location(u64::MAX), &claim);
    Certificate { claim, testimonies: (2..2 + limits::WITNESSES as u8).map(testimony).collect() }
}

fn pairs() -> Vec<(NodeId, [u8; 32])> {
    (2..2 + limits::WITNESSES as u8).map(|number| (NodeId(node_key(number).id()), SEED)).collect()
}

fn largest() -> Vec<Message> {
    let (content, signed, node) = (block(1), signed("name", &[255; 400]), NodeId(node_key(1).id()));
    let source = Some(reference());
    let query =
        |question| Message::Query(Box::new(Query { id: ID, target: Location(u64::MAX), htl: u8::MAX, question }));
    let reply = |reply| Message::Reply { id: ID, reply: Box::new(reply) };
    let hello = Hello { reference: reference(), certificate: Some(certificate().into()), errand: Errand::Near };
    vec![
        Message::Hello(Box::new(hello)),
        Message::Accept,
        Message::Locations(LocationList::new((0..limits::DEGREE_MAX as u64).map(Location).collect())),
        Message::Request { id: ID, key: KEY, htl: u8::MAX, detours: u8::MAX },
        Message::Refused { id: ID, refusal: Refusal::Overload },
        Message::Found { id: ID, parcel: content.parcel(), source: source.clone(), hops: u8::MAX },
        Message::Found { id: ID, parcel: signed.parcel(), source, hops: u8::MAX },
        Message::RouteNotFound { id: ID, htl: u8::MAX, detours: u8::MAX },
        Message::Insert { id: ID, key: KEY, kind: BlockKind::Signed, htl: u8::MAX },
        Message::InsertData { id: ID, parcel: content.parcel() },
        Message::Offer { id: ID, key: KEY, kind: BlockKind::Signed, location: Location(u64::MAX) },
        query(Question::Seek { announced: Some(reference()) }),
        query(Question::Reveal(Reveal { witness: node, node, seed: SEED, commitments: pairs() })),
        query(Question::Certify(Certify { witness: node, seeds: pairs(), claim: claim() })),
        query(Question::Known { holder: node, certificate: SEED }),
        reply(Reply::Seen { references: vec![reference(); limits::REFERENCES_PER_REPLY] }),
        reply(Reply::Vouched { reference: Some(reference()) }),
    ]
}

#[test]
fn every_message_fits_its_class_at_its_largest_and_survives_the_wire() {
    for message in largest() {
        let cells = codec::encode(&message, 1, Budget::LINK).expect("it fits");
        assert_eq!(cells.len(), message.class().cells() * limits::CELL_BYTES);
        assert_eq!(codec::decode::<Message>(&cells).expect("it decodes"), message);
    }
}

#[test]
fn a_request_and_a_signed_answer_leave_room_for_four_onion_layers() {
    let request = Message::Request { id: ID, key: KEY, htl: u8::MAX, detours: u8::MAX };
    assert!(codec::encode(&request, 1, Budget::ONION).is_ok());
    let content = Message::InsertData { id: ID, parcel: block(1).parcel() };
    assert!(codec::encode(&content, 1, Budget::ONION).is_ok());
}

#[test]
fn a_content_block_is_thirty_cells_and_everything_else_is_one() {
    for message in largest() {
        let carries_content = codec::encode(&message, 1, Budget::LINK).expect("it fits").len() > limits::CELL_BYTES;
        assert_eq!(carries_content, message.class() == Class::Block);
    }
}

#[test]
fn a_certificate_and_a_reference_keep_their_promised_sizes() {
    let certificate = postcard::to_stdvec(&certificate()).expect("it encodes");
    assert!(certificate.len() <= limits::CERTIFICATE_BYTES, "{} bytes", certificate.len());
    let reference = postcard::to_stdvec(&reference()).expect("it encodes");
    assert!(reference.len() <= limits::NODE_REF_BYTES, "{} bytes", reference.len());
}

#[test]
fn a_genesis_fits_one_small_message_and_has_one_spelling() {
    let mut largest = genesis(limits::GENESIS_MEMBERS as u8);
    largest.name = "n".repeat(limits::GENESIS_NAME_BYTES);
    let bytes = largest.to_bytes();
    assert!(bytes.len() <= limits::CELL_PAYLOAD_BYTES, "{} bytes", bytes.len());
    assert_eq!(Genesis::from_bytes(&bytes), Ok(largest));
    let trailing = [bytes.as_slice(), &[0]].concat();
    assert!(Genesis::from_bytes(&trailing).is_err());
}

#[test]
fn a_certificate_counts_only_distinct_witnesses_other_than_the_holder() {
    let network = genesis(1).network();
    let good = certificate();
    assert!(good.verifies(&network));
    let twice =
        Certificate { testimonies: vec![good.testimonies[0].clone(), good.testimonies[0].clone()], ..good.clone() };
    assert!(!twice.verifies(&network));
    let own = Testimony::sign(&node_key(1), &network, Location(0), &good.claim);
    assert!(!Certificate { testimonies: vec![own], claim: good.claim }.verifies(&network));
    assert!(!Certificate { testimonies: Vec::new(), claim: good.claim }.verifies(&network));
    let moved = Certificate { claim: Claim { location: Location(1), ..good.claim }, ..good.clone() };
    assert!(!moved.verifies(&network));
    assert!(!good.verifies(&genesis(2).network()), "a certificate of another network");
}

#[test]
fn an_introduction_has_one_spelling_and_says_where_it_is_damaged() {
    let introduction = Introduction {
        network: genesis(1).network(),
        id: NodeId(node_key(1).id()),
        address: "127.2.0.1:4000".parse().expect("a literal address"),
    };
    let text = introduction.to_string();
    assert_eq!(text.parse(), Ok(introduction));
    assert!(text[..text.len() - 2].parse::<Introduction>().is_err(), "cut short");
    assert!(text["bolthole-node:".len()..].parse::<Introduction>().is_err(), "without its prefix");
    let damaged = text.replacen(&text[30..31], "!", 1);
    assert!(damaged.parse::<Introduction>().expect_err("damaged").to_string().contains("character"));
}
