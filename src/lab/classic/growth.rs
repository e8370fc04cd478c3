//! Growth: from 20 nodes to 200,000, one joining after every five operations (2001, figure 3; 2002).

use crate::lab::classic::quartiles::{self, Line, MEDIAN, Published, Q1, Q3, line};
use crate::lab::classic::scenarios::{grown, probes};
use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::Axis;
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::classic::{Network, Wanted};
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "classic-growth",
    title: "Growth from 20 to 200,000 nodes",
    about: "Twenty nodes on a ring lattice work, and after every five operations one more announces itself through a random \
            node. Snapshots on the way: 300 probes, 1,000 in networks above 2,000 nodes. Ten trials reach 10,000 nodes, and \
            four of them go on to 200,000. The article of 2002 fits N^0.28 to the medians. At 200,000 we are \
            somewhat longer than the paper, as is the independent model that the recipe comes from: 21 to 25 in its four trials.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    match effort {
        Effort::Quick => (1..=2).map(|seed| trial(seed, 1_000)).collect(),
        Effort::Full => (1..=10).map(|seed| trial(seed, if seed <= 4 { 200_000 } else { 10_000 })).collect(),
    }
}

fn trial(seed: u64, nodes: u32) -> Trial {
    let scenario = grown(nodes, seed);
    let probed: u64 = POINTS.iter().filter(|point| **point <= nodes).map(|point| u64::from(probes(*point))).sum();
    Trial { variant: "", steps: scenario.operations() + probed, scenario, course }
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut network = Network::new(scenario);
    let mut samples = Vec::new();
    for point in POINTS.iter().filter(|point| **point <= scenario.nodes) {
        network.grow_to(*point, progress);
        let lookups = network.probe(probes(*point), FOREVER, Wanted::Existing, progress);
        samples.extend(quartiles::samples(&lookups, f64::from(*point)));
    }
    samples
}

fn findings(outcomes: &Outcomes) -> Findings {
    let mut rows = quartiles::rows(outcomes, LINES, |nodes| format!("grown to {nodes} nodes"));
    let what = "growth: exponent of the median over N, 1,000 nodes and more";
    rows.push(Row::new(what, "0.28", exponent(outcomes), (0.25, 0.31)));
    let x = Axis::log("nodes", 100.0, 200_000.0);
    let figure = quartiles::figure(outcomes, "Growth: path length in a growing network", x, PUBLISHED);
    Findings { rows, figures: vec![figure] }
}

/// The slope of log median over log N by least squares, over the means of all trials.
fn exponent(outcomes: &Outcomes) -> Option<statistics::Estimate> {
    let medians = outcomes.means(MEDIAN);
    let points: Vec<(f64, f64)> = medians
        .into_iter()
        .filter(|(nodes, _)| *nodes >= 1_000.0)
        .map(|(nodes, median)| (libm::log(nodes), libm::log(median)))
        .collect();
    let trials = outcomes.0.len();
    let value = (points.last()?.0 > libm::log(50_000.0)).then(|| statistics::slope(&points))?;
    Some(statistics::Estimate { value, low: None, high: None, trials })
}

/// Sizes at which snapshots are taken.
const POINTS: &[u32] = &[100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000, 140_000, 200_000];
const FOREVER: u16 = 500;
const LINES: &[Line] = &[
    line(500.0, MEDIAN, 4.0),
    line(1_000.0, Q1, 3.0),
    line(1_000.0, MEDIAN, 4.7).within(4.0, 6.0).standing("classic-growth-1000.toml"),
    line(1_000.0, Q3, 10.0),
    line(10_000.0, Q1, 5.0),
    line(10_000.0, MEDIAN, 8.5).within(7.0, 10.0).standing("classic-growth-10000.toml"),
    line(10_000.0, Q3, 22.0),
    line(40_000.0, Q1, 6.0),
    line(40_000.0, MEDIAN, 12.0),
    line(40_000.0, Q3, 37.0),
    line(100_000.0, Q1, 8.0),
    line(100_000.0, MEDIAN, 17.0),
    line(100_000.0, Q3, 55.0),
    line(200_000.0, Q1, 9.0),
    line(200_000.0, MEDIAN, 21.0).standing("classic-growth-200000.toml"),
    line(200_000.0, Q3, 77.5),
];
const PUBLISHED: &[Published] = &[
    (500.0, [3.0, 4.0, 8.0]),
    (1_000.0, [3.0, 4.7, 10.0]),
    (10_000.0, [5.0, 8.5, 22.0]),
    (40_000.0, [6.0, 12.0, 37.0]),
    (100_000.0, [8.0, 17.0, 55.0]),
    (200_000.0, [9.0, 21.0, 77.5]),
];
