//! A tap on the link between a node and its guard: whoever carries the packets looks at sizes, directions and times for ten
//! minutes and decides whether the node did nothing, fetched something or inserted something.
//!
//! Traffic analysis as on websites; the classifier is logistic regression over counts, gaps and bursts in each direction. Under
//! attack is a link that keeps a rhythm, by the machine that ships (`wire::rhythm`), fed with what passes between real
//! machines of `onion` (`circle`); the control is the same link without. All datagrams have one size, so only directions and
//! times are left to look at. Leaves out what QUIC adds to a rhythm, acknowledgements above all: `tests/link_rhythm.rs`
//! counts those on real sockets.

use bytes::Bytes;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::lab::attacks::attack::{Attack, Job, Parts, Side};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::circle::{Circle, Doing, Passed, WINDOW};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::logistic::Logistic;
use crate::lab::attacks::part::{Measure, Part, Plan};
use crate::lab::attacks::scores::Scores;
use crate::lab::experiment::Progress;
use crate::limits::CELL_BYTES;
use crate::message::class::Class;
use crate::time::{Duration, Instant};
use crate::wire::cell::message_bytes;
use crate::wire::rhythm::{Rate, Rhythm};

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "Whoever carries the packets between a node and its guard watches sizes, directions and times for ten minutes, and \
            decides whether the node did nothing, fetched or inserted a document of 12 blocks.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::InRhythm, plan.networks())], &[(Build::Prerouted, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let (learned, judged) = match (plan.is_small(), job.side) {
        (true, _) => (20, 40),
        (false, Side::Subject) => (75, 300),
        (false, Side::Control) => (75, 150),
    };
    let mut circle = Circle::new(job.seed, job.side == Side::Subject);
    let mut random = ChaCha8Rng::seed_from_u64(job.seed ^ TAP);
    let mut seen: [Vec<Features>; 3] = Default::default();
    let windows = learned + judged;
    for at in 0..windows {
        for (what, doing) in [Doing::Nothing, Doing::Fetch, Doing::Insert].into_iter().enumerate() {
            let (begun, passed) = circle.window(doing);
            let cells = match job.side {
                Side::Subject => in_rhythm(begun, &passed, &mut random),
                Side::Control => as_they_come(begun, &passed, &mut random),
            };
            seen[what].push(features(begun, cells));
        }
        progress(at as u64, windows as u64);
    }
    let mut part = Part::default();
    for (what, one, other) in PAIRS {
        part.scores.insert(measure(what), judge(&seen[one], &seen[other], learned));
    }
    part
}

/// Learns from the first windows of two kinds, and judges the others. Scores are ranks, so that those of several networks,
/// learned apart, can be put together.
fn judge(negative: &[Features], positive: &[Features], learned: usize) -> Scores {
    let of = |windows: &[Features], is_positive| windows.iter().map(|one| (*one, is_positive)).collect::<Vec<_>>();
    let cases = [of(&negative[..learned], false), of(&positive[..learned], true)].concat();
    let rest = [of(&negative[learned..], false), of(&positive[learned..], true)].concat();
    let mut scores = Scores::default();
    let Some(model) = Logistic::learn(&cases) else { return scores };
    let values: Vec<f64> = rest.iter().map(|(window, _)| model.score(window)).collect();
    for ((_, is_positive), value) in rest.iter().zip(&values) {
        let below = values.iter().filter(|other| *other < value).count();
        let level = values.iter().filter(|other| *other == value).count();
        scores.case((below as f64 + level as f64 / 2.0) / values.len() as f64, *is_positive);
    }
    scores
}

/// A datagram that is seen: when after the beginning of the window, in seconds, and which way.
type Sighting = (f64, bool);

/// What is seen of a link that keeps a rhythm: each direction by the machine that ships, begun at a time of its own.
fn in_rhythm(begun: Instant, passed: &[Passed], random: &mut ChaCha8Rng) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for outward in [true, false] {
        let phase = Duration::from_micros(random.random_range(0..RATE.interval().as_micros() as u64));
        let mut rhythm = Rhythm::new(RATE, begun - phase);
        let mut waiting: Vec<&Passed> = passed.iter().filter(|one| one.outward == outward).collect();
        while rhythm.deadline() < begun + WINDOW {
            let now = rhythm.deadline();
            let mut supply = |class: Class| {
                let first = waiting.iter().position(|one| one.at <= now && one.class == class)?;
                waiting.remove(first);
                Some(Bytes::from(vec![0; message_bytes(class)]))
            };
            if rhythm.beat(now, &mut supply).is_some_and(|cell| cell.len() == CELL_BYTES) {
                seen.push((noted(begun, now, random), outward));
            }
        }
    }
    seen
}

/// What is seen of a link whose cells leave when there are some.
fn as_they_come(begun: Instant, passed: &[Passed], random: &mut ChaCha8Rng) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for one in passed {
        for cell in 0..one.class.cells() as u32 {
            seen.push((noted(begun, one.at + CELL_TIME * cell, random), one.outward));
        }
    }
    seen
}

