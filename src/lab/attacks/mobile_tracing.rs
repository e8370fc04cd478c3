//! Mobile tracing: an attacker who knows half the keys of a file beforehand follows its insert and moves towards the source.
//!
//! Between moves the colluders note from whom inserts of known keys come. Then they take the places where they would see most
//! of the nodes they suspect: those whom these would ask, and those beside them. No rule lets a node choose its place, so this
//! is more than a legal attacker has; the same is measured with colluders that stay, and with some that are drawn anew.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::lab::attacks::attack::{Attack, Job, Measure, Part, Parts, Plan, permille};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{marked, sample, size};
use crate::lab::attacks::curve;
use crate::lab::attacks::finding::{Control, Finding, Headline, Row, best};
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Guess, identified};
use crate::lab::attacks::hops;
use crate::lab::attacks::predecessor::{accuse, count};
use crate::lab::attacks::trace::{Action, Course, Trace};
use crate::lab::experiment::Progress;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "One node inserts a file of 100 blocks, of which every other key is known to the attacker. Ten times the colluders \
            move to where they would see most of the nodes noted so far.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    let networks = if plan.is_small() { 1 } else { 4 };
    plan.jobs((Build::Plain, networks), (Build::Classic, 1), course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let (inserted_files, blocks) = match (plan.is_small(), job.build) {
        (true, _) => (40, 40),
        (false, Build::Classic) => (150, 100),
        (false, _) => (330, 100),
    };
    let length = Course { inserts: 0, inserted_files, fetched_files: 0, blocks };
    let trace = Trace::record(job.build, plan.nodes, job.seed, length, progress);
    let mut part = Part::default();
    for fraction in plan.fractions() {
        for rule in [STAYS, DRAWN, MOVES] {
            follow_all(&trace, fraction, rule, job.seed, &mut part);
        }
    }
    part
}

fn follow_all(trace: &Trace, fraction: f64, rule: &'static str, seed: u64, part: &mut Part) {
    let measure = |rule| Measure { what: INSERT, rule, placement: "", permille: permille(fraction) };
    let most = size(trace.nodes, fraction);
    for (at, file) in trace.files(true).iter().enumerate() {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ MOVING ^ ((at as u64) << 20));
        let origin = file[0].origin;
        let known: Vec<&Action> = file.iter().step_by(2).copied().collect();
        let tally = follow(trace, origin, &known, most, rule, &mut random);
        let evidence = accuse(&tally, origin);
        let guess = Guess { group: at as u32, user: origin, among: trace.nodes - most as u32, evidence };
        part.guesses.entry(measure(rule)).or_default().push(guess);
        if let (MOVES, Some(suspect)) = (rule, foremost(&tally).first()) {
            part.value(measure(DISTANCE), distance(trace, *suspect, origin));
        }
    }
}

/// Whom colluders noted how often while they followed an insert.
fn follow(
    trace: &Trace,
    origin: u32,
    known: &[&Action],
    most: usize,
    rule: &str,
    random: &mut ChaCha8Rng,
) -> BTreeMap<u32, u32> {
    let anywhere = |random: &mut ChaCha8Rng| {
        let mut drawn = sample(trace.nodes, most + 1, random);
        // The source is nobody's colluder.
        drawn.retain(|node| *node != origin);
        drawn.truncate(most);
        drawn
    };
    let mut members = anywhere(random);
    let mut tally: BTreeMap<u32, u32> = BTreeMap::new();
    let slice = known.len().div_ceil(MOVES_MADE).max(1);
    let mut slices = known.chunks(slice).peekable();
    while let Some(now) = slices.next() {
        let colluders = marked(trace.nodes, &members);
        for (node, noted) in count(now.iter().copied(), &colluders, hops::may_be_origin) {
            *tally.entry(node).or_default() += noted;
        }
        let Some(next) = slices.peek() else { break };
        members = match rule {
            STAYS => members,
            DRAWN => anywhere(random),
            _ => beside(trace, &tally, next, most, origin, anywhere(random)),
        };
    }
    tally
}

