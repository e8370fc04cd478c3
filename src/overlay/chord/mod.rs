//! Chord: a ring of places, a successor list and a finger table, lookups in about half log2 of the number of nodes.
//!
//! Stoica et al. 2001 and 2003. Composes the parts of one node and moves values between them. The owner of a key is the
//! first member at or after it and keeps the document, or who has it. Leaves out anonymity: whoever is asked learns who asks
//! and for what.

mod config;
mod core;
mod doors;
mod fingers;
mod keeping;
mod lookup;
mod member;
mod message;
mod passage;
mod peer;
mod relay;
mod search;
mod upkeep;

use std::sync::Arc;

pub use self::config::{Config, LookupKind};
use self::core::{Core, Purpose, Reading};
use self::doors::Doors;
use self::fingers::{FINGERS, Fingers};
use self::member::{Around, Member};
pub use self::message::{Message, Way};
pub use self::peer::Peer;
use self::search::{Said, Searches};
use self::upkeep::Upkeep;
use crate::id::NodeId;
use crate::key::Location;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Cost};
use crate::overlay::mode::{Input, Mode, Offence, Output, StoreAnswer, Ticket};
use crate::time::Instant;

/// One node of a ring.
#[derive(Debug)]
pub struct Chord {
    core: Core,
    searches: Searches,
    upkeep: Upkeep,
    is_leaving: bool,
}

/// What a member of a converged ring knows.
#[derive(Debug)]
pub struct Position {
    /// The member.
    pub me: Peer,
    /// Before it.
    pub predecessor: Peer,
    /// After it, in their order.
    pub successors: Vec<Peer>,
    /// All fingers in their order: 64.
    pub fingers: Vec<Peer>,
}

impl Chord {
    /// The first node of a ring.
    pub fn founder(config: Arc<Config>, me: &Contact, seed: [u8; 32]) -> Self {
        let mut node = Self::newcomer(config, me, Vec::new(), seed);
        let member = &mut node.core.members[0];
        member.owned_from = Some(member.me.place());
        node
    }

    /// A newcomer that joins through one of `entries`.
    pub fn newcomer(config: Arc<Config>, me: &Contact, entries: Vec<Contact>, seed: [u8; 32]) -> Self {
        let members = (0..config.virtual_nodes).map(|number| Member::new(Peer::new(me.clone(), number)));
        Self::compose(Core::new(config, members.collect(), Doors::new(entries), &seed))
    }

    /// A node of a ring that has found itself; one position for each of its places, in their order.
    pub fn settled(config: Arc<Config>, positions: Vec<Position>, seed: [u8; 32]) -> Self {
        let members = positions.into_iter().map(|position| {
            let mut member = Member::new(position.me);
            member.owned_from = Some(position.predecessor.place());
            member.predecessor = Some(position.predecessor);
            member.replicas = position.successors.iter().take(usize::from(config.copies) - 1).cloned().collect();
            member.successors = position.successors;
            member.fingers = Fingers::of(position.fingers.into_iter().map(Some));
            member
        });
        let members = members.collect();
        Self::compose(Core::new(config, members, Doors::new(Vec::new()), &seed))
    }

    fn compose(core: Core) -> Self {
        Self { core, searches: Searches::new(), upkeep: Upkeep::default(), is_leaving: false }
    }

