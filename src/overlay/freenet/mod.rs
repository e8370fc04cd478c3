//! Freenet, as we ship it: closeness of keys, steepest ascent with backtracking, caches on the way back.
//!
//! Composes the parts of one node and moves values between them; each part is pure and none holds another. What the
//! parts say to each other passes through the events of `core`.

mod acquaintances;
mod admission;
mod announcement;
mod bulletin;
mod config;
mod core;
mod examined;
#[cfg(test)]
mod fixture;
mod fold;
mod greeting;
mod harmonic;
mod inquiry;
mod insert;
mod issued;
mod join;
mod last_hops;
mod membership;
mod memory;
mod message;
mod missed;
mod neighbours;
mod offer;
mod origin;
mod pending;
mod promptness;
mod query;
mod quota;
mod recent;
mod reoffer;
mod retries;
mod routing;
mod schedule;
mod scrutiny;
mod search;
mod shape;
mod sparse;
mod topology;
mod vouch;
mod witness;

pub use config::{Config, Profile};
pub use message::{
    Certify, Commit, Errand, ExchangeId, Hello, LocationList, Message, Query, Question, Refusal, Reply, Reveal,
};

use self::bulletin::Bulletin;
use self::core::{Core, Event};
use self::insert::{Inserts, Next};
use self::membership::Membership;
use self::memory::Memory;
use self::offer::{Offers, Placed, Settled};
use self::origin::Origin;
use self::reoffer::Reoffers;
use self::search::Searches;
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::credentials::Credentials;
use crate::message::reference::NodeRef;
use crate::overlay::mode::{Answer, Command, Input, Mode, Output, StoreAnswer, Ticket};
use crate::time::Instant;

/// How much of what is bounded is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Open searches and their waiters: at most [`limits::SEARCHES`], and local ones.
    pub searches: usize,
    /// Open inserts: at most [`limits::INSERTS`], and local ones.
    pub inserts: usize,
    /// Placements of this node and offers made to it.
    pub offers: usize,
    /// Learned sources: at most the configured number.
    pub learned: usize,
    /// Links, accepted or not.
    pub links: usize,
    /// Places that neighbours told of, one for each teller: at most the square of the degree.
    pub told: usize,
    /// Commands this node may have open at once.
    pub window: usize,
}

/// One node of a `freenet` network.
#[derive(Debug)]
pub struct Freenet {
    core: Core,
    membership: Membership,
    searches: Searches,
    inserts: Inserts,
    offers: Offers,
    reoffers: Reoffers,
    origin: Origin,
    started: bool,
    next_upkeep: Instant,
    bulletin: Bulletin,
}

impl Freenet {
    /// A node that signs with `key`. `seed` is its only randomness; `memory` is what an earlier run asked to be remembered
    /// ([`Output::Remember`]): bytes that do not decode, or no longer hold, are as good as none.
    pub fn new(config: Config, key: impl Credentials + 'static, seed: [u8; 32], memory: Option<Vec<u8>>) -> Self {
        let routing_entries = config.routing_entries;
        let memory = memory.map(|bytes| Memory::from_bytes(&bytes)).unwrap_or_default();
        Self {
            core: Core::new(config, Box::new(key), seed),
            membership: Membership::new(memory),
            searches: Searches::new(routing_entries),
            inserts: Inserts::default(),
            offers: Offers::default(),
            reoffers: Reoffers::default(),
            origin: Origin::default(),
            started: false,
            next_upkeep: Instant::EPOCH,
            bulletin: Bulletin::default(),
        }
    }

    /// This node's id.
    pub const fn id(&self) -> NodeId {
        self.core.me.id
    }

    /// This node's place on the ring, once it has one.
    pub fn location(&self) -> Option<Location> {
        self.core.me.placed.then(|| self.core.location())
    }

    /// This node's own reference.
    pub const fn reference(&self) -> &NodeRef {
        &self.core.me.reference
    }

    /// The neighbours accepted by both sides, with their places.
    pub fn neighbours(&self) -> Vec<(NodeId, Location)> {
        self.core.neighbours.members().map(|(id, _, location)| (*id, location)).collect()
    }

