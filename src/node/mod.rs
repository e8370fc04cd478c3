//! One node as one machine: an overlay, a store and, where wanted, pre-routing, with values carried between them.
//!
//! Guarantees: none knows another; what the overlay asks of the store is answered in the order the store decides,
//! disk work comes out in the order in which it must be performed; what an exit does for others is to the overlay a command
//! like any other. Generic over the overlay, so every mode runs on it unchanged. Leaves out: sockets and files (`link`,
//! `disk`), documents (a client's affair, `document`), decisions (the overlay's).

mod contract;
pub mod envelope;
mod links;
mod routed;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

pub use self::contract::{Input, Output};
use self::envelope::Envelope;
use self::links::Links;
use self::routed::{answer_of, command_of, instruction_of, offence_of, outcome_of};
use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::message::block::{Block, BlockKind};
use crate::onion::{self, Onion, RequestId};
use crate::overlay::mode::{
    self, Answer, CloseReason, Command, Holding, Mode, OF_NODE, StoreAnswer, StoreToken, StoreWork, Ticket,
};
use crate::store::work::Area;
use crate::store::{self, Store, Token};
use crate::time::Instant;

/// One node of some overlay.
#[derive(Debug)]
pub struct Node<M: Mode> {
    overlay: M,
    store: Store,
    onion: Option<Onion>,
    /// Kept only beside pre-routing; without it every link is the overlay's.
    links: Links,
    /// Fetches by pre-routing that look into this node's own store first.
    looking: BTreeMap<Ticket, RoutingKey>,
    /// Whether the overlay has looked at the clock, which begins what it has to begin.
    is_begun: bool,
    outputs: VecDeque<Output<M::Message>>,
}

impl<M: Mode> Node<M> {
    /// A node that runs `overlay` over `store`.
    pub fn new(overlay: M, store: Store) -> Self {
        let (links, looking) = (Links::default(), BTreeMap::new());
        let mut node = Self { overlay, store, onion: None, links, looking, is_begun: false, outputs: VecDeque::new() };
        node.settle(Instant::EPOCH);
        node
    }

    /// The same node with pre-routing: a relay for others, and a client of theirs.
    #[must_use]
    pub fn with_onion(self, onion: Onion) -> Self {
        Self { onion: Some(onion), ..self }
    }

    /// Something happened. Drain `poll_output` afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input<M::Message>) {
        match input {
            Input::LinkUp { peer, address, inbound } => self.on_link_up(now, peer, address, inbound),
            Input::LinkDown { peer } => self.on_link_down(now, peer),
            Input::DialFailed { peer } => self.on_dial_failed(now, peer),
            Input::Message { from, message } => self.on_message(now, from, message),
            Input::Congestion { peer, behind } => {
                if self.onion.is_none() || self.links.is_shared(&peer) {
                    self.overlay.handle_input(now, mode::Input::Congestion { peer, behind });
                }
            }
            Input::Command { ticket, command } => {
                if let Command::Cancel = command {
                    self.looking.remove(&ticket);
                    self.tell_onion(now, onion::Input::Cancel(RequestId(ticket.0)));
                }
                self.overlay.handle_input(now, mode::Input::Command { ticket, command });
            }
            Input::Routed { ticket, command } => self.on_routed(now, ticket, command),
            Input::Disk(done) => self.store.handle_input(now, store::Input::Disk(done)),
            Input::Stop => {
                self.tell_onion(now, onion::Input::Stop);
                self.store.handle_input(now, store::Input::Save);
            }
            Input::Timeout => self.on_timeout(now),
        }
        self.settle(now);
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output<M::Message>> {
        self.outputs.pop_front()
    }

