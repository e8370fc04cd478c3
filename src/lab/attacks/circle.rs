//! A circle of nodes with pre-routing, and what passes on the link between one of them and its guard.
//!
//! Runs the production machines of `onion`: directory, guards, relays, real packets under real keys, in virtual time. What an
//! exit finds is invented: answers come after a drawn time, always with a block. Everybody fetches something now and then, so
//! that the link carries traffic of others too. Leaves out the overlay and QUIC.

use std::collections::BTreeMap;

use crypto::content::SEALED_BYTES;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::id::{NetworkId, NodeId};
use crate::key::RoutingKey;
use crate::lab::attacks::timeline::Timeline;
use crate::message::block::Block;
use crate::message::class::{Class, Message};
use crate::onion::instruction::{Instruction, Outcome};
use crate::onion::{Config, Input, Onion, Output, RequestId};
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::time::{Duration, Instant};
use crate::wire::cell::payload_bytes;

/// The nodes; the first is watched.
#[derive(Debug)]
pub(super) struct Circle {
    nodes: Vec<Onion>,
    ids: BTreeMap<NodeId, usize>,
    links: BTreeMap<(usize, usize), Duration>,
    timeline: Timeline<usize, Input>,
    next: u64,
    random: ChaCha8Rng,
    passed: Vec<Passed>,
}

/// A message on the watched link, as its sender handed it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// When.
    pub(super) at: Instant,
    /// Whether it goes to the guard.
    pub(super) outward: bool,
    /// How long it is.
    pub(super) class: Class,
}

/// What the watched node does in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Nothing,
    Fetch,
    Insert,
}

impl Circle {
    /// Nodes that know each other and have chosen their guards; the watched one sends loops if `loops`.
    pub(super) fn new(seed: u64, loops: bool) -> Self {
        let mut circle = Self {
            nodes: Vec::new(),
            ids: BTreeMap::new(),
            links: BTreeMap::new(),
            timeline: Timeline::new(),
            next: 0,
            random: ChaCha8Rng::seed_from_u64(seed ^ CIRCLE),
            passed: Vec::new(),
        };
        for number in 0..NODES {
            let key = content::node_key(seed, number);
            let loops = loops && number == 0;
            let config = Config { network: NetworkId([1; 32]), address: address_of(number), local: false, loops };
            let id = NodeId(key.id());
            circle.ids.insert(id, circle.nodes.len());
            circle.nodes.push(Onion::new(config, key, content::machine_seed(seed, number, 0), None));
        }
        for node in 0..circle.nodes.len() {
            circle.input(node, Input::Timeout);
            circle.link(node, (node + 1) % NODES as usize);
        }
        circle.run_until(circle.timeline.now() + Duration::from_secs(300));
        circle
    }

    /// What passes in one window during which the watched node does something.
    pub(super) fn window(&mut self, doing: Doing) -> (Instant, Vec<Passed>) {
        let begun = self.timeline.now();
        self.passed.clear();
        for node in 1..self.nodes.len() {
            let mut at = begun + self.gap(OTHERS_ASK);
            while at < begun + WINDOW {
                let fetch = self.fetch();
                self.timeline.later(at, node, fetch);
                at = at + self.gap(OTHERS_ASK);
            }
        }
        let mut at = begun + Duration::from_millis(self.random.random_range(0..WINDOW.as_millis() as u64 / 2));
        for _ in 0..BLOCKS {
            let order = match doing {
                Doing::Nothing => break,
                Doing::Fetch => self.fetch(),
                Doing::Insert => self.insert(),
            };
            self.timeline.later(at, 0, order);
            at = at + self.gap(GAP);
        }
        self.run_until(begun + WINDOW);
        (begun, std::mem::take(&mut self.passed))
    }

    fn fetch(&mut self) -> Input {
        let mut key = [0; 32];
        self.random.fill(&mut key);
        self.next += 1;
        Input::Request(RequestId(self.next), Instruction::Fetch(RoutingKey(key)))
    }

    fn insert(&mut self) -> Input {
        self.next += 1;
        Input::Request(RequestId(self.next), Instruction::Insert(self.block()))
    }

    fn block(&self) -> Block {
        let mut body = vec![0; SEALED_BYTES];
        body[..8].copy_from_slice(&self.next.to_be_bytes());
        Block::new(body.into()).expect("any bytes of that length are a content block")
    }

