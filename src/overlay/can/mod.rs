//! CAN, the content-addressable network: a torus cut into zones, each node asking on along its borders.
//!
//! Ratnasamy et al. 2001. Composes the parts of one node and moves values between them. Whoever holds the zone of a key's
//! place keeps the document, or who has it. A way is gone step by step and its end comes back the same way: the nodes between
//! learn what is sought, the first and the owner also by whom. Leaves out landmarks, overloaded zones and weights by latency.

mod config;
mod core;
mod errands;
mod keeping;
mod message;
mod passage;
mod reality;
mod relay;
mod upkeep;
mod zone;

use std::sync::Arc;

pub use self::config::Config;
use self::core::{Core, Purpose, Reading};
use self::errands::Errands;
pub use self::message::{Goal, Message, Trail};
use self::upkeep::{Upkeep, Word};
pub use self::zone::{BadZone, Zone};
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Cost};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::{Input, Mode, Offence, Output, StoreAnswer, Ticket};
use crate::time::Instant;

/// One node.
#[derive(Debug)]
pub struct Can {
    core: Core,
    errands: Errands,
    upkeep: Upkeep,
    is_leaving: bool,
}

/// A node and its zone.
pub type Holder = (Contact, Zone);

/// What a node of a converged network knows of one reality.
#[derive(Debug)]
pub struct Position {
    /// Its zone.
    pub zone: Zone,
    /// Its neighbours, each with those around it.
    pub neighbours: Vec<(Holder, Vec<Holder>)>,
}

impl Can {
    /// The first node of a network: all is its own.
    pub fn founder(config: Arc<Config>, me: Contact, seed: &[u8; 32]) -> Self {
        let whole = (0..config.realities).map(|_| Position { zone: Zone::WHOLE, neighbours: Vec::new() });
        let positions = whole.collect();
        Self::settled(config, me, positions, seed)
    }

    /// A newcomer that joins through one of `entries`.
    pub fn newcomer(config: Arc<Config>, me: Contact, entries: Vec<Contact>, seed: &[u8; 32]) -> Self {
        let mut dice = Dice::new(seed);
        let places = draw_places(&mut dice, config.realities);
        let mut core = Core::new(config, me, dice, entries);
        let upkeep = Upkeep::new(&mut core, places);
        Self { core, errands: Errands::default(), upkeep, is_leaving: false }
    }

    /// A node of a network in which everybody has joined; one position for each reality.
    pub fn settled(config: Arc<Config>, me: Contact, positions: Vec<Position>, seed: &[u8; 32]) -> Self {
        let dimensions = config.dimensions;
        let mut node = Self::newcomer(config, me, Vec::new(), seed);
        for (reality, position) in node.core.realities.iter_mut().zip(positions) {
            reality.change(Instant::EPOCH, vec![position.zone]);
            for ((contact, zone), around) in position.neighbours {
                let id = contact.id();
                reality.hear_of(Instant::EPOCH, contact, zone, dimensions);
                reality.surround(&id, 0, &around);
            }
            reality.neighbours.shrink_to_fit();
        }
        node
    }

    /// Where a node with this seed joins, in each reality.
    pub fn places(seed: &[u8; 32], realities: usize) -> Vec<Location> {
        draw_places(&mut Dice::new(seed), realities)
    }

    /// From the next timeout on the node takes leave: zones and documents go to a neighbour.
    pub const fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// The node itself.
    pub const fn me(&self) -> &Contact {
        &self.core.me
    }

    /// Whether it has a zone in every reality.
    pub fn is_joined(&self) -> bool {
        self.core.realities.iter().all(|reality| !reality.zones.is_empty())
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.core.calls.take_cost(ticket)
    }

    /// Neighbours in all realities.
    pub fn degree(&self) -> usize {
        self.core.realities.iter().map(|reality| reality.neighbours.len()).sum()
    }

    /// Entries of all tables: neighbours, and what each has named.
    pub fn entries(&self) -> usize {
        let all = self.core.realities.iter().flat_map(|reality| &reality.neighbours);
        all.map(|neighbour| 1 + neighbour.around.len()).sum()
    }

    /// References to documents that others have.
    pub fn references(&self) -> usize {
        self.core.index.len()
    }

    /// Questions, errands and ways under way.
    pub fn open(&self) -> usize {
        self.core.calls.len() + self.errands.len() + self.core.readings.len() + self.core.relays.len()
    }

