//! Freenet of 2001, to the letter: request ids, plain hops to live and depth, one routing table, one LRU.
//!
//! The published reference for our measurements and the control for attacks. Composes the parts of one node and moves
//! values between them. Leaves out everything that later systems added; shares leaf modules with `freenet`, never flags.

mod announce;
mod config;
mod core;
mod exchange;
mod message;
mod search;
mod table;

use std::sync::Arc;

pub use crate::message::contact::Contact;
pub use config::{Config, TablePolicy};
pub use message::{Message, Party, TransactionId};

use self::announce::{Announced, Announcements};
use self::core::Core;
use self::exchange::Aim;
use self::search::{Asked, Searches};
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::overlay::mode::{CloseReason, Input, Mode, Output, StoreAnswer};
use crate::time::Instant;

/// One node of a `classic` network.
#[derive(Debug)]
pub struct Classic {
    core: Core,
    searches: Searches,
    announcements: Announcements,
    bootstrap: Vec<Contact>,
    next_announcement: Option<Instant>,
    attempts: usize,
}

impl Classic {
    /// A node of the first hour: it has a place of its own, and knows others under theirs.
    pub fn founder(
        config: Arc<Config>,
        me: Contact,
        place: Location,
        known: &[(Location, Contact)],
        seed: [u8; 32],
    ) -> Self {
        let mut core = Core::new(config, me, Some(place), seed);
        for (key, contact) in known {
            core.learn(*key, contact);
        }
        Self::compose(core, Vec::new())
    }

    /// A newcomer that announces itself through one of `bootstrap`, the first one first.
    pub fn newcomer(config: Arc<Config>, me: Contact, bootstrap: Vec<Contact>, seed: [u8; 32]) -> Self {
        Self::compose(Core::new(config, me, None, seed), bootstrap)
    }

    fn compose(core: Core, bootstrap: Vec<Contact>) -> Self {
        let next_announcement = (!bootstrap.is_empty()).then_some(Instant::EPOCH);
        Self {
            core,
            searches: Searches::default(),
            announcements: Announcements::default(),
            bootstrap,
            next_announcement,
            attempts: 0,
        }
    }

    /// This node's own key, once it has one.
    pub const fn place(&self) -> Option<Location> {
        self.core.place
    }

    /// How many entries the routing table has. The papers call them links.
    pub fn entries(&self) -> usize {
        self.core.table.len()
    }

    /// Whom the entries of the routing table name, in the order of keys.
    pub fn contacts(&self) -> &[Contact] {
        self.core.table.contacts()
    }

    /// The routing table: who is said to have which key, in the order of keys.
    pub fn table(&self) -> impl Iterator<Item = (Location, &Contact)> {
        self.core.table.entries()
    }

    /// How many exchanges are open.
    pub fn open_exchanges(&self) -> usize {
        self.searches.len()
    }

    /// How many links are open.
    pub fn open_links(&self) -> usize {
        self.core.links.len()
    }

    /// For measuring without disturbing: while `htl` is given the node answers and forwards as ever but learns, stores
    /// and reorders nothing, draws nothing from its generator, and its own requests live that long.
    pub const fn measure(&mut self, htl: Option<u16>) {
        self.core.measuring = htl;
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        let (core, searches) = (&mut self.core, &mut self.searches);
        match message {
            Message::Request { id, htl, depth, key } => {
                searches.handle_asked(core, now, from, Aim::Find, Asked { id, htl, depth, key });
            }
            Message::Insert { id, htl, depth, key } => {
                searches.handle_asked(core, now, from, Aim::Insert, Asked { id, htl, depth, key });
            }
            Message::Data { id, htl, source, parcel } => {
                searches.handle_data(core, now, from, (id, htl), (source, parcel));
            }
            Message::NotFound { id } => searches.handle_not_found(core, now, from, id),
            Message::Continue { id, htl } => {
                if !self.announcements.handle_continue(core, from, id) {
                    searches.handle_continue(core, now, from, (id, htl));
                }
            }
            Message::Restart { id } => searches.handle_restart(core, now, from, id),
            Message::AllClear { id, depth } => searches.handle_all_clear(core, now, from, (id, depth)),
            Message::InsertData { id, source, everywhere, parcel } => {
                searches.handle_insert_data(core, now, from, (id, everywhere), (source, parcel));
            }
            Message::Announce { id, htl, newcomer, commitment } => {
                let announced = Announced { id, htl, newcomer, commitment };
                self.announcements.handle_announce(core, now, from, announced);
            }
            Message::Reveal { id, parties } => self.announcements.handle_reveal(core, from, id, parties),
            Message::Assign { id, seeds } => self.announcements.handle_assign(core, now, from, id, seeds),
        }
    }

    fn on_link_up(&mut self, peer: NodeId) {
        for message in self.core.links.opened(peer) {
            self.core.push(Output::Send { to: peer, message });
        }
        let in_use = |peer: &NodeId| self.searches.uses(peer) || self.announcements.uses(peer);
        if let Some(excess) = self.core.links.excess(self.core.config.links, in_use) {
            self.core.push(Output::Close { peer: excess, reason: CloseReason::Replaced });
        }
    }

    /// The peer may have closed an idle link while a question was on its way: it is asked again.
    fn on_link_down(&mut self, now: Instant, peer: &NodeId) {
        self.core.links.closed(peer);
        self.searches.handle_link_down(&mut self.core, now, peer);
        self.announcements.handle_gone(&mut self.core, peer);
    }

    fn on_unreachable(&mut self, now: Instant, peer: &NodeId) {
        self.core.links.closed(peer);
        self.searches.handle_unreachable(&mut self.core, now, peer);
        self.announcements.handle_gone(&mut self.core, peer);
    }

    fn on_timeout(&mut self, now: Instant) {
        self.searches.handle_timeout(&mut self.core, now);
        self.announcements.handle_timeout(now);
        if self.next_announcement.is_some_and(|due| due <= now) {
            self.announce(now);
        }
    }

    /// Announces this node until it has a place, through another node each time.
    fn announce(&mut self, now: Instant) {
        if self.core.place.is_some() {
            self.next_announcement = None;
            return;
        }
        if !self.announcements.is_announcing() {
            let first = self.bootstrap[self.attempts % self.bootstrap.len()].clone();
            self.attempts += 1;
            self.announcements.begin(&mut self.core, now, &first);
        }
        self.next_announcement = Some(now + limits::CLASSIC_CONTACT * u32::from(limits::ANNOUNCE_HOPS));
    }
}

impl Mode for Classic {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => self.on_link_up(peer),
            Input::LinkDown { peer } => self.on_link_down(now, &peer),
            Input::DialFailed { peer } => self.on_unreachable(now, &peer),
            Input::Message { from, message } => self.handle_message(now, from, message),
            // The paper knows no load control: what does not fit waits in the link.
            Input::Congestion { .. } => {}
            Input::Command { ticket, command } => self.searches.handle_command(&mut self.core, now, ticket, command),
            Input::Store(StoreAnswer::Read { token, block }) => {
                self.searches.handle_read(&mut self.core, now, TransactionId(token.0), block);
            }
            Input::Store(_) => {}
            Input::Timeout => self.on_timeout(now),
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.searches.timeout(), self.announcements.timeout(), self.next_announcement].into_iter().flatten().min()
    }
}
