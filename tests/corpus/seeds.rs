//! What each corpus starts from: inputs written by the code, with fixed keys.

use std::net::SocketAddr;

use bolthole::document::header::{Header, Message as DocumentMessage, Top};
use bolthole::document::layout::{Copies, Redundancy};
use bolthole::document::mime::Mime;
use bolthole::fuzzing::references::NETWORK;
use bolthole::id::{AddressGroup, NodeId};
use bolthole::key::uri::{Name, Uri};
use bolthole::key::{Location, RoutingKey};
use bolthole::limits::CELL_BYTES;
use bolthole::message::block::{Block, BlockKind};
use bolthole::message::certificate::{Certificate, Claim, Testimony};
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION};
use bolthole::message::reference::{Introduction, NodeRef};
use bolthole::overlay::freenet::{Errand, ExchangeId, Hello, LocationList, Message, Query, Question, Refusal, Reply};
use bolthole::time::Day;
use bolthole::wire::codec::{Budget, encode};
use crypto::content::{Root, SEALED_BYTES};
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use crypto::signed::{Subspace, sign_block};
use serde::Serialize;

/// The seeds of a target, by name.
pub(crate) fn of(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        "cells" => cells(),
        "manifests" => manifests(),
        "messages" => messages(),
        "node" => node(),
        "onions" => onions(),
        "references" => references(),
        "signed_blocks" => signed_blocks(),
        "store" => store(),
        "store_files" => store_files(),
        "uris" => uris(),
        other => panic!("no seeds for {other}"),
    }
}

/// Instructions: what, who, and what that takes.
fn onions() -> Vec<(&'static str, Vec<u8>)> {
    let link = |who: u8| vec![0, who];
    let descriptor = |who: u8, signer: u8, group: u8, life: u8| vec![3, who, signer, group, life, 1];
    let network: Vec<u8> =
        (1..8).flat_map(|who| [link(who), descriptor(who, 0, who, 60)].concat()).chain([7, 3]).collect();
    let with = |more: &[u8]| [&network[..], more].concat();
    vec![
        ("asks-and-is-answered-by-nobody", with(&[5, 1, 7, 2, 5, 2, 7, 8, 7, 8])),
        ("relays-and-leaves", with(&[10, 2, 10, 4, 10, 3, 6, 0, 7, 1, 10, 9])),
        ("packets-come-back-altered", with(&[5, 1, 9, 0, 1, 200, 9, 0, 0, 200, 9, 0, 8, 0, 9, 0, 9, 0])),
        ("junk", with(&[8, 1, 0, 4, 7, 8, 2, 200, 5, 7, 8, 3, 0, 3, 1, 8, 4, 200, 1, 0])),
        (
            "forged-untimely-and-crowded",
            (0..40).flat_map(|who| [link(who), descriptor(who, who * 6, 7, who * 6)].concat()).collect(),
        ),
        ("a-link-goes-in-the-middle", with(&[5, 1, 1, 1, 1, 2, 1, 3, 2, 4, 7, 9, 11, 200, 7, 200])),
    ]
}

/// In what pieces a stream arrives, two bytes; then instructions: what, id, part.
fn cells() -> Vec<(&'static str, Vec<u8>)> {
    let two_interleaved: Vec<u8> = (0..30).flat_map(|part| [0, 1, part, 0, 2, 29 - part]).collect();
    let cut = |piece: u16, rest: &[u8]| [&piece.to_le_bytes()[..], rest].concat();
    vec![
        ("whole-block", cut(1_135, &[1, 7, 0])),
        ("whole-block-byte-by-byte", cut(0, &[1, 7, 0])),
        ("small", cut(15, &[3, 8, 5])),
        ("two-blocks", cut(700, &[1, 7, 0, 1, 8, 0])),
        ("out-of-turn", cut(2_000, &[1, 7, 11])),
        ("backwards-and-small", cut(9, &[2, 7, 0, 3, 8, 5])),
        ("two-interleaved", cut(16, &two_interleaved)),
        ("small-between", cut(16, &[5, 0, 0, 2, 1, 1, 0, 3, 8, 5, 1, 7, 0, 3, 9, 6])),
        ("twice", cut(1, &[0, 1, 4, 0, 1, 4])),
        ("altered", cut(1, &[4, 1, 0, 9, 0, 255])),
        ("padding", cut(40, &[&[5, 0, 0, 2, 1, 1][..], &[0; 17]].concat())),
    ]
}

