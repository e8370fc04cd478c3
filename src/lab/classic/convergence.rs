//! Convergence: 1,000 nodes that know four neighbours each learn to find what is inserted (2001, figure 2).

use crate::lab::classic::quartiles::{self, Line, MEDIAN, Published, Q1, Q3, line};
use crate::lab::classic::scenarios::{lattice, probes};
use crate::lab::experiment::{Course, Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Series, Style, Tone};
use crate::sim::classic::{Network, Wanted};
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "classic-convergence",
    title: "Convergence of 1,000 nodes",
    about: "A ring lattice in which every node knows two neighbours on either side works for 5,000 operations. Every 100 \
            operations it stands still for 300 probes with 500 hops to live; a failed one counts 500. The paper averages \
            ten trials. Trials are very skewed after 2,000 operations: a few that have not settled carry the mean, and groups of ten \
            disagree by a factor of several. The median over trials, the dotted line, says more there.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    match effort {
        Effort::Quick => (1..=2).map(|seed| trial(seed, 1_000, 500, course::<500>)).collect(),
        Effort::Full => (1..=100).map(|seed| trial(seed, 5_000, EVERY, course::<EVERY>)).collect(),
    }
}

fn trial(seed: u64, operations: u32, every: u32, course: Course) -> Trial {
    let mut scenario = lattice(NODES, seed);
    scenario.workload.warmup_operations = operations;
    scenario.workload.lookups = probes(NODES);
    let steps = u64::from(operations) + u64::from(operations / every) * u64::from(probes(NODES));
    Trial { variant: "", scenario, steps, course }
}

fn course<const EVERY: u32>(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut network = Network::new(scenario);
    let mut samples = Vec::new();
    for step in 1..=scenario.workload.warmup_operations / EVERY {
        network.operate(EVERY, progress);
        let lookups = network.probe(scenario.workload.lookups, FOREVER, Wanted::Existing, progress);
        samples.extend(quartiles::samples(&lookups, f64::from(step * EVERY)));
    }
    samples
}

fn findings(outcomes: &Outcomes) -> Findings {
    let rows = quartiles::rows(outcomes, LINES, |time| format!("1,000 nodes after {time} operations"));
    let x = Axis::linear("operations", 0.0, 5_000.0);
    let mut figure = quartiles::figure(outcomes, "Convergence: path length while 1,000 nodes learn", x, PUBLISHED);
    let typical = outcomes.medians(MEDIAN);
    figure.series.push(Series::new("ours: median over trials", Tone::Ours, Style::Faint, typical));
    Findings { rows, figures: vec![figure] }
}

const NODES: u32 = 1_000;
/// Operations between two snapshots, as in the paper.
const EVERY: u32 = 100;
/// Hops to live of probes, as in the paper.
const FOREVER: u16 = 500;
const LINES: &[Line] = &[
    line(500.0, Q1, 58.0),
    line(500.0, MEDIAN, 190.0).within(150.0, 260.0).standing("classic-convergence-500.toml"),
    line(500.0, Q3, 350.0),
    line(1_000.0, Q1, 12.0),
    line(1_000.0, MEDIAN, 90.0).within(55.0, 130.0).standing("classic-convergence-1000.toml"),
    line(1_000.0, Q3, 205.0),
    line(2_000.0, Q1, 4.1),
    line(2_000.0, MEDIAN, 23.0).within(10.0, 50.0).standing("classic-convergence-2000.toml"),
    line(2_000.0, Q3, 90.0),
    line(5_000.0, Q1, 3.2),
    line(5_000.0, MEDIAN, 6.5),
    line(5_000.0, MEDIAN, 6.0).typical().within(1.0, 8.0).standing("classic-convergence-5000.toml"),
];
const PUBLISHED: &[Published] = &[
    (100.0, [160.0, 340.0, 500.0]),
    (200.0, [145.0, 340.0, 490.0]),
    (500.0, [58.0, 190.0, 350.0]),
    (1_000.0, [12.0, 90.0, 205.0]),
    (1_500.0, [4.6, 38.0, 120.0]),
    (2_000.0, [4.1, 23.0, 90.0]),
    (3_000.0, [3.3, 16.0, 70.0]),
    (4_000.0, [3.1, 11.5, 53.0]),
    (5_000.0, [3.2, 6.5, 47.5]),
];
