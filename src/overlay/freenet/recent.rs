//! What happened lately: how long answers took, and which searches ended in vain.
//!
//! Both are short memories on purpose. The failed-recently table must not hide a document from the day it is inserted,
//! and nothing here remembers who asked (protocol.md §3 rule 6).

use std::collections::BTreeMap;
use std::collections::VecDeque;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::key::RoutingKey;
use crate::limits;
use crate::time::{Duration, Instant};

/// The times of the last successful answers during which nothing of this node's own waited.
#[derive(Clone, Debug, Default)]
pub(super) struct AnswerTimes {
    times: VecDeque<Duration>,
}

/// Searches that ended in vain a moment ago.
#[derive(Clone, Debug, Default)]
pub(super) struct FailedRecently {
    by_key: BTreeMap<RoutingKey, Failure>,
    by_end: VecDeque<(Instant, RoutingKey)>,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    htl: u8,
    until: Instant,
}

impl AnswerTimes {
    pub(super) fn record(&mut self, time: Duration) {
        if self.times.len() == limits::ANSWER_TIMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
    }

    /// How long a second asker of a pending key may wait: a recent answer time, at most a quarter of what its request
    /// has left.
    pub(super) fn draw_wait(&self, random: &mut ChaCha8Rng, remaining: Duration) -> Duration {
        let drawn = match self.times.len() {
            0 => limits::WAIT_START,
            count => self.times[random.random_range(0..count)],
        };
        drawn.max(limits::WAIT_MIN).min(limits::WAIT_MAX).min(remaining / 4)
    }
}

impl FailedRecently {
    /// A search with `htl` hops to live has failed.
    pub(super) fn record(&mut self, now: Instant, key: RoutingKey, htl: u8) {
        self.expire(now);
        if self.by_end.len() >= limits::FAILED_RECENTLY {
            return;
        }
        let until = now + limits::FAILED_RECENTLY_LIFE;
        let failure = self.by_key.entry(key).or_insert(Failure { htl, until });
        failure.htl = failure.htl.max(htl);
        failure.until = until;
        self.by_end.push_back((until, key));
    }

    /// Whether a search as far as `htl` has failed a moment ago.
    pub(super) fn covers(&self, now: Instant, key: &RoutingKey, htl: u8) -> bool {
        self.by_key.get(key).is_some_and(|failure| failure.until > now && failure.htl >= htl)
    }

    /// The key has been seen: an insert or an answer.
    pub(super) fn clear(&mut self, key: &RoutingKey) {
        self.by_key.remove(key);
    }

    fn expire(&mut self, now: Instant) {
        while let Some((end, key)) = self.by_end.front().copied() {
            if end > now {
                break;
            }
            self.by_end.pop_front();
            if self.by_key.get(&key).is_some_and(|failure| failure.until <= now) {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_failure_covers_only_searches_that_go_no_further_and_only_for_a_moment() {
        let (mut failed, key, now) = (FailedRecently::default(), RoutingKey([7; 32]), Instant::from_micros(1));
        failed.record(now, key, 10);
        assert!(failed.covers(now, &key, 10) && failed.covers(now, &key, 3));
        assert!(!failed.covers(now, &key, 11));
        assert!(!failed.covers(now + limits::FAILED_RECENTLY_LIFE, &key, 3));
        failed.clear(&key);
        assert!(!failed.covers(now, &key, 3));
    }

    #[test]
    fn a_wait_is_never_more_than_a_quarter_of_what_remains() {
        let mut random = ChaCha8Rng::from_seed([1; 32]);
        let mut times = AnswerTimes::default();
        assert_eq!(times.draw_wait(&mut random, Duration::from_secs(60)), limits::WAIT_START);
        times.record(Duration::from_secs(9));
        assert_eq!(times.draw_wait(&mut random, Duration::from_secs(60)), limits::WAIT_MAX);
        assert_eq!(times.draw_wait(&mut random, Duration::from_millis(200)), Duration::from_millis(50));
    }
}
