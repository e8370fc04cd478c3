//! What an attack is: jobs, each a course in a network of its own, and a finding drawn from what all of them yielded.
//!
//! Jobs are independent, so whoever has threads may run them at once. Some are of the build under attack, some of the
//! positive control.

use std::collections::BTreeMap;

use crate::lab::attacks::build::Build;
use crate::lab::attacks::finding::Finding;
use crate::lab::attacks::part::{Part, Plan};
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

/// What all courses yielded, by build.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    all: BTreeMap<Build, Part>,
    networks: BTreeMap<Build, usize>,
    nothing: Part,
}

impl Job {
    /// Jobs on so many networks of each build under attack, and of each control.
    pub fn all(plan: &Plan, subjects: &[(Build, u64)], controls: &[(Build, u64)], course: Course) -> Vec<Self> {
        let of = |side, (build, networks): (Build, u64)| {
            (0..networks).map(move |at| Self { side, build, seed: plan.seed + at, course })
        };
        let subjects = subjects.iter().filter(|_| !plan.control_only);
        let subjects = subjects.flat_map(|subject| of(Side::Subject, *subject));
        subjects.chain(controls.iter().flat_map(|control| of(Side::Control, *control))).collect()
    }
}

/// What a job does.
pub type Course = fn(&Plan, &Job, &mut Progress<'_>) -> Part;

impl Parts {
    /// What all jobs yielded. Groups of different networks are kept apart.
    pub fn of(done: Vec<(Job, Part)>) -> Self {
        let mut parts = Self::default();
        for (at, (job, part)) in done.into_iter().enumerate() {
            *parts.networks.entry(job.build).or_default() += 1;
            parts.all.entry(job.build).or_default().absorb(part, at as u32);
        }
        parts
    }

    /// What the courses on a build yielded; nothing where there were none.
    pub fn part(&self, build: Build) -> &Part {
        self.all.get(&build).unwrap_or(&self.nothing)
    }

    /// How many networks of a build there were.
    pub fn networks(&self, build: Build) -> usize {
        self.networks.get(&build).copied().unwrap_or(0)
    }
}
