//! How an attack is run, and what one course of it yields: guesses, scores and plain values, by what they measure.

use std::collections::BTreeMap;

use crate::lab::attacks::guess::Guess;
use crate::lab::attacks::scores::Scores;
use crate::lab::statistics;

/// How it is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Nodes of each network.
    pub nodes: u32,
    /// The fraction of them that colludes.
    pub fraction: f64,
    /// The seed of the first network.
    pub seed: u64,
    /// Networks of the build under attack; as many as differ enough to show, where it is not said.
    pub asked_networks: Option<u16>,
    /// Whether the control is all that is run.
    pub control_only: bool,
}

/// Which of several measures of an attack: what was done, by which rule, with colluders placed how, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measure {
    /// What was attacked: fetch, insert, …
    pub what: &'static str,
    /// The estimator.
    pub rule: &'static str,
    /// How colluders were placed.
    pub placement: &'static str,
    /// The fraction that colluded, in thousandths.
    pub permille: u32,
}

/// What one course yielded.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Guesses of who acted.
    pub guesses: BTreeMap<Measure, Vec<Guess>>,
    /// Scores of two classes.
    pub scores: BTreeMap<Measure, Scores>,
    /// Plain values, to be averaged over all.
    pub values: BTreeMap<Measure, Vec<f64>>,
}

impl Plan {
    /// The fraction in thousandths.
    pub fn permille(&self) -> u32 {
        permille(self.fraction)
    }

    /// The fractions that a curve shows: those of the goals, and the one asked for.
    pub fn fractions(&self) -> Vec<f64> {
        let mut all = vec![0.01, 0.05, 0.10, 0.20];
        if !all.iter().any(|one| permille(*one) == self.permille()) {
            all.push(self.fraction);
        }
        all.sort_by(f64::total_cmp);
        all
    }

    /// Whether the networks are so small that the run only shows that it works.
    pub const fn is_small(&self) -> bool {
        self.nodes < SMALL
    }

    /// Networks of the build under attack: what differs from one to the next has to show.
    pub const fn networks(&self) -> u64 {
        match self.asked_networks {
            Some(count) => count as u64,
            None if self.is_small() => 1,
            None => 4,
        }
    }
}

impl Part {
    /// Takes in what the course in another network yielded; its groups and users stay apart.
    pub fn absorb(&mut self, part: Self, network: u32) {
        for (measure, guesses) in part.guesses {
            let apart = |guess: Guess| Guess {
                group: guess.group + (network << GROUP_BITS),
                user: guess.user + (network << GROUP_BITS),
                ..guess
            };
            self.guesses.entry(measure).or_default().extend(guesses.into_iter().map(apart));
        }
        for (measure, scores) in part.scores {
            self.scores.entry(measure).or_default().merge(&scores, network << GROUP_BITS);
        }
        for (measure, values) in part.values {
            self.values.entry(measure).or_default().extend(values);
        }
    }

    /// Notes a plain value.
    pub fn value(&mut self, measure: Measure, value: f64) {
        self.values.entry(measure).or_default().push(value);
    }

    /// The mean of a plain value.
    pub fn mean(&self, measure: &Measure) -> Option<f64> {
        statistics::mean(self.values.get(measure)?)
    }
}

/// A fraction in thousandths.
pub fn permille(fraction: f64) -> u32 {
    libm::round(fraction * 1_000.0) as u32
}

/// Networks of the build without the defence, which is there to be compared with.
pub const NETWORKS_BEFORE: u64 = 1;
/// Networks below this are for tests.
const SMALL: u32 = 300;
/// Groups and users of one network.
const GROUP_BITS: u32 = 20;
