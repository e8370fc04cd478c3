//! Whole nodes with pre-routing in virtual time: every word between them passes through cells, every block through a disk
//! that forgets nothing.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::limits::{CELL_BYTES, CELL_HEADER_BYTES};
use bolthole::message::block::Block;
use bolthole::node::envelope::Envelope;
use bolthole::node::{Input, Node, Output};
use bolthole::onion::{Config as OnionConfig, Direction, Onion};
use bolthole::overlay::freenet::{Config, Freenet, Message, Profile};
use bolthole::overlay::mode::{Answer, Command, Ticket};
use bolthole::store::Store;
use bolthole::store::geometry::Capacity;
use bolthole::store::work::{DiskDone, DiskWork, Place};
use bolthole::time::Instant;
use bolthole::wire::cell::Kind;
use bolthole::wire::codec::{Budget, decode, encode};
use bolthole::wire::frame::Frame;
use bytes::Bytes;

use super::support::{address, genesis, node_key};

/// The network.
pub struct Net {
    now: Instant,
    nodes: BTreeMap<NodeId, Actor>,
    links: BTreeSet<(NodeId, NodeId)>,
    agenda: BTreeMap<(Instant, u64), (NodeId, Event)>,
    next: u64,
    answers: BTreeMap<Ticket, Answer>,
    /// Everything that passed over a link since it was last cleared.
    pub sent: Vec<Sent>,
    /// Rules that somebody is said to have broken.
    pub offences: usize,
}

/// What passed over a link.
#[derive(Clone, Debug)]
pub struct Sent {
    pub from: NodeId,
    pub to: NodeId,
    pub kind: Kind,
    pub cells: Bytes,
    is_request: bool,
}

struct Actor {
    node: Node<Freenet>,
    address: SocketAddr,
    disk: BTreeMap<Place, Block>,
}

#[derive(Debug)]
enum Event {
    Arrive(NodeId, Bytes),
    Dial(NodeId),
    Disk(DiskDone),
    Lost(NodeId),
}

impl Sent {
    /// Whether it asks the overlay for a block or to store one.
    pub fn is_request(&self) -> bool {
        self.is_request
    }

    /// The payload of its cells.
    pub fn packet(&self) -> Vec<u8> {
        self.cells.chunks(CELL_BYTES).flat_map(|cell| cell[CELL_HEADER_BYTES..].iter().copied()).collect()
    }
}

impl Net {
    /// Founders, each of which dials all before it.
    pub fn of(count: u8) -> Self {
        Self::founded(count, Profile::Local, |number| (1..number).collect())
    }

    /// Nodes whose overlay links each to the next two only.
    pub fn sparse(count: u8) -> Self {
        let near = move |number: u8| {
            (1..=2)
                .flat_map(|step| [(number - 1 + step) % count + 1, (number - 1 + count - step) % count + 1])
                .collect()
        };
        Self::founded(count, Profile::Trusted, near)
    }

    fn founded(count: u8, profile: Profile, knows: impl Fn(u8) -> Vec<u8>) -> Self {
        let mut net = Self {
            now: START,
            nodes: BTreeMap::new(),
            links: BTreeSet::new(),
            agenda: BTreeMap::new(),
            next: 0,
            answers: BTreeMap::new(),
            sent: Vec::new(),
            offences: 0,
        };
        for number in 1..=count {
            let mut config = Config::new(genesis(count), profile, address(number));
            let id = |number| NodeId(node_key(number).id());
            config.bootstrap = knows(number).into_iter().map(|other| (id(other), address(other))).collect();
            let overlay = Freenet::new(config, node_key(number), [number; 32], None);
            let about =
                OnionConfig { network: genesis(count).network(), address: address(number), local: true, loops: false };
            let onion = Onion::new(about, node_key(number), [number; 32], None);
            let store = Store::new(Capacity { content: 64, signed: 64 });
            let node = Node::new(overlay, store).with_onion(onion);
            net.nodes.insert(id(number), Actor { node, address: address(number), disk: BTreeMap::new() });
            net.input(id(number), Input::Timeout);
        }
        net.run_for(Duration::from_secs(15));
        net
    }

    /// The nodes, by number from 0.
    pub fn ids(&self) -> Vec<NodeId> {
        (1..=self.nodes.len() as u8).map(|number| NodeId(node_key(number).id())).collect()
    }

    pub fn node(&self, id: &NodeId) -> &Node<Freenet> {
        &self.nodes[id].node
    }

    pub fn open_links(&self) -> usize {
        self.links.len()
    }

    /// Gives a node a command to be carried out by pre-routing, and waits for its answer.
    pub fn routed(&mut self, id: NodeId, command: Command) -> Option<Answer> {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.input(id, Input::Routed { ticket, command });
        for _ in 0..2_400 {
            if self.answers.contains_key(&ticket) {
                break;
            }
            self.run_for(Duration::from_millis(50));
        }
        self.answers.remove(&ticket)
    }

