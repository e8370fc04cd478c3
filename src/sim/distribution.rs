//! Distributions in a few numbers: percentiles, how unevenly a load is spread, the exponent of a power law.
//!
//! Takes plain numbers and knows nothing of what they measure.

use serde::Serialize;

/// A distribution in nine numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// Percentiles: element ⌊n·p/100⌋ of the sorted values, as the papers take them.
    pub p1: f64,
    /// The first quartile.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// The third quartile.
    pub p75: f64,
    /// See `p1`.
    pub p95: f64,
    /// See `p1`.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

/// How unevenly something is spread over nodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unevenness {
    /// 0 evenly, 1 all on one.
    pub gini: f64,
    /// The greatest share over the mean.
    pub max_over_mean: f64,
}

impl Summary {
    /// Of any numbers; `None` of none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len();
        let max = *values.last()?;
        let at = |percent: usize| values[(count * percent / 100).min(count - 1)];
        let mean = values.iter().sum::<f64>() / count as f64;
        Some(Self {
            mean,
            min: values[0],
            p1: at(1),
            p25: at(25),
            p50: at(50),
            p75: at(75),
            p95: at(95),
            p99: at(99),
            max,
        })
    }
}

impl Unevenness {
    /// How unevenly `loads` are spread: the Gini coefficient, and the greatest over the mean.
    pub fn of(mut loads: Vec<u64>) -> Option<Self> {
        loads.sort_unstable();
        let (count, sum) = (loads.len() as f64, loads.iter().sum::<u64>() as f64);
        let max = *loads.last()? as f64;
        if sum == 0.0 {
            return None;
        }
        let weighted: f64 = loads.iter().enumerate().map(|(rank, load)| (rank as f64 + 1.0) * *load as f64).sum();
        Some(Self { gini: 2.0 * weighted / (count * sum) - (count + 1.0) / count, max_over_mean: max * count / sum })
    }
}

/// The exponent of a power law between the smallest of `degrees` and `full`, by maximum likelihood; full tables, which are
/// a cut-off and no part of the law, left out. The law ends there: without that the estimate would be too steep.
pub fn power_law_exponent(degrees: &[usize], full: usize) -> Option<f64> {
    let counted: Vec<usize> = degrees.iter().copied().filter(|degree| *degree > 0 && *degree < full).collect();
    let least = *counted.iter().min()? as f64 - 0.5;
    let width = libm::log((full as f64 - 0.5) / least);
    let mean = counted.iter().map(|degree| libm::log(*degree as f64 / least)).sum::<f64>() / counted.len() as f64;
    if mean <= 0.0 || mean >= width {
        return None;
    }
    // The mean falls as the law gets steeper: found by halving.
    let (mut low, mut high) = (-20.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if mean_logarithm(middle, width) > mean { low = middle } else { high = middle }
    }
    Some(1.0 + low)
}

/// The mean of the logarithm, from 0 to `width`, under a power law whose exponent is one more than `steepness`.
fn mean_logarithm(steepness: f64, width: f64) -> f64 {
    if (steepness * width).abs() < 1e-6 {
        return width / 2.0;
    }
    1.0 / steepness - width / libm::expm1(steepness * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_the_elements_the_papers_take() {
        let summary = Summary::of((0..300).rev().map(f64::from).collect()).expect("not empty");
        assert_eq!((summary.p25, summary.p50, summary.p75, summary.max), (75.0, 150.0, 225.0, 299.0));
        assert_eq!(Summary::of(Vec::new()), None);
    }

    #[test]
    fn evenness_is_zero_and_one_bearer_of_all_is_nearly_one() {
        let even = Unevenness::of(vec![5; 100]).expect("some load");
        assert!(even.gini.abs() < 1e-9 && (even.max_over_mean - 1.0).abs() < 1e-9);
        let mut one = vec![0; 100];
        one[3] = 7;
        let one = Unevenness::of(one).expect("some load");
        assert!((one.gini - 0.99).abs() < 1e-9 && (one.max_over_mean - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_exponent_of_a_drawn_power_law_is_recovered() {
        // 20,000 quantiles of a law with exponent 2.5 from 10 on.
        let draw = |step: u32| 9.5 * libm::pow(1.0 - (f64::from(step) + 0.5) / 20_000.0, -1.0 / 1.5);
        let degrees: Vec<usize> = (0..20_000).map(|step| libm::round(draw(step)) as usize).collect();
        let exponent = power_law_exponent(&degrees, usize::MAX).expect("some degrees");
        assert!((exponent - 2.5).abs() < 0.05, "{exponent}");
    }

    #[test]
    fn the_cut_off_of_full_tables_makes_a_law_no_steeper() {
        // 20,000 quantiles of a law with exponent 1.5 from 10 on, most of its tail beyond the full table.
        let draw = |step: u32| 9.5 * libm::pow(1.0 - (f64::from(step) + 0.5) / 20_000.0, -2.0);
        let degrees: Vec<usize> = (0..20_000).map(|step| libm::round(draw(step)).min(250.0) as usize).collect();
        let exponent = power_law_exponent(&degrees, 250).expect("some degrees");
        assert!((exponent - 1.5).abs() < 0.05, "{exponent}");
    }
}
