//! Mobile tracing: an attacker who knows half the keys of a file beforehand follows its insert and moves towards the source.
//!
//! Between moves the colluders note from whom inserts of known keys come. Then they take the places that most searches for the
//! keys to come pass, and those that the nodes they suspect would ask. No rule lets a node choose its place, so this is more
//! than a legal attacker has; the same is measured with colluders that stay, and with some that are drawn anew.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{marked, sample, size};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::curve;
use crate::lab::attacks::finding::{Finding, Headline, Row, best};
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Evidence, Guess, identified};
use crate::lab::attacks::hops;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::part::{Measure, NETWORKS_BEFORE, Part, Plan, permille};
use crate::lab::attacks::paths::Relays;
use crate::lab::attacks::predecessor::{accuse, count};
use crate::lab::attacks::trace::{Action, Course, Trace};
use crate::lab::experiment::Progress;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "One node inserts a file of 100 blocks, of which every other key is known to the attacker. Ten times the colluders \
            move: to where the next known keys pass, and to those whom the suspects would ask.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    let subjects = [(Build::Prerouted, plan.networks()), (Build::Plain, NETWORKS_BEFORE)];
    Job::all(plan, &subjects, &[(Build::Classic, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let (inserted_files, blocks) = match (plan.is_small(), job.build) {
        (true, _) => (40, 40),
        (false, Build::Classic) => (100, 100),
        (false, _) => (150, 100),
    };
    let length = Course { inserts: 0, inserted_files, fetched_files: 0, blocks };
    let trace = Trace::record(job.build, plan.nodes, job.seed, length, progress);
    let files: Vec<Predicted<'_>> = trace.files(true).iter().map(|file| Predicted::of(&trace, file)).collect();
    let mut part = Part::default();
    for fraction in plan.fractions() {
        for rule in [STAYS, DRAWN, MOVES] {
            follow_all(&trace, &files, fraction, rule, job.seed, &mut part);
        }
    }
    part
}

/// An insert whose key was known beforehand.
#[derive(Clone, Debug)]
struct Known<'a> {
    action: &'a Action,
    /// Nodes that most searches for the key pass, most first.
    roads: Vec<u32>,
}

/// A file of which half was known.
struct Predicted<'a> {
    origin: u32,
    known: Vec<Known<'a>>,
}

