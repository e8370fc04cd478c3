//! How many middles a client should pin, and what it is worth that fewer nodes relay than ask: both sides of one trade.
//!
//! Without clocks an exit that colludes names its middle, and a colluding guard knows which of its clients use that middle: the
//! more clients share a middle, the less that says (G2). With clocks a colluding middle names the guard, and who is linked to
//! that is one of a few: the more middles a client has, the likelier one of them colludes while it fetches a file (G3). Every
//! build is held against both on one course.

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{Placement, Sets};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::finding::{Finding, Headline, best};
use crate::lab::attacks::first_spy::honest;
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Guess, Identified};
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan, permille};
use crate::lab::attacks::paths::{Identities, Relays};
use crate::lab::attacks::trace::{Course, Trace};
use crate::lab::experiment::Progress;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "Nodes insert, and fetch files of 100 blocks. Colluding guards and exits join what they know by the middle they have \
            in common; a colluding middle names the guard, and one of those linked to it is accused.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    let networks = plan.networks().div_ceil(2);
    Job::all(plan, &SUBJECTS.map(|build| (build, networks)), &[(Build::OneRelay, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let length = match (plan.is_small(), job.build) {
        (true, _) => Course { inserts: 200, inserted_files: 0, fetched_files: 20, blocks: 20 },
        (false, Build::OneRelay) => Course { inserts: 2_000, inserted_files: 0, fetched_files: 50, blocks: 100 },
        (false, _) => Course { inserts: 5_000, inserted_files: 0, fetched_files: 150, blocks: 100 },
    };
    let trace = Trace::record(job.build, plan.nodes, job.seed, length, progress);
    let mut part = Part::default();
    for fraction in plan.fractions() {
        let sets = Sets::draw(&trace, fraction, Placement::Random, SETS, job.seed);
        fetches(&trace, &sets, fraction, &mut part);
        files(&trace, &sets, fraction, &mut part);
    }
    part
}

/// One fetch, without clocks: every fetch is judged by one set.
fn fetches(trace: &Trace, sets: &Sets, fraction: f64, part: &mut Part) {
    for number in 0..SETS {
        let colluders = sets.of(number);
        let known = Identities::gathered(Relays::new(trace, colluders));
        let relays = Relays::new(trace, colluders);
        for action in trace.actions.iter().skip(number).step_by(SETS) {
            if action.insert || colluders[action.origin as usize] {
                continue;
            }
            let (group, user, among) = (number as u32, action.origin, honest(trace, colluders));
            for (rule, evidence) in [(CHAINED, known.chained(action)), (JOINED, known.joined(action))] {
                let guess = Guess { group, user, among, evidence };
                part.guesses.entry(measure(FETCH, rule, fraction)).or_default().push(guess);
            }
            part.value(measure(FETCH, VISIBLE, fraction), f64::from(u8::from(relays.see_key(action))));
        }
    }
}

/// A whole file, with clocks: every file is judged by several sets.
fn files(trace: &Trace, sets: &Sets, fraction: f64, part: &mut Part) {
    for (at, file) in trace.files(false).iter().enumerate() {
        for turn in 0..TURNS {
            let colluders = sets.of(at * TURNS + turn);
            if colluders[file[0].origin as usize] {
                continue;
            }
            let relays = Relays::new(trace, colluders);
            let evidence = relays.linked(file.iter().copied().filter(|action| relays.see_key(action)));
            let guess = Guess { group: at as u32, user: file[0].origin, among: honest(trace, colluders), evidence };
            part.guesses.entry(measure(FILE, TIMED, fraction)).or_default().push(guess);
        }
    }
}

fn measure(what: &'static str, rule: &'static str, fraction: f64) -> Measure {
    Measure { what, rule, placement: "", permille: permille(fraction) }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let of = |build, what, fraction| best(parts.part(build), what, permille(fraction)).map(|(_, found)| found);
    let one_relay = of(Build::OneRelay, FETCH, plan.fraction);
    let (value, samples) = (one_relay.map(|found| found.recall), one_relay.map_or(0, |found| found.samples));
    let name = Build::OneRelay.name();
    let control =
        Control::at_least(name, "recall of a fetch, without clocks".into(), value, 0.9 * plan.fraction, samples);
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    let now = |found: &Identified| Some((found.recall, found.upper95, found.samples));
    for build in SUBJECTS {
        for fraction in plan.fractions() {
            let seen = parts.part(build).mean(&measure(FETCH, VISIBLE, fraction)).unwrap_or(0.0);
            if let Some(found) = of(build, FETCH, fraction) {
                let bounds = (goals::without_clocks(fraction, seen, plan.nodes), Some(fraction * fraction * seen));
                let what = format!("{FETCH}, {}", build.name());
                finding.lines.push(Line::at_most("G2", what, fraction, (None, now(&found)), bounds, &finding.control));
            }
            if let Some(found) = of(build, FILE, fraction) {
                let (bounds, what) = ((goals::file(fraction), Some(fraction)), format!("{FILE}, {}", build.name()));
                finding.lines.push(Line::at_most("G3", what, fraction, (None, now(&found)), bounds, &finding.control));
            }
        }
    }
    let Some(found) = of(Build::Prerouted, FETCH, plan.fraction) else { return finding };
    let seen = parts.part(Build::Prerouted).mean(&measure(FETCH, VISIBLE, plan.fraction)).unwrap_or(0.0);
    let goal = goals::without_clocks(plan.fraction, seen, plan.nodes);
    finding.headline = Headline::identified(format!("recall of a {FETCH}"), &found, goal);
    finding
}

const NAME: &str = "middles";
const TITLE: &str = "How many middles, and how many relays";
const FETCH: &str = "fetch, without clocks";
const FILE: &str = "file";
const CHAINED: &str = "guard and middle, and the far end names the exit";
const JOINED: &str = "guard and exit, joined by a middle that few use";
const TIMED: &str = "guard, middle and far end by their clocks";
const VISIBLE: &str = "key seen by a colluder";
/// What is compared.
const SUBJECTS: [Build; 5] =
    [Build::Prerouted, Build::EightMiddles, Build::SixteenMiddles, Build::QuarterRelays, Build::EighthRelays];
/// Colluding sets of one network.
const SETS: usize = 256;
/// Sets that judge one file.
const TURNS: usize = 8;
