//! The bandwidth limit of a node: a token bucket that all links draw from.
//!
//! Guarantees that over any span no more than the rate times the span, and one burst, is granted; first come, first
//! served. Pure: the caller says what time it is and does the waiting.

use std::time::Duration;

use crate::time::Instant;

/// Bytes per second, granted ahead of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    bytes_per_second: u64,
    /// When all that has been granted so far will have been paid for.
    paid: Instant,
}

impl Bucket {
    /// A bucket that is full.
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), paid: Instant::EPOCH }
    }

    /// Takes `bytes` and says how long to wait before sending them.
    pub fn take(&mut self, now: Instant, bytes: usize) -> Duration {
        let start = self.paid.max(now - BURST);
        let cost = Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / self.bytes_per_second);
        self.paid = start + cost;
        self.paid.since(now)
    }
}

/// How far ahead of the rate a link may run after a pause. Chosen: long enough to send a block at 1 MB/s at once.
const BURST: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_holds_over_any_run_of_messages() {
        let mut bucket = Bucket::new(1_000_000);
        let start = Instant::from_micros(1_000_000_000);
        let mut now = start;
        for _ in 0..1_000 {
            now = now + bucket.take(now, 34_080);
        }
        let seconds = now.since(start).as_secs_f64();
        assert!((34.0..34.1).contains(&seconds), "34.08 MB took {seconds} s");
    }

    #[test]
    fn a_pause_earns_one_burst_and_no_more() {
        let mut bucket = Bucket::new(1_000_000);
        let late = Instant::from_micros(3_600_000_000);
        assert_eq!(bucket.take(late, 50_000), Duration::ZERO);
        assert_eq!(bucket.take(late, 50_000), Duration::from_millis(50));
    }
}
