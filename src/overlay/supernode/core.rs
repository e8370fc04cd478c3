//! What every part of a `supernode` node works on: its rank, its links, its questions, the index it keeps.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::{Config, Rank};
use super::message::Message;
use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::listing::Listing;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::routes::{Guid, Guids, Routes, Sight};
use crate::overlay::mode::standing::Standing;
use crate::overlay::mode::tally::Tally;
use crate::overlay::mode::{Output, StoreToken, StoreWork, Ticket};
use crate::time::Instant;

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) me: Contact,
    pub(super) rank: Rank,
    /// Whether others get what is stored here.
    pub(super) shares: bool,
    pub(super) calls: Calls<Message, Purpose>,
    pub(super) readings: Readings<Reading>,
    /// A leaf's parents; a supernode's neighbours.
    pub(super) standing: Standing,
    /// Where those are.
    pub(super) linked: BTreeMap<NodeId, Contact>,
    /// What a supernode's leaves share, and it itself. Empty at leaves.
    pub(super) listing: Listing,
    pub(super) routes: Routes,
    pub(super) guids: Guids,
    pub(super) dice: Dice,
    pub(super) tally: Tally,
}

/// What a question is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A new parent or neighbour.
    Connect(Contact),
    /// Something is registered, on behalf of a command or of none.
    Share(Option<Ticket>),
    /// A document.
    Collect(Guid),
}

/// What an answer of the store is for.
#[derive(Debug)]
pub(super) enum Reading {
    /// Another node asked for the block.
    Asked(NodeId, CallId),
    /// A search of this node's own asked for the block.
    Own(Guid),
    /// A command had the block kept.
    Kept(Ticket, RoutingKey),
    /// What is shared is to be registered at a parent, or in this node's own index.
    Shared(Option<NodeId>),
}

impl Core {
    pub(super) fn new(
        config: Arc<Config>,
        me: Contact,
        (rank, shares): (Rank, bool),
        standing: Standing,
        seed: [u8; 32],
    ) -> Self {
        Self {
            config,
            me,
            rank,
            shares,
            calls: Calls::default(),
            readings: Readings::default(),
            standing,
            linked: BTreeMap::new(),
            listing: Listing::default(),
            routes: Routes::default(),
            dice: Dice::new(&seed),
            guids: Guids::new(seed),
            tally: Tally::default(),
        }
    }

    /// Asks the store; `reading` comes back with its answer.
    pub(super) fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    /// Remembers an id and where it came from.
    pub(super) fn note(&mut self, now: Instant, id: Guid, back: u32) -> Sight {
        // Hits of a search come as long as whoever leads it asks further links.
        self.routes.note(now, limits::LED_TIME, id, back, 0)
    }

    /// Sends something back the way that `id` came, if that is still there.
    pub(super) fn send_back(&mut self, id: Guid, message: Message) {
        if let Some(to) = self.routes.back(id).and_then(|number| self.standing.at(number)) {
            self.calls.push(Output::Send { to, message });
        }
    }

    /// Has the next page of what is shared here read, to be registered at a parent, or in the own index.
    pub(super) fn survey(&mut self, parent: Option<NodeId>, after: Option<RoutingKey>) {
        let (around, within) = (Location(0), Distance(u64::MAX));
        let most = limits::KEYS_PER_SHARE;
        self.store(Reading::Shared(parent), |token| StoreWork::Survey { token, around, within, after, most });
    }

    pub(super) fn is_supernode(&self) -> bool {
        self.rank == Rank::Supernode
    }

    /// What it could carry if it is a leaf.
    pub(super) const fn capacity(&self) -> Option<u8> {
        match self.rank {
            Rank::Supernode => None,
            Rank::Leaf(capacity) => Some(capacity),
        }
    }
}