    fn gap(&mut self, mean: Duration) -> Duration {
        let uniform: f64 = self.random.random_range(f64::EPSILON..1.0);
        mean.mul_f64(-libm::log(uniform))
    }

    fn run_until(&mut self, end: Instant) {
        loop {
            let due =
                self.nodes.iter().enumerate().filter_map(|(node, onion)| Some((onion.poll_timeout()?, node))).min();
            let Some((node, input)) = self.timeline.step(end, due) else { break };
            self.input(node, input.unwrap_or(Input::Timeout));
        }
    }

    fn link(&mut self, from: usize, to: usize) {
        let pair = (from.min(to), from.max(to));
        if !self.links.contains_key(&pair) {
            let trip = Duration::from_millis(self.random.random_range(15..90));
            self.links.insert(pair, trip);
            let ids: Vec<NodeId> = [from, to].iter().filter_map(|node| self.id(*node)).collect();
            self.input(from, Input::LinkUp(ids[1]));
            self.input(to, Input::LinkUp(ids[0]));
        }
    }

    fn id(&self, node: usize) -> Option<NodeId> {
        self.ids.iter().find(|(_, other)| **other == node).map(|(id, _)| *id)
    }

    fn input(&mut self, node: usize, input: Input) {
        self.nodes[node].handle_input(self.timeline.now(), input);
        while let Some(output) = self.nodes[node].poll_output() {
            self.on_output(node, output);
        }
    }

    fn on_output(&mut self, node: usize, output: Output) {
        match output {
            Output::Packet(to, direction, packet) => {
                let class = if packet.len() == payload_bytes(Class::Block) { Class::Block } else { Class::Small };
                self.carry(node, to, class, |from| Input::Packet(from, direction, packet));
            }
            Output::Gossip(to, word) => {
                let class = word.class();
                self.carry(node, to, class, |from| Input::Gossip(from, word));
            }
            Output::Dial(to, _) => {
                if let Some(to) = self.ids.get(&to).copied() {
                    self.link(node, to);
                }
            }
            Output::Execute(number, instruction) => {
                let outcome = match instruction {
                    Instruction::Insert(_) => Outcome::Inserted { stores: 7, wanted: 3 },
                    // The block is not the one asked for, so the client takes a miss: of the same length.
                    Instruction::Fetch(_) | Instruction::Loop => Outcome::NotFound,
                };
                let at = self.timeline.now() + Duration::from_millis(self.random.random_range(30..700));
                self.timeline.later(at, node, Input::Executed(number, outcome));
            }
            // Links stay: closing them belongs to an idle node of a large network.
            Output::Close(_) | Output::Answer(..) | Output::Offence(..) => {}
            Output::Remember(_) | Output::RememberRelays(_) => {}
        }
    }

    fn carry(&mut self, node: usize, to: NodeId, class: Class, input: impl FnOnce(NodeId) -> Input) {
        let (Some(to), Some(from)) = (self.ids.get(&to).copied(), self.id(node)) else { return };
        let Some(trip) = self.links.get(&(node.min(to), node.max(to))).copied() else { return };
        let guard = self.nodes[0].guard().and_then(|guard| self.ids.get(&guard).copied());
        if (node == 0 && Some(to) == guard) || (to == 0 && Some(node) == guard) {
            self.passed.push(Passed { at: self.timeline.now(), outward: node == 0, class });
        }
        let at = self.timeline.now() + trip;
        self.timeline.later(at, to, input(from));
    }
}

/// How long a watcher looks before it judges. `anonymity.md` G8.
pub(super) const WINDOW: Duration = Duration::from_secs(600);
const NODES: u32 = 8;
/// Blocks of what the watched node fetches or inserts: a third of a megabyte.
const BLOCKS: u32 = 12;
/// The mean gap between them.
const GAP: Duration = Duration::from_millis(40);
/// How often each of the others fetches a block.
const OTHERS_ASK: Duration = Duration::from_secs(300);
const CIRCLE: u64 = 0x6369_7263;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_brings_blocks_in_and_an_insert_takes_them_out() {
        let mut circle = Circle::new(1, false);
        let mut blocks = |doing, outward| {
            let (_, passed) = circle.window(doing);
            passed.iter().filter(|one| one.class == Class::Block && one.outward == outward).count()
        };
        assert!(blocks(Doing::Fetch, false) >= BLOCKS as usize);
        assert!(blocks(Doing::Insert, true) >= BLOCKS as usize);
        assert!(blocks(Doing::Nothing, false) < BLOCKS as usize / 2);
    }
}
