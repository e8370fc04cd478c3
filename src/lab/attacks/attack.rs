//! What an attack is: jobs, each a course in a network of its own, and a finding drawn from what all of them yielded.
//!
//! Jobs are independent, so whoever has threads may run them at once. Some are of the build under attack, some of the
//! positive control.

use std::collections::BTreeMap;

use crate::lab::attacks::build::Build;
use crate::lab::attacks::finding::Finding;
use crate::lab::attacks::guess::Guess;
use crate::lab::attacks::scores::Scores;
use crate::lab::experiment::Progress;

/// One attack from the literature.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The rule, and where it is from.
    pub about: &'static str,
    /// The courses it takes.
    pub jobs: fn(&Plan) -> Vec<Job>,
    /// What they come to.
    pub conclude: fn(&Plan, &Parts) -> Finding,
}

/// How it is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Nodes of each network.
    pub nodes: u32,
    /// The fraction of them that colludes.
    pub fraction: f64,
    /// The seed of the first network.
    pub seed: u64,
    /// Whether the control is all that is run.
    pub control_only: bool,
}

/// A course in one network.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Which side of the comparison.
    pub side: Side,
    /// What is attacked.
    pub build: Build,
    /// The seed of its network.
    pub seed: u64,
    /// What is done.
    pub course: fn(&Plan, &Self, &mut Progress<'_>) -> Part,
}

/// Which side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The build under attack.
    Subject,
    /// The one that has to fall.
    Control,
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

/// What all courses yielded, by side.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Of the build under attack.
    pub subject: Part,
    /// Of the control.
    pub control: Part,
    /// Networks of the build under attack.
    pub networks: usize,
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

    /// Jobs on so many networks of the build under attack, and of the control.
    pub fn jobs(&self, subject: (Build, u64), control: (Build, u64), course: Course) -> Vec<Job> {
        let of = |side, (build, networks): (Build, u64)| {
            (0..networks).map(move |at| Job { side, build, seed: self.seed + at, course })
        };
        let subject = of(Side::Subject, subject).filter(|_| !self.control_only);
        subject.chain(of(Side::Control, control)).collect()
    }
}

/// What a job does.
pub type Course = fn(&Plan, &Job, &mut Progress<'_>) -> Part;

impl Parts {
    /// What all jobs yielded. Groups of different networks are kept apart.
    pub fn of(done: Vec<(Job, Part)>) -> Self {
        let mut parts = Self::default();
        for (at, (job, part)) in done.into_iter().enumerate() {
            let is_subject = job.side == Side::Subject;
            parts.networks += usize::from(is_subject);
            let side = if is_subject { &mut parts.subject } else { &mut parts.control };
            side.absorb(part, at as u32);
        }
        parts
    }
}

impl Part {
    fn absorb(&mut self, part: Self, network: u32) {
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
        crate::lab::statistics::mean(self.values.get(measure)?)
    }
}

/// A fraction in thousandths.
pub fn permille(fraction: f64) -> u32 {
    libm::round(fraction * 1_000.0) as u32
}

/// Networks below this are for tests.
const SMALL: u32 = 300;
/// Groups and users of one network.
const GROUP_BITS: u32 = 20;
