//! A generator of eight bytes for choices that nobody gains by guessing: when a timer rings, which of a few to ask.
//!
//! SplitMix64: the same on every machine. Secrets and anything an attacker must not foresee come from elsewhere.

use crate::time::Duration;

/// The generator.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeded by the first bytes of a machine's seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&seed[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// Any number.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, each as likely; 0 below 1.
    pub const fn below(&mut self, bound: usize) -> usize {
        ((self.draw() as u128 * bound as u128) >> 64) as usize
    }

    /// Brings things into any order, each as likely.
    pub const fn shuffle<T>(&mut self, things: &mut [T]) {
        let mut left = things.len();
        while left > 1 {
            left -= 1;
            things.swap(left, self.below(left + 1));
        }
    }

    /// A span between two, each as likely.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let width = most.saturating_sub(least).as_micros() as u64;
        least + Duration::from_micros(self.below(width as usize + 1) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stay_within_their_bounds_and_fill_them() {
        let mut dice = Dice::new(&[7; 32]);
        let (least, most) = (Duration::from_secs(15), Duration::from_secs(45));
        let spans: Vec<Duration> = (0..2_000).map(|_| dice.between(least, most)).collect();
        assert!(spans.iter().all(|span| (least..=most).contains(span)));
        // Each third holds 667 ± 84 (four standard deviations).
        let first = spans.iter().filter(|span| **span < Duration::from_secs(25)).count();
        assert!(first.abs_diff(667) < 84, "{first}");
    }
}
