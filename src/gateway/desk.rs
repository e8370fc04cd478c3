//! What a gateway does with lookups that its overlay could not answer: looks into its own store, then asks the one behind.
//!
//! A key is sought once for all who ask, and what was not found is not sought again for seconds. Leaves out publications.

use std::collections::{BTreeMap, VecDeque};

use super::askers::Askers;
use super::errand::{Deed, Errand};
use super::message::Letter;
use super::policy::{Budget, Policy};
use super::recent::Recent;
use super::visitor::Post;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::{StoreToken, StoreWork};
use crate::time::Instant;

/// Lookups of others at a gateway.
#[derive(Debug)]
pub(super) struct Desk {
    askers: Askers,
    readings: Readings<(Waiter, RoutingKey)>,
    sought: BTreeMap<RoutingKey, Search>,
    missed: Recent,
    /// Blocks given to others, and lookups that got nothing.
    pub(super) tally: (u64, u64),
}

/// A block that is sought in the store.
#[derive(Debug)]
struct Search {
    waiters: Vec<Waiter>,
    due: Instant,
}

/// Somebody's question.
#[derive(Clone, Copy, Debug)]
struct Waiter {
    from: NodeId,
    call: CallId,
}

/// How a question ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The gateway has nothing to give.
    Missing,
    /// The same, and the store was asked.
    Missed,
    Busy,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            askers: Askers::default(),
            readings: Readings::default(),
            sought: BTreeMap::new(),
            missed: Recent::new(limits::GATEWAY_MISSED_LIFE),
            tally: (0, 0),
        }
    }

    /// Somebody asks for a block.
    pub(super) fn handle_ask(
        &mut self,
        (post, deeds): (&mut Post, &mut VecDeque<Deed>),
        now: Instant,
        policy: &Policy,
        (from, call, key): (NodeId, CallId, RoutingKey),
    ) {
        if !policy.answers || !policy.allows(&key) {
            return post.reply(from, Letter::Missing { call });
        }
        if self.readings.is_full() || !self.askers.admit(now, from) {
            return post.reply(from, Letter::Busy { call });
        }
        post.reply(from, Letter::Taken { call });
        let token = self.readings.enter((Waiter { from, call }, key));
        deeds.push_back(Deed::Store(StoreWork::Read { token, key }));
    }

    /// The gateway's own store has answered.
    pub(super) fn handle_read(
        &mut self,
        (post, deeds): (&mut Post, &mut VecDeque<Deed>),
        now: Instant,
        budget: &mut Budget,
        (token, block): (StoreToken, Option<Block>),
    ) {
        let Some((waiter, key)) = self.readings.take(token) else { return };
        if let Some(block) = block {
            return self.give(post, waiter, &block);
        }
        if self.missed.contains(now, &key) || self.askers.is_vain(now, &waiter.from) {
            return self.end(post, waiter, End::Missing);
        }
        if let Some(search) = self.sought.get_mut(&key) {
            if search.waiters.len() < limits::GATEWAY_WAITERS {
                return search.waiters.push(waiter);
            }
            return self.end(post, waiter, End::Busy);
        }
        if self.sought.len() >= limits::GATEWAY_FETCHES {
            return self.end(post, waiter, End::Busy);
        }
        if !budget.reserve(now) {
            return self.end(post, waiter, End::Missing);
        }
        let due = now + limits::GATEWAY_PATIENCE;
        self.sought.insert(key, Search { waiters: vec![waiter], due });
        deeds.push_back(Deed::Errand(Errand::Fetch(key)));
    }

    /// The store behind has answered. Gives the block if it was found and sought.
    pub(super) fn handle_fetched(
        &mut self,
        post: &mut Post,
        now: Instant,
        budget: &mut Budget,
        (key, block): (RoutingKey, Option<Block>),
    ) -> Option<Block> {
        let search = self.sought.remove(&key)?;
        let block = block.filter(|block| block.key() == key);
        budget.settle(block.as_ref().map_or(0, |block| block.body().len()));
        if block.is_none() {
            self.missed.insert(now, key);
        }
        for waiter in search.waiters {
            match &block {
                Some(block) => self.give(post, waiter, block),
                None => self.end(post, waiter, End::Missed),
            }
        }
        block
    }

    /// Whoever has waited too long is told so. The search goes on, and counts until it has ended.
    pub(super) fn handle_timeout(&mut self, post: &mut Post, now: Instant) {
        let is_late = |search: &&mut Search| search.due <= now;
        let late: Vec<Waiter> =
            self.sought.values_mut().filter(is_late).flat_map(|search| std::mem::take(&mut search.waiters)).collect();
        late.into_iter().for_each(|waiter| self.end(post, waiter, End::Missed));
    }

    /// When somebody will have waited too long.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.sought.values().filter(|search| !search.waiters.is_empty()).map(|search| search.due).min()
    }

    fn give(&mut self, post: &mut Post, Waiter { from, call }: Waiter, block: &Block) {
        self.tally.0 += 1;
        self.askers.release(&from, false);
        post.reply(from, Letter::Given { call, parcel: block.parcel() });
    }

    fn end(&mut self, post: &mut Post, Waiter { from, call }: Waiter, end: End) {
        self.tally.1 += 1;
        self.askers.release(&from, matches!(end, End::Missed));
        let is_busy = matches!(end, End::Busy);
        post.reply(from, if is_busy { Letter::Busy { call } } else { Letter::Missing { call } });
    }
}
