//! Pressure: what a cache that is clustered and one that keeps what was used last find as documents become many.

use crate::lab::axis::number;
use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{Town, samples, shipping};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::{Policy, Scenario};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "pressure",
    title: "Replacement in the caches of what ships, under rising load",
    about: "200 nodes of 16 neighbours with room for 40 blocks each, half of it for what is kept. Fresh documents and requests \
            in turn, until there are 4,000 documents: kept at seven nodes each they would take seven times the room for what is \
            kept. On the way 500 requests, each for any document ever inserted, as likely as any other, at random nodes that \
            may answer from their own store. Two variants of the cache: what was used longest ago leaves, or what lies farthest \
            from the node's place. Claimed for the Freenet of 2001 (Zhang, Goel, Govindan 2004): clustering finds far more as \
            load rises. Measured: the hit ratio, and the forwards of a hit.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, nodes, most) = if effort == Effort::Quick { (1, 60, 250) } else { (5, 200, 4_000) };
    let variants = [(LRU, Policy::Lru), (CLUSTERED, Policy::Clustered)];
    let all = (1..=seeds).flat_map(|seed| variants.map(|variant| (seed, variant)));
    all.map(|(seed, (variant, policy))| trial(seed, nodes, most, variant, policy)).collect()
}

fn trial(seed: u64, nodes: u32, most: u32, variant: &'static str, policy: Policy) -> Trial {
    let mut scenario = shipping(nodes, ROOM, seed);
    scenario.workload.documents = most;
    if let Some(freenet) = &mut scenario.freenet {
        freenet.cache_policy = policy;
    }
    Trial { variant, scenario, steps: u64::from(nodes + most), course }
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let most = scenario.workload.documents;
    let mut town = Town::grown(scenario, progress);
    let mut all = Vec::new();
    let mut documents: Vec<u32> = Vec::new();
    for load in LOADS.iter().copied().take_while(|load| *load <= most) {
        while (documents.len() as u32) < load {
            documents.push(town.publish());
            request(&mut town, &documents);
        }
        let hits: Vec<f64> = (0..PROBES).filter_map(|_| request(&mut town, &documents)).map(f64::from).collect();
        let share = hits.len() as f64 / f64::from(PROBES);
        let forwards = statistics::mean(&hits).unwrap_or(0.0);
        all.extend(samples(f64::from(load), [(HITS, share), (FORWARDS, forwards)]));
    }
    all
}

/// Asks for any document, at any node; gives the forwards that a hit took.
fn request(town: &mut Town, documents: &[u32]) -> Option<u32> {
    let number = documents[town.draw(documents.len())];
    let node = town.anybody();
    town.fetch(node, number)
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (lru, clustered) = (outcomes.of(LRU), outcomes.of(CLUSTERED));
    let at = |of: &Outcomes, name, load: f64| statistics::mean_estimate(&of.values(name, load));
    let many = number(MANY);
    let rows = vec![
        Row::new(format!("{many} documents, LRU: hit ratio"), "–", at(&lru, HITS, MANY), (0.0, 1.0)),
        Row::new(format!("{many} documents, clustered: hit ratio"), "–", at(&clustered, HITS, MANY), (0.0, 1.0)),
        Row::new(
            format!("{many} documents, hit ratio: clustered ÷ LRU"),
            "more than 1",
            ratio(&clustered, &lru, HITS),
            (1.0, 100.0),
        ),
        Row::new(
            format!("{many} documents, forwards of a hit: clustered ÷ LRU"),
            "similar: 1.5 at most",
            ratio(&clustered, &lru, FORWARDS),
            (0.0, 1.5),
        ),
    ];
    let curve = |of: &Outcomes| of.means(HITS).into_iter().map(|(load, share)| (load, share * 100.0)).collect();
    let figure = Figure {
        name: "hits",
        title: "Rising load: which share of all documents is found".into(),
        x: Axis::log("documents inserted into 200 nodes", FEW, MANY),
        y: Axis::linear("% of requests that find", 0.0, 100.0),
        series: vec![
            Series::new("clustered", Tone::Ours, Style::Line, curve(&clustered)),
            Series::new("LRU", Tone::Second, Style::Line, curve(&lru)),
        ],
    };
    Findings { rows, figures: vec![figure] }
}

/// How the two variants of one seed compare at the highest load.
fn ratio(of: &Outcomes, base: &Outcomes, name: &str) -> Option<statistics::Estimate> {
    let (values, others) = (of.values(name, MANY), base.values(name, MANY));
    let all: Vec<f64> = values.iter().zip(&others).map(|(one, other)| one / other).collect();
    statistics::mean_estimate(&all)
}

const LRU: &str = "lru";
const CLUSTERED: &str = "clustered";
const HITS: &str = "hits";
const FORWARDS: &str = "forwards";
/// Blocks that a node has room for, in either region half of it.
const ROOM: usize = 40;
/// Requests at each load.
const PROBES: u32 = 500;
const LOADS: [u32; 5] = [250, 500, 1_000, 2_000, 4_000];
const FEW: f64 = 250.0;
const MANY: f64 = 4_000.0;
