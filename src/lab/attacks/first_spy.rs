//! The first spy: of all colluders the one that sees a key first accuses whoever it came from.
//!
//! Biryukov and others 2014, Fanti and Viswanath 2017. Two rules: the predecessor itself; and, with the map of the network and
//! what hops to live tell, the likeliest of the predecessor and those who would have asked it. Fetches and inserts apart.

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{Placement, Sets};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::curve;
use crate::lab::attacks::finding::{Finding, Headline, Row, best, best_placed};
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Evidence, Guess, Identified, identified};
use crate::lab::attacks::hops;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::part::{Measure, NETWORKS_BEFORE, Part, Plan, permille};
use crate::lab::attacks::paths::{Identities, Relays};
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
    let controls = [(Build::Classic, 1), (Build::OneRelay, 1)];
    Job::all(plan, &[(Build::Prerouted, plan.networks()), (Build::Plain, NETWORKS_BEFORE)], &controls, course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let trace = Trace::record(job.build, plan.nodes, job.seed, length(plan, job), progress);
    let mut part = Part::default();
    Sets::each(&trace, plan.fractions(), (SETS, job.seed), |sets, placement, fraction| {
        for number in 0..SETS {
            observe(&trace, (sets, number), placement, fraction, &mut part);
        }
    });
    part
}

fn length(plan: &Plan, job: &Job) -> Course {
    if plan.is_small() {
        return Course { inserts: 400, inserted_files: 0, fetched_files: 50, blocks: 20 };
    }
    // In 2001 a store holds 50 blocks, and an operation takes longer.
    let fetched_files = if matches!(job.build, Build::Classic | Build::OneRelay) { 50 } else { 125 };
    Course { inserts: 12_500.min(fetched_files * 100), inserted_files: 0, fetched_files, blocks: 100 }
}

