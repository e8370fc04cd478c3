//! Estimates from independent trials, with 95 % confidence intervals.
//!
//! Means by Student's distribution; medians by order statistics, which assume nothing about the distribution.

use serde::Serialize;

/// A value and the interval that covers the true one in 95 cases of 100.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower end; absent where the trials are too few to tell.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Trials behind it.
    pub trials: usize,
}

/// The mean of `values`; `None` of none.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The median; of an even number the mean of the middle two.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some(f64::midpoint(sorted[low], sorted[high]))
}

/// The mean with its interval.
pub fn mean_estimate(values: &[f64]) -> Option<Estimate> {
    let (value, count) = (mean(values)?, values.len());
    if count < 2 {
        return Some(Estimate { value, low: None, high: None, trials: count });
    }
    let variance = values.iter().map(|x| (x - value) * (x - value)).sum::<f64>() / (count - 1) as f64;
    let half = student(count - 1) * libm::sqrt(variance / count as f64);
    Some(Estimate { value, low: Some(value - half), high: Some(value + half), trials: count })
}

/// The median with its interval.
pub fn median_estimate(values: &[f64]) -> Option<Estimate> {
    let (value, sorted, trials) = (median(values)?, sorted(values), values.len());
    let rank = interval_rank(trials);
    let (low, high) = (rank.map(|rank| sorted[rank]), rank.map(|rank| sorted[trials - 1 - rank]));
    Some(Estimate { value, low, high, trials })
}

/// The slope of the line through `points` by least squares.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count);
    let (up, along): (f64, f64) =
        points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + (p.0 - x) * (p.1 - y), sum.1 + (p.0 - x) * (p.0 - x)));
    up / along
}

/// Where a rising curve passes `level`, between two of its points.
pub fn crossing(points: &[(f64, f64)], level: f64) -> Option<f64> {
    let pair = points.windows(2).find(|pair| pair[0].1 < level && pair[1].1 >= level)?;
    let share = (level - pair[0].1) / (pair[1].1 - pair[0].1);
    Some(pair[0].0 + share * (pair[1].0 - pair[0].0))
}

/// How many values may be cut off at either end so that the rest covers the median in 95 cases of 100.
fn interval_rank(count: usize) -> Option<usize> {
    let (mut term, mut below, mut rank) = (libm::exp2(-(count as f64)), 0.0, None);
    for cut in 0..count / 2 {
        below += term;
        if below > 0.025 {
            break;
        }
        rank = Some(cut);
        term *= (count - cut) as f64 / (cut + 1) as f64;
    }
    rank
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The 97.5 % quantile of Student's distribution: tabled for few degrees of freedom, expanded from the normal beyond.
fn student(freedom: usize) -> f64 {
    const TABLE: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    TABLE.get(freedom - 1).copied().unwrap_or_else(|| {
        let (z, n) = (1.959_964_f64, freedom as f64);
        let cube = z * z * z;
        z + (cube + z) / (4.0 * n) + (5.0 * cube * z * z + 16.0 * cube + 3.0 * z) / (96.0 * n * n)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let mean = mean_estimate(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five values");
        // 3 ± 2.776 · √(2.5 / 5).
        assert!((mean.high.expect("an interval") - 4.963).abs() < 0.001);
        // Ten values: the second and the ninth cover the median in 97.9 cases of 100, the third and eighth in 89.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let median = median_estimate(&ten).expect("ten values");
        assert_eq!((median.value, median.low, median.high), (5.5, Some(2.0), Some(9.0)));
        assert!((student(30) - 2.042).abs() < 0.001 && (student(11) - 2.201).abs() < 0.003);
    }

    #[test]
    fn a_line_has_its_slope_and_is_crossed_where_it_is() {
        let line: Vec<(f64, f64)> = (0..5).map(|x| (f64::from(x), 3.0 + 0.5 * f64::from(x))).collect();
        assert!((slope(&line) - 0.5).abs() < 1e-9);
        assert!((crossing(&line, 4.25).expect("crossed") - 2.5).abs() < 1e-9);
        assert_eq!(crossing(&line, 9.0), None);
    }

    #[test]
    fn too_few_trials_have_no_interval_and_none_no_value() {
        assert_eq!(mean_estimate(&[]), None);
        assert_eq!(median_estimate(&[]), None);
        assert_eq!(mean_estimate(&[2.0]).expect("one value").low, None);
        assert_eq!(median_estimate(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five values").low, None);
        assert!(median_estimate(&[1.0; 6]).expect("six values").low.is_some());
    }
}
