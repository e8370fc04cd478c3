//! Migration: copies of a document come to lie where it is wanted, and finding it there becomes cheap.

use std::collections::{BTreeSet, VecDeque};

use rand::RngExt;

use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{CLASSIC, FREENET, Town, samples, trials as of_both};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "migration",
    title: "Documents migrate towards those who want them",
    about: "200 nodes, 200 documents. All demand for twenty of them comes from one region: a random node and those that are \
            linked to it most closely, an eighth of all. Measured against the number of requests for each: the share of its \
            copies that lie in the region, as a multiple of the region's share of all nodes, and the forwards that a request \
            takes. Claimed (2001): data is moved towards where it is requested, by the copies that answers leave on their way.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, nodes) = if effort == Effort::Quick { (1, 60) } else { (10, 200) };
    of_both(seeds, u64::from(nodes) * 6 + 2_000, nodes, 50, course)
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut town = Town::grown(scenario, progress);
    let documents: Vec<u32> = (0..DOCUMENTS).map(|_| town.publish()).collect();
    let region = region(&mut town);
    let inside: Vec<u32> = region.iter().copied().collect();
    let (mut all, mut requests) = (Vec::new(), 0);
    for point in POINTS.iter().copied() {
        let mut hops = Vec::new();
        while requests < point {
            for number in &documents[..WANTED] {
                let node = inside[town.random.random_range(0..inside.len())];
                hops.extend(town.fetch(node, *number).map(f64::from));
            }
            requests += 1;
        }
        let at = f64::from(point);
        all.extend(samples(at, [(LIFT, lift(&town, &documents[..WANTED], &region))]));
        all.extend(statistics::mean(&hops).map(|hops| Sample::new(HOPS, at, hops)));
    }
    all
}

/// An eighth of all nodes: a random one and those fewest links away from it.
fn region(town: &mut Town) -> BTreeSet<u32> {
    let (start, size) = (town.anybody(), town.live.len() / 8);
    let (mut region, mut open) = (BTreeSet::from([start]), VecDeque::from([start]));
    while let Some(node) = open.pop_front() {
        for other in town.named(node) {
            if region.len() < size && region.insert(other) {
                open.push_back(other);
            }
        }
    }
    region
}

/// The share of the copies of `documents` that lie in `region`, as a multiple of its share of all nodes.
fn lift(town: &Town, documents: &[u32], region: &BTreeSet<u32>) -> f64 {
    let holders = |number: &u32| -> Vec<u32> {
        town.live.iter().copied().filter(|node| town.depot().holds(*node, *number)).collect()
    };
    let all: Vec<u32> = documents.iter().flat_map(holders).collect();
    let inside = all.iter().filter(|node| region.contains(node)).count();
    inside as f64 / all.len().max(1) as f64 * town.live.len() as f64 / region.len() as f64
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (ours, old) = (outcomes.of(FREENET), outcomes.of(CLASSIC));
    let rows = |variant: &str, of: &Outcomes| {
        let lift = statistics::mean_estimate(&of.values(LIFT, LAST));
        let pairs = of.values(HOPS, LAST).into_iter().zip(of.values(HOPS, FIRST));
        let cheaper = statistics::mean_estimate(&pairs.map(|(last, first)| last / first).collect::<Vec<_>>());
        [
            Row::new(
                format!(
                    "{variant}: share of copies in the region of demand ÷ its share of nodes, after 50 requests each"
                ),
                "more than 1",
                lift,
                (1.0, 8.0),
            ),
            Row::new(
                format!("{variant}: forwards of the 21st to 50th request from the region ÷ those of the first"),
                "less than 1",
                cheaper,
                (0.0, 1.0),
            ),
        ]
    };
    let both = |name, title: &str, y, measure: &'static str| Figure {
        name,
        title: title.into(),
        x: Axis::log("requests for each document, all from one region", 1.0, LAST),
        y,
        series: vec![
            Series::new("freenet", Tone::Ours, Style::Line, ours.means(measure)),
            Series::new("classic", Tone::Second, Style::Line, old.means(measure)),
        ],
    };
    let chance = Series::new("chance", Tone::Published, Style::Dashed, vec![(FIRST, 1.0), (LAST, 1.0)]);
    let copies = Axis::linear("copies in the region, as a multiple of chance", 0.0, 8.0);
    let mut gathering = both("copies", "Copies gather where the demand is", copies, LIFT);
    gathering.series.push(chance);
    let figures = vec![
        gathering,
        both("hops", "Requests from there become cheap", Axis::linear("forwards of a request, mean", 0.0, 8.0), HOPS),
    ];
    Findings { rows: [rows(FREENET, &ours), rows(CLASSIC, &old)].concat(), figures }
}

const DOCUMENTS: u32 = 200;
const WANTED: usize = 20;
const LIFT: &str = "copies in the region";
const HOPS: &str = "hops";
const POINTS: [u32; 6] = [1, 2, 5, 10, 20, 50];
const FIRST: f64 = 1.0;
const LAST: f64 = 50.0;
