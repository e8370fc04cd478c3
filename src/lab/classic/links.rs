//! Links: how many entries the tables of a grown network have (2002: a power law with a spike at full tables).

use crate::lab::classic::scenarios::grown;
use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::classic::Network;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "classic-links",
    title: "Links of a node",
    about: "How many entries the tables of 10,000 nodes have, after growth from 20. Published: a power law with exponent \
            1.5, hardly a node below ten links, which is how many nodes hear of a newcomer, and about 7 % of the tables \
            full at 250. Our exponent is the most likely one for a power law cut off between the smallest and the full table.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (count, nodes) = if effort == Effort::Quick { (1, 1_000) } else { (10, 10_000) };
    let trial =
        |seed| Trial { variant: "", steps: grown(nodes, seed).operations(), scenario: grown(nodes, seed), course };
    (1..=count).map(trial).collect()
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut network = Network::new(scenario);
    network.grow_to(scenario.nodes, progress);
    let mut entries = network.entries();
    entries.sort_unstable();
    let Some(degree) = network.degree() else { return Vec::new() };
    let sample = |name, value| Sample::new(name, f64::from(scenario.nodes), value);
    let mut samples =
        vec![sample("least", entries[0] as f64), sample("below ten", degree.below_ten), sample("full", degree.full)];
    samples.extend(degree.exponent.map(|exponent| sample("exponent", exponent)));
    let nodes = entries.len() as f64;
    for same in entries.chunk_by(|a, b| a == b) {
        samples.push(Sample::new("share", same[0] as f64, same.len() as f64 / nodes));
    }
    samples
}

fn findings(outcomes: &Outcomes) -> Findings {
    let row = |name: &str, what: &str, published: &str, tolerance| {
        let at = outcomes.points(name).last().copied().unwrap_or(10_000.0);
        let ours = statistics::mean_estimate(&outcomes.values(name, at));
        let nodes = crate::lab::axis::number(at);
        Row::new(format!("{nodes} nodes, {what}"), published, ours, tolerance).standing("classic-links.toml")
    };
    let rows = [
        row("exponent", "links: exponent of the power law", "1.5", (1.35, 1.65)),
        row("least", "links: fewest of any node", "about 10", (9.0, 11.0)),
        row("full", "links: share of full tables", "about 7 %", (0.05, 0.09)),
    ];
    Findings { rows: rows.into(), figures: vec![figure(outcomes)] }
}

fn figure(outcomes: &Outcomes) -> Figure {
    let all = outcomes.0.len() as f64;
    // A trial without a node of that many links has a share of zero there.
    let share = |at: f64| (at, 100.0 * outcomes.values("share", at).iter().sum::<f64>() / all);
    let points: Vec<(f64, f64)> = outcomes.points("share").into_iter().map(share).collect();
    let law = |links: f64| (links, 100.0 * LAW * libm::pow(links, -1.5));
    Figure {
        name: "links",
        title: "Links: the tables follow a power law up to where they are full".into(),
        x: Axis::log("entries of a node's table", 8.0, 300.0),
        y: Axis::log("% of nodes", 0.001, 20.0),
        series: vec![
            Series::new("ours", Tone::Ours, Style::Dots, points),
            Series::new("published: exponent 1.5", Tone::Published, Style::Dashed, vec![law(10.0), law(249.0)]),
            Series::new("published: 7 % full", Tone::Published, Style::Dots, vec![(250.0, 7.0)]),
        ],
    }
}

/// So that the law from 10 to 249 holds the 93 % of the nodes whose tables are not full.
const LAW: f64 = 1.83;
