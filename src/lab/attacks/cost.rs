//! What pre-routing costs: time and bytes of a fetch, and fetches that fail, beside plain routing of the same network.
//!
//! No attack, but held against a goal as they are: three hops more than the way that plain routing measures in the same run,
//! and a tenth. The mixing delay of relays is a choice and printed apart; links that must be opened first are not.

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::confidence;
use crate::lab::attacks::control::Control;
use crate::lab::attacks::field::{Field, Order};
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan};
use crate::lab::experiment::Progress;
use crate::lab::statistics::{Estimate, mean, mean_estimate, median_estimate};
use crate::limits;
use crate::overlay::mode::Answer;
use crate::sim::traffic::{Role, Traffic};
use crate::time::Duration;

/// The measurement.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "The same network with pre-routing and without. Nodes fetch files of 30 blocks, one block after another; time until \
            the block is there, bytes that carry searches, answers and blocks, hops that the answers report.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    let subjects = [(Build::Prerouted, plan.networks()), (Build::Plain, plan.networks())];
    // The control is held against both, so they are run with it in any case.
    let both = plan.control_only.then_some([(Build::Prerouted, 1), (Build::Plain, 1)]);
    let controls = [(Build::OneRelay, 1)].into_iter().chain(both.into_iter().flatten());
    Job::all(plan, &subjects, &controls.collect::<Vec<_>>(), course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut field = Field::grown(job.build, plan.nodes, job.seed, progress);
    let (documents, files, blocks) = if plan.is_small() { (200, 5, 20) } else { (1_000, 30, 30) };
    for _ in 0..documents / AT_ONCE {
        let orders: Vec<Order> =
            (0..AT_ONCE).map(|_| Order { node: field.anybody(), block: field.fresh(), insert: true }).collect();
        field.carry_out(&orders);
    }
    let mut part = Part::default();
    for file in 0..files {
        let node = field.anybody();
        for _ in 0..blocks {
            field.renew();
            let Some(block) = field.wanted(node) else { continue };
            fetch(&mut field, Order { node, block, insert: false }, &mut part);
        }
        progress(file, files);
    }
    part
}

fn fetch(field: &mut Field, order: Order, part: &mut Part) {
    let (begun, before) = (field.now(), field.traffic());
    field.begin(order);
    while field.open() > 0 && field.step(begun + LONGEST) {}
    let took = field.now().since(begun);
    // What is still on its way belongs to this fetch.
    field.run_for(ECHO);
    let bytes = bytes(&field.traffic().since(&before));
    field.tap().take();
    let answer = field.outcomes().pop();
    let found = matches!(answer, Some(Answer::Found { .. }));
    part.value(measure(FOUND), f64::from(u8::from(found)));
    if let Some(Answer::Found { hops, .. }) = answer {
        part.value(measure(LATENCY), took.as_secs_f64() * 1_000.0);
        part.value(measure(BYTES), bytes);
        part.value(measure(HOPS), f64::from(hops));
    }
}

fn bytes(traffic: &Traffic) -> f64 {
    [Role::Query, Role::Answer, Role::Content].into_iter().map(|role| traffic.bytes(role) as f64).sum()
}

const fn measure(what: &'static str) -> Measure {
    Measure { what, rule: "", placement: "", permille: 0 }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let values = |build, what| parts.part(build).values.get(&measure(what)).cloned().unwrap_or_default();
    let estimate = |build, what| match what {
        LATENCY => median_estimate(&values(build, what)),
        _ => mean_estimate(&values(build, what)),
    };
    let ratio = |build, what| ratio(estimate(build, what)?, estimate(Build::Plain, what)?);
    let one = ratio(Build::OneRelay, LATENCY).zip(ratio(Build::Prerouted, LATENCY));
    let control = Control::at_least(
        Build::OneRelay.name(),
        "median latency with three relays ÷ that with one".into(),
        one.map(|(one, three)| three.0 / one.0),
        1.2,
        values(Build::OneRelay, LATENCY).len(),
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for build in [Build::Prerouted, Build::Plain] {
        let row = |what| Some(row(what, &estimate(build, what)?).of(build));
        finding.parts.extend([LATENCY, BYTES, HOPS, FOUND].into_iter().filter_map(row));
    }
    let mixing = Estimate { value: MIXING_RELAYS * limits::MEAN_DELAY_MS, low: None, high: None, trials: 0 };
    finding.parts.push(row(MIXING, &mixing).of(Build::Prerouted));
    let (Some(hops), Some(latency), Some(bytes)) =
        (mean(&values(Build::Plain, HOPS)), ratio(Build::Prerouted, LATENCY), ratio(Build::Prerouted, BYTES))
    else {
        return finding;
    };
    let (goal, floor) = (goals::cost(hops), (hops + 3.0) / hops);
    for (what, after) in
        [("median latency ÷ that of plain routing", latency), ("bytes ÷ those of plain routing", bytes)]
    {
        let bounds = (goal, Some(floor));
        finding.lines.push(Line::at_most("G12", what, 0.0, (Some(1.0), Some(after)), bounds, &finding.control));
    }
    let drop = dropped(&values(Build::Plain, FOUND), &values(Build::Prerouted, FOUND));
    let bounds = (goals::SUCCESS_DROP, Some(0.0));
    let lost = mean(&values(Build::Plain, FOUND)).map(|found| 1.0 - found);
    let name = "fetches that fail more than with plain routing, before: that fail";
    finding.lines.push(Line::at_most("G12", name, 0.0, (lost, drop), bounds, &finding.control));
    finding.headline = Headline {
        measure: format!("median latency ÷ that of plain routing, which takes {hops:.2} hops"),
        samples: latency.2,
        recall: Some(latency.0),
        upper95: Some(latency.1),
        goal: Some(goal),
        met: Some(finding.lines.iter().all(|line| line.met == Some(true))),
        ..Headline::default()
    };
    finding
}

/// One estimate by another: the value, a limit that both intervals allow, the trials.
fn ratio(of: Estimate, by: Estimate) -> Option<(f64, f64, usize)> {
    Some((of.value / by.value, of.high? / by.low?, of.trials))
}

/// How much more often fetches fail in `after`, and the limit of that difference.
fn dropped(before: &[f64], after: &[f64]) -> Option<(f64, f64, usize)> {
    let failures = |found: &[f64]| found.iter().map(|one| 1.0 - one).sum::<f64>();
    let (was, now) = (1.0 - mean(before)?, 1.0 - mean(after)?);
    let upper = confidence::exact_upper(failures(after), after.len() as f64) - was;
    Some(((now - was).max(0.0), upper.max(0.0), after.len()))
}

fn row(what: &str, found: &Estimate) -> Row {
    Row {
        build: "",
        what: what.into(),
        colluders: 0.0,
        value: Some(found.value),
        upper95: found.high,
        goal: None,
        met: None,
        samples: found.trials,
    }
}

const NAME: &str = "cost";
const TITLE: &str = "What pre-routing costs";
const LATENCY: &str = "median latency, ms";
const BYTES: &str = "bytes of a fetch";
const HOPS: &str = "hops of key routing";
const FOUND: &str = "fetches that succeed";
const MIXING: &str = "of the latency: mixing, by design, ms";
/// Relays that hold a small packet back: all but the exit.
const MIXING_RELAYS: f64 = 2.0;
const AT_ONCE: u32 = 50;
const LONGEST: Duration = Duration::from_secs(300);
/// What is still on its way when the answer has come.
const ECHO: Duration = Duration::from_millis(500);
