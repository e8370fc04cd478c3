//! A `freenet` network whose nodes have pre-routing: grown without it, then switched on at all nodes at once.
//!
//! Every node knows every relay from then on, as gossip brings about (`tests/onion_network.rs`): the directory is held once by
//! all. Relays count as known for long. Packets, keys and blocks are real; signatures of relays are ideal.

use crate::id::{NetworkId, NodeId};
use crate::limits;
use crate::message::block::Block;
use crate::onion::directory::Directory;
use crate::onion::{self, Onion, Shape};
use crate::overlay::freenet::Freenet;
use crate::sim::content;
use crate::sim::engine::{Engine, address_of};
use crate::sim::freenet;
use crate::sim::ideal::Ideal;
use crate::sim::prerouting::message::Word;
use crate::sim::prerouting::node::Prerouted;
use crate::sim::scenario::Fidelity;
use crate::time::{Duration, Instant};

/// A network.
#[derive(Debug)]
pub struct Network {
    /// What drives it.
    pub engine: Engine<Prerouted>,
    seed: u64,
    shape: Shape,
    /// One node in so many is a relay.
    relays: u32,
    /// How often pre-routing has been switched on.
    starts: u32,
    since: Instant,
}

impl Network {
    /// The network `grown`, where paths have this shape from now on and one node in so many is a relay. Guards are chosen and
    /// linked when it comes back.
    pub fn of(grown: freenet::Network, shape: Shape, relays: u32) -> Self {
        let (seed, now) = (grown.scenario.seed, grown.engine.now());
        let nodes = grown.engine.len() as u32;
        let ids: Vec<NodeId> = (0..nodes).map(|node| grown.engine.id(node)).collect();
        let mut onions = onions(seed, now, &ids, shape, &vec![None; ids.len()]).into_iter();
        let turn = |overlay: Freenet, linked: Vec<u32>, dialled: Vec<u32>| {
            let mut onion = onions.next().expect("one for each node");
            let id = |node: &u32| ids[*node as usize];
            introduce(&mut onion, now, linked.iter().map(|peer| (id(peer), true)));
            let links: Vec<_> = linked.iter().map(|peer| (id(peer), address_of(*peer))).collect();
            Prerouted::new(overlay, onion, &links, &dialled.iter().map(id).collect::<Vec<_>>())
        };
        let engine = grown.engine.turned(turn, Word::Overlay);
        let mut network = Self { engine, seed, shape, relays, starts: 1, since: now };
        network.adopt(&ids);
        network
    }

    /// The block with this number: a real one, for it travels in real packets.
    pub fn block(&self, number: u32) -> Block {
        content::block(self.seed, number, Fidelity::Bytes)
    }

    /// Whether nodes keep to the guard they have.
    pub fn has_guards(&self) -> bool {
        matches!(self.shape, Shape::Pinned | Shape::Middles(_))
    }

    /// The guard that a node uses.
    pub fn guard(&self, node: u32) -> Option<u32> {
        let (guard, _) = self.engine.mode(node)?.onion().standing().guard?;
        self.engine.number_of(&guard)
    }

    /// Where descriptors come to their end, all nodes start pre-routing again; they remember whom they had pinned.
    pub fn renew_if_due(&mut self) {
        let now = self.engine.now();
        if now.since(self.since) < RENEWAL {
            return;
        }
        let nodes = self.engine.len() as u32;
        let ids: Vec<NodeId> = (0..nodes).map(|node| self.engine.id(node)).collect();
        let pinned = |node| self.engine.mode(node).map(|mode| mode.onion().pinned());
        let remembered: Vec<Option<Vec<u8>>> = (0..nodes).map(pinned).collect();
        let seed = self.seed ^ u64::from(self.starts) << 48;
        let onions = onions(seed, now, &ids, self.shape, &remembered);
        for (node, mut onion) in onions.into_iter().enumerate() {
            let Some(mode) = self.engine.mode_mut(node as u32) else { continue };
            introduce(&mut onion, now, mode.links().into_iter());
            mode.replace_onion(onion);
        }
        (self.starts, self.since) = (self.starts + 1, now);
        self.adopt(&ids);
    }

    fn adopt(&mut self, ids: &[NodeId]) {
        let now = self.engine.now();
        let own = |node: u32| self.engine.mode(node)?.onion().directory().get(&ids[node as usize]);
        let mut all = Directory::new(NodeId([0; 32]), limits::DESCRIPTOR_PAUSE);
        for node in (0..ids.len() as u32).step_by(self.relays as usize) {
            let Some(entry) = own(node) else { continue };
            all.admit(now, entry.descriptor.clone(), &Ideal(NodeId([0; 32])), &NETWORK);
        }
        let snapshot = all.snapshot(now - KNOWN_FOR);
        for node in 0..ids.len() as u32 {
            self.engine.mode_mut(node).into_iter().for_each(|mode| mode.adopt(&snapshot));
            self.engine.nudge(node);
        }
        self.engine.run_for(SETTLE);
    }
}

/// Pre-routing of every node, each with a descriptor of its own and nobody else's.
fn onions(seed: u64, now: Instant, ids: &[NodeId], shape: Shape, remembered: &[Option<Vec<u8>>]) -> Vec<Onion> {
    let onion = |(number, id): (usize, &NodeId)| {
        let config = onion::Config { network: NETWORK, address: address_of(number as u32), local: false, loops: false };
        let own_seed = content::machine_seed(seed ^ ONIONS, number as u32, 0);
        let mut onion = Onion::new(config, Ideal(*id), own_seed, remembered[number].as_deref()).weakened(shape);
        onion.handle_input(now, onion::Input::Timeout);
        onion
    };
    ids.iter().enumerate().map(onion).collect()
}

/// Tells of the links there are. What would be said over them is dropped: all directories are to be alike.
fn introduce(onion: &mut Onion, now: Instant, peers: impl Iterator<Item = (NodeId, bool)>) {
    for (peer, is_shared) in peers {
        onion.handle_input(now, onion::Input::LinkUp(peer));
        if is_shared {
            onion.handle_input(now, onion::Input::Shared(peer));
        }
    }
    while onion.poll_output().is_some() {}
}

/// The network that descriptors are signed for.
const NETWORK: NetworkId = NetworkId([0x6f; 32]);
/// For how long relays count as known: longer than any age that is asked of one.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 86_400);
/// Until guards are chosen at the first upkeep, and linked.
const SETTLE: Duration = Duration::from_secs(75);
/// Before the first key turns.
const RENEWAL: Duration = Duration::from_secs(5 * 3_600);
const ONIONS: u64 = 0x6f6e_696f_6e73;

const _: () = assert!(KNOWN_FOR.as_secs() > limits::GUARD_AGE.as_secs());
const _: () = assert!(RENEWAL.as_secs() + 3_600 <= limits::ONION_KEY_LIFE.as_secs());
