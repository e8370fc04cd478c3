//! How long a message is on its way between two nodes.
//!
//! A function of the pair and the seed alone: nothing is stored per pair, and both directions take equally long. Integers
//! only, but for one table that `libm` computes alike on every machine.

use serde::{Deserialize, Serialize};

use crate::time::Duration;

/// The models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyKind {
    /// The same for all pairs.
    Constant,
    /// Proportional to the distance of two random points of a square.
    Euclidean,
    /// Lognormal over pairs, with the spread of the King measurements: median 156 ms and mean 178 ms of a round trip.
    KingLike,
}

/// A model under one seed.
#[derive(Clone, Debug)]
pub struct Latency {
    kind: LatencyKind,
    seed: u64,
    median_micros: u64,
    /// One-way times in microseconds at equal steps of probability.
    quantiles: Vec<u32>,
}

impl Latency {
    /// The model whose round trips have a median of `median_ms`.
    pub fn new(kind: LatencyKind, median_ms: f64, seed: u64) -> Self {
        let median_micros = (median_ms * 500.0) as u64;
        let quantiles = if kind == LatencyKind::KingLike { lognormal(median_micros as f64) } else { Vec::new() };
        Self { kind, seed, median_micros, quantiles }
    }

    /// One way between the nodes numbered `a` and `b`.
    pub fn one_way(&self, a: u32, b: u32) -> Duration {
        let micros = match self.kind {
            LatencyKind::Constant => self.median_micros,
            LatencyKind::Euclidean => {
                let ((ax, ay), (bx, by)) = (self.point(a), self.point(b));
                let (dx, dy) = (ax.abs_diff(bx), ay.abs_diff(by));
                // The median distance of two points of the unit square is 0.512.
                (dx * dx + dy * dy).isqrt() * self.median_micros / (SIDE * 512 / 1_000)
            }
            LatencyKind::KingLike => {
                let pair = (u64::from(a.min(b)) << 32) | u64::from(a.max(b));
                u64::from(self.quantiles[(mix(self.seed ^ pair) >> (64 - QUANTILE_BITS)) as usize])
            }
        };
        Duration::from_micros(micros.max(1))
    }

    fn point(&self, node: u32) -> (u64, u64) {
        let bits = mix(self.seed ^ u64::from(node));
        (bits % SIDE, (bits >> 32) % SIDE)
    }
}

/// Spreads the bits of a number over the whole word (the finaliser of SplitMix64).
pub const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn lognormal(median: f64) -> Vec<u32> {
    let steps = 1_u32 << QUANTILE_BITS;
    let at = |step: u32| median * libm::exp(SPREAD * normal_quantile((f64::from(step) + 0.5) / f64::from(steps)));
    (0..steps).map(|step| at(step) as u32).collect()
}

/// The quantile of the standard normal distribution, found by halving: once, for a table.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let below = libm::erfc(-middle * core::f64::consts::FRAC_1_SQRT_2) / 2.0;
        if below < probability { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The side of the square, so that squares of distances fit.
const SIDE: u64 = 1 << 20;
const QUANTILE_BITS: u32 = 12;
/// √(2 ln(178/156)): the King data's mean over its median.
const SPREAD: f64 = 0.5136;

#[cfg(test)]
mod tests {
    use super::*;

    /// Median and mean of 20,000 pairs, in microseconds. Within 3 % of the truth with more than 99.9 % confidence.
    fn figures(kind: LatencyKind) -> (f64, f64) {
        let latency = Latency::new(kind, 156.0, 7);
        let mut all: Vec<u128> = (0..20_000).map(|n| latency.one_way(n, 30_000 + n).as_micros() * 2).collect();
        all.sort_unstable();
        (all[10_000] as f64, all.iter().sum::<u128>() as f64 / 20_000.0)
    }

    #[test]
    fn every_model_has_the_median_it_is_asked_for_and_the_king_like_one_its_mean() {
        for kind in [LatencyKind::Constant, LatencyKind::Euclidean, LatencyKind::KingLike] {
            let (median, _) = figures(kind);
            assert!((median / 156_000.0 - 1.0).abs() < 0.03, "{kind:?}: {median}");
        }
        let (_, mean) = figures(LatencyKind::KingLike);
        assert!((mean / 178_000.0 - 1.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn both_directions_take_equally_long() {
        for kind in [LatencyKind::Constant, LatencyKind::Euclidean, LatencyKind::KingLike] {
            let latency = Latency::new(kind, 100.0, 3);
            assert!((0..500).all(|n| latency.one_way(n, n * 7 + 1) == latency.one_way(n * 7 + 1, n)));
        }
    }
}
