//! Upper confidence limits of rates: exact where trials are independent, by resampling groups where they are not.
//!
//! One-sided at 95 %. Draws come from a fixed seed, so that a report is the same on every machine.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Trials that depend on each other: one colluding set, one file, one network.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Group {
    /// How many.
    pub trials: f64,
    /// How many of them succeeded, by expectation where the attacker draws lots.
    pub hits: f64,
}

/// The upper limit of the rate of hits: the larger of what both ways give, for neither must flatter.
pub fn upper(groups: &[Group]) -> Option<f64> {
    let (trials, hits) = groups.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.trials, sum.1 + one.hits));
    (trials >= 1.0).then(|| exact_upper(hits, trials).max(resampled_upper(groups)))
}

/// The limit of Clopper and Pearson: the rate at which so few hits would be seen in 5 cases of 100.
pub fn exact_upper(hits: f64, trials: f64) -> f64 {
    if hits >= trials {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if beta_below(middle, hits + 1.0, trials - hits) < CONFIDENCE { low = middle } else { high = middle }
    }
    high
}

/// The 95 % quantile of the rate over draws of as many groups as there are, with repetition.
fn resampled_upper(groups: &[Group]) -> f64 {
    if groups.len() < FEWEST_GROUPS {
        return 0.0;
    }
    let mut random = ChaCha8Rng::seed_from_u64(RESAMPLING);
    let mut rates: Vec<f64> = (0..RESAMPLES).map(|_| rate_of_a_draw(groups, &mut random)).collect();
    rates.sort_by(f64::total_cmp);
    rates[(RESAMPLES as f64 * CONFIDENCE) as usize]
}

fn rate_of_a_draw(groups: &[Group], random: &mut ChaCha8Rng) -> f64 {
    let (mut trials, mut hits) = (0.0, 0.0);
    for _ in 0..groups.len() {
        let group = groups[random.random_range(0..groups.len())];
        (trials, hits) = (trials + group.trials, hits + group.hits);
    }
    if trials > 0.0 { hits / trials } else { 0.0 }
}

/// The share of a beta distribution below `x`, by the continued fraction of Lentz.
fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let log = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x);
    let front = libm::exp(log);
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut result = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        (d, c) = (1.0 / away(1.0 + even * d), away(1.0 + even / c));
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        (d, c) = (1.0 / away(1.0 + odd * d), away(1.0 + odd / c));
        let factor = d * c;
        result *= factor;
        if (factor - 1.0).abs() < 1e-12 {
            break;
        }
    }
    result
}

const CONFIDENCE: f64 = 0.95;
const TINY: f64 = 1e-300;
/// Convergence takes some √(a + b) steps.
const STEPS: u32 = 20_000;
const RESAMPLES: usize = 1_000;
/// Fewer groups than this say nothing about how groups scatter.
const FEWEST_GROUPS: usize = 8;
const RESAMPLING: u64 = 0x7265_7361;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_limits_are_those_of_the_tables() {
        // The rule of three: 1 − 0.05^(1/n).
        assert!((exact_upper(0.0, 100.0) - 0.029_513).abs() < 1e-5);
        // R: qbeta(0.95, 6, 95) and qbeta(0.95, 11, 990).
        assert!((exact_upper(5.0, 100.0) - 0.102_25).abs() < 1e-4, "{}", exact_upper(5.0, 100.0));
        assert!((exact_upper(10.0, 1_000.0) - 0.016_90).abs() < 1e-4, "{}", exact_upper(10.0, 1_000.0));
        assert!((exact_upper(7.0, 7.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn groups_that_scatter_widen_the_limit() {
        let even = vec![Group { trials: 100.0, hits: 10.0 }; 20];
        let uneven: Vec<Group> =
            (0..20).map(|at| Group { trials: 100.0, hits: if at % 2 == 0 { 0.0 } else { 20.0 } }).collect();
        let (even, uneven) = (upper(&even).expect("trials"), upper(&uneven).expect("trials"));
        assert!((0.1..0.115).contains(&even) && uneven > 0.12, "{even} {uneven}");
        assert_eq!(upper(&[]), None);
    }
}
