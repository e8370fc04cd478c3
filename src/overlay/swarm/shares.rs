//! Documents of one block that are shared here, and blocks that wait for a listing to name them.
//!
//! A listing takes the blocks that were inserted last before it. Until then, and for good without one, each block is a
//! document of its own and announced as such.

use std::collections::{BTreeMap, VecDeque};

use super::core::{Core, Purpose};
use super::listing::Listing;
use super::message::Stage;
use crate::key::RoutingKey;
use crate::limits;
use crate::time::Instant;

/// What is shared in single blocks.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// When each is announced again.
    singles: BTreeMap<RoutingKey, Instant>,
    /// Blocks inserted here for which no listing has come.
    loose: VecDeque<RoutingKey>,
}

impl Shares {
    /// A document is shared from now on.
    pub(super) fn enter(&mut self, now: Instant, key: RoutingKey) {
        self.singles.insert(key, now + limits::SWARM_ANNOUNCE);
    }

    /// The same, of a block that a listing may name soon.
    pub(super) fn enter_loose(&mut self, now: Instant, key: RoutingKey) {
        if self.loose.len() >= limits::SWARM_LOOSE {
            self.loose.pop_front();
        }
        self.loose.push_back(key);
        self.enter(now, key);
    }

    /// The blocks of every piece of a listing, if they were the last to be inserted.
    pub(super) fn take_listed(&mut self, listing: &Listing) -> Option<Vec<Box<[RoutingKey]>>> {
        let first = self.loose.len().checked_sub(listing.blocks() as usize)?;
        let keys: Vec<RoutingKey> = self.loose.range(first..).copied().collect();
        let pieces = listing.cut(&keys)?;
        self.loose.truncate(first);
        Some(pieces)
    }

    /// Announces what is due.
    pub(super) fn announce(&mut self, core: &mut Core, now: Instant) {
        for (key, due) in self.singles.iter_mut().filter(|(_, due)| **due <= now) {
            *due = now + limits::SWARM_ANNOUNCE;
            core.announce(now, *key, Stage::Seed, Purpose::Routine(*key));
        }
    }

    /// Takes leave of the tracker.
    pub(super) fn leave(&mut self, core: &mut Core, now: Instant) {
        for key in std::mem::take(&mut self.singles).into_keys() {
            core.announce(now, key, Stage::Gone, Purpose::Routine(key));
        }
    }
}
