//! Where long links go: places drawn so that a link of length *d* has a chance ∝ 1/*d* (docs/protocol.md §5.4).
//!
//! Drawn by the node that will dial, so that no peer can choose to be a long link. In integers alone. Who lies at the
//! place is asked elsewhere.

use rand::{Rng, RngExt};

use crate::key::Location;
use crate::limits;
use crate::overlay::freenet::core::Core;

/// A place for a long link: at a distance between the near neighbours' and half the ring.
pub(super) fn draw_long_target(core: &mut Core) -> Location {
    let own = core.location();
    let is_clockwise = core.random.random_ratio(1, 2);
    let mut gaps: Vec<u64> = core
        .neighbours
        .places()
        .map(|place| if is_clockwise { own.clockwise_to(place) } else { place.clockwise_to(own) })
        .collect();
    gaps.sort_unstable();
    let gap = gaps.get(limits::NEAR_PER_SIDE - 1).or(gaps.last()).copied().unwrap_or(1);
    let distance = draw_harmonic(gap.clamp(1, 1 << 62), &mut core.random);
    Location(if is_clockwise { own.0.wrapping_add(distance) } else { own.0.wrapping_sub(distance) })
}

/// A distance from `least` to half the ring with density ∝ 1/distance, in integers alone: an octave drawn evenly, a
/// distance within it kept with probability start/distance, and all drawn anew beyond half the ring.
fn draw_harmonic(least: u64, random: &mut impl Rng) -> u64 {
    let half = 1u128 << 63;
    let octaves = (0..).take_while(|octave| u128::from(least) << octave <= half).count();
    loop {
        let start = u128::from(least) << random.random_range(0..octaves);
        let distance = random.random_range(start..2 * start);
        let is_kept = random.random_range(0..distance) < start;
        if is_kept && distance <= half {
            return distance as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn drawn_distances_have_density_one_over_distance() {
        // 40,000 draws over 39 octaves: each octave expects 1,025.6, standard deviation 31.6; six of them either way fail
        // once in 10^7 tests.
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut octaves = [0u32; 64];
        for _ in 0..40_000 {
            let distance = draw_harmonic(1 << 24, &mut random);
            assert!((1 << 24..=1 << 63).contains(&distance));
            octaves[distance.min((1 << 63) - 1).ilog2() as usize] += 1;
        }
        for (octave, drawn) in octaves.iter().enumerate().skip(24).take(39) {
            assert!((836..=1_216).contains(drawn), "octave {octave}: {drawn}");
        }
    }

    #[test]
    fn a_range_that_is_no_power_of_two_is_drawn_to_its_end_and_not_beyond() {
        // ln(8/6) / ln(8/1.5) of the draws lie in the last third: 20,000 draws expect 3,437, standard deviation 53.
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let least = 3 << 59;
        let draws: Vec<u64> = (0..20_000).map(|_| draw_harmonic(least, &mut random)).collect();
        assert!(draws.iter().all(|distance| (least..=1 << 63).contains(distance)));
        let last = draws.iter().filter(|distance| **distance >= 3 << 61).count();
        assert!((3_100..=3_780).contains(&last), "{last}");
    }
}