impl<'a> Predicted<'a> {
    fn of(trace: &Trace, file: &[&'a Action]) -> Self {
        let known = |action: &&'a Action| Known { action, roads: roads(&trace.map, action) };
        Self { origin: file[0].origin, known: file.iter().step_by(2).map(known).collect() }
    }
}

fn follow_all(trace: &Trace, files: &[Predicted<'_>], fraction: f64, rule: &'static str, seed: u64, part: &mut Part) {
    let measure = |rule| Measure { what: INSERT, rule, placement: "", permille: permille(fraction) };
    let most = size(trace.nodes, fraction);
    let turns = || files.iter().enumerate().flat_map(|(at, file)| (0..TURNS).map(move |turn| (at, turn, file)));
    for (at, turn, file) in turns() {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ MOVING ^ ((at as u64) << 20) ^ turn);
        let (tally, at_guard) = follow(trace, file, most, rule, &mut random);
        let evidence = at_guard.or_else(|| accuse(&tally, file.origin));
        let guess = Guess { group: at as u32, user: file.origin, among: trace.nodes - most as u32, evidence };
        part.guesses.entry(measure(rule)).or_default().push(guess);
        if let (MOVES, Some(suspect)) = (rule, foremost(&tally).first()) {
            part.value(measure(DISTANCE), distance(trace, *suspect, file.origin));
        }
    }
}

/// Whom colluders noted how often while they followed an insert; and what those at a guard or a middle make of it. Who moves
/// comes anew and is pinned by nobody, so that only those of the first hour are; they are left where they were besides.
fn follow(
    trace: &Trace,
    file: &Predicted<'_>,
    most: usize,
    rule: &str,
    random: &mut ChaCha8Rng,
) -> (BTreeMap<u32, u32>, Option<Evidence>) {
    let anywhere = |random: &mut ChaCha8Rng| {
        let mut drawn = sample(trace.nodes, most + 1, random);
        // The source is nobody's colluder.
        drawn.retain(|node| *node != file.origin);
        drawn.truncate(most);
        drawn
    };
    let mut members = anywhere(random);
    let first = marked(trace.nodes, &members);
    let (mut tally, mut seen): (BTreeMap<u32, u32>, Vec<&Action>) = (BTreeMap::new(), Vec::new());
    let slice = file.known.len().div_ceil(MOVES_MADE).max(1);
    for now in file.known.chunks(slice) {
        members = match rule {
            STAYS => members,
            DRAWN => anywhere(random),
            _ => moved(trace, &tally, now, file.origin, anywhere(random)),
        };
        let colluders = marked(trace.nodes, &members);
        for (node, noted) in count(now.iter().map(|known| known.action), &colluders, hops::may_be_origin) {
            *tally.entry(node).or_default() += noted;
        }
        let relays = Relays::new(trace, &colluders);
        seen.extend(now.iter().map(|known| known.action).filter(|action| relays.see_key(action)));
    }
    let at_guard = Relays::new(trace, &first).linked(seen.into_iter());
    (tally, at_guard)
}

/// The places to be at for the next known keys: half of the colluders where these pass, half beside the suspects, and what is
/// left of them anywhere.
fn moved(trace: &Trace, tally: &BTreeMap<u32, u32>, next: &[Known<'_>], origin: u32, anywhere: Vec<u32>) -> Vec<u32> {
    let (most, half) = (anywhere.len(), anywhere.len().div_ceil(2));
    let deepest = next.iter().map(|known| known.roads.len()).max().unwrap_or(0);
    let in_turn = (0..deepest).flat_map(|rank| next.iter().filter_map(move |known| known.roads.get(rank)));
    let roads: Vec<u32> = in_turn.copied().collect();
    let asks = |suspect: u32| next.iter().filter_map(move |known| trace.map.next(suspect, known.action.target));
    let asked = foremost(tally).into_iter().take(SUSPECTS).flat_map(asks);
    let mut chosen = BTreeSet::new();
    let mut choose = |nodes: &mut dyn Iterator<Item = u32>, most: usize| {
        for node in nodes {
            if chosen.len() < most && node != origin {
                chosen.insert(node);
            }
        }
    };
    choose(&mut roads.iter().copied(), half);
    choose(&mut asked.into_iter(), most);
    choose(&mut roads.iter().copied(), most);
    choose(&mut anywhere.into_iter(), most);
    chosen.into_iter().collect()
}

/// The nodes that searches for a key pass, by the map, from all over the network: those first that most of them pass.
fn roads(map: &Map, action: &Action) -> Vec<u32> {
    let nodes = map.nodes() as u32;
    let mut passed: BTreeMap<u32, u32> = BTreeMap::new();
    for start in (0..nodes).step_by((nodes / STARTS).max(1) as usize) {
        let (mut at, mut way) = (start, vec![start]);
        while let Some(next) = map.next(at, action.target).filter(|next| way.len() < LONGEST && !way.contains(next)) {
            *passed.entry(next).or_default() += 1;
            way.push(next);
            at = next;
        }
    }
    let mut order = foremost(&passed);
    order.truncate(ROADS);
    order
}

/// Suspects, those noted most often first.
fn foremost(tally: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut order: Vec<(u32, u32)> = tally.iter().map(|(node, noted)| (*noted, *node)).collect();
    order.sort_unstable_by_key(|(noted, node)| (std::cmp::Reverse(*noted), *node));
    order.into_iter().map(|(_, node)| node).collect()
}

/// How far a suspect is from the source, as a share of what chance gives: a quarter of the ring.
fn distance(trace: &Trace, suspect: u32, origin: u32) -> f64 {
    let (Some(one), Some(other)) = (trace.map.place(suspect), trace.map.place(origin)) else { return 1.0 };
    one.distance(other).0 as f64 / (1_u64 << 62) as f64
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let recall = |rule| {
        let measure = Measure { what: INSERT, rule, placement: "", permille: FEW };
        parts.part(Build::Classic).guesses.get(&measure).and_then(|guesses| identified(guesses))
    };
    let (stays, moves) = (recall(STAYS), recall(MOVES));
    let gain = stays.zip(moves).map(|(stays, moves)| moves.recall / stays.recall.max(f64::MIN_POSITIVE));
    let name = "recall of colluders that move ÷ of those that stay, one in a hundred".to_owned();
    let control = Control::at_least(Build::Classic.name(), name, gain, 2.0, moves.map_or(0, |found| found.samples));
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    let (before, after) = (parts.part(Build::Plain), parts.part(Build::Prerouted));
    for build in [Build::Prerouted, Build::Plain] {
        finding.parts.extend(rows(parts.part(build)).into_iter().map(|row| row.of(build)));
    }
    for fraction in plan.fractions() {
        let of = |part| best(part, INSERT, permille(fraction)).map(|(_, found)| found);
        let values =
            (of(before).map(|found| found.recall), of(after).map(|one| (one.recall, one.upper95, one.samples)));
        let bounds = (goals::file(fraction), Some(fraction));
        finding.lines.push(Line::at_most("G6", "file inserted", fraction, values, bounds, &finding.control));
    }
    let Some((measure, found)) = best(after, INSERT, plan.permille()) else { return finding };
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
    let far = |(measure, values): (&Measure, &Vec<f64>)| Row::mean(measure, values);
    part.guesses.iter().filter_map(row).chain(part.values.iter().map(far)).collect()
}

const NAME: &str = "mobile-tracing";
const TITLE: &str = "Following an insert to its source";
const INSERT: &str = "insert";
const STAYS: &str = "colluders stay";
const DRAWN: &str = "colluders drawn anew";
const MOVES: &str = "colluders move";
const DISTANCE: &str = "distance of the suspect from the source, of chance";
/// So many moves, as the goal says.
const MOVES_MADE: usize = 10;
/// Where few collude, moving has most to gain.
const FEW: u32 = 10;
/// Suspects beside whom colluders wait.
const SUSPECTS: usize = 4;
/// Nodes from which a search is followed on the map, how far, and how many of those on its way are kept.
const STARTS: u32 = 32;
const LONGEST: usize = 8;
const ROADS: usize = 16;
/// Times that each file is followed, each with colluders of its own.
const TURNS: u64 = 24;
const MOVING: u64 = 0x6d6f_7665;
