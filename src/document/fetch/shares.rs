//! Blocks that stand in for each other: which were found, which are asked for, which may be tried again.
//!
//! Public, so that a simulated client whose blocks are names only searches by the very rules of a real one.

use std::ops::Range;

use crate::document::backoff;
use crate::key::RoutingKey;
use crate::limits::{BLOCK_ATTEMPTS, BLOCK_SEARCHES};
use crate::time::Instant;

/// Some routing keys, and how the search for each stands.
#[derive(Debug)]
pub struct Shares(Vec<Share>);

#[derive(Debug)]
struct Share {
    key: RoutingKey,
    state: State,
    /// Searches that ended without the block.
    searches: u32,
    /// Attempts that led to no search.
    failures: u32,
}

/// How a search that did not find its block has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfound {
    /// The network does not have the block.
    Missing,
    /// The network could not be searched; too often, and the block counts as missing.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// May be asked for from this instant on.
    Rests(Instant),
    Asked,
    Found,
}

impl Shares {
    /// None of them asked for yet.
    pub fn new(keys: impl IntoIterator<Item = RoutingKey>) -> Self {
        let fresh = |key| Share { key, state: State::Rests(Instant::EPOCH), searches: 0, failures: 0 };
        Self(keys.into_iter().map(fresh).collect())
    }

    /// The key at `index`.
    pub fn key(&self, index: usize) -> RoutingKey {
        self.0[index].key
    }

    /// The next block to ask for among `allowed`: the one least often searched for, the first of those.
    pub fn next(&mut self, now: Instant, allowed: Range<usize>) -> Option<(usize, RoutingKey)> {
        let start = allowed.start;
        let ready = |share: &Share| matches!(share.state, State::Rests(until) if until <= now) && share.is_reachable();
        let candidates = self.0[allowed].iter().enumerate().filter(|(_, share)| ready(share));
        let index = start + candidates.min_by_key(|(index, share)| (share.searches, *index))?.0;
        self.0[index].state = State::Asked;
        Some((index, self.0[index].key))
    }

    /// The block is here.
    pub fn found(&mut self, index: usize) {
        self.0[index].state = State::Found;
    }

    /// The block was not found: it rests.
    pub fn unfound(&mut self, index: usize, how: Unfound, now: Instant) {
        let share = &mut self.0[index];
        share.failures += u32::from(how == Unfound::Failed);
        let is_missing = how == Unfound::Missing || share.failures.is_multiple_of(BLOCK_ATTEMPTS);
        share.searches += u32::from(is_missing);
        let count = if is_missing { share.searches } else { share.failures };
        share.state = State::Rests(now + backoff::rest(count));
    }

    /// The block is not needed any more, or cannot be had.
    pub fn give_up(&mut self, index: usize) {
        let share = &mut self.0[index];
        share.searches = BLOCK_SEARCHES;
        share.state = State::Rests(Instant::EPOCH);
    }

    /// Whether a search for the block ended without it, and none has found it since.
    pub fn is_missing(&self, index: usize) -> bool {
        self.0[index].searches > 0 && self.0[index].state != State::Found
    }

    /// How many of `among` are found or asked for.
    pub fn under_way(&self, among: Range<usize>) -> usize {
        self.0[among].iter().filter(|share| !matches!(share.state, State::Rests(_))).count()
    }

    /// Which search is going on for the one that was searched for least, from 1.
    pub fn round(&self) -> u32 {
        let searches = self.0.iter().filter(|share| share.is_reachable()).map(|share| share.searches);
        searches.min().map_or(BLOCK_SEARCHES, |searches| (searches + 1).min(BLOCK_SEARCHES))
    }

    /// How many of `among` are found, or may still be.
    pub fn reachable(&self, among: Range<usize>) -> usize {
        self.0[among].iter().filter(|share| share.is_reachable()).count()
    }

    /// When the next block that rests may be asked for again. What has rested already is not needed now.
    pub fn rested_at(&self, now: Instant) -> Option<Instant> {
        let rest = |share: &Share| match share.state {
            State::Rests(until) if share.is_reachable() && until > now => Some(until),
            _ => None,
        };
        self.0.iter().filter_map(rest).min()
    }
}

impl Share {
    fn is_reachable(&self) -> bool {
        matches!(self.state, State::Asked | State::Found) || self.searches < BLOCK_SEARCHES
    }
}