    /// Sends a packet again as if `from` did.
    pub fn replay(&mut self, from: NodeId, to: NodeId, direction: Direction, packet: Bytes) {
        self.input(to, Input::Message { from, message: Envelope::Packet(direction, packet) });
    }

    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let due = self.nodes.iter().filter_map(|(id, actor)| Some((actor.node.poll_timeout()?, *id))).min();
            let first = self.agenda.first_key_value().map(|((at, _), _)| *at);
            match (first, due) {
                (Some(at), _) if at <= end && due.is_none_or(|(due, _)| at <= due) => {
                    let (_, (to, event)) = self.agenda.pop_first().expect("it was there");
                    self.now = self.now.max(at);
                    self.happen(to, event);
                }
                (_, Some((due, id))) if due <= end => {
                    // A timer in the past would stop time.
                    self.now = self.now.max(due) + Duration::from_micros(1);
                    self.input(id, Input::Timeout);
                }
                _ => break,
            }
        }
        self.now = self.now.max(end);
    }

    fn happen(&mut self, id: NodeId, event: Event) {
        match event {
            Event::Arrive(from, cells) => {
                if self.links.contains(&pair(from, id)) {
                    let message = decode(&cells).expect("what was encoded decodes");
                    self.input(id, Input::Message { from, message });
                }
            }
            Event::Dial(peer) => {
                let Some(address) = self.nodes.get(&peer).map(|actor| actor.address) else {
                    return self.input(id, Input::DialFailed { peer });
                };
                if self.links.insert(pair(id, peer)) {
                    let own = self.nodes[&id].address;
                    self.input(id, Input::LinkUp { peer, address, inbound: false });
                    self.input(peer, Input::LinkUp { peer: id, address: own, inbound: true });
                }
            }
            Event::Disk(done) => self.input(id, Input::Disk(done)),
            Event::Lost(peer) => self.input(id, Input::LinkDown { peer }),
        }
    }

    fn input(&mut self, id: NodeId, input: Input<Message>) {
        let Some(actor) = self.nodes.get_mut(&id) else { return };
        actor.node.handle_input(self.now, input);
        while let Some(output) = self.nodes.get_mut(&id).and_then(|actor| actor.node.poll_output()) {
            self.on_output(id, output);
        }
    }

    fn on_output(&mut self, id: NodeId, output: Output<Message>) {
        match output {
            Output::Send { to, message } => {
                let is_request = matches!(
                    message,
                    Envelope::Overlay(Message::Request { .. } | Message::Insert { .. } | Message::InsertData { .. })
                );
                let kind = message.kind();
                let cells = encode(&message, 0, Budget::LINK).expect("what is sent fits its class");
                self.sent.push(Sent { from: id, to, kind, cells: cells.clone(), is_request });
                self.later(LATENCY, to, Event::Arrive(id, cells));
            }
            Output::Dial { peer, .. } => self.later(LATENCY * 2, id, Event::Dial(peer)),
            Output::Close { peer, .. } => {
                if self.links.remove(&pair(id, peer)) {
                    self.later(Duration::ZERO, id, Event::Lost(peer));
                    self.later(LATENCY, peer, Event::Lost(id));
                }
            }
            Output::Disk(work) => {
                if let Some(done) = self.nodes.get_mut(&id).and_then(|actor| actor.perform(work)) {
                    self.later(Duration::from_micros(100), id, Event::Disk(done));
                }
            }
            Output::Answer { ticket, answer } => {
                assert!(self.answers.insert(ticket, answer).is_none(), "answered twice");
            }
            Output::Offence { .. } => self.offences += 1,
            Output::Health(_) | Output::Remember(_) => {}
            Output::RememberGuards(_) | Output::RememberRelays(_) => {}
        }
    }

    fn later(&mut self, span: Duration, id: NodeId, event: Event) {
        self.next += 1;
        self.agenda.insert((self.now + span, self.next), (id, event));
    }
}

impl Actor {
    fn perform(&mut self, work: DiskWork) -> Option<DiskDone> {
        match work {
            DiskWork::Read { place, key } => {
                let block = self.disk.get(&place).filter(|block| block.key() == key).cloned();
                Some(DiskDone::Read { place, key, block })
            }
            DiskWork::Write { place, block, .. } => {
                let key = block.key();
                self.disk.insert(place, block);
                Some(DiskDone::Written { place, key, result: Ok(()) })
            }
            DiskWork::Mark { place, key, .. } => Some(DiskDone::Marked { place, key, result: Ok(()) }),
            DiskWork::Erase { .. } | DiskWork::Order { .. } => None,
        }
    }
}

fn pair(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    (a.min(b), a.max(b))
}

const LATENCY: Duration = Duration::from_millis(5);
const START: Instant = Instant::from_micros(1_795_348_800_000_000);
