//! What a gateway may carry: which ways, which keys, how many bytes an hour.
//!
//! The budget counts what crosses, in both directions together, and is never exceeded: a block's bytes are set aside before
//! it is sought. Leaves out documents, of which a gateway that carries blocks knows nothing.

use std::collections::BTreeSet;

use crypto::content::SEALED_BYTES;

use crate::key::RoutingKey;
use crate::limits;
use crate::time::Instant;

/// What the operator of a gateway has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether lookups that the overlay cannot answer are answered from the store.
    pub answers: bool,
    /// Whether what is published in the overlay is inserted into the store.
    pub inserts: bool,
    /// Whether what was fetched from the store for somebody is published in the overlay as well.
    pub publishes: bool,
    /// The only keys that may cross; all may if absent.
    pub allow: Option<BTreeSet<RoutingKey>>,
    /// Bytes that may cross in an hour; any number if absent. Less than one block lets nothing cross.
    pub hourly_bytes: Option<u64>,
}

impl Policy {
    /// Whether a block may cross.
    pub(super) fn allows(&self, key: &RoutingKey) -> bool {
        self.allow.as_ref().is_none_or(|keys| keys.contains(key))
    }

    /// These may cross too.
    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = RoutingKey>) {
        if let Some(keys) = &mut self.allow {
            let room = limits::GATEWAY_ALLOWED.saturating_sub(keys.len());
            keys.extend(more.into_iter().take(room));
        }
    }
}

/// Bytes that may still cross.
#[derive(Debug)]
pub(super) struct Budget {
    limit: Option<u64>,
    begun: Option<Instant>,
    spent: u64,
}

impl Budget {
    pub(super) const fn new(limit: Option<u64>) -> Self {
        Self { limit, begun: None, spent: 0 }
    }

    /// Sets the bytes of one block aside, if there are so many.
    pub(super) fn reserve(&mut self, now: Instant) -> bool {
        let begun = *self.begun.get_or_insert(now);
        if now.since(begun) >= limits::GATEWAY_BUDGET_TIME {
            self.begun = Some(now);
            self.spent = 0;
        }
        if self.limit.is_some_and(|limit| self.spent + BLOCK > limit) {
            return false;
        }
        self.spent += BLOCK;
        true
    }

    /// Of a block that was set aside so many bytes were used.
    pub(super) const fn settle(&mut self, used: usize) {
        self.spent = self.spent.saturating_sub(BLOCK.saturating_sub(used as u64));
    }

    /// When there is more, if there is not enough for a block.
    pub(super) fn refilled(&self) -> Option<Instant> {
        let is_short = self.limit.is_some_and(|limit| self.spent + BLOCK > limit);
        self.begun.filter(|_| is_short).map(|begun| begun + limits::GATEWAY_BUDGET_TIME)
    }
}

/// What a content block has.
const BLOCK: u64 = SEALED_BYTES as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_exceeded_and_is_whole_again_after_its_time() {
        let (mut budget, now) = (Budget::new(Some(2 * BLOCK + 5)), Instant::EPOCH);
        assert!(budget.reserve(now) && budget.refilled().is_none());
        assert!(budget.reserve(now) && !budget.reserve(now));
        // What was not found, and what was shorter, is given back.
        budget.settle(0);
        assert!(budget.reserve(now) && !budget.reserve(now));
        let due = budget.refilled().expect("it is used up");
        assert!(budget.reserve(due) && budget.reserve(due) && !budget.reserve(due));
        assert!(!Budget::new(Some(BLOCK - 1)).reserve(now));
        let mut free = Budget::new(None);
        assert!((0..10_000).all(|_| free.reserve(now)));
    }

    #[test]
    fn a_list_grows_and_no_list_means_everything() {
        let key = RoutingKey([1; 32]);
        let mut all = Policy::default();
        all.extend([key]);
        assert!(all.allow.is_none() && all.allows(&key));
        let mut some = Policy { allow: Some(BTreeSet::new()), ..all };
        assert!(!some.allows(&key));
        some.extend([key]);
        assert!(some.allows(&key));
    }
}
