//! A mesh of nodes of one overlay, driven in virtual time.
//!
//! Guarantees that one seed gives one course of events. Every message is encoded to cells and decoded again. A node
//! that is killed says nothing more; its peers see the link go down only after the idle time, as over QUIC.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::overlay::mode::{Answer, CloseReason, Command, Input, Mode, Offence, Output, Ticket};
use crate::sim::fault::{Fault, NoFault, Verdict};
use crate::sim::shelf::Shelf;
use crate::time::Instant;
use crate::wire::codec::{self, Budget};

/// The mesh.
pub struct Mesh<M: Mode> {
    now: Instant,
    nodes: BTreeMap<NodeId, Node<M>>,
    addresses: BTreeMap<SocketAddr, NodeId>,
    links: BTreeSet<(NodeId, NodeId)>,
    agenda: BTreeMap<(Instant, u64), Event<M::Message>>,
    fault: Box<dyn Fault<M::Message>>,
    random: ChaCha8Rng,
    answers: BTreeMap<Ticket, (Instant, Answer)>,
    offences: Vec<(NodeId, NodeId, Offence)>,
    closes: Vec<(NodeId, NodeId, CloseReason)>,
    sent: BTreeMap<NodeId, u64>,
    memories: BTreeMap<NodeId, Vec<u8>>,
    next: u64,
    latency: (Duration, Duration),
}

struct Node<M> {
    mode: M,
    shelf: Shelf,
    address: SocketAddr,
    alarm: Option<(Instant, u64)>,
}

enum Event<Message> {
    Input(NodeId, Input<Message>),
    Alarm(NodeId),
    Arrive { from: NodeId, to: NodeId, message: Message },
    Dial { from: NodeId, to: NodeId, address: SocketAddr },
    Lost { from: NodeId, to: NodeId },
}

