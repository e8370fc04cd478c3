//! What was tried in vain, and how long it rests: twice as long each time.
//!
//! Bounded: beyond [`limits::RETRIES`] the one nearest to its next try is forgotten, and is then tried a little early.

use std::collections::BTreeMap;

use crate::limits;
use crate::time::{Duration, Instant};

/// Things that rest, by name.
#[derive(Debug)]
pub(super) struct Retries<K> {
    by_key: BTreeMap<K, Retry>,
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    failures: u32,
    until: Instant,
}

impl<K> Default for Retries<K> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Retries<K> {
    /// `key` was tried, and rests: for `base` the first time.
    pub(super) fn delay(&mut self, key: K, base: Duration, now: Instant) {
        if self.by_key.len() >= limits::RETRIES && !self.by_key.contains_key(&key) {
            let soonest = self.by_key.iter().min_by_key(|(_, retry)| retry.until).map(|(key, _)| *key);
            soonest.map(|key| self.by_key.remove(&key));
        }
        let retry = self.by_key.entry(key).or_insert(Retry { failures: 0, until: now });
        retry.until = now + base * (1 << retry.failures.min(limits::PAUSE_DOUBLINGS));
        retry.failures += 1;
    }

    /// Whether `key` rests.
    pub(super) fn rests(&self, now: Instant, key: &K) -> bool {
        self.by_key.get(key).is_some_and(|retry| retry.until > now)
    }

    /// `key` need not be tried any more.
    pub(super) fn remove(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    /// Forgets what has been awake for `span`.
    pub(super) fn forget_after(&mut self, span: Duration, now: Instant) {
        self.by_key.retain(|_, retry| retry.until + span > now);
    }
}