    /// How much of what is bounded is in use.
    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            searches: self.searches.open(),
            inserts: self.inserts.open(),
            offers: self.offers.open(),
            learned: self.searches.learned(),
            links: self.core.neighbours.all().count(),
            told: self.core.neighbours.all().map(|(_, neighbour)| neighbour.ahead().as_slice().len()).sum(),
            window: self.origin.window(),
        }
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        let core = &mut self.core;
        match message {
            Message::Request { id, key, htl, detours } => {
                self.searches.handle_request(core, now, from, (id, key, htl, detours));
            }
            Message::Accepted { id } => {
                if !self.membership.handle_accepted(from, id) {
                    self.searches.handle_accepted(from, id);
                }
            }
            Message::Refused { id, refusal } => self.on_refused(now, from, id, refusal),
            Message::Found { id, parcel, .. } if self.inserts.owns(from, id) => {
                if let Some(block) = self.inserts.handle_collision(core, now, from, id, parcel) {
                    self.searches.serve(core, now, &block);
                }
            }
            Message::Found { id, parcel, source, hops } => {
                self.searches.handle_found(core, now, from, id, (parcel, source, hops));
            }
            Message::NotFound { id } => self.searches.handle_not_found(core, now, from, id),
            Message::RouteNotFound { id, htl, detours } => {
                self.searches.handle_route_not_found(core, now, from, id, (htl, detours));
            }
            Message::Insert { id, key, kind, htl } => {
                self.searches.failed.clear(&key);
                let next = self.inserts.handle_insert(core, now, from, (id, key, kind, htl));
                self.follow(now, next);
            }
            Message::AllClear { id } => {
                let next = self.inserts.handle_all_clear(core, now, from, id);
                self.follow(now, next);
            }
            Message::InsertData { id, parcel } => {
                let next = self.inserts.handle_data(core, now, from, id, parcel);
                self.follow(now, next);
            }
            Message::Stored { id, copies } => self.inserts.handle_stored(core, now, from, id, copies),
            Message::Offer { id, key, kind, location } => {
                self.offers.handle_offer(core, now, from, (id, key, kind, location));
            }
            Message::Want { id } => self.offers.handle_want(core, now, from, id),
            Message::OfferData { id, parcel } => {
                if let Some(block) = self.offers.handle_data(core, now, from, id, parcel) {
                    self.searches.serve(core, now, &block);
                }
            }
            Message::Kept { id } => {
                let placed = self.offers.handle_kept(core, now, from, id);
                self.on_placed(placed);
            }
            message => self.membership.handle_message(core, now, from, message),
        }
    }

    fn on_refused(&mut self, now: Instant, from: NodeId, id: ExchangeId, refusal: Refusal) {
        if self.inserts.owns(from, id) {
            let next = self.inserts.handle_refused(&mut self.core, now, from, id, refusal);
            self.follow(now, next);
        } else if self.offers.owns(from, id) {
            let placed = self.offers.handle_refused(&mut self.core, now, from, id);
            self.on_placed(placed);
        } else if self.membership.owns(from, id) {
            self.membership.handle_refused(&mut self.core, now, from, id);
        } else {
            self.searches.handle_refused(&mut self.core, now, from, id, refusal);
        }
    }

    fn follow(&mut self, now: Instant, next: Next) {
        if let Next::Place { insert, block } = next {
            self.searches.serve(&mut self.core, now, &block);
            self.offers.place(&mut self.core, now, Some(insert), block);
        }
    }

    fn on_placed(&mut self, placed: Option<Placed>) {
        match placed {
            Some(Placed { insert: Some(insert), copies, here }) => {
                self.inserts.handle_placed(&mut self.core, insert, copies, here);
            }
            Some(Placed { insert: None, .. }) => self.reoffers.handle_placed(&mut self.core),
            None => {}
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        let core = &mut self.core;
        match answer {
            StoreAnswer::Read { token, block } => {
                if let Some((block, peer)) = self.reoffers.handle_copy(core, token, block.clone()) {
                    let placed = self.offers.reoffer(core, now, block, peer);
                    return self.on_placed(placed);
                }
                let next = self.inserts.handle_read(core, now, token, block.clone());
                self.searches.handle_read(core, now, token, block);
                self.follow(now, next);
            }
            StoreAnswer::Kept { token, durable } => {
                if durable {
                    self.reoffers.on_kept();
                }
                match self.offers.handle_stored(core, token, durable) {
                    Some(Settled::Placed(placed)) => self.on_placed(Some(placed)),
                    Some(Settled::KeptHere(key)) => self.inserts.note_kept_here(&key),
                    None => {}
                }
            }
            StoreAnswer::Contains { token, holding } => {
                if let Some(key) = self.offers.handle_contains(core, token, holding) {
                    self.inserts.note_kept_here(&key);
                }
            }
            StoreAnswer::Survey { token, keys } => self.reoffers.handle_survey(core, token, keys),
        }
    }

    fn handle_command(&mut self, now: Instant, ticket: Ticket, command: Command) {
        if let Command::Cancel = command {
            if self.origin.cancel(ticket) {
                self.searches.cancel(&mut self.core, now, ticket);
                self.inserts.cancel(ticket);
            }
        } else if !self.origin.queue(ticket, command) {
            self.core.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
    }

    fn begin_commands(&mut self, now: Instant) {
        while let Some((ticket, command)) = self.origin.next() {
            match command {
                Command::Fetch { key, own_store } => self.searches.fetch(&mut self.core, now, ticket, key, own_store),
                Command::Insert { block } => {
                    self.searches.failed.clear(&block.key());
                    let next = self.inserts.insert(&mut self.core, now, ticket, block);
                    self.follow(now, next);
                }
                Command::Cancel => {}
            }
        }
    }

    fn handle_link_down(&mut self, now: Instant, peer: NodeId) {
        let Some(neighbour) = self.core.neighbours.remove(&peer) else { return };
        if neighbour.is_member() {
            self.core.events.extend(neighbour.reference().cloned().map(Event::Missed));
            self.core.events.push_back(Event::MemberDown(peer));
        }
        self.membership.handle_link_down(&mut self.core, now, peer, &neighbour);
        self.searches.handle_link_down(&mut self.core, now, &peer);
        for next in self.inserts.handle_link_down(&mut self.core, now, &peer) {
            self.follow(now, next);
        }
        for placed in self.offers.handle_link_down(&mut self.core, now, &peer) {
            self.on_placed(Some(placed));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.searches.handle_timeout(&mut self.core, now);
        while let Some(next) = self.inserts.handle_timeout(&mut self.core, now) {
            self.follow(now, next);
        }
        while let Some(placed) = self.offers.handle_timeout(&mut self.core, now) {
            self.on_placed(placed);
        }
        self.membership.handle_timeout(&mut self.core, now);
        if now >= self.next_upkeep {
            self.next_upkeep = now + self.core.config.upkeep;
            self.on_upkeep(now);
        }
    }

    fn on_upkeep(&mut self, now: Instant) {
        self.core.expire(now);
        self.membership.on_upkeep(&mut self.core, now);
        self.bulletin.on_upkeep(&mut self.core, now);
    }

    fn handle_events(&mut self, now: Instant) {
        while let Some(event) = self.core.events.pop_front() {
            match &event {
                Event::Answered(ticket) => self.origin.on_answered(*ticket),
                Event::Overload => self.origin.on_overload(),
                Event::Greeted(trip) => self.searches.handle_greeted(*trip),
                Event::MemberUp(peer) => {
                    let list = self.core.neighbours.locations();
                    self.core.send(*peer, Message::Locations(list));
                    self.bulletin.on_change(&self.core, now);
                    self.reoffers.on_member_up(&mut self.core, *peer);
                }
                Event::MemberDown(_) => self.bulletin.on_change(&self.core, now),
                _ => {}
            }
            self.membership.handle_event(&mut self.core, now, event);
        }
        self.begin_commands(now);
    }
}

impl Mode for Freenet {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        if !self.started {
            self.started = true;
            self.next_upkeep = now + self.core.config.upkeep;
            self.membership.start(&mut self.core, now);
        }
        match input {
            Input::LinkUp { peer, address, inbound } => {
                self.membership.handle_link_up(&mut self.core, now, peer, address, inbound);
            }
            Input::LinkDown { peer } => self.handle_link_down(now, peer),
            Input::DialFailed { peer } => self.membership.handle_dial_failed(&self.core, now, peer),
            Input::Message { from, message } if self.core.neighbours.get(&from).is_some() => {
                self.handle_message(now, from, message);
            }
            Input::Message { .. } => {}
            Input::Congestion { peer, behind } => {
                if let Some(neighbour) = self.core.neighbours.get_mut(&peer) {
                    neighbour.behind = behind;
                }
            }
            Input::Command { ticket, command } => self.handle_command(now, ticket, command),
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => self.handle_timeout(now),
        }
        while !self.core.events.is_empty() {
            self.handle_events(now);
        }
        self.begin_commands(now);
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let requests = [self.searches.deadline(), self.inserts.deadline(), self.offers.deadline()];
        let upkeep = [self.membership.deadline(&self.core), Some(self.next_upkeep)];
        requests.into_iter().chain(upkeep).flatten().min()
    }
}

const _: () = assert!(limits::DEGREE_MAX * 8 + 16 < limits::CELL_PAYLOAD_BYTES);