    /// The zones of a reality, and its neighbours with theirs.
    pub fn tables(&self, reality: usize) -> (Vec<Zone>, Vec<(NodeId, Vec<Zone>)>) {
        let reality = &self.core.realities[reality];
        let neighbours = reality.neighbours.iter().map(|other| (other.contact.id(), other.zones.clone()));
        (reality.zones.clone(), neighbours.collect())
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        let core = &mut self.core;
        if !message.is_bounded() {
            return core.calls.offence(from, Offence::Flood);
        }
        if message.sender().is_some_and(|sender| sender.id() != from) {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        match message {
            Message::Route { call, route, goal, upkeep, trail } => {
                relay::handle_route(core, now, (from, call), route, goal, (upkeep, trail));
            }
            Message::Taken { call, .. } => core.calls.on_taken(from, call),
            Message::Join { call, sender, reality, place } => {
                upkeep::handle_join(core, now, call, sender, reality.into(), place);
            }
            Message::Update { sender, reality, version, zones, page, neighbours } => {
                let word = Word { sender, version, zones, page, neighbours };
                upkeep::handle_update(core, now, reality.into(), word);
            }
            Message::Leave { reality } => upkeep::handle_leave(core, now, from, reality.into()),
            Message::Get { call, key } => keeping::handle_get(core, from, call, key),
            Message::Put { call, key, parcel } => keeping::handle_put(core, from, call, key, parcel),
            Message::Refer { call, key, holder } => keeping::handle_refer(core, from, call, key, holder),
            Message::Arrived { call, .. }
            | Message::Stuck { call, .. }
            | Message::Given { call, .. }
            | Message::Elsewhere { call }
            | Message::Stored { call, .. }
            | Message::Data { call, .. }
            | Message::Held { call, .. }
            | Message::Missing { call } => self.handle_answer(now, from, call, message),
        }
    }

    fn handle_answer(&mut self, now: Instant, from: NodeId, call: CallId, answer: Message) {
        let (core, errands) = (&mut self.core, &mut self.errands);
        let Some(purpose) = core.calls.answered(from, call) else { return };
        match (purpose, answer) {
            (Purpose::Route(route), Message::Arrived { owner, trail, .. }) => {
                relay::handle_arrived(core, route, owner, trail);
            }
            (Purpose::Route(route), Message::Stuck { trail, .. }) => relay::handle_stuck(core, now, route, trail),
            (Purpose::Join(id), Message::Given { zone, neighbours, .. }) => {
                if let Some(reality) = errands.take_join(id) {
                    upkeep::handle_given(core, now, from, reality, zone, neighbours);
                }
            }
            (Purpose::Join(id), Message::Elsewhere { .. }) => errands.on_nobody(core, now, id),
            (Purpose::Deliver(id), Message::Stored { durable, .. }) => errands.handle_stored(core, id, durable),
            (Purpose::Deliver(id) | Purpose::Collect(id), Message::Data { parcel, .. }) => {
                errands.handle_data(core, now, from, id, parcel);
            }
            (Purpose::Deliver(id), Message::Held { holder, .. }) => errands.handle_held(core, now, id, &holder),
            (Purpose::Deliver(id) | Purpose::Collect(id), Message::Missing { .. } | Message::Held { .. }) => {
                errands.on_nobody(core, now, id);
            }
            (Purpose::Copy, Message::Stored { .. }) => {}
            _ => core.calls.offence(from, Offence::OutOfTurn),
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        let (core, errands) = (&mut self.core, &mut self.errands);
        match answer {
            StoreAnswer::Read { token, block } => match (core.readings.take(token), block) {
                (Some(Reading::Asked(from, call)), Some(block)) => {
                    core.calls.reply(from, Message::Data { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call)), None) => core.calls.reply(from, Message::Missing { call }),
                (Some(Reading::Own(id)), block) => errands.handle_own(core, now, id, block),
                (Some(Reading::Move(to)), Some(block)) => keeping::give(core, now, &to, &block),
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => match core.readings.take(token) {
                Some(Reading::Kept(from, call)) => core.calls.reply(from, Message::Stored { call, durable }),
                Some(Reading::OwnKept(id)) => errands.handle_stored(core, id, durable),
                _ => {}
            },
            StoreAnswer::Survey { token, keys } => {
                if let Some(Reading::Survey(first, width, to)) = core.readings.take(token) {
                    keeping::handle_survey(core, (first, width), &to, &keys);
                }
            }
            StoreAnswer::Contains { .. } => {}
        }
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        while let Some((node, purpose)) = self.core.calls.poll_failed(now) {
            let (core, errands) = (&mut self.core, &mut self.errands);
            core.on_silence(&node);
            match purpose {
                Purpose::Route(route) => relay::handle_silence(core, now, route),
                Purpose::Join(id) | Purpose::Deliver(id) | Purpose::Collect(id) => errands.on_nobody(core, now, id),
                Purpose::Copy => {}
            }
        }
    }

    /// Ways of this node that have ended lead their errands on.
    fn hear_ways(&mut self, now: Instant) {
        while let Some((id, ended)) = self.core.ended.pop_front() {
            self.errands.handle_ended(&mut self.core, now, id, &ended);
        }
    }
}

impl Mode for Can {
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
                self.errands.handle_command(&mut self.core, now, ticket, command);
            }
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => {
                if std::mem::take(&mut self.is_leaving) {
                    upkeep::leave(&mut self.core, now);
                }
                self.hear_silence(now);
                self.upkeep.handle_timeout(&mut self.core, &mut self.errands, now);
            }
        }
        self.hear_ways(now);
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.core.calls.timeout(), self.upkeep.timeout(&self.core)].into_iter().flatten().min()
    }
}

fn draw_places(dice: &mut Dice, realities: usize) -> Vec<Location> {
    (0..realities).map(|_| Location(dice.draw())).collect()
}

const _: () = assert!(limits::CAN_REALITIES <= u8::MAX as usize && limits::CAN_NEIGHBOURS / limits::CAN_NAMED < 256);
