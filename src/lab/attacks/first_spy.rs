//! The first spy: of all colluders the one that sees a key first accuses whoever it came from.
//!
//! Biryukov and others 2014, Fanti and Viswanath 2017. Two rules: the predecessor itself; and, with the map of the network and
//! what hops to live tell, the likeliest of the predecessor and those who would have asked it. Fetches and inserts apart.

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{Placement, Sets};
use crate::lab::attacks::curve;
use crate::lab::attacks::finding::{Control, Finding, Headline, Row, best};
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Evidence, Guess, identified};
use crate::lab::attacks::hops;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::part::{Measure, Part, Plan, permille};
use crate::lab::attacks::trace::{Action, Course, Trace};
use crate::lab::experiment::Progress;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "Every colluder notes when a key came to it and from whom. The earliest note counts: its sender is accused, or \
            whoever would have asked that sender, whichever is likelier by map and hops to live.",
    jobs,
    conclude,
};

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
        return Course { inserts: 400, inserted_files: 0, fetched_files: 50, blocks: 20 };
    }
    // In 2001 a store holds 50 blocks, and an operation takes longer.
    let fetched_files = if job.build == Build::Classic { 100 } else { 250 };
    Course { inserts: 25_000.min(fetched_files * 100), inserted_files: 0, fetched_files, blocks: 100 }
}

/// What sets of colluders make of a trace.
fn observe(trace: &Trace, sets: &Sets, placement: Placement, fraction: f64, part: &mut Part) {
    for (at, action) in trace.actions.iter().enumerate() {
        let colluders = sets.of(at);
        if colluders[action.origin as usize] {
            continue;
        }
        let what = if action.insert { INSERT } else { FETCH };
        let measure = |rule| Measure { what, rule, placement: placement.name(), permille: permille(fraction) };
        for (rule, evidence) in
            [(PREDECESSOR, predecessor(action, colluders)), (LIKELIEST, likeliest(&trace.map, action, colluders))]
        {
            let guess =
                Guess { group: sets.number(at), user: action.origin, among: honest(trace, colluders), evidence };
            part.guesses.entry(measure(rule)).or_default().push(guess);
        }
        let seen = f64::from(u8::from(action.first(colluders).is_some()));
        part.value(measure(VISIBLE), seen);
    }
}

/// How many did not collude.
pub fn honest(trace: &Trace, colluders: &[bool]) -> u32 {
    trace.nodes - colluders.iter().filter(|colludes| **colludes).count() as u32
}

/// Accuses whoever the first colluder had it from.
pub fn predecessor(action: &Action, colluders: &[bool]) -> Option<Evidence> {
    let first = action.first(colluders)?;
    let hit = f64::from(u8::from(first.from == action.origin));
    // An offer comes from the end of an insert, not from its origin.
    (first.routed && !colluders[first.from as usize]).then_some(Evidence { class: hops::class(first), hit })
}

/// Accuses the likeliest of the predecessor and those who would have asked it.
fn likeliest(map: &Map, action: &Action, colluders: &[bool]) -> Option<Evidence> {
    let first = action.first(colluders)?;
    let plain = predecessor(action, colluders)?;
    let odds = hops::odds(first);
    let before = map.naming(first.from);
    let asks = |node: &u32| map.next(*node, action.target) == Some(first.from);
    let askers: Vec<u32> = before.into_iter().filter(|node| !colluders[*node as usize]).filter(asks).collect();
    // One action is as likely of any node: the predecessor is one of them, and each asker is one.
    if odds[0] >= odds[1] || askers.is_empty() {
        return Some(plain);
    }
    let hit = if askers.contains(&action.origin) { 1.0 / askers.len() as f64 } else { 0.0 };
    Some(Evidence { class: plain.class + hops::CLASSES * (1 + askers.len().ilog2()), hit })
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let (of_control, level) = (best(&parts.control, FETCH, plan.permille()), 0.9 * plan.fraction);
    let value = of_control.map(|(_, found)| found.recall);
    let samples = of_control.map_or(0, |(_, found)| found.samples);
    let control = Control::at_least(Build::Classic.name(), "recall of a fetch".into(), value, level, samples);
    let mut finding = Finding::new((NAME, TITLE), Build::Plain.name(), plan, control);
    finding.networks = parts.networks;
    finding.parts = rows(plan, &parts.subject);
    let Some((measure, found)) = best(&parts.subject, FETCH, plan.permille()) else { return finding };
    let seen = visibility(&parts.subject, &measure);
    let goal = goals::single(plan.fraction, seen, plan.nodes);
    let mut headline = Headline::identified(format!("recall of a {}", measure.text()), &found, goal);
    headline.visibility = Some(seen);
    let inserts = best(&parts.subject, INSERT, plan.permille());
    let inserts_met = inserts.is_none_or(|(measure, found)| {
        found.upper95 <= goals::single(plan.fraction, visibility(&parts.subject, &measure), plan.nodes)
    });
    headline.met = Some(found.upper95 <= goal && inserts_met);
    finding.headline = headline;
    finding.figures = curve::figures(plan, parts, FETCH, "recall of one fetch", |fraction| {
        best(&parts.subject, FETCH, permille(fraction))
            .map(|(measure, _)| goals::single(fraction, visibility(&parts.subject, &measure), plan.nodes))
    });
    finding
}

/// The share of actions that a colluder saw.
fn visibility(part: &Part, measure: &Measure) -> f64 {
    part.mean(&Measure { rule: VISIBLE, ..*measure }).unwrap_or(0.0)
}

fn rows(plan: &Plan, part: &Part) -> Vec<Row> {
    let row = |(measure, guesses): (&Measure, &Vec<Guess>)| {
        let fraction = f64::from(measure.permille) / 1_000.0;
        let goal = goals::single(fraction, visibility(part, measure), plan.nodes);
        Some(Row::identified(measure, &identified(guesses)?, Some(goal)))
    };
    part.guesses.iter().filter_map(row).collect()
}

const NAME: &str = "first-spy";
const TITLE: &str = "Who was seen first to ask";
const FETCH: &str = "fetch";
const INSERT: &str = "insert";
const PREDECESSOR: &str = "predecessor";
const LIKELIEST: &str = "likeliest by map and hops";
const VISIBLE: &str = "visible";
/// Colluding sets of one network.
const SETS: usize = 256;
