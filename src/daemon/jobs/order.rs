//! Which of the jobs that last are at work: those of the highest priority, and of these the oldest.
//!
//! Pure. A job that is no longer among them rests where it is; it can, because it lasts.

use std::collections::BTreeSet;

use crate::daemon::job::{JobId, Priority};

/// The jobs of `wishes` that are to be at work, at most `most`.
pub(super) fn chosen(wishes: impl Iterator<Item = (Priority, JobId)>, most: usize) -> BTreeSet<JobId> {
    let mut all: Vec<_> = wishes.collect();
    all.sort_unstable_by_key(|(priority, id)| (std::cmp::Reverse(*priority), *id));
    all.into_iter().take(most).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_priority_comes_first_and_then_the_oldest() {
        let wishes = [(Priority::Low, 1), (Priority::Normal, 2), (Priority::High, 3), (Priority::Normal, 4)];
        let first = |most| {
            let wishes = wishes.into_iter().map(|(priority, id)| (priority, JobId(id)));
            chosen(wishes, most).into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(first(1), [3]);
        assert_eq!(first(2), [2, 3]);
        assert_eq!(first(3), [2, 3, 4]);
        assert_eq!(first(9), [1, 2, 3, 4]);
    }
}
