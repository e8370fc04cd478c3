//! What is still to come to the machines of a small world that an attack makes for itself, in the order of time.
//!
//! Guarantees that time never goes back, and that what comes at one instant comes in the order in which it was sent. Leaves out
//! the machines: whoever owns them says whose timer rings first. Whole networks run in `sim::engine`.

use std::collections::BTreeMap;

use crate::time::{Duration, Instant};

/// The inputs `I` under way to machines named by `N`.
#[derive(Debug)]
pub(super) struct Timeline<N, I> {
    now: Instant,
    agenda: BTreeMap<(Instant, u64), (N, I)>,
    sent: u64,
}

impl<N: Copy + Ord, I> Timeline<N, I> {
    /// Nothing is under way, at an hour at which clocks of days have begun.
    pub(super) fn new() -> Self {
        Self { now: Instant::EPOCH + Duration::from_secs(1_000_000_000), agenda: BTreeMap::new(), sent: 0 }
    }

    /// The time now.
    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    /// Sends an input that arrives at `at`.
    pub(super) fn later(&mut self, at: Instant, node: N, input: I) {
        self.sent += 1;
        self.agenda.insert((at, self.sent), (node, input));
    }

    /// What happens next, until `end`: to whom, and the input; none if the timer rings of the machine that is `due` first. When
    /// nothing does, it is `end`.
    pub(super) fn step(&mut self, end: Instant, due: Option<(Instant, N)>) -> Option<(N, Option<I>)> {
        let first = self.agenda.first_key_value().map(|((at, _), _)| *at);
        match (first, due) {
            (Some(at), _) if at <= end && due.is_none_or(|(due, _)| at <= due) => {
                self.now = self.now.max(at);
                self.agenda.pop_first().map(|(_, (node, input))| (node, Some(input)))
            }
            (_, Some((due, node))) if due <= end => {
                self.now = self.now.max(due) + Duration::from_micros(1);
                Some((node, None))
            }
            _ => {
                self.now = end;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_come_in_their_order_and_before_a_timer_of_the_same_instant() {
        let mut timeline = Timeline::new();
        let begun = timeline.now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        timeline.later(at(2), 'a', 1);
        timeline.later(at(1), 'b', 2);
        timeline.later(at(2), 'b', 3);
        timeline.later(at(9), 'a', 4);
        let due = Some((at(2), 'c'));
        let steps: Vec<_> = std::iter::from_fn(|| timeline.step(at(3), due)).take(4).collect();
        assert_eq!(steps, [('b', Some(2)), ('a', Some(1)), ('b', Some(3)), ('c', None)]);
        assert_eq!((timeline.step(at(3), None), timeline.now()), (None, at(3)));
    }
}
