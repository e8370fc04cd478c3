//! Dynamic querying (Gnutella 0.6, Fisk 2003): a few links first, then one after the other, as deep as results are scarce.
//!
//! Decides which link a query takes next, with how many hops, and how long is waited then. Leaves out sending.

use std::collections::VecDeque;

use crate::id::NodeId;
use crate::limits;
use crate::time::Instant;

/// Supernodes that a query with `ttl` hops reaches over one link, where each has `degree` links and no two lead to the same:
/// the sum of (degree − 1)^i for i < ttl.
pub fn hosts(degree: u64, ttl: u8) -> u64 {
    let branch = degree.saturating_sub(1);
    let step = |(sum, layer): (u64, u64), _| (sum.saturating_add(layer), layer.saturating_mul(branch));
    (0..ttl).fold((0, 1), step).0
}

/// One search as whoever leads it sees it.
#[derive(Debug)]
pub(super) struct Dynamic {
    links: VecDeque<NodeId>,
    degree: u64,
    wanted: u32,
    max_ttl: u8,
    results: u32,
    /// Supernodes that should have been reached.
    reached: u64,
    rounds: u32,
    pub(super) due: Instant,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The query goes over these links with so many hops.
    Ask(Vec<NodeId>, u8),
    /// There are results enough, or no links left.
    End,
}

impl Dynamic {
    /// Over `links`, in this order, until there are `wanted` results.
    pub(super) fn new(links: Vec<NodeId>, wanted: u32, max_ttl: u8, now: Instant) -> Self {
        let degree = links.len() as u64;
        Self { links: links.into(), degree, wanted, max_ttl, results: 0, reached: 0, rounds: 0, due: now }
    }

    /// So many more have been found.
    pub(super) const fn on_results(&mut self, count: u32) {
        self.results = self.results.saturating_add(count);
    }

    /// Whether anything has been found.
    pub(super) const fn has_results(&self) -> bool {
        self.results > 0
    }

    /// How often further links were asked.
    pub(super) const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// It has been waited long enough.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if self.results >= self.wanted || self.links.is_empty() {
            return Step::End;
        }
        let (count, ttl, wait) = if self.rounds > 0 {
            let ttl = self.depth();
            (1, ttl, limits::DYNAMIC_HOP_WAIT * u32::from(ttl))
        } else {
            (limits::PROBE_LINKS, limits::PROBE_TTL.min(self.max_ttl), limits::PROBE_WAIT)
        };
        self.rounds += 1;
        self.due = now + wait;
        let links: Vec<NodeId> = self.links.drain(..count.min(self.links.len())).collect();
        self.reached += links.len() as u64 * hosts(self.degree, ttl);
        Step::Ask(links, ttl)
    }

    /// Whether the probe, or the own index before it, has found enough.
    pub(super) const fn is_done_by_probe(&self) -> bool {
        self.results >= self.wanted && self.rounds <= 1
    }

    /// Hops of the next query: as few as reach the supernodes that each link left has to, if results go on as they have come.
    fn depth(&self) -> u8 {
        if self.results == 0 {
            return self.max_ttl;
        }
        let missing = u64::from(self.wanted - self.results);
        let hosts_needed = missing.saturating_mul(self.reached) / u64::from(self.results);
        let per_link = hosts_needed / self.links.len() as u64;
        (1..self.max_ttl).find(|ttl| hosts(self.degree, *ttl) >= per_link).unwrap_or(self.max_ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    /// Check C17: the formula, not the examples that the proposal prints beside it.
    #[test]
    fn reached_hosts_follow_the_formula() {
        assert_eq!((hosts(6, 7), hosts(32, 3), hosts(32, 1), hosts(1, 4)), (19_531, 993, 1, 1));
    }

    fn dynamic(links: u8) -> Dynamic {
        let links = (0..links).map(|number| NodeId([number; 32])).collect();
        Dynamic::new(links, 150, 4, Instant::EPOCH)
    }

    fn ask(step: Step) -> (usize, u8) {
        match step {
            Step::Ask(links, ttl) => (links.len(), ttl),
            Step::End => (0, 0),
        }
    }

    #[test]
    fn a_probe_that_finds_enough_is_the_end() {
        let mut search = dynamic(32);
        assert_eq!(ask(search.next(Instant::EPOCH)), (3, 2));
        assert_eq!(search.due, Instant::EPOCH + Duration::from_secs(6));
        search.on_results(150);
        assert_eq!(search.next(search.due), Step::End);
    }

    /// A probe of 3 · hosts(32, 2) = 96 supernodes with 15 results: 135 more need 864, 29.8 on each of 29 links: two hops.
    #[test]
    fn the_next_links_go_as_deep_as_results_are_scarce() {
        let mut search = dynamic(32);
        search.next(Instant::EPOCH);
        search.on_results(15);
        let due = search.due;
        assert_eq!(ask(search.next(due)), (1, 2));
        assert_eq!(search.due, due + Duration::from_millis(4_800));
        // One result at 96 supernodes: 149 more need 493 on each of 29 links: three hops, hosts(32, 3) = 993.
        let mut rare = dynamic(32);
        rare.next(Instant::EPOCH);
        rare.on_results(1);
        assert_eq!(ask(rare.next(Instant::EPOCH)), (1, 3));
        let mut nothing = dynamic(32);
        nothing.next(Instant::EPOCH);
        assert_eq!(ask(nothing.next(Instant::EPOCH)), (1, 4));
    }

    #[test]
    fn every_link_is_asked_once_and_then_it_ends() {
        let mut search = dynamic(32);
        let mut asked = 0;
        while let Step::Ask(links, _) = search.next(Instant::EPOCH) {
            asked += links.len();
        }
        assert_eq!(asked, 32);
    }
}
