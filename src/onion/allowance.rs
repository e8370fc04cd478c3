//! How much each link may ask of this node: so many at once, so many a second.
//!
//! Guarantees no more than the burst and the rate times the span over any span of one link. Holds one instant for each
//! open link.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::time::{Duration, Instant};

/// The allowances of all links for one kind of thing.
#[derive(Debug)]
pub(super) struct Allowances {
    each: Duration,
    burst: Duration,
    /// When all that has been taken so far will have been paid for.
    paid: BTreeMap<NodeId, Instant>,
}

impl Allowances {
    /// `per_second` things a second, `burst` of them at once.
    pub(super) const fn new(per_second: u32, burst: u32) -> Self {
        let each = Duration::from_micros(1_000_000 / per_second as u64);
        Self { each, burst: Duration::from_micros(each.as_micros() as u64 * burst as u64), paid: BTreeMap::new() }
    }

    /// Takes one for `peer`; false if it has had its share.
    pub(super) fn take(&mut self, now: Instant, peer: NodeId) -> bool {
        let paid = self.paid.entry(peer).or_insert(now - self.burst);
        let next = (*paid).max(now - self.burst) + self.each;
        let is_granted = next <= now;
        if is_granted {
            *paid = next;
        }
        is_granted
    }

    /// Takes one for `peer` in advance if it has had its share: when it will be there.
    pub(super) fn book(&mut self, now: Instant, peer: NodeId) -> Instant {
        let paid = self.paid.entry(peer).or_insert(now - self.burst);
        *paid = (*paid).max(now - self.burst) + self.each;
        (*paid).max(now)
    }

    /// The link is gone.
    pub(super) fn forget(&mut self, peer: &NodeId) {
        self.paid.remove(peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onion::fixture::{at, id};

    #[test]
    fn a_burst_passes_then_the_rate_and_links_do_not_share() {
        let mut allowances = Allowances::new(10, 5);
        let taken = |allowances: &mut Allowances, now, peer| (0..100).filter(|_| allowances.take(now, peer)).count();
        assert_eq!(taken(&mut allowances, at(0), id(1)), 5);
        assert_eq!(taken(&mut allowances, at(0), id(2)), 5);
        assert_eq!(taken(&mut allowances, at(0) + Duration::from_millis(200), id(1)), 2);
        assert_eq!(taken(&mut allowances, at(3_600), id(1)), 5, "what was not used is lost");
    }

    #[test]
    fn what_is_booked_is_as_far_off_as_the_rate_says() {
        let mut allowances = Allowances::new(10, 5);
        let booked: Vec<Instant> = (0..7).map(|_| allowances.book(at(0), id(1))).collect();
        let tenths = |count: u64| at(0) + Duration::from_millis(100 * count);
        assert_eq!(booked, [0, 0, 0, 0, 0, 1, 2].map(tenths));
        assert!(!allowances.take(tenths(2), id(1)), "what was booked is spent");
        assert!(allowances.take(tenths(3), id(1)));
    }
}