impl<M: Mode> Mesh<M> {
    /// An empty mesh whose latencies and faults follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            now: START,
            nodes: BTreeMap::new(),
            addresses: BTreeMap::new(),
            links: BTreeSet::new(),
            agenda: BTreeMap::new(),
            fault: Box::new(NoFault),
            random: ChaCha8Rng::seed_from_u64(seed),
            answers: BTreeMap::new(),
            offences: Vec::new(),
            closes: Vec::new(),
            sent: BTreeMap::new(),
            memories: BTreeMap::new(),
            next: 0,
            latency: (Duration::from_millis(5), Duration::from_millis(15)),
        }
    }

    /// From now on `fault` judges every message.
    pub fn set_fault(&mut self, fault: impl Fault<M::Message> + 'static) {
        self.fault = Box::new(fault);
    }

    /// Starts a node at `address`.
    pub fn add(&mut self, id: NodeId, address: SocketAddr, mode: M) {
        self.addresses.insert(address, id);
        self.nodes.insert(id, Node { mode, shelf: Shelf::default(), address, alarm: None });
        self.input(id, Input::Timeout);
    }

    /// Kills a node without a word. Its peers notice after the idle time.
    pub fn kill(&mut self, id: NodeId) {
        self.nodes.remove(&id);
        let cut: Vec<(NodeId, NodeId)> = self.links.iter().copied().filter(|(a, b)| *a == id || *b == id).collect();
        for (a, b) in cut {
            let left = if a == id { b } else { a };
            self.after(limits::LINK_IDLE, Event::Lost { from: left, to: id });
        }
    }

    /// Gives a node a local command and names it.
    pub fn command(&mut self, id: NodeId, command: Command) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.input(id, Input::Command { ticket, command });
        ticket
    }

    /// Lets a local client lose interest in a command.
    pub fn cancel(&mut self, id: NodeId, ticket: Ticket) {
        self.input(id, Input::Command { ticket, command: Command::Cancel });
    }

    /// Runs for `span` of virtual time.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = end;
    }

    /// Runs until a command is answered or `span` has passed.
    pub fn run_until_answered(&mut self, ticket: Ticket, span: Duration) -> Option<Answer> {
        let end = self.now + span;
        while !self.answers.contains_key(&ticket) && self.now < end {
            let next = self.agenda.first_key_value().map_or(end, |((at, _), _)| (*at).min(end));
            self.run_for(next.since(self.now));
            if next >= end {
                break;
            }
        }
        self.answers.get(&ticket).map(|(_, answer)| answer.clone())
    }

    /// Virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The machine of a live node.
    pub fn mode(&self, id: &NodeId) -> Option<&M> {
        self.nodes.get(id).map(|node| &node.mode)
    }

    /// The blocks of a live node.
    pub fn shelf(&self, id: &NodeId) -> Option<&Shelf> {
        self.nodes.get(id).map(|node| &node.shelf)
    }

    /// The disk of a node is full from now on.
    pub fn fill(&mut self, id: &NodeId) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.shelf.fill();
        }
    }

    /// A node loses a block, if it has it.
    pub fn lose(&mut self, id: &NodeId, key: &RoutingKey) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.shelf.lose(key);
        }
    }

    /// All live nodes.
    pub fn ids(&self) -> Vec<NodeId> {
        self.nodes.keys().copied().collect()
    }

    /// The answer to a command, and when it came.
    pub fn answer(&self, ticket: Ticket) -> Option<&(Instant, Answer)> {
        self.answers.get(&ticket)
    }

    /// Broken rules so far: who saw it, who broke it, which.
    pub fn offences(&self) -> &[(NodeId, NodeId, Offence)] {
        &self.offences
    }

    /// Links closed on purpose so far: who closed, towards whom, why.
    pub fn closes(&self) -> &[(NodeId, NodeId, CloseReason)] {
        &self.closes
    }

    /// Messages sent so far by a node.
    pub fn sent(&self, id: &NodeId) -> u64 {
        self.sent.get(id).copied().unwrap_or(0)
    }

    /// Messages sent so far by all nodes.
    pub fn sent_in_all(&self) -> u64 {
        self.sent.values().sum()
    }

    /// What a node last asked to be remembered.
    pub fn memory(&self, id: &NodeId) -> Option<&[u8]> {
        self.memories.get(id).map(Vec::as_slice)
    }

    /// Whether two nodes are linked.
    pub fn linked(&self, a: NodeId, b: NodeId) -> bool {
        self.links.contains(&pair(a, b))
    }

    /// Hands a node a message as if `from` had sent it, whoever that is: for misbehaving peers.
    pub fn inject(&mut self, from: NodeId, to: NodeId, message: M::Message) {
        self.input(to, Input::Message { from, message });
    }

    /// Cuts the link between two nodes; both see it at once.
    pub fn cut(&mut self, a: NodeId, b: NodeId) {
        self.happen(Event::Lost { from: a, to: b });
        self.input(b, Input::LinkDown { peer: a });
    }

    /// Opens a link from outside, as if `from` had dialled `to`: for peers that are no nodes of the mesh.
    pub fn link_from_outside(&mut self, from: NodeId, to: NodeId, address: SocketAddr) {
        self.links.insert(pair(from, to));
        self.input(to, Input::LinkUp { peer: from, address, inbound: true });
    }

    fn happen(&mut self, event: Event<M::Message>) {
        match event {
            Event::Input(id, input) => self.input(id, input),
            Event::Alarm(id) => {
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.alarm = None;
                    self.input(id, Input::Timeout);
                }
            }
            Event::Arrive { from, to, message } if self.links.contains(&pair(from, to)) => {
                self.input(to, Input::Message { from, message });
            }
            Event::Arrive { .. } => {}
            Event::Dial { from, to, address } => self.on_dial(from, to, address),
            Event::Lost { from, to } => {
                if self.links.remove(&pair(from, to)) {
                    self.input(from, Input::LinkDown { peer: to });
                }
            }
        }
    }

    fn on_dial(&mut self, from: NodeId, to: NodeId, address: SocketAddr) {
        let answers = self.addresses.get(&address) == Some(&to) && self.nodes.contains_key(&to);
        let Some(own) = self.nodes.get(&from).map(|node| node.address) else { return };
        if !answers {
            return self.input(from, Input::DialFailed { peer: to });
        }
        if self.links.insert(pair(from, to)) {
            self.input(from, Input::LinkUp { peer: to, address, inbound: false });
            self.input(to, Input::LinkUp { peer: from, address: own, inbound: true });
        }
    }

    fn input(&mut self, id: NodeId, input: Input<M::Message>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.mode.handle_input(self.now, input);
        while let Some(output) = self.nodes.get_mut(&id).and_then(|node| node.mode.poll_output()) {
            self.on_output(id, output);
        }
        self.set_alarm(id);
    }

    fn on_output(&mut self, id: NodeId, output: Output<M::Message>) {
        match output {
            Output::Send { to, message } => self.on_send(id, to, &message),
            Output::Dial { peer, address } => {
                let delay = self.draw_latency() * 2;
                self.after(delay, Event::Dial { from: id, to: peer, address });
            }
            Output::Close { peer, reason } => {
                self.closes.push((id, peer, reason));
                if self.links.contains(&pair(id, peer)) {
                    let delay = self.latency.1 * 2;
                    self.after(delay, Event::Lost { from: peer, to: id });
                    self.after(Duration::ZERO, Event::Input(id, Input::LinkDown { peer }));
                }
            }
            Output::Store(work) => {
                let answer = self.nodes.get_mut(&id).and_then(|node| node.shelf.perform(work));
                if let Some(answer) = answer {
                    self.after(Duration::ZERO, Event::Input(id, Input::Store(answer)));
                }
            }
            Output::Answer { ticket, answer } => {
                let earlier = self.answers.insert(ticket, (self.now, answer));
                assert!(earlier.is_none(), "a command was answered twice");
            }
            Output::Offence { peer, offence } => self.offences.push((id, peer, offence)),
            Output::Remember(memory) => {
                self.memories.insert(id, memory);
            }
        }
    }

    fn on_send(&mut self, from: NodeId, to: NodeId, message: &M::Message) {
        *self.sent.entry(from).or_default() += 1;
        let cells = codec::encode(message, 0, Budget::LINK).expect("a node sends only messages that fit their class");
        let message = codec::decode(&cells).expect("what was encoded decodes");
        let delay = match self.fault.judge(self.now, from, to, &message) {
            Verdict::Pass => Duration::ZERO,
            Verdict::Delay(more) => more,
            Verdict::Drop => return,
        };
        let delay = delay + self.draw_latency();
        self.after(delay, Event::Arrive { from, to, message });
    }

    fn draw_latency(&mut self) -> Duration {
        let (least, most) = self.latency;
        Duration::from_micros(self.random.random_range(least.as_micros() as u64..=most.as_micros() as u64))
    }

    fn set_alarm(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if let Some(alarm) = node.alarm.take() {
            self.agenda.remove(&alarm);
        }
        if let Some(at) = node.mode.poll_timeout() {
            self.next += 1;
            // An alarm in the past would stop time.
            let alarm = (at.max(self.now + Duration::from_micros(1)), self.next);
            node.alarm = Some(alarm);
            self.agenda.insert(alarm, Event::Alarm(id));
        }
    }

    fn after(&mut self, delay: Duration, event: Event<M::Message>) {
        self.next += 1;
        self.agenda.insert((self.now + delay, self.next), event);
    }
}

impl<M: Mode> std::fmt::Debug for Mesh<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Mesh({} nodes at {})", self.nodes.len(), self.now)
    }
}

fn pair(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    if a < b { (a, b) } else { (b, a) }
}

/// Noon of 2026-11-22, UTC: meshes live on a fixed day.
const START: Instant = Instant::from_micros(1_795_348_800_000_000);