    /// When to call `handle_input` with [`Input::Timeout`], if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let onion = self.onion.as_ref().and_then(Onion::poll_timeout);
        let dues = [self.overlay.poll_timeout(), self.store.poll_timeout(), onion];
        dues.into_iter().flatten().min()
    }

    /// The overlay, to ask it for its state.
    pub const fn overlay(&self) -> &M {
        &self.overlay
    }

    /// The store, to ask it for its state.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Pre-routing, to ask it for its state.
    pub const fn onion(&self) -> Option<&Onion> {
        self.onion.as_ref()
    }

    fn on_link_up(&mut self, now: Instant, peer: NodeId, address: SocketAddr, inbound: bool) {
        if self.onion.is_none() {
            return self.overlay.handle_input(now, mode::Input::LinkUp { peer, address, inbound });
        }
        let is_wanted = self.links.opened(peer, address);
        self.tell_onion(now, onion::Input::LinkUp(peer));
        if is_wanted {
            self.share(now, peer, false);
        }
    }

    /// Lets the overlay use a link: the side that wants it counts as the one that dialled, and speaks first.
    fn share(&mut self, now: Instant, peer: NodeId, inbound: bool) {
        if let Some(address) = self.links.share(&peer) {
            self.tell_onion(now, onion::Input::Shared(peer));
            self.overlay.handle_input(now, mode::Input::LinkUp { peer, address, inbound });
        }
    }

    fn on_link_down(&mut self, now: Instant, peer: NodeId) {
        if self.links.closed(&peer) || self.onion.is_none() {
            self.overlay.handle_input(now, mode::Input::LinkDown { peer });
        }
        self.tell_onion(now, onion::Input::LinkDown(peer));
    }

    fn on_dial_failed(&mut self, now: Instant, peer: NodeId) {
        if self.links.dial_failed(&peer) || self.onion.is_none() {
            self.overlay.handle_input(now, mode::Input::DialFailed { peer });
        }
        self.tell_onion(now, onion::Input::DialFailed(peer));
    }

    fn on_message(&mut self, now: Instant, from: NodeId, message: Envelope<M::Message>) {
        match message {
            Envelope::Overlay(message) => {
                self.share(now, from, true);
                self.overlay.handle_input(now, mode::Input::Message { from, message });
            }
            Envelope::Packet(direction, packet) => {
                self.tell_onion(now, onion::Input::Packet(from, direction, packet));
            }
            Envelope::Gossip(word) => self.tell_onion(now, onion::Input::Gossip(from, word)),
        }
    }

    fn on_routed(&mut self, now: Instant, ticket: Ticket, command: Command) {
        if let Command::Fetch { key, own_store: true } = command
            && self.store.area(&key).is_some()
        {
            self.looking.insert(ticket, key);
            // Read without being used: the order of use on the disk would tell what was asked for here.
            return self.store.handle_input(now, store::Input::Copy { token: Token(ticket.0 | OF_NODE), key });
        }
        self.route(now, ticket, command);
    }

    fn route(&mut self, now: Instant, ticket: Ticket, command: Command) {
        match (instruction_of(command), &self.onion) {
            (Some(instruction), Some(_)) => {
                self.tell_onion(now, onion::Input::Request(RequestId(ticket.0), instruction));
            }
            (Some(_), None) => self.outputs.push_back(Output::Answer { ticket, answer: Answer::Unavailable }),
            (None, _) => {}
        }
    }

    /// A look into the own store for a fetch by pre-routing has ended.
    fn on_looked(&mut self, now: Instant, ticket: Ticket, block: Option<Block>) {
        let Some(key) = self.looking.remove(&ticket) else { return };
        match block {
            Some(block) => {
                let answer = Answer::Found { block, hops: 0, own_store: true };
                self.outputs.push_back(Output::Answer { ticket, answer });
            }
            None => self.route(now, ticket, Command::Fetch { key, own_store: false }),
        }
    }

    fn tell_onion(&mut self, now: Instant, input: onion::Input) {
        if let Some(onion) = &mut self.onion {
            onion.handle_input(now, input);
        }
    }

    /// Tells the overlay something that its contract has no word for. Drain `poll_output` afterwards.
    pub fn tell_overlay<T>(&mut self, now: Instant, tell: impl FnOnce(&mut M) -> T) -> T {
        let told = tell(&mut self.overlay);
        self.settle(now);
        told
    }

    fn on_timeout(&mut self, now: Instant) {
        if self.store.poll_timeout().is_some_and(|due| due <= now) {
            self.store.handle_input(now, store::Input::Timeout);
        }
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        if is_first || self.overlay.poll_timeout().is_some_and(|due| due <= now) {
            self.overlay.handle_input(now, mode::Input::Timeout);
        }
        let onion_due = self.onion.as_ref().and_then(Onion::poll_timeout);
        if is_first || onion_due.is_some_and(|due| due <= now) {
            self.tell_onion(now, onion::Input::Timeout);
        }
    }

    /// Carries values between the parts until none has anything to say to another.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.overlay.poll_output() {
                self.on_overlay(now, output);
            } else if let Some(output) = self.store.poll_output() {
                self.on_store(now, output);
            } else if let Some(output) = self.onion.as_mut().and_then(Onion::poll_output) {
                self.on_onion(now, output);
            } else {
                return;
            }
        }
    }

    fn on_overlay(&mut self, now: Instant, output: mode::Output<M::Message>) {
        self.outputs.push_back(match output {
            mode::Output::Store(work) => return self.on_store_work(now, work),
            mode::Output::Send { to, message } => Output::Send { to, message: Envelope::Overlay(message) },
            mode::Output::Dial { peer, .. } if self.onion.is_some() && !self.links.dial(peer) => {
                return self.share(now, peer, false);
            }
            mode::Output::Dial { peer, address } => Output::Dial { peer, address },
            mode::Output::Close { peer, reason } => Output::Close { peer, reason },
            mode::Output::Answer { ticket, answer } if ticket.0 & OF_NODE != 0 => {
                return self.tell_onion(now, onion::Input::Executed(ticket.0 & !OF_NODE, outcome_of(answer)));
            }
            mode::Output::Answer { ticket, answer } => Output::Answer { ticket, answer },
            mode::Output::Offence { peer, offence } => Output::Offence { peer, offence },
            mode::Output::Remember(state) => Output::Remember(state),
        });
    }

    fn on_onion(&mut self, now: Instant, output: onion::Output) {
        let output = match output {
            onion::Output::Packet(to, direction, packet) => {
                Output::Send { to, message: Envelope::Packet(direction, packet) }
            }
            onion::Output::Gossip(to, word) => Output::Send { to, message: Envelope::Gossip(word) },
            onion::Output::Dial(peer, address) => Output::Dial { peer, address },
            onion::Output::Close(peer) if self.links.is_shared(&peer) => return,
            onion::Output::Close(peer) => Output::Close { peer, reason: CloseReason::Done },
            onion::Output::Execute(number, instruction) => {
                let ticket = Ticket(number | OF_NODE);
                let Some(command) = command_of(instruction) else { return };
                return self.overlay.handle_input(now, mode::Input::Command { ticket, command });
            }
            onion::Output::Answer(RequestId(request), outcome) => {
                Output::Answer { ticket: Ticket(request), answer: answer_of(outcome) }
            }
            onion::Output::Offence(peer, wrong) => {
                let offence = offence_of(wrong);
                self.outputs.push_back(Output::Offence { peer, offence });
                Output::Close { peer, reason: CloseReason::Offence(offence) }
            }
            onion::Output::Remember(state) => Output::RememberGuards(state),
            onion::Output::RememberRelays(state) => Output::RememberRelays(state),
        };
        self.outputs.push_back(output);
    }

    fn on_store_work(&mut self, now: Instant, work: StoreWork) {
        let input = match work {
            StoreWork::Read { token, key } => store::Input::Read { token: Token(token.0), key },
            StoreWork::Copy { token, key } => store::Input::Copy { token: Token(token.0), key },
            StoreWork::Keep { token, block } => store::Input::Keep { token: Token(token.0), block },
            StoreWork::Cache { block } => store::Input::Cache { block },
            StoreWork::Around { place } => store::Input::Around { place },
            // What the index in memory tells needs no disk.
            StoreWork::Contains { token, key } => {
                let holding = holding(self.store.area(&key));
                return self.overlay.handle_input(now, mode::Input::Store(StoreAnswer::Contains { token, holding }));
            }
            StoreWork::Survey { token, around, within, after, most } => {
                let keys = self.survey(around, within, after, most);
                return self.overlay.handle_input(now, mode::Input::Store(StoreAnswer::Survey { token, keys }));
            }
        };
        self.store.handle_input(now, input);
    }

    /// The first `most` keys after `after` among the blocks kept near `around`.
    fn survey(&self, around: Location, within: Distance, after: Option<RoutingKey>, most: usize) -> Vec<RoutingKey> {
        let mut first = BTreeSet::new();
        for kind in [BlockKind::Content, BlockKind::Signed] {
            for area in [Area::Fresh, Area::Established] {
                let near = |key: &&RoutingKey| key.location().distance(around) <= within && Some(**key) > after;
                for key in self.store.keys(kind, area).filter(near) {
                    first.insert(*key);
                    if first.len() > most {
                        first.pop_last();
                    }
                }
            }
        }
        first.into_iter().collect()
    }

    fn on_store(&mut self, now: Instant, output: store::Output) {
        let answer = match output {
            store::Output::Disk(work) => return self.outputs.push_back(Output::Disk(work)),
            store::Output::Health(health) => return self.outputs.push_back(Output::Health(health)),
            store::Output::Read { token, block } if token.0 & OF_NODE != 0 => {
                return self.on_looked(now, Ticket(token.0 & !OF_NODE), block);
            }
            store::Output::Read { token, block } => StoreAnswer::Read { token: StoreToken(token.0), block },
            store::Output::Contains { .. } => return,
            store::Output::Kept { token, durable } => StoreAnswer::Kept { token: StoreToken(token.0), durable },
        };
        self.overlay.handle_input(now, mode::Input::Store(answer));
    }
}

const fn holding(area: Option<Area>) -> Holding {
    match area {
        None => Holding::Nothing,
        Some(Area::Cache) => Holding::Passing,
        Some(Area::Fresh | Area::Established) => Holding::Kept,
    }
}

#[cfg(test)]
mod tests;
