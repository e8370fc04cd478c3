//! How well a score tells two classes apart: area under the curve, and true positives at few false ones.
//!
//! Scores carry weights, so that a million cases of which nothing was seen are one entry. Positives that depend on each other
//! may be given a group, so that the limit of what is found of them is not flattered.

use std::collections::BTreeMap;

use crate::lab::attacks::confidence::{self, Group};

/// Scores of cases whose class is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// Score, weight as a positive, weight as a negative.
    all: Vec<(f64, f64, f64)>,
    /// Scores of positives by group.
    grouped: Vec<(u32, f64)>,
}

impl Scores {
    /// Adds cases with one score.
    pub fn add(&mut self, score: f64, positive: f64, negative: f64) {
        self.all.push((score, positive, negative));
    }

    /// Adds one case.
    pub fn case(&mut self, score: f64, is_positive: bool) {
        self.add(score, f64::from(u8::from(is_positive)), f64::from(u8::from(!is_positive)));
    }

    /// Adds a positive of a group.
    pub fn positive(&mut self, group: u32, score: f64) {
        self.add(score, 1.0, 0.0);
        self.grouped.push((group, score));
    }

    /// Adds all of `other`, its groups apart from those that are here by `offset`.
    pub fn merge(&mut self, other: &Self, offset: u32) {
        self.all.extend_from_slice(&other.all);
        self.grouped.extend(other.grouped.iter().map(|(group, score)| (group + offset, *score)));
    }

    /// The upper 95 % limit of [`Self::tpr_at`], by the groups of the positives.
    pub fn tpr_upper(&self, fpr: f64) -> Option<f64> {
        let (threshold, share) = self.threshold(fpr)?;
        let mut groups: BTreeMap<u32, Group> = BTreeMap::new();
        for (group, score) in &self.grouped {
            let hit = if *score > threshold {
                1.0
            } else if *score == threshold {
                share
            } else {
                0.0
            };
            let entry = groups.entry(*group).or_default();
            *entry = Group { trials: entry.trials + 1.0, hits: entry.hits + hit };
        }
        confidence::upper(&groups.into_values().collect::<Vec<_>>())
    }

    /// The score from which on cases count as positives, and the share that does of those with just that score.
    fn threshold(&self, fpr: f64) -> Option<(f64, f64)> {
        let (_, negatives) = self.totals();
        let mut sorted = self.all.clone();
        sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let allowed = (negatives > 0.0).then_some(fpr * negatives)?;
        let mut above = 0.0;
        for ties in sorted.chunk_by(|one, other| one.0 == other.0) {
            let here: f64 = ties.iter().map(|one| one.2).sum();
            if above + here > allowed {
                return Some((ties[0].0, (allowed - above) / here));
            }
            above += here;
        }
        None
    }

    /// Weights of positives and negatives.
    pub fn totals(&self) -> (f64, f64) {
        self.all.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.1, sum.1 + one.2))
    }

    /// The area under the curve; equal scores count half.
    pub fn auc(&self) -> Option<f64> {
        let curve = self.curve()?;
        Some(curve.windows(2).map(|two| (two[1].0 - two[0].0) * f64::midpoint(two[0].1, two[1].1)).sum())
    }

    /// The share of positives found where `fpr` of the negatives are taken for such; lots are drawn among equal scores.
    pub fn tpr_at(&self, fpr: f64) -> Option<f64> {
        let curve = self.curve()?;
        let pair = curve.windows(2).find(|two| two[1].0 > fpr)?;
        let share = (fpr - pair[0].0) / (pair[1].0 - pair[0].0);
        Some(pair[0].1 + share * (pair[1].1 - pair[0].1))
    }

    /// Shares of negatives and positives at or above each score, from the highest down.
    fn curve(&self) -> Option<Vec<(f64, f64)>> {
        let (positives, negatives) = self.totals();
        if positives <= 0.0 || negatives <= 0.0 {
            return None;
        }
        let mut sorted = self.all.clone();
        sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let (mut curve, mut sum) = (vec![(0.0, 0.0)], (0.0, 0.0));
        for (at, (score, positive, negative)) in sorted.iter().enumerate() {
            sum = (sum.0 + negative, sum.1 + positive);
            if sorted.get(at + 1).is_none_or(|next| next.0 < *score) {
                curve.push((sum.0 / negatives, sum.1 / positives));
            }
        }
        Some(curve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(positives: &[f64], negatives: &[f64]) -> Scores {
        let mut scores = Scores::default();
        positives.iter().for_each(|score| scores.case(*score, true));
        negatives.iter().for_each(|score| scores.case(*score, false));
        scores
    }

    #[test]
    fn the_area_is_the_chance_that_a_positive_scores_higher() {
        let near = |scores: Scores, expected: f64| assert!((scores.auc().expect("both") - expected).abs() < 1e-9);
        near(of(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        near(of(&[1.0, 1.0], &[1.0, 1.0]), 0.5);
        // Of six pairs four are in order and one is a tie.
        near(of(&[1.0, 3.0], &[0.0, 1.0, 2.0]), 4.5 / 6.0);
        assert_eq!(of(&[1.0], &[]).auc(), None);
    }

    #[test]
    fn true_positives_are_counted_where_few_negatives_are_taken_for_such() {
        let mut scores = of(&[5.0, 4.0, 1.0, 1.0], &[3.0]);
        scores.add(0.0, 0.0, 999.0);
        // Two score above all negatives; the one of a thousand comes next, and the last two follow it.
        assert!((scores.tpr_at(0.000_5).expect("both") - 0.5).abs() < 1e-9);
        assert!((scores.tpr_at(0.001).expect("both") - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_limit_of_what_is_found_is_that_of_its_groups() {
        let mut scores = Scores::default();
        scores.add(0.0, 0.0, 10_000.0);
        scores.add(2.0, 0.0, 20.0);
        for group in 0..20 {
            (0..10).for_each(|_| scores.positive(group, if group % 2 == 0 { 3.0 } else { 1.0 }));
        }
        let (found, upper) = (scores.tpr_at(0.001).expect("both"), scores.tpr_upper(0.001).expect("both"));
        // Half of 200, but only half of 20 groups: 200 trials of their own would reach 0.56.
        assert!((found - 0.5).abs() < 0.01 && (0.6..0.8).contains(&upper), "{found} {upper}");
    }
}