/// When the watcher notes what left at `at`: its clock and the path to it are not exact.
fn noted(begun: Instant, at: Instant, random: &mut ChaCha8Rng) -> f64 {
    at.since(begun).as_secs_f64() + random.random_range(0.0..JITTER)
}

/// What a window looks like: in each direction counts, gaps and bursts; and how the directions go together.
type Features = [f64; 15];

fn features(begun: Instant, mut seen: Vec<Sighting>) -> Features {
    debug_assert!(begun >= Instant::EPOCH);
    seen.sort_by(|one, other| one.0.total_cmp(&other.0));
    let of = |outward: bool| -> Vec<f64> { seen.iter().filter(|one| one.1 == outward).map(|one| one.0).collect() };
    let [out, back] = [of(true), of(false)].map(|times| direction(&times));
    let turns = seen.windows(2).filter(|two| two[0].1 != two[1].1).count() as f64;
    let mut features = [0.0; 15];
    features[..7].copy_from_slice(&out);
    features[7..14].copy_from_slice(&back);
    features[14] = libm::log1p(turns);
    features
}

fn direction(times: &[f64]) -> [f64; 7] {
    let count = times.len() as f64;
    let gaps: Vec<f64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len().max(1) as f64;
    let square = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len().max(1) as f64;
    let most = |span: f64| {
        let mut most = 0;
        let mut first = 0;
        for (last, time) in times.iter().enumerate() {
            while times[first] < time - span {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        libm::log1p(most as f64)
    };
    let longest = gaps.iter().copied().fold(0.0, f64::max);
    let short = gaps.iter().filter(|gap| **gap < 0.005).count() as f64;
    [libm::log1p(count), mean, libm::sqrt(square), longest, libm::log1p(short), most(1.0), most(10.0)]
}

const fn measure(what: &'static str) -> Measure {
    Measure { what, rule: "learned", placement: "", permille: 0 }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let scores = |part: &Part, what| part.scores.get(&measure(what)).cloned();
    let areas = PAIRS.iter().filter_map(|(what, ..)| Some((*what, scores(parts.part(Build::Prerouted), what)?)));
    let least = areas.filter_map(|(what, scores)| Some((what, scores.auc()?, scores.totals())));
    let least = least.min_by(|one, other| one.1.total_cmp(&other.1));
    let control = Control::at_least(
        WITHOUT,
        least.map_or_else(String::new, |(what, ..)| what.into()),
        least.map(|(_, area, _)| area),
        goals::TAPPED_CONTROL_AUC,
        least.map_or(0, |(_, _, (positives, negatives))| (positives + negatives) as usize),
    );
    let mut finding = Finding::new((NAME, TITLE), WITH, plan, control);
    finding.networks = parts.networks(Build::InRhythm);
    let held: Vec<(&str, Headline)> = PAIRS
        .iter()
        .filter_map(|(what, ..)| {
            let scores = scores(parts.part(Build::InRhythm), what)?;
            Some((*what, Headline::area((*what).into(), &scores, goals::TAPPED_AUC)))
        })
        .collect();
    for (what, found) in &held {
        let after = found.auc.zip(found.upper95).map(|(value, upper)| (value, upper, found.samples));
        let before = scores(parts.part(Build::Prerouted), what).and_then(|scores| scores.auc());
        finding.lines.push(Line::at_most(
            "G8",
            *what,
            0.0,
            (before, after),
            (goals::TAPPED_AUC, None),
            &finding.control,
        ));
    }
    finding.parts = held.iter().map(|(what, found)| Row::area(what, 0.0, found).of(Build::InRhythm)).collect();
    let met = held.iter().all(|(_, found)| found.met == Some(true));
    let worst =
        held.into_iter().max_by(|one, other| one.1.upper95.unwrap_or(1.0).total_cmp(&other.1.upper95.unwrap_or(1.0)));
    if let Some((_, worst)) = worst {
        finding.headline = Headline { met: Some(met), ..worst };
    }
    finding
}

const NAME: &str = "link-tap";
const TITLE: &str = "Watching the link to the guard";
const WITH: &str = "24 kB a second both ways";
const WITHOUT: &str = "no cover";
/// Pairs of what a window may hold, by their places among the kinds.
const PAIRS: [(&str, usize, usize); 3] = [
    ("area under the curve: nothing or a fetch", 0, 1),
    ("area under the curve: nothing or an insert", 0, 2),
    ("area under the curve: a fetch or an insert", 1, 2),
];
/// The rhythm under attack.
const RATE: Rate = Rate::Slow;
/// From one cell of a message to the next where nothing holds them back: 10 MB a second.
const CELL_TIME: Duration = Duration::from_micros(120);
/// How far the watcher's times are off, seconds.
const JITTER: f64 = 0.001;
const TAP: u64 = 0x7461_7000;
