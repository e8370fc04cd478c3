//! Networks for tests: founders by the dozen, blocks by number.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::message::block::Block;
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION};
use bolthole::overlay::freenet::{Config, Freenet, Profile};
use bolthole::overlay::mode::{Answer, Command};
use bolthole::sim::mesh::Mesh;
use crypto::identity::NodeKey;
use crypto::secret::Secret;

/// The key of the node with this number.
pub fn node_key(number: u8) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([number; 32]))
}

/// The address of the node with this number.
pub fn address(number: u8) -> SocketAddr {
    format!("127.{number}.0.1:4000").parse().expect("a literal address")
}

/// A network founded by the first `founders` nodes.
pub fn genesis(founders: u8) -> Genesis {
    Genesis {
        protocol: PROTOCOL_VERSION,
        name: "test".to_owned(),
        nonce: [0; 16],
        work_bits: 0,
        local: true,
        members: (1..=founders).map(|number| NodeId(node_key(number).id())).collect(),
    }
}

/// A mesh of founders, each dialling all before it, up and linked.
pub fn founders(count: u8, seed: u64) -> (Mesh<Freenet>, Vec<NodeId>) {
    let mut mesh = Mesh::new(seed);
    let mut ids = Vec::new();
    for number in 1..=count {
        let mut config = Config::new(genesis(count), Profile::Local, address(number));
        config.bootstrap = ids.iter().copied().zip((1..number).map(address)).collect();
        let node = Freenet::new(config, node_key(number), [number; 32], None);
        ids.push(node.id());
        mesh.add(node.id(), address(number), node);
    }
    mesh.run_for(Duration::from_secs(10));
    (mesh, ids)
}

/// A network of trusted links only: `edges` by number, counted from 0.
pub fn trusted(count: u8, edges: &[(u8, u8)], seed: u64) -> (Mesh<Freenet>, Vec<NodeId>) {
    let mut mesh = Mesh::new(seed);
    let ids: Vec<NodeId> = (1..=count).map(|number| NodeId(node_key(number).id())).collect();
    for number in 0..count {
        let mut config = Config::new(genesis(1), Profile::Trusted, address(number + 1));
        let dials = edges.iter().filter(|(from, _)| *from == number);
        config.bootstrap = dials.map(|(_, to)| (ids[usize::from(*to)], address(to + 1))).collect();
        let node = Freenet::new(config, node_key(number + 1), [number; 32], None);
        mesh.add(node.id(), address(number + 1), node);
    }
    mesh.run_for(Duration::from_secs(10));
    (mesh, ids)
}

/// The content block with this number.
pub fn block(number: u32) -> Block {
    let root = crypto::content::Root::from_bytes([9; 32]);
    let key = crypto::content::block_key(&root, crypto::content::BlockKind::Data, 0, number);
    let sealed = crypto::content::seal(&key, &number.to_be_bytes()).expect("four bytes fit a block");
    Block::new(sealed.into()).expect("a sealed block is a block")
}

/// Inserts `block` at `id` and gives (stores, wanted).
pub fn insert(mesh: &mut Mesh<Freenet>, id: NodeId, block: &Block) -> Option<(u32, u32)> {
    let ticket = mesh.command(id, Command::Insert { block: block.clone() });
    match mesh.run_until_answered(ticket, Duration::from_secs(60)) {
        Some(Answer::Inserted { stores, wanted }) => Some((stores, wanted)),
        _ => None,
    }
}

/// Fetches the block of `block`'s key at `id` from the network.
pub fn fetch(mesh: &mut Mesh<Freenet>, id: NodeId, block: &Block) -> Option<Answer> {
    let ticket = mesh.command(id, Command::Fetch { key: block.key(), own_store: false });
    mesh.run_until_answered(ticket, Duration::from_secs(120))
}

/// Whether an answer is the block asked for.
pub fn is_found(answer: Option<&Answer>, wanted: &Block) -> bool {
    matches!(answer, Some(Answer::Found { block, .. }) if block == wanted)
}