    /// From the next timeout on the node takes leave: keys go to the next node, neighbours are told.
    pub const fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.core.calls.take_cost(ticket)
    }

    /// Its first place on the ring, once all its places have somebody before and after them; a founder's from the first.
    pub fn place(&self) -> Option<Location> {
        let first = self.core.members.first()?;
        self.core.members.iter().all(|member| member.owned_from.is_some()).then(|| first.me.place())
    }

    /// Entries of all tables.
    pub fn entries(&self) -> usize {
        self.core.members.iter().map(Member::entries).sum()
    }

    /// References to documents that others have.
    pub fn references(&self) -> usize {
        self.core.index.len()
    }

    /// Questions and errands under way.
    pub fn open(&self) -> usize {
        self.core.calls.len() + self.searches.len() + self.core.readings.len() + self.core.relays.len()
    }

    /// Predecessor, successors and fingers of a member, as places.
    pub fn tables(&self, member: usize) -> (Option<Location>, Vec<Location>, Vec<Option<Location>>) {
        let member = &self.core.members[member];
        let fingers = (0..FINGERS).map(|exponent| member.fingers.get(exponent).map(Peer::place));
        let successors = member.successors.iter().map(Peer::place).collect();
        (member.predecessor.as_ref().map(Peer::place), successors, fingers.collect())
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        if !message.is_bounded() {
            return self.core.calls.offence(from, Offence::Flood);
        }
        let (core, searches) = (&mut self.core, &mut self.searches);
        match message {
            Message::Around { call, member, key, upkeep } => {
                let is_linear = core.config.lookup == LookupKind::Linear;
                let member = usize::from(member);
                if member >= core.members.len() {
                    return;
                }
                let Around { preceding, following } = core.around(member, key, is_linear);
                core.calls.reply(from, Message::Nodes { call, upkeep, preceding, following });
            }
            Message::Neighbours { call, member } => {
                let Some(member) = core.members.get(usize::from(member)) else { return };
                let predecessor = member.predecessor.clone();
                let most = core.config.successors - 1;
                let successors = member.successors.iter().take(most).cloned().collect();
                core.calls.reply(from, Message::NeighboursAre { call, predecessor, successors });
            }
            Message::Notify { member, sender } => {
                upkeep::handle_notify(core, searches, now, (from, member, sender));
            }
            Message::Leaving { sender, predecessor, successors } => {
                upkeep::handle_leaving(core, now, from, (sender, predecessor, successors));
            }
            Message::Get { call, key } => keeping::handle_get(core, from, call, key),
            Message::Put { call, key, parcel, replicas } => {
                keeping::handle_put(core, now, from, call, (key, parcel, replicas));
            }
            Message::Refer { call, key, holder, replicas } => {
                keeping::handle_refer(core, now, from, call, (key, holder, replicas));
            }
            Message::Nodes { call, preceding, following, .. } => match core.calls.answered(from, call) {
                Some(Purpose::Step(id, peer)) => {
                    searches.handle_nodes(core, now, (id, &peer), Around { preceding, following });
                }
                other => self.out_of_turn(from, other.as_ref()),
            },
            Message::NeighboursAre { call, predecessor, successors } => match core.calls.answered(from, call) {
                Some(Purpose::Stabilise(member, peer)) => {
                    let is_new = upkeep::handle_neighbours(core, now, (member, &peer), predecessor, successors);
                    if is_new {
                        upkeep::look_all_up(core, searches, now, member.into());
                    }
                }
                Some(Purpose::Check(member)) => upkeep::handle_presence(core, now, from, member),
                other => self.out_of_turn(from, other.as_ref()),
            },
            Message::Seek { call, member, key, way } => {
                relay::handle_seek(core, now, (from, call), member, key, way);
            }
            Message::Taken { call } => core.calls.on_taken(from, call),
            Message::Owners { call, owners, way } => match core.calls.answered(from, call) {
                Some(Purpose::Seek(id)) => relay::handle_owners(core, id, owners, way),
                other => self.out_of_turn(from, other.as_ref()),
            },
            Message::Stuck { call, way } => match core.calls.answered(from, call) {
                Some(Purpose::Seek(id)) => relay::handle_stuck(core, now, id, way),
                other => self.out_of_turn(from, other.as_ref()),
            },
            Message::Stored { call, durable } => self.on_said(now, from, call, Said::Stored(durable)),
            Message::Data { call, parcel } => self.on_said(now, from, call, Said::Data(parcel)),
            Message::Held { call, holder } => self.on_said(now, from, call, Said::Held(holder)),
            Message::Missing { call } => self.on_said(now, from, call, Said::Missing),
        }
    }

    fn on_said(&mut self, now: Instant, from: NodeId, call: CallId, said: Said) {
        let (core, searches) = (&mut self.core, &mut self.searches);
        match (core.calls.answered(from, call), said) {
            (Some(Purpose::Deliver(id, peer)), said) => searches.handle_delivered(core, now, id, &peer, said),
            (Some(Purpose::Collect(id)), Said::Data(parcel)) => {
                searches.handle_collected(core, from, id, parcel);
            }
            (Some(Purpose::Collect(id)), _) => searches.handle_uncollected(core, id),
            (Some(Purpose::Copy), Said::Stored(_)) => {}
            (other, _) => self.out_of_turn(from, other.as_ref()),
        }
    }

    fn out_of_turn(&mut self, from: NodeId, purpose: Option<&Purpose>) {
        if purpose.is_some() {
            self.core.calls.offence(from, Offence::OutOfTurn);
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        let (core, searches) = (&mut self.core, &mut self.searches);
        match answer {
            StoreAnswer::Read { token, block } => match (core.readings.take(token), block) {
                (Some(Reading::Asked(from, call)), Some(block)) => {
                    core.calls.reply(from, Message::Data { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call)), None) => core.calls.reply(from, Message::Missing { call }),
                (Some(Reading::Own(id)), block) => searches.handle_own(core, now, id, block),
                (Some(Reading::Move(peer)), Some(block)) => keeping::give(core, now, &peer, &block),
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => match core.readings.take(token) {
                Some(Reading::Kept(from, call, key, replicas)) => {
                    keeping::handle_kept(core, (from, call), key, replicas, durable);
                }
                Some(Reading::OwnKept(id)) => {
                    if let Some(block) = searches.handle_own_kept(core, id, durable) {
                        keeping::replicate(core, now, &block);
                    }
                }
                _ => {}
            },
            StoreAnswer::Survey { token, keys } => {
                if let Some(Reading::Survey(from, to, peer)) = core.readings.take(token) {
                    keeping::handle_survey(core, (from, to), &peer, &keys);
                }
            }
            StoreAnswer::Contains { .. } => {}
        }
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        while let Some((node, purpose)) = self.core.calls.poll_failed(now) {
            let (core, searches) = (&mut self.core, &mut self.searches);
            match purpose {
                Purpose::Step(id, peer) => searches.handle_silence(core, now, id, &peer),
                Purpose::Seek(id) => relay::handle_silence(core, now, id),
                Purpose::Deliver(id, _) => searches.handle_undelivered(core, now, id),
                Purpose::Collect(id) => searches.handle_uncollected(core, id),
                // Only stabilisation mends tables; lookups leave them as they are.
                Purpose::Stabilise(member, _) => {
                    core.forget(&node);
                    upkeep::stabilise(core, now, member.into());
                }
                Purpose::Check(_) | Purpose::Copy => core.forget(&node),
            }
        }
    }
}

impl Mode for Chord {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => self.core.calls.on_link_up(peer),
            Input::LinkDown { peer } => {
                self.core.calls.on_link_down(peer);
                self.hear_silence(now);
            }
            Input::DialFailed { peer } => {
                self.core.calls.on_dial_failed(peer);
                self.hear_silence(now);
            }
            Input::Message { from, message } => self.handle_message(now, from, message),
            // What does not fit waits in the link.
            Input::Congestion { .. } => {}
            Input::Command { ticket, command } => {
                self.searches.handle_command(&mut self.core, now, ticket, command);
            }
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => {
                if std::mem::take(&mut self.is_leaving) {
                    upkeep::leave(&mut self.core, now);
                    self.upkeep.end();
                }
                self.hear_silence(now);
                self.upkeep.handle_timeout(&mut self.core, &mut self.searches, now);
            }
        }
        if let Some(member) = self.core.joined.take() {
            upkeep::stabilise(&mut self.core, now, member);
        }
        while let Some(ended) = self.core.ended.pop_front() {
            self.searches.handle_ended(&mut self.core, now, ended);
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.core.calls.timeout(), self.upkeep.timeout()].into_iter().flatten().min()
    }
}
