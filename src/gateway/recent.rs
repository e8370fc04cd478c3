//! Keys of late: what was missed, what was carried.
//!
//! Two generations, the older of which is forgotten at once, so that memory is bounded and forgetting costs nothing.

use std::collections::BTreeSet;

use crate::key::RoutingKey;
use crate::limits;
use crate::time::{Duration, Instant};

/// Keys, each remembered for `life` at least, unless too many come, and twice that at most.
#[derive(Debug)]
pub(super) struct Recent {
    young: BTreeSet<RoutingKey>,
    old: BTreeSet<RoutingKey>,
    turned: Instant,
    life: Duration,
}

impl Recent {
    /// None yet.
    pub(super) const fn new(life: Duration) -> Self {
        Self { young: BTreeSet::new(), old: BTreeSet::new(), turned: Instant::EPOCH, life }
    }

    /// Remembers a key.
    pub(super) fn insert(&mut self, now: Instant, key: RoutingKey) {
        self.turn(now, self.young.len() >= limits::GATEWAY_REMEMBERED);
        self.young.insert(key);
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, key: &RoutingKey) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Whether it is one of them.
    pub(super) fn contains(&mut self, now: Instant, key: &RoutingKey) -> bool {
        self.turn(now, false);
        self.young.contains(key) || self.old.contains(key)
    }

    fn turn(&mut self, now: Instant, is_full: bool) {
        let age = now.since(self.turned);
        if age < self.life && !is_full {
            return;
        }
        self.old = std::mem::take(&mut self.young);
        self.turned = if age < self.life { now } else { self.turned + self.life };
        if age >= self.life * 2 {
            self.old = BTreeSet::new();
            self.turned = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_for_its_life_and_forgotten_after_two() {
        let at = |seconds: u64| Instant::EPOCH + Duration::from_secs(1_000 + seconds);
        let mut recent = Recent::new(Duration::from_secs(10));
        let key = RoutingKey([1; 32]);
        recent.insert(at(0), key);
        assert!(recent.contains(at(9), &key) && recent.contains(at(19), &key));
        assert!(!recent.contains(at(20), &key));
        recent.insert(at(20), key);
        assert!(!recent.contains(at(90), &key), "nobody looked for long");
        recent.insert(at(91), key);
        recent.remove(&key);
        assert!(!recent.contains(at(91), &key));
    }
}
