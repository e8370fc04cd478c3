//! The predecessor attack: over the blocks of one file, whoever came before a colluder most often is accused.
//!
//! Wright, Adler, Levine and Shields 2002. A file is a set of linked rounds: its keys are known to whoever has its manifest.
//! Two rules: every sighting counts; or only those in which the sender may be the origin by its hops to live.

use std::collections::BTreeMap;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{Placement, Sets};
use crate::lab::attacks::curve;
use crate::lab::attacks::finding::{Control, Finding, Headline, Row, best};
use crate::lab::attacks::first_spy::honest;
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Evidence, Guess, identified};
use crate::lab::attacks::hops;
use crate::lab::attacks::part::{Measure, Part, Plan, permille};
use crate::lab::attacks::trace::{Action, Course, Sighting, Trace};
use crate::lab::experiment::Progress;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "One node fetches a file of 100 blocks. For every block the first colluder notes from whom the request came; the \
            node noted most often is accused.",
    jobs,
    conclude,
};

/// Which sightings count.
pub type Counts = fn(&Sighting) -> bool;

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, (Build::Plain, plan.networks()), (Build::Classic, 1), course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let trace = Trace::record(job.build, plan.nodes, job.seed, length(plan, job), progress);
    let mut part = Part::default();
    Sets::each(&trace, plan.fractions(), (SETS, job.seed), |sets, placement, fraction| {
        observe(&trace, sets, placement, fraction, &mut part);
    });
    part
}

fn length(plan: &Plan, job: &Job) -> Course {
    if plan.is_small() {
        return Course { inserts: 400, inserted_files: 0, fetched_files: 60, blocks: SMALL_FILE };
    }
    let (inserts, fetched_files) = if job.build == Build::Classic { (2_000, 150) } else { (5_000, 330) };
    Course { inserts, inserted_files: 0, fetched_files, blocks: FILE }
}

fn observe(trace: &Trace, sets: &Sets, placement: Placement, fraction: f64, part: &mut Part) {
    for (at, file) in trace.files(false).iter().enumerate() {
        let (origin, colluders) = (file[0].origin, sets.of(at));
        if colluders[origin as usize] {
            continue;
        }
        let rules: [(&'static str, Counts); 2] = [(ALL, |_| true), (NEAR, hops::may_be_origin)];
        for (rule, counts) in rules {
            let measure = Measure { what: FETCH, rule, placement: placement.name(), permille: permille(fraction) };
            let evidence = accuse(&count(file.iter().copied(), colluders, counts), origin);
            let guess = Guess { group: sets.number(at), user: origin, among: honest(trace, colluders), evidence };
            part.guesses.entry(measure).or_default().push(guess);
        }
    }
}

/// How often each honest node came before the first colluder.
pub fn count<'a>(actions: impl Iterator<Item = &'a Action>, colluders: &[bool], counts: Counts) -> BTreeMap<u32, u32> {
    let mut tally = BTreeMap::new();
    for first in actions.filter_map(|action| action.first(colluders)) {
        if first.routed && counts(first) && !colluders[first.from as usize] {
            *tally.entry(first.from).or_default() += 1;
        }
    }
    tally
}

/// Accuses whoever was counted most often; among equals by lot.
pub fn accuse(tally: &BTreeMap<u32, u32>, origin: u32) -> Option<Evidence> {
    let most = *tally.values().max()?;
    let ties = tally.values().filter(|count| **count == most).count();
    let second = tally.values().filter(|count| **count < most).max().copied().unwrap_or(0);
    let hit = if tally.get(&origin) == Some(&most) { 1.0 / ties as f64 } else { 0.0 };
    let lead = if ties > 1 { 0 } else { 1 + (most - second).ilog2().min(6) };
    Some(Evidence { class: most.ilog2() * 8 + lead, hit })
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let blocks = if plan.is_small() { SMALL_FILE } else { FILE };
    // What random first hops would give away, of which a control shows at least four fifths.
    let level = 0.8 * (1.0 - libm::pow(1.0 - plan.fraction * plan.fraction, f64::from(blocks)));
    let of_control = best(&parts.control, FETCH, plan.permille());
    let value = of_control.map(|(_, found)| found.recall);
    let samples = of_control.map_or(0, |(_, found)| found.samples);
    let control =
        Control::at_least(Build::Classic.name(), format!("recall of a file of {blocks} blocks"), value, level, samples);
    let mut finding = Finding::new((NAME, TITLE), Build::Plain.name(), plan, control);
    finding.networks = parts.networks;
    let row = |(measure, guesses): (&Measure, &Vec<Guess>)| {
        let goal = goals::file(f64::from(measure.permille) / 1_000.0);
        Some(Row::identified(measure, &identified(guesses)?, Some(goal)))
    };
    finding.parts = parts.subject.guesses.iter().filter_map(row).collect();
    let Some((measure, found)) = best(&parts.subject, FETCH, plan.permille()) else { return finding };
    let name = format!("recall of a file of {blocks} blocks: {}", measure.text());
    finding.headline = Headline::identified(name, &found, goals::file(plan.fraction));
    finding.figures = curve::figures(plan, parts, FETCH, "recall of one file", |fraction| Some(goals::file(fraction)));
    finding
}

const NAME: &str = "predecessor";
const TITLE: &str = "Who came before colluders most often";
const FETCH: &str = "fetch";
const ALL: &str = "every sighting";
const NEAR: &str = "sightings near the origin";
/// Blocks of a file.
const FILE: u32 = 100;
const SMALL_FILE: u32 = 20;
/// Colluding sets of one network: one for each file.
const SETS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_counted_most_is_accused_and_equals_share_the_blame() {
        let tally = BTreeMap::from([(3, 5), (4, 2)]);
        assert_eq!(accuse(&tally, 3).map(|evidence| evidence.hit), Some(1.0));
        assert_eq!(accuse(&tally, 4).map(|evidence| evidence.hit), Some(0.0));
        let even = BTreeMap::from([(3, 5), (4, 5)]);
        assert_eq!(accuse(&even, 4).map(|evidence| evidence.hit), Some(0.5));
        assert_eq!(accuse(&BTreeMap::new(), 4), None);
    }
}
