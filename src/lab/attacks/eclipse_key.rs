//! Eclipse of a key: colluders near it say that there is nothing, and that is final.
//!
//! Sybil nodes around a key have hidden documents of other networks from nearly everybody. Here places are given by lot. Three
//! ways to be near: as it comes; with ten lots for every place, of which the nearest is kept; and, in the control, where one
//! likes. What others insert is kept at its seven places; colluders withhold it.

use rand::RngExt;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{marked, size};
use crate::lab::attacks::confidence::{self, Group};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::field::{Field, Forged, Order};
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::part::{Measure, Part, Plan};
use crate::lab::experiment::Progress;
use crate::lab::statistics::mean;
use crate::sim::tap::{Seen, SightKind};
use crate::time::Duration;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "A block is inserted; then the colluders answer every request for it that reaches them with \"not found, and no hops \
            left\", while honest nodes fetch it four times, each from somewhere else.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::Plain, plan.networks())], &[(Build::PlacesChosen, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut field = Field::grown(job.build, plan.nodes, job.seed, progress);
    let keys = if plan.is_small() { 20 } else { 260 };
    let (map, mut part) = (field.map(), Part::default());
    for at in 0..keys {
        let rules: &[&'static str] =
            if job.build == Build::PlacesChosen { &[CHOSEN] } else { &[AS_IT_COMES, TEN_LOTS] };
        for rule in rules {
            let block = field.fresh();
            let order = Order { node: field.anybody(), block, insert: true };
            field.carry_out(&[order]);
            let members = place(&mut field, &map, plan, block, rule);
            let share = censor(&mut field, &members, block);
            part.value(measure(plan, rule), share);
        }
        progress(at, keys);
    }
    part
}

fn measure(plan: &Plan, rule: &'static str) -> Measure {
    Measure { what: SUCCESS, rule, placement: "", permille: plan.permille() }
}

/// The colluders that an attacker has around a key. With several lots for each place, those near the key are its own as often
/// as its lots are among all that were drawn, until all its places are taken.
fn place(field: &mut Field, map: &Map, plan: &Plan, block: u32, rule: &str) -> Vec<u32> {
    let (target, most) = (field.key(block).location(), size(plan.nodes, plan.fraction));
    let mut order: Vec<u32> = (0..plan.nodes).collect();
    order.sort_by_key(|node| map.place(*node).map(|place| place.distance(target)));
    let lots = f64::from(match rule {
        AS_IT_COMES => 1,
        TEN_LOTS => 10,
        _ => u32::MAX,
    }) * most as f64;
    let own = lots / (lots + f64::from(plan.nodes) - most as f64);
    order.retain(|_| field.random.random_bool(own));
    order.truncate(most);
    order
}

/// The share of fetches that succeed although the colluders deny the key.
fn censor(field: &mut Field, members: &[u32], block: u32) -> f64 {
    let (key, colluders) = (field.key(block), marked(field.nodes, members));
    field.tap().take();
    field.tap().collude(members);
    field.tap().hold(key);
    let (mut good, mut tried) = (0_u32, 0_u32);
    for _ in 0..DRAWS {
        let node = field.anybody();
        if colluders[node as usize] || field.depot().holds(node, block) {
            continue;
        }
        tried += 1;
        good += u32::from(fetch(field, &colluders, Order { node, block, insert: false }));
        // What failed is remembered for a while; the next one is to search for itself.
        field.run_for(FORGOTTEN);
        if tried == FETCHES {
            break;
        }
    }
    field.tap().let_go(&key);
    f64::from(good) / f64::from(tried.max(1))
}

/// Fetches, while every request that reaches a colluder is denied.
fn fetch(field: &mut Field, colluders: &[bool], order: Order) -> bool {
    let (key, end) = (field.key(order.block), field.now() + PATIENCE);
    field.tap().take();
    let ticket = field.begin(order);
    let mut read = 0;
    while field.open() > 0 && field.step(end) {
        let asked = |seen: &Seen| {
            seen.sight.kind == SightKind::Request && seen.sight.key == Some(key) && colluders[seen.to as usize]
        };
        let denied: Vec<Seen> = field.tap().since(read).iter().filter(|seen| asked(seen)).copied().collect();
        read = field.tap().len();
        for seen in denied {
            field.forge(seen.to, seen.from, Forged::Missing, Some(seen.sight.id));
        }
    }
    field.answers().into_iter().any(|(answered, good)| Some(answered) == ticket && good)
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let of = |part: &Part, rule| part.values.get(&measure(plan, rule)).cloned().unwrap_or_default();
    let chosen = of(parts.part(Build::PlacesChosen), CHOSEN);
    let failed = mean(&chosen).map(|success| 1.0 - success);
    let control = Control::at_least(
        Build::PlacesChosen.name(),
        "fetches that fail".into(),
        failed,
        0.5,
        chosen.len() * FETCHES as usize,
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Plain.name(), plan, control);
    finding.networks = parts.networks(Build::Plain);
    let goal = goals::censored_success(plan.fraction);
    for rule in [AS_IT_COMES, TEN_LOTS] {
        let shares = of(parts.part(Build::Plain), rule);
        let failures: Vec<Group> = shares
            .iter()
            .map(|share| Group { trials: f64::from(FETCHES), hits: (1.0 - share) * f64::from(FETCHES) })
            .collect();
        let (Some(success), Some(upper)) = (mean(&shares), confidence::upper(&failures)) else { continue };
        let met = Some(1.0 - upper >= goal);
        let samples = shares.len() * FETCHES as usize;
        let after = Some((success, upper, samples));
        let line = Line::at_most("G10", rule, plan.fraction, (None, after), (goal, None), &finding.control);
        finding.lines.push(Line { is_least: true, met, ..line });
        finding.parts.push(Row {
            build: Build::Plain.name(),
            what: format!("{SUCCESS}, {rule}"),
            colluders: plan.fraction,
            value: Some(success),
            upper95: Some(upper),
            goal: Some(goal),
            met,
            samples,
        });
        if finding.headline.recall.is_none_or(|so_far| success < so_far) {
            finding.headline = Headline {
                measure: format!("{SUCCESS}, {rule} (the limit is that of failures)"),
                samples,
                recall: Some(success),
                upper95: Some(upper),
                goal: Some(goal),
                met,
                ..Headline::default()
            };
        }
    }
    finding
}

const NAME: &str = "eclipse-key";
const TITLE: &str = "Hiding a key by being near it";
const SUCCESS: &str = "fetches that succeed";
const AS_IT_COMES: &str = "places as they come";
const TEN_LOTS: &str = "the best of ten lots for each place";
const CHOSEN: &str = "places chosen";
/// Fetches of each key.
const FETCHES: u32 = 4;
/// Draws of a node that may fetch.
const DRAWS: u32 = 200;
/// Longer than a failure is remembered.
const FORGOTTEN: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(120);
