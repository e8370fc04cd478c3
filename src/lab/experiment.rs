//! What an experiment is: trials that yield samples, and findings drawn from them.
//!
//! A sample is one number of one trial: what it is, at which point of the course, and its value. This is all that travels
//! from the trials to the findings, so a report can be drawn again from the samples alone.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::lab::figure::Figure;
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// One named experiment.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// What it is called on the command line and in file names.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What was published, and what is measured here: Markdown.
    pub about: &'static str,
    /// The trials it takes.
    pub trials: fn(Effort) -> Vec<Trial>,
    /// What the trials come to.
    pub findings: fn(&Outcomes) -> Findings,
}

/// How much an experiment may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Seconds: fewer trials, smaller networks. Shows that it works, proves nothing.
    Quick,
    /// As many trials as the report is worth.
    Full,
}

/// One course of one network.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Which of the experiment's scenarios; empty where there is one only.
    pub variant: &'static str,
    /// The network; its seed names the trial.
    pub scenario: Scenario,
    /// About how many operations and probes that is, for the progress bar.
    pub steps: u64,
    /// What is done with the network, and measured.
    pub course: Course,
}

/// What is done with a network, and measured: the samples follow from the scenario alone.
pub type Course = fn(&Scenario, &mut Progress<'_>) -> Vec<Sample>;

/// Called now and then with the steps done so far, and a total that is of no use here.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// One number of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What was measured.
    pub name: Cow<'static, str>,
    /// At which time, size, share, …
    pub at: f64,
    /// The value.
    pub value: f64,
}

/// What one trial yielded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which of the experiment's scenarios.
    #[serde(default)]
    pub variant: Cow<'static, str>,
    /// Its seed.
    pub seed: u64,
    /// Its samples.
    pub samples: Vec<Sample>,
}

/// What all trials of an experiment yielded, in the order of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outcomes(pub Vec<Outcome>);

/// What an experiment comes to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Lines of the reproduction table.
    pub rows: Vec<Row>,
    /// Its plots.
    pub figures: Vec<Figure>,
}

impl Sample {
    /// The value of `name` at `at`.
    pub const fn new(name: &'static str, at: f64, value: f64) -> Self {
        Self { name: Cow::Borrowed(name), at, value }
    }
}

impl Trial {
    /// Runs it.
    pub fn run(&self, progress: &mut Progress<'_>) -> Outcome {
        let samples = (self.course)(&self.scenario, progress);
        Outcome { variant: Cow::Borrowed(self.variant), seed: self.scenario.seed, samples }
    }
}

impl Outcomes {
    /// Those of one scenario.
    #[must_use]
    pub fn of(&self, variant: &str) -> Self {
        Self(self.0.iter().filter(|outcome| outcome.variant == variant).cloned().collect())
    }

    /// The values of a measure at one point, one for each trial that came there.
    pub fn values(&self, name: &str, at: f64) -> Vec<f64> {
        let is_it = |sample: &&Sample| sample.name == name && sample.at == at;
        self.0.iter().filter_map(|outcome| outcome.samples.iter().find(is_it)).map(|sample| sample.value).collect()
    }

    /// The seeds of all trials, as a range where they are one.
    pub fn seeds(&self) -> String {
        range(self.0.iter().map(|outcome| outcome.seed).collect())
    }

    /// The seeds of the trials that came to one point of a measure.
    pub fn seeds_at(&self, name: &str, at: f64) -> String {
        let came = |outcome: &&Outcome| outcome.samples.iter().any(|sample| sample.name == name && sample.at == at);
        range(self.0.iter().filter(came).map(|outcome| outcome.seed).collect())
    }

    /// All points at which a measure was taken, in order.
    pub fn points(&self, name: &str) -> Vec<f64> {
        let all = self.0.iter().flat_map(|outcome| &outcome.samples).filter(|sample| sample.name == name);
        let mut points: Vec<f64> = all.map(|sample| sample.at).collect();
        points.sort_by(f64::total_cmp);
        points.dedup();
        points
    }

    /// The mean over trials at every point.
    pub fn means(&self, name: &str) -> Vec<(f64, f64)> {
        let at = |point: f64| Some((point, statistics::mean(&self.values(name, point))?));
        self.points(name).into_iter().filter_map(at).collect()
    }

    /// The median over trials at every point.
    pub fn medians(&self, name: &str) -> Vec<(f64, f64)> {
        let at = |point: f64| Some((point, statistics::median(&self.values(name, point))?));
        self.points(name).into_iter().filter_map(at).collect()
    }
}

fn range(mut seeds: Vec<u64>) -> String {
    seeds.sort_unstable();
    seeds.dedup();
    match seeds[..] {
        [] => "none".into(),
        [one] => one.to_string(),
        [first, .., last] if last - first == seeds.len() as u64 - 1 => format!("{first}–{last}"),
        _ => seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}
