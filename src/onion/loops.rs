//! Packets that a client sends to itself: through guard, middle and exit and back, now and then, whether or not it asks for
//! anything (protocol.md §7.7).
//!
//! A loop that does not come back counts against its path as any lost packet does, so that a guard that drops is found out by a
//! client that is idle as well; and the guard cannot tell every packet for a command. Leaves out the sending: to `client` a loop
//! is a command like any other.

use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::limits;
use crate::onion::contract::{LoopTally, RequestId};
use crate::onion::instruction::Outcome;
use crate::time::{Duration, Instant};

/// The loops of one client.
#[derive(Debug)]
pub(super) struct Loops {
    next: Instant,
    tally: LoopTally,
}

impl Loops {
    /// The first loop leaves after a random time from `now`.
    pub(super) fn new(now: Instant, random: &mut ChaCha20Rng) -> Self {
        Self { next: now + gap(random), tally: LoopTally::default() }
    }

    /// When the next loop leaves.
    pub(super) const fn deadline(&self) -> Instant {
        self.next
    }

    /// What has become of them so far.
    pub(super) const fn tally(&self) -> LoopTally {
        self.tally
    }

    /// Names the loop that leaves now, if it is time for one.
    pub(super) fn next(&mut self, now: Instant, random: &mut ChaCha20Rng) -> Option<RequestId> {
        if now < self.next {
            return None;
        }
        // From now on, not from when it was due: a node that slept sends one.
        self.next = now + gap(random);
        self.tally.sent += 1;
        Some(RequestId(OF_LOOP | self.tally.sent))
    }

    /// A command has ended; whether it was a loop.
    pub(super) fn end(&mut self, request: RequestId, outcome: &Outcome) -> bool {
        let is_loop = request.0 & OF_LOOP != 0;
        if is_loop {
            match outcome {
                Outcome::Looped => self.tally.came += 1,
                _ => self.tally.lost += 1,
            }
        }
        is_loop
    }
}

/// A random time to the next loop: exponential, so that none foretells another.
fn gap(random: &mut ChaCha20Rng) -> Duration {
    let uniform: f64 = random.random_range(f64::EPSILON..1.0);
    limits::LOOP_EVERY.mul_f64((-libm::log(uniform)).min(10.0))
}

/// Marks a loop among the commands of clients, which count from 0.
const OF_LOOP: u64 = 1 << 61;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn loops_leave_at_random_times_three_a_minute() {
        let mut random = ChaCha20Rng::from_seed([3; 32]);
        let mut loops = Loops::new(Instant::EPOCH, &mut random);
        let mut times = vec![Instant::EPOCH];
        for _ in 0..2_000 {
            let now = loops.deadline();
            assert!(loops.next(now - Duration::from_micros(1), &mut random).is_none());
            assert!(loops.next(now, &mut random).is_some());
            times.push(now);
        }
        let mean = times[2_000].since(times[0]).as_secs_f64() / 2_000.0;
        assert!((18.5..21.5).contains(&mean), "{mean}");
        let short = times.windows(2).filter(|two| two[1].since(two[0]) < limits::LOOP_EVERY / 2).count();
        // 1 − e^(−1/2) of them.
        assert!((700..875).contains(&short), "{short}");
    }

    #[test]
    fn a_loop_ends_as_one_and_a_clients_command_does_not() {
        let mut random = ChaCha20Rng::from_seed([3; 32]);
        let mut loops = Loops::new(Instant::EPOCH, &mut random);
        let (first, second) = (loops.next(loops.deadline(), &mut random), loops.next(loops.deadline(), &mut random));
        assert!(
            loops.end(first.expect("due"), &Outcome::Looped) && loops.end(second.expect("due"), &Outcome::Unavailable)
        );
        assert!(!loops.end(RequestId(1), &Outcome::NotFound));
        assert_eq!(loops.tally(), LoopTally { sent: 2, came: 1, lost: 1 });
    }
}