/// What one set of colluders makes of the actions that it looks at.
fn observe(trace: &Trace, (sets, number): (&Sets, usize), placement: Placement, fraction: f64, part: &mut Part) {
    let colluders = sets.of(number);
    let among = honest(trace, colluders);
    let relays = Relays::new(trace, colluders);
    let gathered = trace.has_paths().then(|| Identities::gathered(Relays::new(trace, colluders)));
    for action in trace.actions.iter().skip(number).step_by(SETS) {
        if colluders[action.origin as usize] {
            continue;
        }
        let [what, without_clocks] = if action.insert { INSERTS } else { FETCHES };
        let measure = |what, rule| Measure { what, rule, placement: placement.name(), permille: permille(fraction) };
        let mut guess = |what, rule, evidence| {
            let guess = Guess { group: number as u32, user: action.origin, among, evidence };
            part.guesses.entry(measure(what, rule)).or_default().push(guess);
        };
        guess(what, PREDECESSOR, predecessor(action, colluders));
        guess(what, LIKELIEST, likeliest(&trace.map, action, colluders));
        if let Some(gathered) = &gathered {
            guess(what, TIMED, relays.timed(action));
            guess(without_clocks, CHAINED, gathered.chained(action));
            guess(without_clocks, JOINED, gathered.joined(action));
        }
        part.value(measure(what, VISIBLE), f64::from(u8::from(relays.see_key(action))));
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
    let reached = |build: Build, what, measure: &str| {
        let found = best(parts.part(build), what, plan.permille()).map(|(_, found)| found);
        let samples = found.map_or(0, |found| found.samples);
        Control::at_least(build.name(), measure.into(), found.map(|found| found.recall), 0.9 * plan.fraction, samples)
    };
    let control = reached(Build::Classic, FETCH, "recall of a fetch");
    let one_relay = reached(Build::OneRelay, FETCHES[1], "recall of a fetch, without clocks");
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    let (before, after) = (parts.part(Build::Plain), parts.part(Build::Prerouted));
    finding.parts = rows(plan, Build::Prerouted, after);
    finding.parts.extend(rows(plan, Build::Plain, before));
    finding.lines = lines(plan, (before, after), &finding.control, &one_relay);
    finding.controls.push(one_relay);
    let Some((measure, found)) = best(after, FETCH, plan.permille()) else { return finding };
    let seen = visibility(after, &measure);
    let goal = goals::single(plan.fraction, seen, plan.nodes);
    let mut headline = Headline::identified(format!("recall of a {}", measure.text()), &found, goal);
    headline.visibility = Some(seen);
    let here = finding.lines.iter().filter(|line| permille(line.colluders) == plan.permille());
    headline.met = Some(here.filter(|line| line.goal == "G1").all(|line| line.met == Some(true)));
    finding.headline = headline;
    finding.figures = curve::figures(plan, parts, FETCH, "recall of one fetch", |fraction| {
        best(after, FETCH, permille(fraction))
            .map(|(measure, _)| goals::single(fraction, visibility(after, &measure), plan.nodes))
    });
    finding
}

/// The lines of the goals: with clocks, and without.
fn lines(plan: &Plan, (before, after): (&Part, &Part), classic: &Control, one_relay: &Control) -> Vec<Line> {
    let mut lines = Vec::new();
    let placed = || Placement::ALL.into_iter().flat_map(|placement| [FETCHES, INSERTS].map(|what| (placement, what)));
    for fraction in plan.fractions() {
        for (placement, [what, without_clocks]) in placed() {
            let of = |part, what| best_placed(part, what, permille(fraction), placement.name());
            let now = |found: &Identified| Some((found.recall, found.upper95, found.samples));
            let was = of(before, what).map(|(_, found)| found.recall);
            let Some((measure, found)) = of(after, what) else { continue };
            let seen = visibility(after, &measure);
            let bounds = (goals::single(fraction, seen, plan.nodes), Some(fraction * seen));
            let name = |what| format!("{what}, {}", placement.name());
            lines.push(Line::at_most("G1", name(what), fraction, (was, now(&found)), bounds, classic));
            let Some((_, found)) = of(after, without_clocks) else { continue };
            let bounds = (goals::without_clocks(fraction, seen, plan.nodes), Some(fraction * fraction * seen));
            lines.push(Line::at_most("G2", name(without_clocks), fraction, (was, now(&found)), bounds, one_relay));
        }
    }
    lines
}

/// The share of actions that a colluder saw.
fn visibility(part: &Part, measure: &Measure) -> f64 {
    part.mean(&Measure { rule: VISIBLE, ..*measure }).unwrap_or(0.0)
}

fn rows(plan: &Plan, build: Build, part: &Part) -> Vec<Row> {
    let row = |(measure, guesses): (&Measure, &Vec<Guess>)| {
        let fraction = f64::from(measure.permille) / 1_000.0;
        let seen = |what| visibility(part, &Measure { what, ..*measure });
        let goal = match measure.what {
            what if what == FETCHES[1] => goals::without_clocks(fraction, seen(FETCH), plan.nodes),
            what if what == INSERTS[1] => goals::without_clocks(fraction, seen(INSERT), plan.nodes),
            what => goals::single(fraction, seen(what), plan.nodes),
        };
        Some(Row::identified(measure, &identified(guesses)?, Some(goal)).of(build))
    };
    let values = |(measure, values): (&Measure, &Vec<f64>)| Row::mean(measure, values).of(build);
    part.guesses.iter().filter_map(row).chain(part.values.iter().map(values)).collect()
}

const NAME: &str = "first-spy";
const TITLE: &str = "Who was seen first to ask";
const FETCH: &str = "fetch";
const INSERT: &str = "insert";
const PREDECESSOR: &str = "predecessor";
const LIKELIEST: &str = "likeliest by map and hops";
const TIMED: &str = "guard, middle and far end by their clocks";
const CHAINED: &str = "guard and middle, and the far end names the exit";
const JOINED: &str = "guard and exit, joined by a middle that few use";
const VISIBLE: &str = "key seen by a colluder";
/// Of each, with clocks and without.
const FETCHES: [&str; 2] = [FETCH, "fetch, without clocks"];
const INSERTS: [&str; 2] = [INSERT, "insert, without clocks"];
/// Colluding sets of one network.
const SETS: usize = 256;