/// A byte that chooses a top, a message or a whole document: its blocks, its last bytes, lies, loss and failures.
fn manifests() -> Vec<(&'static str, Vec<u8>)> {
    let header = |length| Header { mime: Mime::default(), length, digest: [4; 32] };
    let inline = Top::Inline { header: header(5), content: b"bytes".as_slice().into() };
    let keys = (1..=4).map(|fill| RoutingKey([fill; 32])).collect();
    let split = Top::Split { header: header(40_000), redundancy: Redundancy::DEFAULT, copies: Copies::DEFAULT, keys };
    let redirect = DocumentMessage::Redirect { routing: RoutingKey([1; 32]), root: Root::from_bytes([2; 32]) };
    let short = DocumentMessage::Inline { header: header(5), content: b"bytes".as_slice().into() };
    vec![
        ("inline-top", [&[0], &inline.encode()[..]].concat()),
        ("split-top", [&[1], &split.encode()[..]].concat()),
        ("redirect", [&[2], &redirect.encode()[..]].concat()),
        ("short-message", [&[2], &short.encode()[..]].concat()),
        ("empty", vec![3]),
        ("true", vec![3, 9, 0, 77, 0, 0, 0, 0]),
        ("true-and-lossy", vec![3, 9, 0, 77, 0, 0, 60, 3, 200, 10, 200, 1, 90, 30, 200, 200, 20]),
        ("true-and-busy", [&[3, 9, 0, 77, 0, 0, 0, 29][..], &[1; 29]].concat()),
        ("given-up", [&[3, 9, 0, 77, 0, 0, 0, 255][..], &[1; 200]].concat()),
        ("swapped-keys", vec![3, 5, 0, 0, 1, 1, 0, 0, 4, 1, 0, 0]),
        ("repeated-key", vec![3, 5, 0, 0, 1, 1, 0, 0, 5, 1, 0, 0]),
        ("other-length", vec![3, 5, 0, 0, 1, 1, 0, 0, 0, 1, 0, 2]),
        ("other-digest", vec![3, 2, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0]),
        ("other-copies", vec![3, 11, 0, 0, 1, 2, 0, 0, 3, 2, 0, 0, 2, 90, 0, 0]),
    ]
}

/// A byte that chooses raw cells or a payload of either class, then those.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let block = |fill| Block::new(vec![fill; SEALED_BYTES].into()).expect("any bytes of that length");
    let (exchange, key, kind) = (ExchangeId(u64::MAX), block(1).key(), BlockKind::Content);
    let signed = sign_block(&Subspace::from_secret_bytes([0; 64]), "name", b"message", &[9; 24]).expect("short");
    let signed = Block::new(signed.to_vec().into()).expect("a true block");
    let hello = Hello { reference: reference(), certificate: Some(certificate().into()), errand: Errand::Near };
    let found =
        |block: &Block| Message::Found { id: exchange, parcel: block.parcel(), source: Some(reference()), hops: 3 };
    let query = |question| Message::Query(Box::new(Query { id: exchange, target: Location(7), htl: 18, question }));
    let seen = Reply::Seen { references: vec![reference(); 7] };
    vec![
        ("hello", small(&Message::Hello(Box::new(hello)))),
        ("accept", small(&Message::Accept)),
        ("locations", small(&Message::Locations(LocationList::new((0..48).map(Location).collect())))),
        ("request", small(&Message::Request { id: exchange, key, htl: 18, detours: 4 })),
        ("refused", small(&Message::Refused { id: exchange, refusal: Refusal::Pending })),
        ("found-signed", small(&found(&signed))),
        (
            "found-content",
            block_class(&Message::Found { id: exchange, parcel: block(0).parcel(), source: None, hops: 0 }),
        ),
        ("raw-content", [&[0], &encode(&found(&block(5)), 9, Budget::LINK).expect("it fits")[..CELL_BYTES]].concat()),
        ("raw-accept", [&[0], &encode(&Message::Accept, 9, Budget::LINK).expect("it fits")[..]].concat()),
        ("insert", small(&Message::Insert { id: exchange, key, kind, htl: 18 })),
        ("insert-data", block_class(&Message::InsertData { id: exchange, parcel: block(0).parcel() })),
        ("offer", small(&Message::Offer { id: exchange, key, kind, location: Location(9) })),
        ("query", small(&query(Question::Seek { announced: Some(reference()) }))),
        ("query-known", small(&query(Question::Known { holder: NodeId([3; 32]), certificate: [5; 32] }))),
        ("reply", small(&Message::Reply { id: exchange, reply: Box::new(seen) })),
    ]
}

