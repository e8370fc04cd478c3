//! Load: what least-recently-used and clustered replacement find as documents become many (Zhang, Goel, Govindan 2004).

use crate::lab::axis::number;
use crate::lab::classic::scenarios::lattice;
use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::classic::{Network, Wanted};
use crate::sim::lookups::{Lookup, Outcome};
use crate::sim::scenario::{Policy, Scenario};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "classic-load",
    title: "Replacement under rising load",
    about: "1,000 nodes with stores of 50 and tables of 70 work, inserts and requests in turn, until there are 10,000 \
            documents: room for 50,000 copies. On the way every document ever inserted is as likely to be asked for, with 20 \
            hops to live as in operation and with 500. With least-recently-used replacement the oldest leaves store and table; \
            clustered, what lies farthest from the node's own key leaves, with light randomness. Published as an abstract \
            only: the hit ratio falls steeply with load, and clustering raises it dramatically at similar hops. The paper's \
            figures could not be had. The values in brackets are an independent model's, whose mix of operations is not \
            known; where little is lost yet, as at 2,500 documents, that mix decides.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, most) = if effort == Effort::Quick { (1, 1_250) } else { (10, 10_000) };
    let variants = [(LRU, Policy::Lru), (CLUSTERED, Policy::Clustered)];
    let all = (1..=seeds).flat_map(|seed| variants.map(|variant| (seed, variant)));
    all.map(|(seed, (variant, policy))| trial(seed, variant, policy, most)).collect()
}

fn trial(seed: u64, variant: &'static str, policy: Policy, most: u32) -> Trial {
    let mut scenario = lattice(1_000, seed);
    scenario.workload.warmup_operations = 2 * most;
    if let Some(classic) = &mut scenario.classic {
        classic.routing_entries = 70;
        classic.table_policy = policy;
        classic.store_policy = policy;
    }
    let snapshots = LOADS.iter().filter(|load| **load <= most).count() as u64;
    Trial { variant, steps: u64::from(2 * most) + snapshots * 2 * u64::from(PROBES), scenario, course }
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut network = Network::new(scenario);
    let (mut samples, mut done) = (Vec::new(), 0);
    for load in LOADS.iter().take_while(|load| **load * 2 <= scenario.workload.warmup_operations) {
        // Every other operation is an insert.
        network.operate(load * 2 - done, progress);
        done = load * 2;
        let at = f64::from(*load);
        let ordinary = network.probe(PROBES, 20, Wanted::Inserted, progress);
        let patient = network.probe(PROBES, 500, Wanted::Inserted, progress);
        let (hits, hops) = hits_and_hops(ordinary.all());
        samples.extend([Sample::new(HITS, at, hits), Sample::new(HOPS, at, hops)]);
        samples.push(Sample::new(PATIENT_HITS, at, hits_and_hops(patient.all()).0));
        let lost = patient.all().iter().filter(|lookup| !lookup.existing).count();
        samples.push(Sample::new(LOST, at, lost as f64 / f64::from(PROBES)));
    }
    samples
}

/// The share of lookups that found, and how many nodes those contacted on average.
fn hits_and_hops(lookups: &[Lookup]) -> (f64, f64) {
    let found: Vec<f64> =
        lookups.iter().filter(|one| one.outcome == Outcome::Found).map(|one| f64::from(one.path)).collect();
    (found.len() as f64 / lookups.len() as f64, statistics::mean(&found).unwrap_or(0.0))
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (lru, clustered) = (outcomes.of(LRU), outcomes.of(CLUSTERED));
    let value = |of: &Outcomes, name, load: f64| statistics::mean_estimate(&of.values(name, load));
    let paired =
        |name: &str, (of, at): (&Outcomes, f64), (base, base_at): (&Outcomes, f64), join: fn(f64, f64) -> f64| {
            let (values, others) = (of.values(name, at), base.values(name, base_at));
            let all: Vec<f64> = values.iter().zip(&others).map(|(one, other)| join(*one, *other)).collect();
            statistics::mean_estimate(&all)
        };
    let few = format!("{} documents", number(FEW));
    let many = format!("{} documents", number(MANY));
    let fall = paired(HITS, (&lru, FEW), (&lru, MANY), |few, many| few - many);
    let gain = paired(PATIENT_HITS, (&clustered, MANY), (&lru, MANY), |one, other| one / other);
    let longer = paired(HOPS, (&clustered, MANY), (&lru, MANY), |one, other| one / other);
    let rows = vec![
        Row::new(format!("{few}, LRU: hit ratio"), "(model 0.83)", value(&lru, HITS, FEW), (0.73, 0.93)),
        Row::new(format!("{few}, clustered: hit ratio"), "(model 0.91)", value(&clustered, HITS, FEW), (0.81, 1.0)),
        Row::new(
            format!("{many}, LRU: found with 500 hops"),
            "(model 0.45)",
            value(&lru, PATIENT_HITS, MANY),
            (0.35, 0.55),
        ),
        Row::new(
            format!("{many}, clustered: found with 500 hops"),
            "(model 0.97)",
            value(&clustered, PATIENT_HITS, MANY),
            (0.87, 1.0),
        ),
        Row::new("LRU: fall of the hit ratio as load grows fourfold", "steep: 0.4 or more", fall, (0.4, 1.0)),
        Row::new(format!("{many}, found with 500 hops to live: clustered ÷ LRU"), "1.5 or more", gain, (1.5, 10.0)),
        Row::new(format!("{many}, nodes contacted: clustered ÷ LRU"), "similar: 1.5 at most", longer, (0.0, 1.5)),
    ];
    Findings { rows, figures: vec![figure(&lru, &clustered)] }
}

fn figure(lru: &Outcomes, clustered: &Outcomes) -> Figure {
    let curve = |of: &Outcomes, name| of.means(name).into_iter().map(|(at, share)| (at, share * 100.0)).collect();
    let line = |label: &str, tone, style, of, name| Series::new(label, tone, style, curve(of, name));
    Figure {
        name: "hits",
        title: "Rising load: which share of all documents is found".into(),
        x: Axis::log("documents inserted into 1,000 nodes", 500.0, 10_000.0),
        y: Axis::linear("% of lookups that find", 0.0, 100.0),
        series: vec![
            line("clustered, 20 hops", Tone::Ours, Style::Line, clustered, HITS),
            line("clustered, 500 hops", Tone::Ours, Style::Dashed, clustered, PATIENT_HITS),
            line("LRU, 20 hops", Tone::Second, Style::Line, lru, HITS),
            line("LRU, 500 hops", Tone::Second, Style::Dashed, lru, PATIENT_HITS),
        ],
    }
}

const LRU: &str = "lru";
const CLUSTERED: &str = "clustered";
const HITS: &str = "hits";
const HOPS: &str = "hops";
const PATIENT_HITS: &str = "hits with 500 hops to live";
const LOST: &str = "lost";
const PROBES: u32 = 1_000;
const LOADS: &[u32] = &[500, 1_250, 2_500, 5_000, 10_000];
const FEW: f64 = 2_500.0;
const MANY: f64 = 10_000.0;
