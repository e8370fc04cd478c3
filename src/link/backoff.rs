//! When to dial a peer again: growing, bounded, jittered pauses.
//!
//! Guarantees a pause between half and the whole of a step that doubles up to a bound, so that many nodes that lost one
//! peer at once do not return at once. Leaves out whether to dial at all.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The pauses between attempts to reach one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    step: Duration,
}

impl Backoff {
    /// Begins at `first` and never pauses longer than `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, step: first }
    }

    /// The pause before the next attempt, after one more failure.
    pub fn pause(&mut self, rng: &mut impl Rng) -> Duration {
        let step = self.step.min(self.longest);
        self.step = (step * 2).min(self.longest);
        step / 2 + (step / 2).mul_f64(rng.random::<f64>())
    }

    /// The peer answered: begin again.
    pub const fn reset(&mut self) {
        self.step = self.first;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_begin_again_after_success() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(8));
        for step in [1, 2, 4, 8, 8, 8] {
            let pause = backoff.pause(&mut rng);
            assert!(
                pause >= Duration::from_millis(step * 500) && pause <= Duration::from_secs(step),
                "{step}: {pause:?}"
            );
        }
        backoff.reset();
        assert!(backoff.pause(&mut rng) <= Duration::from_secs(1));
    }
}