/// Steps of two bytes, what and who; a message takes four more: what, exchange, block, and one to spend.
fn node() -> Vec<(&'static str, Vec<u8>)> {
    // A peer links up, says hello as a near neighbour, and accepts.
    let joined = |who: u8| [0, who, 10, who, 0, 0, 0, 0, 10, who, 1, 0, 0, 0];
    let says = |who: u8, message: [u8; 4]| [&[10, who][..], &message].concat();
    let after = |steps: &[Vec<u8>]| [&joined(0)[..], &joined(1), &joined(2), &steps.concat()].concat();
    let performed = || vec![6, 0, 6, 0, 6, 0, 6, 0];
    vec![
        ("joined", after(&[])),
        (
            "fetch-found",
            after(&[vec![3, 0], performed(), says(0, [6, 0, 0, 1]), says(1, [6, 0, 0, 1]), says(2, [6, 0, 0, 1])]),
        ),
        ("fetch-lied-to", after(&[vec![3, 0], says(0, [6, 0, 1, 1]), says(1, [6, 0, 2, 1]), says(2, [6, 0, 3, 1])])),
        ("fetch-refused", after(&[vec![3, 5], says(0, [5, 0, 0, 0]), says(1, [5, 0, 0, 255]), says(2, [8, 0, 0, 0])])),
        ("fetch-silence", after(&[vec![3, 0, 8, 255, 8, 255]])),
        ("insert", after(&[vec![4, 0], performed(), says(0, [11, 0, 0, 0]), says(1, [11, 0, 0, 0]), performed()])),
        ("insert-collides", after(&[vec![4, 4], performed(), says(0, [6, 0, 4, 0]), says(1, [6, 0, 5, 0])])),
        (
            "request-served",
            after(&[
                says(0, [10, 130, 0, 9]),
                performed(),
                says(0, [12, 130, 0, 0]),
                performed(),
                says(1, [3, 131, 0, 18]),
                performed(),
            ]),
        ),
        (
            "request-forwarded",
            after(&[says(0, [3, 130, 0, 18]), performed(), says(1, [6, 0, 0, 1]), says(2, [6, 0, 0, 1])]),
        ),
        ("offer", after(&[says(0, [14, 130, 0, 9]), performed(), says(0, [16, 130, 0, 0]), performed()])),
        ("links-lost", after(&[vec![3, 0, 4, 1], vec![1, 0, 1, 1, 1, 2]])),
        ("cancelled", after(&[vec![3, 0, 5, 0, 4, 1, 5, 0]])),
        ("questions", after(&[says(0, [18, 130, 0, 0]), says(1, [18, 131, 1, 1]), says(2, [18, 0, 0, 2])])),
    ]
}

/// The number of slots, then steps of two bytes.
fn store() -> Vec<(&'static str, Vec<u8>)> {
    let junk = (0..200_u8).flat_map(|i| [5, i, 11, 0]).collect::<Vec<_>>();
    let passing = (0..200_u8).flat_map(|i| [8, i, 11, 0, 0, i / 2]).collect::<Vec<_>>();
    vec![
        ("junk-inserts", [&[16][..], &[5, 1, 11, 0, 0, 1, 11, 0], &junk].concat()),
        ("passing", [&[8][..], &[5, 1, 11, 0], &passing].concat()),
        ("faults", vec![8, 5, 1, 13, 0, 5, 1, 13, 1, 8, 2, 13, 0, 5, 3, 11, 0, 14, 0, 0, 3, 11, 0]),
        ("restart", vec![8, 5, 1, 11, 0, 8, 2, 11, 0, 0, 1, 11, 0, 15, 1, 15, 8, 0, 1, 11, 0]),
    ]
}

