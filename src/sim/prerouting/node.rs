//! A simulated node with pre-routing: the production overlay and the production onion, composed as `node` composes them.
//!
//! To the engine it is an overlay: its messages are those of both, and a command given to it leaves by pre-routing. Uses the
//! parts of `node` that decide which link is whose and how words are translated. Leaves out the store, which is the
//! engine's depot, and what a client does between its commands.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::node::links::Links;
use crate::node::routed::{answer_of, command_of, instruction_of, offence_of, outcome_of};
use crate::onion::directory::Snapshot;
use crate::onion::{self, Attempt, Direction, Onion, RequestId};
use crate::overlay::freenet::Freenet;
use crate::overlay::mode::{
    Answer, CloseReason, Command, Input, Mode, OF_NODE, Output, StoreAnswer, StoreToken, StoreWork, Ticket,
};
use crate::sim::prerouting::message::Word;
use crate::time::Instant;

/// A node.
#[derive(Debug)]
pub struct Prerouted {
    overlay: Freenet,
    onion: Onion,
    links: Links,
    /// Fetches that look into this node's own store first.
    looking: BTreeMap<Ticket, RoutingKey>,
    /// Packets that left for commands of this node since somebody last asked: who watches from outside knows them.
    attempts: Vec<Attempt>,
    outputs: VecDeque<Output<Word>>,
}

impl Prerouted {
    /// A node whose overlay has some links already, of which `onion` has been told, and is opening others.
    pub(super) fn new(overlay: Freenet, onion: Onion, links: &[(NodeId, SocketAddr)], dialled: &[NodeId]) -> Self {
        let mut all = Links::default();
        for (peer, address) in links {
            all.opened(*peer, *address);
            all.share(peer);
        }
        for peer in dialled {
            all.dial(*peer);
        }
        let (looking, attempts, outputs) = (BTreeMap::new(), Vec::new(), VecDeque::new());
        Self { overlay, onion, links: all, looking, attempts, outputs }
    }

    /// The overlay, to ask it for its state.
    pub const fn overlay(&self) -> &Freenet {
        &self.overlay
    }

    /// Pre-routing, to ask it for its state.
    pub const fn onion(&self) -> &Onion {
        &self.onion
    }

    /// Packets that left for commands of this node since the last call, with their paths.
    pub fn take_attempts(&mut self) -> Vec<Attempt> {
        std::mem::take(&mut self.attempts)
    }

    /// Pre-routing starts again, as after a restart that the overlay outlived.
    pub(super) fn replace_onion(&mut self, onion: Onion) {
        self.onion = onion;
    }

    /// Takes a directory that all nodes hold together.
    pub(super) fn adopt(&mut self, snapshot: &Snapshot) {
        self.onion.adopt(snapshot);
    }

    /// The links there are, each with whether the overlay uses it.
    pub(super) fn links(&self) -> Vec<(NodeId, bool)> {
        self.links.all()
    }

    fn tell_onion(&mut self, now: Instant, input: onion::Input) {
        self.onion.handle_input(now, input);
        for attempt in self.onion.attempts().filter(|attempt| attempt.sent == now) {
            if !self.attempts.contains(&attempt) {
                self.attempts.push(attempt);
            }
        }
    }

    fn on_link_up(&mut self, now: Instant, peer: NodeId, address: SocketAddr) {
        let is_wanted = self.links.opened(peer, address);
        self.tell_onion(now, onion::Input::LinkUp(peer));
        if is_wanted {
            self.share(now, peer, false);
        }
    }

    fn share(&mut self, now: Instant, peer: NodeId, inbound: bool) {
        if let Some(address) = self.links.share(&peer) {
            self.tell_onion(now, onion::Input::Shared(peer));
            self.overlay.handle_input(now, Input::LinkUp { peer, address, inbound });
        }
    }

    fn on_message(&mut self, now: Instant, from: NodeId, message: Word) {
        match message {
            Word::Overlay(message) => {
                self.share(now, from, true);
                self.overlay.handle_input(now, Input::Message { from, message });
            }
            Word::Forward(packet) => self.tell_onion(now, onion::Input::Packet(from, Direction::Forward, packet)),
            Word::Reply(packet) => self.tell_onion(now, onion::Input::Packet(from, Direction::Reply, packet)),
            Word::Gossip(word) => self.tell_onion(now, onion::Input::Gossip(from, word)),
        }
    }

    fn on_command(&mut self, now: Instant, ticket: Ticket, command: Command) {
        match command {
            Command::Fetch { key, own_store: true } => {
                self.looking.insert(ticket, key);
                let token = StoreToken(ticket.0 | OF_NODE);
                self.outputs.push_back(Output::Store(StoreWork::Read { token, key }));
            }
            Command::Cancel => {
                self.looking.remove(&ticket);
                self.tell_onion(now, onion::Input::Cancel(RequestId(ticket.0)));
            }
            command => self.route(now, ticket, command),
        }
    }

