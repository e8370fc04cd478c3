//! Blocks that stand in for each other: which were found, which are asked for, which may be tried again.
//!
//! Public, so that a simulated client whose blocks are names only searches by the very rules of a real one.

use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

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
    /// Its turn among those searched for equally often.
    turn: usize,
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
    /// None of them asked for yet; they come in turn as they are listed.
    pub fn new(keys: impl IntoIterator<Item = RoutingKey>) -> Self {
        let fresh = |(turn, key)| Share { key, turn, state: State::Rests(Instant::EPOCH), searches: 0, failures: 0 };
        Self(keys.into_iter().enumerate().map(fresh).collect())
    }

    /// The same in a random order, but the first `ahead` before all others: an order tells whoever sees some of the
    /// questions how far the fetch has come, and which questions are of one fetch (protocol.md §2.1).
    pub fn in_random_order(keys: impl IntoIterator<Item = RoutingKey>, ahead: usize, random: &mut ChaCha8Rng) -> Self {
        let mut shares = Self::new(keys);
        let mut turns: Vec<usize> = (0..shares.0.len()).collect();
        let (first, others) = turns.split_at_mut(ahead.min(shares.0.len()));
        first.shuffle(random);
        others.shuffle(random);
        for (share, turn) in shares.0.iter_mut().zip(turns) {
            share.turn = turn;
        }
        shares
    }

    /// The key at `index`.
    pub fn key(&self, index: usize) -> RoutingKey {
        self.0[index].key
    }

    /// The next block to ask for among `allowed`: the one least often searched for, of those the first in turn.
    pub fn next(&mut self, now: Instant, allowed: Range<usize>) -> Option<(usize, RoutingKey)> {
        let start = allowed.start;
        let ready = |share: &Share| matches!(share.state, State::Rests(until) if until <= now) && share.is_reachable();
        let candidates = self.0[allowed].iter().enumerate().filter(|(_, share)| ready(share));
        let index = start + candidates.min_by_key(|(_, share)| (share.searches, share.turn))?.0;
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