/// The places from which most of the suspects would be seen; what is left of the colluders goes anywhere.
fn beside(
    trace: &Trace,
    tally: &BTreeMap<u32, u32>,
    next: &[&Action],
    most: usize,
    origin: u32,
    anywhere: Vec<u32>,
) -> Vec<u32> {
    let mut chosen = BTreeSet::new();
    for suspect in foremost(tally) {
        let asked = next.iter().filter_map(|action| trace.map.next(suspect, action.target));
        for node in asked.chain(neighbour_on_ring(trace, suspect)) {
            if chosen.len() < most && node != origin && node != suspect {
                chosen.insert(node);
            }
        }
    }
    for node in anywhere {
        if chosen.len() < most {
            chosen.insert(node);
        }
    }
    chosen.into_iter().collect()
}

/// Suspects, those noted most often first.
fn foremost(tally: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut order: Vec<(u32, u32)> = tally.iter().map(|(node, noted)| (*noted, *node)).collect();
    order.sort_unstable_by_key(|(noted, node)| (std::cmp::Reverse(*noted), *node));
    order.into_iter().map(|(_, node)| node).collect()
}

fn neighbour_on_ring(trace: &Trace, node: u32) -> Option<u32> {
    let own = trace.map.place(node)?;
    let others = trace.map.near(node).iter().filter_map(|other| Some((trace.map.place(*other)?.distance(own), *other)));
    others.min().map(|(_, other)| other)
}

/// How far a suspect is from the source, as a share of what chance gives: a quarter of the ring.
fn distance(trace: &Trace, suspect: u32, origin: u32) -> f64 {
    let (Some(one), Some(other)) = (trace.map.place(suspect), trace.map.place(origin)) else { return 1.0 };
    one.distance(other).0 as f64 / (1_u64 << 62) as f64
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let recall = |rule| {
        let measure = Measure { what: INSERT, rule, placement: "", permille: FEW };
        parts.control.guesses.get(&measure).and_then(|guesses| identified(guesses))
    };
    let (stays, moves) = (recall(STAYS), recall(MOVES));
    let gain = stays.zip(moves).map(|(stays, moves)| moves.recall / stays.recall.max(f64::MIN_POSITIVE));
    let name = "recall of colluders that move ÷ of those that stay, one in a hundred".to_owned();
    let control =
        Control::at_least(Build::Classic.name(), name, gain, 2.0, moves.map_or(0, |found| found.samples));
    let mut finding = Finding::new((NAME, TITLE), Build::Plain.name(), plan, control);
    finding.networks = parts.networks;
    finding.parts = rows(&parts.subject);
    let Some((measure, found)) = best(&parts.subject, INSERT, plan.permille()) else { return finding };
    finding.headline =
        Headline::identified(format!("recall of an insert: {}", measure.text()), &found, goals::file(plan.fraction));
    finding.figures =
        curve::figures(plan, parts, INSERT, "recall of one insert", |fraction| Some(goals::file(fraction)));
    finding
}

fn rows(part: &Part) -> Vec<Row> {
    let row = |(measure, guesses): (&Measure, &Vec<Guess>)| {
        let goal = goals::file(f64::from(measure.permille) / 1_000.0);
        Some(Row::identified(measure, &identified(guesses)?, Some(goal)))
    };
    let far = |(measure, values): (&Measure, &Vec<f64>)| Row {
        what: measure.text(),
        colluders: f64::from(measure.permille) / 1_000.0,
        value: part.mean(measure),
        upper95: None,
        goal: None,
        met: None,
        samples: values.len(),
    };
    part.guesses.iter().filter_map(row).chain(part.values.iter().map(far)).collect()
}

const NAME: &str = "mobile-tracing";
const TITLE: &str = "Following an insert to its source";
const INSERT: &str = "insert";
const STAYS: &str = "colluders stay";
const DRAWN: &str = "colluders drawn anew";
const MOVES: &str = "colluders move to suspects";
const DISTANCE: &str = "distance of the suspect from the source, of chance";
/// So many moves, as the goal says.
const MOVES_MADE: usize = 10;
/// Where few collude, moving has most to gain.
const FEW: u32 = 10;
const MOVING: u64 = 0x6d6f_7665;
