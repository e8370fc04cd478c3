//! Who asks for which document: by popularity, and no node twice for one where the scenario says so.
//!
//! Draws only; when a lookup begins and what becomes of it is decided by whoever asks.

use std::collections::BTreeSet;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::sim::popularity::Popularity;
use crate::sim::scenario::Workload;

/// What is asked for, and by whom it was before.
#[derive(Clone, Debug)]
pub struct Demand {
    popularity: Popularity,
    /// Pairs of node and document, where no pair comes twice.
    asked_before: Option<BTreeSet<(u32, u32)>>,
}

impl Demand {
    /// What a workload asks for.
    pub fn of(work: &Workload) -> Self {
        Self {
            popularity: Popularity::new(work.documents, work.zipf),
            asked_before: work.fetch_at_most_once.then(BTreeSet::new),
        }
    }

    /// One of the nodes `live` and the number of a document; `None` if nobody was found who has not asked for it before.
    pub fn draw(&mut self, live: &[u32], random: &mut ChaCha8Rng) -> Option<(u32, u32)> {
        let anybody = |random: &mut ChaCha8Rng| live[random.random_range(0..live.len())];
        let mut document = self.popularity.draw(random.random_range(0.0..1.0));
        let mut node = anybody(random);
        let Some(asked_before) = &mut self.asked_before else { return Some((node, document)) };
        for trial in 1..=TRIES {
            if asked_before.insert((node, document)) {
                return Some((node, document));
            }
            // The same node wants what is next popular among the rest; one that has nearly everything gives way to another.
            if trial % TRIES_OF_A_NODE == 0 {
                node = anybody(random);
            }
            document = self.popularity.draw(random.random_range(0.0..1.0));
        }
        None
    }
}

/// Documents drawn for one lookup where no node asks for a document twice, of one node and in all. Chosen: so many are in
/// vain only where hardly a pair is left.
const TRIES_OF_A_NODE: u32 = 1_000;
/// See [`TRIES_OF_A_NODE`].
const TRIES: u32 = 100 * TRIES_OF_A_NODE;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::sim::scenario::{ModeName, Scenario};

    #[test]
    fn nobody_asks_twice_for_a_document_where_that_is_said() {
        let mut work = Scenario::defaults(ModeName::Freenet, 4).workload;
        (work.documents, work.fetch_at_most_once) = (3, true);
        let (mut demand, mut random) = (Demand::of(&work), ChaCha8Rng::from_seed([1; 32]));
        let drawn: BTreeSet<_> = (0..12).filter_map(|_| demand.draw(&[5, 6, 7, 8], &mut random)).collect();
        assert_eq!(drawn.len(), 12, "every pair once");
        assert_eq!(demand.draw(&[5, 6, 7, 8], &mut random), None);
        work.fetch_at_most_once = false;
        let mut demand = Demand::of(&work);
        assert!((0..50).all(|_| demand.draw(&[5], &mut random).is_some()));
    }
}
