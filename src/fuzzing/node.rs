//! A whole node, overlay and store, among peers that say anything in any order over a disk that fails at will.
//!
//! The driver is honest, as `link` and `disk` are: a link comes up before it goes down, disk work is answered in order.
//! Peers and clients are not. What must hold: no panic; every message fits its class; few outputs for one input; time
//! moves on; a command is answered once, a fetch with the block it asked for, and every command in the end, even if
//! nobody ever answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::choices::Choices;
use super::peers::{Peers, exchange_of};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::node::envelope::Envelope;
use crate::node::{Input, Node, Output};
use crate::overlay::freenet::{ExchangeId, Freenet, Message};
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::store::work::{DiskDone, DiskFault, DiskWork, Place};
use crate::store::{Capacity, Store};
use crate::time::{Duration, Instant};
use crate::wire::codec::{Budget, encode};

/// Lets a node live through what `data` describes.
pub fn node(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut bench = Bench::new(Peers::new());
    while !choices.is_empty() {
        bench.step(&mut choices);
    }
    bench.outlive();
}

struct Bench {
    now: Instant,
    node: Node<Freenet>,
    peers: Peers,
    links: BTreeSet<NodeId>,
    dials: Vec<NodeId>,
    closing: VecDeque<NodeId>,
    work: VecDeque<DiskWork>,
    disk: BTreeMap<Place, Block>,
    /// Exchanges that the node began, by the peer it began them with.
    begun: BTreeMap<NodeId, Vec<ExchangeId>>,
    open: BTreeMap<Ticket, RoutingKey>,
    tickets: u64,
}

impl Bench {
    fn new(peers: Peers) -> Self {
        let store = Store::new(Capacity { content: 4, signed: 4 });
        let mut bench = Self {
            now: peers.start(),
            node: Node::new(peers.node_under_test(), store),
            peers,
            links: BTreeSet::new(),
            dials: Vec::new(),
            closing: VecDeque::new(),
            work: VecDeque::new(),
            disk: BTreeMap::new(),
            begun: BTreeMap::new(),
            open: BTreeMap::new(),
            tickets: 0,
        };
        bench.input(Input::Timeout);
        bench
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let [what, who] = choices.array();
        let peer = self.peers.id(who);
        match what % 16 {
            0 => self.link_up(peer, who),
            1 if self.links.remove(&peer) => self.input(Input::LinkDown { peer }),
            2 => self.dial_fails(),
            3 => self.fetch(who),
            4 => self.insert(who),
            5 => self.cancel(who),
            6 => self.perform(Ok(())),
            7 => self.perform(Err(if who % 2 == 0 { DiskFault::Full } else { DiskFault::Failed })),
            8 => self.wait(Duration::from_millis(u64::from(who) * u64::from(who))),
            9 => self.input(Input::Congestion { peer, behind: who >= 128 }),
            _ => self.hear(peer, choices),
        }
    }

    fn link_up(&mut self, peer: NodeId, who: u8) {
        let dialled = self.dials.iter().position(|dialled| *dialled == peer).map(|at| self.dials.remove(at));
        if self.links.insert(peer) {
            let address = self.peers.address(who);
            self.input(Input::LinkUp { peer, address, inbound: dialled.is_none() });
        }
    }

    fn dial_fails(&mut self) {
        if let Some(peer) = self.dials.pop() {
            self.input(Input::DialFailed { peer });
        }
    }

    fn hear(&mut self, from: NodeId, choices: &mut Choices<'_>) {
        let begun = self.begun.get(&from).map_or(&[][..], Vec::as_slice);
        let said = self.peers.message(&from, begun, choices);
        if let Some(message) = said.filter(|_| self.links.contains(&from)) {
            self.input(Input::Message { from, message: Envelope::Overlay(message) });
        }
    }

    fn fetch(&mut self, which: u8) {
        let key = self.peers.block(which).key();
        self.command(key, Command::Fetch { key, own_store: which >= 128 });
    }

    fn insert(&mut self, which: u8) {
        let block = self.peers.block(which).clone();
        self.command(block.key(), Command::Insert { block });
    }

