//! Guesses of who acted, and what they come to: Bayes success, precision, entropy, the user worst off.
//!
//! An accusation rests on a class of evidence. How much a class is worth is calibrated on one half of the groups and used on
//! the other, so that no guess is judged by itself. Where nothing is seen the attacker draws lots among all.

use std::collections::BTreeMap;

use crate::lab::attacks::confidence::{self, Group};
use crate::lab::attacks::scores::Scores;

/// One guess.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// Guesses of one group depend on each other.
    pub group: u32,
    /// Who acted.
    pub user: u32,
    /// Among how many it was guessed.
    pub among: u32,
    /// The evidence, if there is any.
    pub evidence: Option<Evidence>,
}

/// What an accusation rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Its class.
    pub class: u32,
    /// The chance that the accused is the one who acted: 1, 0, or between where lots are drawn.
    pub hit: f64,
}

/// What guesses come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identified {
    /// Guesses.
    pub samples: usize,
    /// The share that names the one who acted.
    pub recall: f64,
    /// The upper 95 % limit of that.
    pub upper95: f64,
    /// The share of accusations that is right.
    pub precision: Option<f64>,
    /// Over all pairs of an action and a node.
    pub auc: Option<f64>,
    /// Over the same pairs, at a false positive rate of 0.001.
    pub tpr_at_fpr: Option<f64>,
    /// Bits of the anonymity set that observation takes away, on average.
    pub entropy_loss_bits: f64,
    /// The 5th percentile over users of the bits that are left against the best guess.
    pub min_entropy_p5_bits: f64,
}

impl Guess {
    /// The chance that it names the one who acted.
    pub fn hit(&self) -> f64 {
        self.evidence.map_or(1.0 / f64::from(self.among), |evidence| evidence.hit)
    }
}

/// What guesses come to; `None` of none.
pub fn identified(guesses: &[Guess]) -> Option<Identified> {
    if guesses.is_empty() {
        return None;
    }
    let count = guesses.len() as f64;
    let groups = groups(guesses);
    let accusations: Vec<f64> = guesses.iter().filter_map(|guess| Some(guess.evidence?.hit)).collect();
    let worth = Worth::of(guesses);
    let (mut scores, mut loss) = (Scores::default(), 0.0);
    let mut users: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for guess in guesses {
        let (among, sure) = (f64::from(guess.among), worth.at(guess));
        let accused = guess.evidence.map_or(0.0, |evidence| evidence.hit);
        if guess.evidence.is_some() {
            scores.add(sure, accused, 1.0 - accused);
        }
        let others = among - f64::from(u8::from(guess.evidence.is_some()));
        scores.add(0.0, 1.0 - accused, others - (1.0 - accused));
        loss += libm::log2(among) - entropy(sure, among);
        let user = users.entry(guess.user).or_default();
        *user = (user.0 + sure.max(1.0 / among), user.1 + 1.0);
    }
    let mut left: Vec<f64> = users.values().map(|(sum, count)| -libm::log2(sum / count)).collect();
    left.sort_by(f64::total_cmp);
    Some(Identified {
        samples: guesses.len(),
        recall: guesses.iter().map(Guess::hit).sum::<f64>() / count,
        upper95: confidence::upper(&groups).unwrap_or(1.0),
        precision: (!accusations.is_empty()).then(|| accusations.iter().sum::<f64>() / accusations.len() as f64),
        auc: scores.auc(),
        tpr_at_fpr: scores.tpr_at(0.001),
        entropy_loss_bits: (loss / count).max(0.0),
        min_entropy_p5_bits: left[left.len() / 20].max(0.0),
    })
}

/// The groups of guesses, with their trials and hits.
pub fn groups(guesses: &[Guess]) -> Vec<Group> {
    let mut all: BTreeMap<u32, Group> = BTreeMap::new();
    for guess in guesses {
        let group = all.entry(guess.group).or_default();
        *group = Group { trials: group.trials + 1.0, hits: group.hits + guess.hit() };
    }
    all.into_values().collect()
}

/// How much each class of evidence is worth, by the parity of the groups that it was learned from.
struct Worth([BTreeMap<u32, (f64, f64)>; 2]);

impl Worth {
    fn of(guesses: &[Guess]) -> Self {
        let mut halves = [BTreeMap::new(), BTreeMap::new()];
        for guess in guesses {
            let Some(evidence) = guess.evidence else { continue };
            let entry: &mut (f64, f64) = halves[(guess.group % 2) as usize].entry(evidence.class).or_default();
            *entry = (entry.0 + evidence.hit, entry.1 + 1.0);
        }
        Self(halves)
    }

    /// What the other half says of it, with a doubtful case added.
    fn at(&self, guess: &Guess) -> f64 {
        let blind = 1.0 / f64::from(guess.among);
        let Some(evidence) = guess.evidence else { return blind };
        let other = &self.0[((guess.group + 1) % 2) as usize];
        other.get(&evidence.class).map_or(blind, |(hits, count)| (hits + blind) / (count + 1.0)).max(blind)
    }
}

/// Bits of doubt where one of `among` is it with the chance `sure` and the others are alike.
fn entropy(sure: f64, among: f64) -> f64 {
    let part = |share: f64| if share > 0.0 { -share * libm::log2(share) } else { 0.0 };
    part(sure) + if among > 1.0 { (1.0 - sure) * libm::log2(among - 1.0) + part(1.0 - sure) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tenth of all actions is exposed for sure, and of the rest nothing is seen.
    fn tenth() -> Vec<Guess> {
        let guess = |at: u32| Guess {
            group: at % 50 / 2,
            user: at % 100,
            among: 1_024,
            evidence: (at.is_multiple_of(10)).then_some(Evidence { class: 1, hit: 1.0 }),
        };
        (0..10_000).map(guess).collect()
    }

    #[test]
    fn an_exposure_of_a_tenth_costs_a_tenth_of_the_bits() {
        let found = identified(&tenth()).expect("guesses");
        assert!((found.recall - (0.1 + 0.9 / 1_024.0)).abs() < 1e-9);
        assert!((found.entropy_loss_bits - 1.0).abs() < 0.02, "{}", found.entropy_loss_bits);
        assert_eq!((found.samples, found.precision), (10_000, Some(1.0)));
        // A tenth is named for sure, of the rest the attacker knows nothing: 0.1 + 0.9 / 2.
        assert!((found.auc.expect("both") - 0.55).abs() < 1e-3);
        assert!((found.tpr_at_fpr.expect("both") - 0.1).abs() < 0.01);
        assert!(found.upper95 > found.recall);
        // The users with numbers divisible by ten are exposed every time.
        assert!(found.min_entropy_p5_bits < 0.05);
    }

    #[test]
    fn accusations_at_random_are_worth_nothing() {
        let mut guesses = tenth();
        for guess in &mut guesses {
            guess.evidence = Some(Evidence { class: 3, hit: 1.0 / 1_024.0 });
        }
        let found = identified(&guesses).expect("guesses");
        assert!(found.entropy_loss_bits < 0.01 && (found.auc.expect("both") - 0.5).abs() < 0.01);
        assert!((found.min_entropy_p5_bits - 10.0).abs() < 0.01);
    }
}