    fn route(&mut self, now: Instant, ticket: Ticket, command: Command) {
        if let Some(instruction) = instruction_of(command) {
            self.tell_onion(now, onion::Input::Request(RequestId(ticket.0), instruction));
        }
    }

    fn on_store(&mut self, now: Instant, answer: StoreAnswer) {
        match answer {
            StoreAnswer::Read { token, block } if token.0 & OF_NODE != 0 => {
                let ticket = Ticket(token.0 & !OF_NODE);
                let Some(key) = self.looking.remove(&ticket) else { return };
                match block {
                    Some(block) => {
                        let answer = Answer::Found { block, hops: 0, own_store: true };
                        self.outputs.push_back(Output::Answer { ticket, answer });
                    }
                    None => self.route(now, ticket, Command::Fetch { key, own_store: false }),
                }
            }
            answer => self.overlay.handle_input(now, Input::Store(answer)),
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        if self.overlay.poll_timeout().is_some_and(|due| due <= now) {
            self.overlay.handle_input(now, Input::Timeout);
        }
        if self.onion.poll_timeout().is_some_and(|due| due <= now) {
            self.tell_onion(now, onion::Input::Timeout);
        }
    }

    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.overlay.poll_output() {
                self.on_overlay(now, output);
            } else if let Some(output) = self.onion.poll_output() {
                self.on_onion(now, output);
            } else {
                return;
            }
        }
    }

    fn on_overlay(&mut self, now: Instant, output: Output<<Freenet as Mode>::Message>) {
        self.outputs.push_back(match output {
            Output::Send { to, message } => Output::Send { to, message: Word::Overlay(message) },
            Output::Dial { peer, address } => {
                if !self.links.dial(peer) {
                    return self.share(now, peer, false);
                }
                Output::Dial { peer, address }
            }
            Output::Answer { ticket, answer } if ticket.0 & OF_NODE != 0 => {
                return self.tell_onion(now, onion::Input::Executed(ticket.0 & !OF_NODE, outcome_of(answer)));
            }
            Output::Answer { ticket, answer } => Output::Answer { ticket, answer },
            Output::Close { peer, reason } => Output::Close { peer, reason },
            Output::Store(work) => Output::Store(work),
            Output::Offence { peer, offence } => Output::Offence { peer, offence },
            Output::Remember(state) => Output::Remember(state),
        });
    }

    fn on_onion(&mut self, now: Instant, output: onion::Output) {
        let output = match output {
            onion::Output::Packet(to, direction, packet) => {
                Output::Send { to, message: Word::packet(direction, packet) }
            }
            onion::Output::Gossip(to, word) => Output::Send { to, message: Word::Gossip(word) },
            onion::Output::Dial(peer, address) => Output::Dial { peer, address },
            onion::Output::Close(peer) if self.links.is_shared(&peer) => return,
            onion::Output::Close(peer) => Output::Close { peer, reason: CloseReason::Done },
            onion::Output::Execute(number, instruction) => {
                let ticket = Ticket(number | OF_NODE);
                let Some(command) = command_of(instruction) else { return };
                return self.overlay.handle_input(now, Input::Command { ticket, command });
            }
            onion::Output::Answer(RequestId(request), outcome) => {
                Output::Answer { ticket: Ticket(request), answer: answer_of(outcome) }
            }
            onion::Output::Offence(peer, wrong) => Output::Offence { peer, offence: offence_of(wrong) },
            // What is pinned is asked for when it is wanted.
            onion::Output::Remember(_) | onion::Output::RememberRelays(_) => return,
        };
        self.outputs.push_back(output);
    }
}

impl Mode for Prerouted {
    type Message = Word;

    fn handle_input(&mut self, now: Instant, input: Input<Word>) {
        match input {
            Input::LinkUp { peer, address, .. } => self.on_link_up(now, peer, address),
            Input::LinkDown { peer } => {
                if self.links.closed(&peer) {
                    self.overlay.handle_input(now, Input::LinkDown { peer });
                }
                self.tell_onion(now, onion::Input::LinkDown(peer));
            }
            Input::DialFailed { peer } => {
                if self.links.dial_failed(&peer) {
                    self.overlay.handle_input(now, Input::DialFailed { peer });
                }
                self.tell_onion(now, onion::Input::DialFailed(peer));
            }
            Input::Message { from, message } => self.on_message(now, from, message),
            Input::Congestion { peer, behind } => {
                if self.links.is_shared(&peer) {
                    self.overlay.handle_input(now, Input::Congestion { peer, behind });
                }
            }
            Input::Command { ticket, command } => self.on_command(now, ticket, command),
            Input::Store(answer) => self.on_store(now, answer),
            Input::Timeout => self.on_timeout(now),
        }
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output<Word>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.overlay.poll_timeout(), self.onion.poll_timeout()].into_iter().flatten().min()
    }
}