    fn command(&mut self, key: RoutingKey, command: Command) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.insert(ticket, key);
        self.input(Input::Command { ticket, command });
    }

    fn cancel(&mut self, which: u8) {
        let ticket = self.open.keys().nth(usize::from(which) % self.open.len().max(1)).copied();
        if let Some(ticket) = ticket {
            self.open.remove(&ticket);
            self.input(Input::Command { ticket, command: Command::Cancel });
        }
    }

    fn perform(&mut self, outcome: Result<(), DiskFault>) {
        let done = match self.work.pop_front() {
            Some(DiskWork::Read { place, key }) => {
                let block = self.disk.get(&place).filter(|block| block.key() == key && outcome.is_ok()).cloned();
                DiskDone::Read { place, key, block }
            }
            Some(DiskWork::Write { place, block, .. }) => {
                let key = block.key();
                if outcome.is_ok() {
                    self.disk.insert(place, block);
                }
                DiskDone::Written { place, key, result: outcome }
            }
            Some(DiskWork::Mark { place, key, .. }) => DiskDone::Marked { place, key, result: outcome },
            Some(DiskWork::Erase { .. } | DiskWork::Order { .. }) | None => return,
        };
        self.input(Input::Disk(done));
    }

    /// Lets time pass, waking the node whenever it asked to be woken.
    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        let mut woken_at_once = 0;
        while let Some(due) = self.node.poll_timeout().filter(|due| *due <= end) {
            woken_at_once = if due > self.now { 0 } else { woken_at_once + 1 };
            assert!(woken_at_once < 16, "asks to be woken at {due} and does nothing about it");
            self.now = self.now.max(due);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// Everybody falls silent: what is open must end.
    fn outlive(&mut self) {
        let patience = self.now + PATIENCE;
        while !self.open.is_empty() && self.now < patience {
            while !self.work.is_empty() {
                self.perform(Ok(()));
            }
            self.wait(Duration::from_secs(5));
        }
        assert!(self.open.is_empty(), "never answered: {:?}", self.open);
    }

    fn input(&mut self, input: Input<Message>) {
        self.node.handle_input(self.now, input);
        self.drain();
        while let Some(peer) = self.closing.pop_front() {
            if self.links.remove(&peer) {
                self.node.handle_input(self.now, Input::LinkDown { peer });
                self.drain();
            }
        }
        assert!(self.node.overlay().neighbours().len() <= limits::DEGREE_MAX);
    }

    fn drain(&mut self) {
        for count in 0.. {
            assert!(count < OUTPUTS, "one input, and no end of outputs");
            match self.node.poll_output() {
                Some(output) => self.on_output(output),
                None => return,
            }
        }
    }

    fn on_output(&mut self, output: Output<Message>) {
        match output {
            Output::Send { to, message } => {
                assert!(encode(&message, 0, Budget::LINK).is_ok(), "does not fit its class: {message:?}");
                assert_ne!(to, self.node.overlay().id(), "speaks to itself");
                let Envelope::Overlay(message) = message else { panic!("no pre-routing, and says {message:?}") };
                if let Some(id) = exchange_of(&message) {
                    self.begun.entry(to).or_default().push(id);
                }
            }
            Output::Dial { peer, .. } => {
                assert!(!self.links.contains(&peer), "dials a peer that is linked");
                self.dials.push(peer);
            }
            Output::Close { peer, .. } => self.closing.push_back(peer),
            Output::Disk(work) => self.work.push_back(work),
            Output::Answer { ticket, answer } => {
                let key = self.open.remove(&ticket).expect("an answer to an open command");
                if let Answer::Found { block, .. } | Answer::Collision { existing: block } = answer {
                    assert_eq!(block.key(), key, "another block than the one asked for");
                }
            }
            Output::Offence { .. } | Output::Health(_) | Output::Remember(_) => {}
            Output::RememberGuards(_) | Output::RememberRelays(_) => {}
        }
    }
}

/// Outputs that one input may cause. Chosen: above all that a few peers and commands can have pending.
const OUTPUTS: usize = 4_096;

/// After this long every command has ended. Chosen: several full lives of a request, one after another.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
