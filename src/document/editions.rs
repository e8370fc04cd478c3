//! The newest edition of a site, found in a few rounds of questions that are asked side by side.
//!
//! First the edition that is known and others ahead of it at doubling distances, then evenly spaced ones between the newest
//! that was found and the oldest after it that was not. Guarantees: while the editions up to the newest are all there, the
//! newest is found; [`ROUNDS`] rounds do for a thousand editions. An edition that was lost can hide newer ones only if
//! nothing beyond it is hit by chance. Leaves out how an edition is looked for.

use std::collections::BTreeSet;

use crate::key::uri::Edition;
use crate::limits::EDITIONS_ASKED;

/// A search for the newest edition.
#[derive(Clone, Debug)]
pub struct Search {
    base: Edition,
    begun: bool,
    /// How far ahead the next doubling begins.
    stride: u32,
    newest: Option<Edition>,
    missing: BTreeSet<Edition>,
}

impl Search {
    /// Searches from `known` on. Should nothing be there or beyond, earlier editions are tried too.
    #[must_use]
    pub const fn from(known: Edition) -> Self {
        Self { base: known, begun: false, stride: 1, newest: None, missing: BTreeSet::new() }
    }

    /// The editions to look for next, all at once; empty when the search has ended. All must be answered before the next
    /// round.
    pub fn round(&mut self) -> BTreeSet<Edition> {
        let Some(newest) = self.newest else { return self.first_rounds() };
        match self.missing.range(newest..).next() {
            Some(missing) => between(newest, *missing),
            None => self.ahead(newest),
        }
    }

    /// Whether an edition is there.
    pub fn answered(&mut self, edition: Edition, is_there: bool) {
        if is_there {
            self.newest = self.newest.max(Some(edition));
        } else {
            self.missing.insert(edition);
        }
    }

    /// The newest edition that was found.
    #[must_use]
    pub const fn newest(&self) -> Option<Edition> {
        self.newest
    }

    fn first_rounds(&mut self) -> BTreeSet<Edition> {
        let end = match (self.begun, self.base) {
            (false, _) => Edition::MAX,
            (true, 0) => return BTreeSet::new(),
            (true, known) => {
                self.base = 0;
                known
            }
        };
        self.begun = true;
        self.stride = 1;
        let mut round = self.ahead(self.base);
        round.insert(self.base);
        round.retain(|edition| !self.missing.contains(edition) && (*edition < end || end == Edition::MAX));
        round
    }

    /// Editions after `newest`, each twice as far away as the one before.
    fn ahead(&mut self, newest: Edition) -> BTreeSet<Edition> {
        let strides = (0..EDITIONS_ASKED as u32 - 1).map(|double| self.stride.saturating_mul(1 << double));
        let ahead = strides.clone().map(|stride| newest.saturating_add(stride));
        let round = ahead.filter(|edition| *edition > newest).collect();
        self.stride = strides.max().unwrap_or(1).saturating_mul(2);
        round
    }
}

/// Evenly spaced editions after `newest` and before `missing`.
fn between(newest: Edition, missing: Edition) -> BTreeSet<Edition> {
    let (parts, gap) = (EDITIONS_ASKED as u64 + 1, u64::from(missing - newest));
    let at = |part: u64| newest + u32::try_from(gap * part / parts).expect("a part of a gap between editions");
    let mut round: BTreeSet<_> = (1..parts).map(at).collect();
    if gap > 1 {
        // The next one is what most often is the newest.
        round.insert(newest + 1);
    }
    round.remove(&newest);
    round
}

/// Rounds in which the newest of a thousand editions is found.
pub const ROUNDS: u32 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The newest edition that is found where those are there that `is_there` says, and the rounds it took.
    fn search(known: Edition, is_there: impl Fn(Edition) -> bool) -> (Option<Edition>, u32) {
        let mut search = Search::from(known);
        for rounds in 0.. {
            let round = search.round();
            assert!(round.len() <= EDITIONS_ASKED + 1, "{} at once", round.len());
            if round.is_empty() {
                return (search.newest(), rounds);
            }
            for edition in round {
                search.answered(edition, is_there(edition));
            }
        }
        unreachable!("some round is empty")
    }

    proptest! {
        #[test]
        fn the_newest_edition_is_found_from_any_that_is_known(newest in 0_u32..1_000, known in 0_u32..1_000) {
            let (found, rounds) = search(known, |edition| edition <= newest);
            prop_assert_eq!(found, Some(newest));
            // A hint that is too high costs one round more.
            prop_assert!(rounds <= ROUNDS + u32::from(known > newest), "{rounds} rounds");
        }

        #[test]
        fn the_newest_edition_is_found_however_high(newest in any::<u32>(), known in any::<u32>()) {
            let (found, rounds) = search(known, |edition| edition <= newest);
            prop_assert_eq!(found, Some(newest));
            prop_assert!(rounds <= 16, "{rounds} rounds");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is_and_a_lost_edition_hides_no_neighbour_that_is_asked() {
        assert_eq!(search(0, |_| false).0, None);
        assert_eq!(search(700, |_| false).0, None);
        assert_eq!(search(0, |edition| edition <= 100 && edition != 50).0, Some(100));
    }
}
