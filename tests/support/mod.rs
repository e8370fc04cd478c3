//! Networks for tests: founders by the dozen, blocks by number.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::message::block::Block;
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION, named_location};
use bolthole::overlay::freenet::Message;
use bolthole::overlay::freenet::{Config, Freenet, Profile};
use bolthole::overlay::mode::{Answer, Command, Input, Mode, Output};
use bolthole::sim::mesh::Mesh;
use bolthole::time::Instant;
use crypto::identity::NodeKey;
use crypto::secret::Secret;

/// A node whose words may be bent on their way out.
pub struct Actor {
    inner: Freenet,
    bend: Option<Bend>,
}

/// What becomes of an output of a bent node.
pub type Bend = Box<dyn FnMut(Output<Message>) -> Option<Output<Message>>>;

impl Actor {
    /// From now on every output passes through `bend`.
    pub fn bent(inner: Freenet, bend: Bend) -> Self {
        Self { inner, bend: Some(bend) }
    }

    /// The honest machine within.
    pub fn inner(&self) -> &Freenet {
        &self.inner
    }
}

impl Mode for Actor {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        self.inner.handle_input(now, input);
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        loop {
            let output = self.inner.poll_output()?;
            let Some(bend) = &mut self.bend else { return Some(output) };
            if let Some(output) = bend(output) {
                return Some(output);
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }
}

/// A mesh of founders of which the node `bad`, counted from 0, is bent.
pub fn founders_with(count: u8, seed: u64, bad: u8, bend: Bend) -> (Mesh<Actor>, Vec<NodeId>) {
    let mut mesh = Mesh::new(seed);
    let mut ids = Vec::new();
    let mut bend = Some(bend);
    for number in 1..=count {
        let mut config = Config::new(genesis(count), Profile::Local, address(number));
        config.bootstrap = ids.iter().copied().zip((1..number).map(address)).collect();
        let node = Freenet::new(config, node_key(number), [number; 32], None);
        ids.push(node.id());
        let bend = if number == bad + 1 { bend.take() } else { None };
        mesh.add(node.id(), address(number), Actor { inner: node, bend });
    }
    mesh.run_for(Duration::from_secs(10));
    (mesh, ids)
}

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
    let ids = (1..=count).map(|number| add_founder(&mut mesh, count, number)).collect();
    mesh.run_for(Duration::from_secs(10));
    (mesh, ids)
}

/// Adds the founder with this number, counted from 1, to a mesh of `count` founders.
pub fn add_founder(mesh: &mut Mesh<Freenet>, count: u8, number: u8) -> NodeId {
    let mut config = Config::new(genesis(count), Profile::Local, address(number));
    config.bootstrap = (1..number).map(|other| (NodeId(node_key(other).id()), address(other))).collect();
    let node = Freenet::new(config, node_key(number), [number; 32], None);
    let id = node.id();
    mesh.add(id, address(number), node);
    id
}

/// A network of trusted links only: `edges` by number, counted from 0.
pub fn trusted(count: u8, edges: &[(u8, u8)], seed: u64) -> (Mesh<Freenet>, Vec<NodeId>) {
    trusted_of(count, edges, seed, |_, node| node)
}

/// The same, of which the node `bad`, counted from 0, is bent.
pub fn trusted_with(count: u8, edges: &[(u8, u8)], seed: u64, bad: u8, bend: Bend) -> (Mesh<Actor>, Vec<NodeId>) {
    let mut bend = Some(bend);
    trusted_of(count, edges, seed, |number, inner| Actor { inner, bend: bend.take_if(|_| number == bad) })
}

fn trusted_of<M: Mode<Message = Message>>(
    count: u8,
    edges: &[(u8, u8)],
    seed: u64,
    mut wrap: impl FnMut(u8, Freenet) -> M,
) -> (Mesh<M>, Vec<NodeId>) {
    let mut mesh = Mesh::new(seed);
    let ids: Vec<NodeId> = (1..=count).map(|number| NodeId(node_key(number).id())).collect();
    for number in 0..count {
        let mut config = Config::new(genesis(1), Profile::Trusted, address(number + 1));
        // Both ends name each other: a trusted link needs two operators.
        let named = edges.iter().filter(|(a, b)| *a == number || *b == number);
        let others = named.map(|(a, b)| if *a == number { *b } else { *a });
        config.bootstrap = others.map(|other| (ids[usize::from(other)], address(other + 1))).collect();
        let node = Freenet::new(config, node_key(number + 1), [number; 32], None);
        mesh.add(node.id(), address(number + 1), wrap(number, node));
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
pub fn insert<M: Mode>(mesh: &mut Mesh<M>, id: NodeId, block: &Block) -> Option<(u32, u32)> {
    let ticket = mesh.command(id, Command::Insert { block: block.clone() });
    match mesh.run_until_answered(ticket, Duration::from_secs(60)) {
        Some(Answer::Inserted { stores, wanted }) => Some((stores, wanted)),
        _ => None,
    }
}

/// Fetches the block of `block`'s key at `id` from the network.
pub fn fetch<M: Mode>(mesh: &mut Mesh<M>, id: NodeId, block: &Block) -> Option<Answer> {
    let ticket = mesh.command(id, Command::Fetch { key: block.key(), own_store: false });
    mesh.run_until_answered(ticket, Duration::from_secs(120))
}

/// Whether an answer is the block asked for.
pub fn is_found(answer: Option<&Answer>, wanted: &Block) -> bool {
    matches!(answer, Some(Answer::Found { block, .. }) if block == wanted)
}

/// A signed block under `name`, holding `message`.
pub fn signed(name: &str, message: &[u8]) -> Block {
    let subspace = crypto::signed::Subspace::from_secret_bytes([5; 64]);
    let bytes = crypto::signed::sign_block(&subspace, name, message, &[7; 24]).expect("a short message fits");
    Block::new(bytes.to_vec().into()).expect("a signed block is a block")
}

/// The place of a founder, by number counted from 0.
pub fn place(count: u8, number: u8) -> bolthole::key::Location {
    let id = NodeId(node_key(number + 1).id());
    genesis(count).founder_location(&id).expect("a founder")
}

/// A block whose key is closest to the node `number`, counted from 0, of `count` with trusted links only.
pub fn block_nearest_trusted(count: u8, number: u8) -> Block {
    // The one founder of a trusted network has its founder's place, everybody else the place that its id gives.
    let network = genesis(1).network();
    let place = |number: u8| {
        let id = NodeId(node_key(number + 1).id());
        genesis(1).founder_location(&id).unwrap_or_else(|| named_location(&network, &id))
    };
    let nearest = |block: &Block| {
        let target = block.key().location();
        (0..count).min_by_key(|other| place(*other).distance(target)) == Some(number)
    };
    (1_000..).map(block).find(nearest).expect("some block lies there")
}

/// A block whose key is closest to the founder `number`, counted from 0, of `count`.
pub fn block_nearest(count: u8, number: u8) -> Block {
    let nearest = |block: &Block| {
        let target = block.key().location();
        (0..count).min_by_key(|other| place(count, *other).distance(target)) == Some(number)
    };
    (1_000..).map(block).find(nearest).expect("some block lies there")
}
