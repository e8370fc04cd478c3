//! The predecessor attack: over the blocks of one file, whoever came before a colluder most often is accused.
//!
//! Wright, Adler, Levine and Shields 2002. A file is a set of linked rounds: its keys are known to whoever has its manifest.
//! Two rules: every sighting counts; or only those in which the sender may be the origin by its hops to live.

use std::collections::BTreeMap;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{Placement, Sets};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::curve;
use crate::lab::attacks::finding::{Finding, Headline, Row, best, best_placed};
use crate::lab::attacks::first_spy::honest;
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Evidence, Guess, identified};
use crate::lab::attacks::hops;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan, permille};
use crate::lab::attacks::paths::Relays;
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
    let controls = [(Build::Classic, 1), (Build::GuardsOff, 1)];
    Job::all(
        plan,
        &[(Build::Prerouted, plan.networks()), (Build::Plain, plan.networks().div_ceil(2).min(2))],
        &controls,
        course,
    )
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
    let is_control = matches!(job.build, Build::Classic | Build::GuardsOff);
    let (inserts, fetched_files) = if is_control { (2_000, 150) } else { (5_000, 330) };
    Course { inserts, inserted_files: 0, fetched_files, blocks: FILE }
}

/// Every file is judged by several sets of colluders, each of its own; what depends on the file is one group.
fn observe(trace: &Trace, sets: &Sets, placement: Placement, fraction: f64, part: &mut Part) {
    let turns = if placement == Placement::Random { TURNS } else { 1 };
    for (at, file) in trace.files(false).iter().enumerate() {
        for turn in 0..turns {
            judge(trace, (at as u32, file), sets.of(at * turns + turn), (placement, fraction), part);
        }
    }
}

fn judge(
    trace: &Trace,
    (number, file): (u32, &[&Action]),
    colluders: &[bool],
    (placement, fraction): (Placement, f64),
    part: &mut Part,
) {
    let (origin, among) = (file[0].origin, honest(trace, colluders));
    if colluders[origin as usize] {
        return;
    }
    let mut guess = |rule, evidence| {
        let measure = Measure { what: FETCH, rule, placement: placement.name(), permille: permille(fraction) };
        let guess = Guess { group: number, user: origin, among, evidence };
        part.guesses.entry(measure).or_default().push(guess);
    };
    let rules: [(&'static str, Counts); 2] = [(ALL, |_| true), (NEAR, hops::may_be_origin)];
    for (rule, counts) in rules {
        guess(rule, accuse(&count(file.iter().copied(), colluders, counts), origin));
    }
    if trace.has_paths() {
        let relays = Relays::new(trace, colluders);
        guess(TIMED, relays.linked(file.iter().copied().filter(|action| relays.see_key(action))));
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
    let reached = |build: Build| {
        let found = best(parts.part(build), FETCH, plan.permille()).map(|(_, found)| found);
        let (value, samples) = (found.map(|found| found.recall), found.map_or(0, |found| found.samples));
        Control::at_least(build.name(), format!("recall of a file of {blocks} blocks"), value, level, samples)
    };
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, reached(Build::GuardsOff));
    finding.controls.push(reached(Build::Classic));
    finding.networks = parts.networks(Build::Prerouted);
    let (before, after) = (parts.part(Build::Plain), parts.part(Build::Prerouted));
    for build in [Build::Prerouted, Build::Plain] {
        let row = |(measure, guesses): (&Measure, &Vec<Guess>)| {
            let goal = goals::file(f64::from(measure.permille) / 1_000.0);
            Some(Row::identified(measure, &identified(guesses)?, Some(goal)).of(build))
        };
        finding.parts.extend(parts.part(build).guesses.iter().filter_map(row));
    }
    for fraction in plan.fractions() {
        for placement in Placement::ALL {
            let of = |part| best_placed(part, FETCH, permille(fraction), placement.name()).map(|(_, found)| found);
            let now = of(after).map(|one| (one.recall, one.upper95, one.samples));
            let values = (of(before).map(|found| found.recall), now);
            let bounds = (goals::file(fraction), Some(fraction));
            let what = format!("file of {blocks} blocks, {}", placement.name());
            finding.lines.push(Line::at_most("G3", what, fraction, values, bounds, &finding.control));
        }
    }
    let Some((measure, found)) = best(after, FETCH, plan.permille()) else { return finding };
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
const TIMED: &str = "guard, middle and far end by their clocks";
/// Colluding sets of one network.
const SETS: usize = 2_048;
/// Sets that judge one file, where sets are drawn.
const TURNS: usize = 8;

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
