//! Removal: does the network stay in one piece when nodes go, at random or the best linked first (2002, figure 5)?

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::lab::classic::scenarios::grown;
use crate::lab::experiment::{Effort, Experiment, Findings, Outcome, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::classic::Network;
use crate::sim::classic::graph::Graph;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "classic-removal",
    title: "Random and targeted removal",
    about: "Two nodes are linked if either names the other. From a network grown to 10,000 nodes one per cent after the other \
            is removed, at random or those with most links at that moment, and the largest connected part of the rest is \
            measured. Published: random removal leaves it connected almost to the end; targeted removal breaks it near 60 %.",
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
    let graph = network.graph();
    let mut random = ChaCha8Rng::seed_from_u64(scenario.seed);
    let mut samples = remove(graph.clone(), RANDOM, |graph, count| drawn(graph, count, &mut random));
    samples.extend(remove(graph, TARGETED, Graph::busiest));
    samples
}

/// Removes one per cent after the other, and measures what is left.
fn remove(mut graph: Graph, name: &'static str, mut choose: impl FnMut(&Graph, usize) -> Vec<u32>) -> Vec<Sample> {
    let per_cent = graph.nodes().count() / 100;
    let mut samples = vec![Sample::new(name, 0.0, graph.largest_component())];
    for removed in 1..=98 {
        for node in choose(&graph, per_cent) {
            graph.remove(node);
        }
        samples.push(Sample::new(name, f64::from(removed), graph.largest_component()));
    }
    samples
}

fn drawn(graph: &Graph, count: usize, random: &mut ChaCha8Rng) -> Vec<u32> {
    let mut nodes: Vec<u32> = graph.nodes().collect();
    for place in 0..count {
        let other = random.random_range(place..nodes.len());
        nodes.swap(place, other);
    }
    nodes.truncate(count);
    nodes
}

fn findings(outcomes: &Outcomes) -> Findings {
    let whole = statistics::mean_estimate(&outcomes.values(RANDOM, 90.0));
    let what = "share of the rest in one piece, 90 % removed at random";
    let random = Row::new(what, "connected almost to the end", whole, (0.9, 1.0));
    let broken: Vec<f64> = outcomes.0.iter().filter_map(breaks_at).collect();
    let what = "% removed when targeted removal leaves less than half in one piece";
    let targeted = Row::new(what, "near 60", statistics::mean_estimate(&broken), (52.0, 68.0));
    Findings { rows: vec![random, targeted.standing("classic-removal-targeted.toml")], figures: vec![figure(outcomes)] }
}

fn breaks_at(outcome: &Outcome) -> Option<f64> {
    let mut targeted = outcome.samples.iter().filter(|sample| sample.name == TARGETED);
    targeted.find(|sample| sample.value < 0.5).map(|sample| sample.at)
}

fn figure(outcomes: &Outcomes) -> Figure {
    let curve = |name| outcomes.means(name).into_iter().map(|(at, share)| (at, share * 100.0)).collect();
    Figure {
        name: "largest-part",
        title: "Removal: the largest connected part of what is left".into(),
        x: Axis::linear("% of nodes removed", 0.0, 100.0),
        y: Axis::linear("% of the rest in one piece", 0.0, 100.0),
        series: vec![
            Series::new("ours: at random", Tone::Second, Style::Line, curve(RANDOM)),
            Series::new("ours: best linked first", Tone::Ours, Style::Line, curve(TARGETED)),
            Series::new(
                "published: breaks near 60 %",
                Tone::Published,
                Style::Dashed,
                vec![(60.0, 0.0), (60.0, 100.0)],
            ),
        ],
    }
}

const RANDOM: &str = "random";
const TARGETED: &str = "targeted";
