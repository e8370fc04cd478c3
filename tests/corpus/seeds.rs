//! What each corpus starts from: inputs written by the code, with fixed keys.

use std::net::SocketAddr;

use bolthole::fuzzing::references::NETWORK;
use bolthole::id::{AddressGroup, NodeId};
use bolthole::key::Location;
use bolthole::message::certificate::{Certificate, Claim, Testimony};
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION};
use bolthole::message::reference::{Introduction, NodeRef};
use bolthole::time::Day;
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use crypto::signed::{Subspace, sign_block};
use serde::Serialize;

/// The seeds of a target, by name.
pub(crate) fn of(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        "cells" => cells(),
        "references" => references(),
        "signed_blocks" => signed_blocks(),
        other => panic!("no seeds for {other}"),
    }
}

/// Instructions: what, id, part.
fn cells() -> Vec<(&'static str, Vec<u8>)> {
    let two_interleaved = (0..30).flat_map(|part| [0, 1, part, 0, 2, 29 - part]).collect();
    let too_many = (0..=64).flat_map(|id| [0, id, id]).collect();
    vec![
        ("whole-block", vec![1, 7, 11]),
        ("backwards-and-small", vec![2, 7, 0, 3, 8, 5]),
        ("two-interleaved", two_interleaved),
        ("one-too-many", too_many),
        ("twice", vec![0, 1, 4, 0, 1, 4]),
        ("altered", vec![0, 1, 4, 4, 1, 5, 9, 0, 255]),
        ("padding", [&[5, 0, 0, 2, 1, 1][..], &[0; 17]].concat()),
        ("mixed", vec![0, 1, 4, 3, 1, 0]),
    ]
}

fn references() -> Vec<(&'static str, Vec<u8>)> {
    let address: SocketAddr = "127.3.0.1:4001".parse().expect("a literal address");
    let reference = NodeRef::sign(&node(1), &NETWORK, address, Location(1 << 63), 1_800_000_000);
    let introduction = Introduction { network: NETWORK, id: id(1), address };
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
        ("reference", with_choice(2, &reference)),
        ("certificate", with_choice(3, &certificate())),
    ]
}

fn certificate() -> Certificate {
    let claim = Claim { node: id(1), location: Location(5), day: Day(20_000), group: AddressGroup::V4([127, 3]) };
    let witness = |seed: u8| Testimony::sign(&node(seed), &NETWORK, Location(u64::from(seed)), &claim);
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

fn with_choice(choice: u8, value: &impl Serialize) -> Vec<u8> {
    [&[choice][..], &postcard::to_stdvec(value).expect("plain values always encode")].concat()
}

fn node(seed: u8) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([seed; 32]))
}

fn id(seed: u8) -> NodeId {
    NodeId(node(seed).id())
}
