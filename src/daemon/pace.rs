//! When the blocks of one job leave by pre-routing: a stream with exponential gaps that begins after a random delay, never a
//! burst (protocol.md §2.1).
//!
//! The gaps follow from what the window and the time of an answer allow anyway, a little shorter, so that a job that keeps its
//! window full loses next to nothing; what is taken from it is that many blocks leave at one moment, by which whoever sees
//! some of them would know that they belong together. Pure: time and randomness are arguments.

use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::limits::{PACE_GAP_MOST, PACE_START, PACE_TYPICAL};
use crate::time::{Duration, Instant};

/// The pace of one job.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// What an answer took of late.
    typical: Duration,
    /// When the last block that was given a time leaves; before the first, nothing.
    last: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { typical: PACE_TYPICAL, last: None }
    }
}

impl Pace {
    /// When the next block may leave, of a job that may have `window` of them under way.
    pub(super) fn next(&mut self, now: Instant, window: usize, random: &mut ChaCha20Rng) -> Instant {
        let mean = match self.last {
            None => PACE_START,
            Some(_) => (self.typical * HEADROOM.0 / (HEADROOM.1 * window.max(1) as u32)).min(PACE_GAP_MOST),
        };
        let next = self.last.unwrap_or(now).max(now) + exponential(mean, random);
        self.last = Some(next);
        next
    }

    /// A block was answered so long after it had left.
    pub(super) fn on_answer(&mut self, took: Duration) {
        self.typical = (self.typical * 7 + took) / 8;
    }
}

/// A draw with that mean, of at most five times the mean.
fn exponential(mean: Duration, random: &mut ChaCha20Rng) -> Duration {
    let uniform: f64 = random.random_range(f64::EPSILON..1.0);
    mean.mul_f64((-libm::log(uniform)).min(5.0))
}

/// Gaps are this fraction of what would fill the window exactly.
const HEADROOM: (u32, u32) = (2, 3);

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn times(pace: &mut Pace, count: usize, window: usize) -> Vec<Instant> {
        let mut random = ChaCha20Rng::from_seed([7; 32]);
        let now = Instant::from_micros(1_000_000);
        (0..count).map(|_| pace.next(now, window, &mut random)).collect()
    }

    #[test]
    fn blocks_leave_one_by_one_with_gaps_as_random_as_they_can_be() {
        let times = times(&mut Pace::default(), 4_001, 16);
        let gaps: Vec<f64> = times.windows(2).map(|two| two[1].since(two[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let spread = (gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len() as f64).sqrt();
        // Of an exponential distribution the spread is the mean; of 4,000 gaps it is known to a fiftieth.
        assert!((0.9..1.05).contains(&(spread / mean)), "{mean} {spread}");
        let expected = PACE_TYPICAL.as_secs_f64() * 2.0 / 3.0 / 16.0;
        assert!((0.9..1.1).contains(&(mean / expected)), "{mean} {expected}");
    }

    #[test]
    fn a_full_window_is_asked_for_within_the_time_of_an_answer() {
        for (window, typical) in [(16, 20), (192, 400), (8, 100)] {
            let mut pace = Pace::default();
            (0..200).for_each(|_| pace.on_answer(Duration::from_millis(typical)));
            let times = times(&mut pace, 40 * window + 1, window);
            let took = times[40 * window].since(times[0]).as_secs_f64() / 40.0;
            assert!(took < typical as f64 / 1e3 * 0.75, "{window} {typical} {took}");
        }
    }

    #[test]
    fn a_slow_network_does_not_make_the_gaps_longer_than_their_bound() {
        let mut pace = Pace::default();
        (0..200).for_each(|_| pace.on_answer(Duration::from_secs(30)));
        let times = times(&mut pace, 1_001, 1);
        assert!(times[1_000].since(times[0]) < PACE_GAP_MOST * 1_100);
    }
}
