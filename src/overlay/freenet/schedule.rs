//! Deadlines in order: what is due next, and when.
//!
//! Entries are removed exactly, so that the number of pending deadlines is bounded by the number of open exchanges.

use crate::overlay::freenet::sparse::Sparse;
use crate::time::Instant;

/// A set of deadlines, each naming what it is for.
#[derive(Clone, Debug)]
pub(super) struct Schedule<T> {
    entries: Sparse<(Instant, T), ()>,
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        Self { entries: Sparse::new() }
    }
}

impl<T: Ord + Copy> Schedule<T> {
    /// Adds a deadline.
    pub(super) fn add(&mut self, at: Instant, what: T) {
        self.entries.insert((at, what), ());
    }

    /// Takes a deadline back.
    pub(super) fn cancel(&mut self, at: Instant, what: T) {
        self.entries.remove(&(at, what));
    }

    /// The earliest deadline, if it has come by `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let (at, what) = *self.entries.first_key_value()?.0;
        if at > now {
            return None;
        }
        self.entries.remove(&(at, what));
        Some(what)
    }

    /// When the earliest deadline comes.
    pub(super) fn next(&self) -> Option<Instant> {
        self.entries.first_key_value().map(|((at, _), ())| *at)
    }
}
