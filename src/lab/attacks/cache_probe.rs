//! Probing caches: a neighbour asks a node for a block with one hop to live, and judges by the answer and its time.
//!
//! The attack on Freenet that the press reported in 2005, and that on caches of named data. Two questions: does the node hold
//! the block; and did it fetch it, or only pass it on. A hit that comes fast is one from the node's own store.

use rand::RngExt;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::control::Control;
use crate::lab::attacks::field::{Field, Forged, Order};
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::part::{Measure, NETWORKS_BEFORE, Part, Plan};
use crate::lab::attacks::scores::Scores;
use crate::lab::attacks::visits::{Did, visit};
use crate::lab::experiment::Progress;
use crate::sim::tap::SightKind;
use crate::time::Duration;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "A node fetches a block. A neighbour of it, one of a node that passed the request on, and one of a node that had \
            nothing to do with it each ask for that block with one hop to live, and judge by answer and time.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    let subjects = [(Build::Prerouted, plan.networks()), (Build::Plain, NETWORKS_BEFORE)];
    Job::all(plan, &subjects, &[(Build::Classic, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut field = Field::grown(job.build, plan.nodes, job.seed, progress);
    let (documents, visits) = if plan.is_small() { (100, 150) } else { (1_000, 1_500) };
    for _ in 0..documents {
        let order = Order { node: field.anybody(), block: field.fresh(), insert: true };
        field.carry_out(&[order]);
    }
    let (map, mut part) = (field.map(), Part::default());
    for at in 0..visits {
        let Some(found) = visit(&mut field) else { continue };
        for (did, node) in Did::ALL.into_iter().zip(found.nodes) {
            let Some(node) = node else { continue };
            let holds = field.depot().holds(node, found.block);
            let Some(score) = probe(&mut field, &map, node, found.block) else { continue };
            note(&mut part, did, holds, score);
        }
        // The cached are few among those three: a holder is probed as well.
        if let Some(holder) = holder(&mut field, found.block)
            && let Some(score) = probe(&mut field, &map, holder, found.block)
        {
            part.scores.entry(measure(CACHED)).or_default().case(score, true);
        }
        progress(at, visits);
    }
    part
}

fn note(part: &mut Part, did: Did, holds: bool, score: f64) {
    let mut case = |what, score, positive| part.scores.entry(measure(what)).or_default().case(score, positive);
    case(CACHED, score, holds);
    match did {
        Did::Request => {
            // Who passes a block on may keep it, and who asked for it keeps it elsewhere: a miss speaks for the request.
            case(RELAYED, -score, true);
            case(REQUESTED, score, true);
        }
        Did::Relay => case(RELAYED, -score, false),
        Did::Nothing => case(REQUESTED, score, false),
    }
}

/// How much the answer of a node to one probe looks like a hit: the faster the more; `None` if nobody can probe it.
fn probe(field: &mut Field, map: &Map, node: u32, block: u32) -> Option<f64> {
    let near = map.near(node);
    let from = (!near.is_empty()).then(|| near[field.random.random_range(0..near.len())])?;
    let (key, begun) = (field.key(block), field.now());
    field.tap().take();
    let id = field.forge(from, node, Forged::Request { key, htl: 1 }, None);
    field.run_for(PATIENCE);
    let seen = field.tap().take();
    let answer = seen.iter().find(|seen| seen.to == from && seen.sight.id == id);
    let hit = answer.filter(|seen| seen.sight.kind == SightKind::Found);
    Some(hit.map_or(0.0, |seen| 1.0 / (1.0 + seen.at.since(begun).as_secs_f64())))
}

fn holder(field: &mut Field, block: u32) -> Option<u32> {
    let start = field.anybody();
    (0..field.nodes).map(|step| (start + step) % field.nodes).find(|node| field.depot().holds(*node, block))
}

const fn measure(what: &'static str) -> Measure {
    Measure { what, rule: "one probe", placement: "", permille: 0 }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let area = |part: &Part, what| part.scores.get(&measure(what)).and_then(Scores::auc);
    let samples = |part: &Part, what| part.scores.get(&measure(what)).map_or(0, |scores| scores.totals().0 as usize);
    let control = Control::at_least(
        Build::Classic.name(),
        REQUESTED.into(),
        area(parts.part(Build::Classic), REQUESTED),
        0.9,
        samples(parts.part(Build::Classic), REQUESTED),
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    let goals =
        [(CACHED, goals::PROBE_CACHED_AUC), (RELAYED, goals::PROBE_RELAYED_AUC), (REQUESTED, goals::PROBE_RELAYED_AUC)];
    let of = |build| {
        let held = move |(what, goal): (&'static str, f64)| {
            let scores = parts.part(build).scores.get(&measure(what))?;
            Some((what, Headline::area(what.into(), scores, goal)))
        };
        goals.into_iter().filter_map(held).collect::<Vec<_>>()
    };
    for build in [Build::Prerouted, Build::Plain] {
        finding.parts.extend(of(build).iter().map(|(what, found)| Row::area(what, plan.fraction, found).of(build)));
    }
    let held = of(Build::Prerouted);
    for (what, found) in &held {
        let after = found.recall.zip(found.upper95).map(|(area, upper)| (area, upper, found.samples));
        let (before, bounds) = (area(parts.part(Build::Plain), what), (found.goal.unwrap_or(0.5), Some(0.5)));
        finding.lines.push(Line::at_most("G7", *what, 0.0, (before, after), bounds, &finding.control));
    }
    let met = held.iter().all(|(_, found)| found.met == Some(true));
    if let Some((_, first)) = held.into_iter().next() {
        finding.headline = Headline { met: Some(met), ..first };
    }
    finding
}

const NAME: &str = "cache-probe";
const TITLE: &str = "Asking a node for what it may have fetched";
const CACHED: &str = "area under the curve: in the store or not";
const RELAYED: &str = "area under the curve: requested or relayed";
const REQUESTED: &str = "area under the curve: requested or nothing to do with it";
/// Longer than an answer from one hop further takes.
const PATIENCE: Duration = Duration::from_secs(3);