fn references() -> Vec<(&'static str, Vec<u8>)> {
    let introduction = Introduction { network: NETWORK, id: id(1), address: address() };
    let genesis = Genesis {
        protocol: PROTOCOL_VERSION,
        name: "seed".to_owned(),
        nonce: [3; 16],
        work_bits: 0,
        local: true,
        members: vec![id(1), id(2)],
    };
    vec![
        ("introduction", [&[0], introduction.to_string().as_bytes()].concat()),
        ("genesis", [&[1], &genesis.to_bytes()[..]].concat()),
        ("reference", with_choice(2, &reference())),
        ("certificate", with_choice(3, &certificate())),
    ]
}

fn certificate() -> Certificate {
    let claim = Claim { node: id(1), location: Location(5), day: Day(20_000), group: AddressGroup::V4([127, 3]) };
    let witness = |seed: u8| Testimony::sign(&key(seed), &NETWORK, Location(u64::from(seed)), &claim);
    Certificate { claim, testimonies: [2, 3, 4].map(witness).to_vec() }
}

fn signed_blocks() -> Vec<(&'static str, Vec<u8>)> {
    let owner = Subspace::from_secret_bytes([0; 64]);
    let block = sign_block(&owner, "name", b"message", &[9; 24]).expect("a short message");
    let altered = |at: u16, mask: u8| {
        let choices = [&[1, 5][..], &[9; 24], &at.to_le_bytes(), &[mask, 4], b"name", b"message"];
        choices.concat()
    };
    vec![
        ("raw", [&[0], &block[..]].concat()),
        ("true", altered(0, 0)),
        ("other-owner", altered(31, 1)),
        ("other-name", altered(32, 1)),
        ("other-signature", altered(64, 1)),
        ("other-payload", altered(639, 128)),
    ]
}

/// Damages of six bytes: what, which file, where (three bytes), with what.
fn store_files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("arbitrary", [&[0, 8, 0][..], b"BOLTHOLE", &[4, 0, 1, 2, 3, 4, 2, 0, 9, 9]].concat()),
        ("whole", vec![1]),
        ("label", vec![1, 3, 0, 8, 0, 0, 255]),
        ("header", vec![1, 3, 0, 40, 16, 0, 1]),
        ("body", vec![1, 3, 0, 9, 160, 0, 1, 3, 1, 9, 144, 0, 1]),
        ("order", vec![1, 3, 2, 50, 0, 0, 1, 3, 3, 50, 0, 0, 1]),
        ("cut", vec![1, 0, 0, 9, 160, 0, 0]),
        ("lost-sectors", vec![1, 1, 0, 0, 16, 0, 0, 1, 1, 0, 0, 0, 0]),
        ("moved-sector", vec![1, 2, 0, 0, 16, 0, 9]),
    ]
}

fn uris() -> Vec<(&'static str, Vec<u8>)> {
    let uris = [
        ("content", Uri::Chk { routing: RoutingKey([1; 32]), root: Root::from_bytes([2; 32]) }.to_string()),
        (
            "signed",
            Uri::Ssk { subspace: Subspace::from_secret_bytes([3; 64]).public(), name: name("näme/ 1") }.to_string(),
        ),
        ("word", Uri::Ksk { word: name("a word") }.to_string()),
        ("scheme", format!("Bolthole:{}", Uri::Ksk { word: name("word") })),
        ("editions", "USK@".to_owned()),
        ("doubled", "KSK@wordKSK@word".to_owned()),
    ];
    uris.map(|(name, text)| (name, text.into_bytes())).to_vec()
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a short name")
}

fn with_choice(choice: u8, value: &impl Serialize) -> Vec<u8> {
    [&[choice][..], &postcard::to_stdvec(value).expect("plain values always encode")].concat()
}

/// A small message as a payload.
fn small(message: &Message) -> Vec<u8> {
    with_choice(1, message)
}

/// A message of the block class as a payload: its length, then all but the zeros it ends in.
fn block_class(message: &Message) -> Vec<u8> {
    let mut bytes = postcard::to_stdvec(message).expect("plain values always encode");
    let length = u16::try_from(bytes.len()).expect("a block is below 64 KiB");
    bytes.truncate(bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count());
    [&[2][..], &length.to_le_bytes(), &bytes].concat()
}

fn reference() -> NodeRef {
    NodeRef::sign(&key(1), &NETWORK, address(), Location(1 << 63), 1_800_000_000)
}

fn address() -> SocketAddr {
    "127.3.0.1:4001".parse().expect("a literal address")
}

fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([seed; 32]))
}

fn id(seed: u8) -> NodeId {
    NodeId(key(seed).id())
}
