//! World: the network is a small one. Neighbours of a node are neighbours of each other, and yet everybody is near.

use std::collections::{BTreeSet, VecDeque};

use rand::RngExt;

use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{CLASSIC, FREENET, Town, of_2001, samples, shipping};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "world",
    title: "The network is a small world",
    about: "Networks of 100 to 800 nodes that have grown by themselves, beside random graphs in which every node has as many \
            links. Freenet's nodes have 16 at most; tables of `classic` have 20 entries, so that they are not \
            full of everybody. Clustering is the share of pairs of a node's neighbours that are neighbours themselves; a path \
            is the fewest links between two nodes. Claimed (2001, after Watts and Strogatz 1998): much more clustering than in \
            a random graph, and paths hardly longer. The law of the degrees of `classic` is in classic-links.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, sizes) = if effort == Effort::Quick { (1, &SIZES[..1]) } else { (5, SIZES) };
    let mut all = Vec::new();
    for seed in 1..=seeds {
        for nodes in sizes {
            let steps = u64::from(*nodes) * 6;
            all.push(Trial { variant: FREENET, scenario: shipping(*nodes, 50, seed), steps, course });
            let mut scenario = of_2001(*nodes, 50, seed);
            if let Some(table) = &mut scenario.classic {
                table.routing_entries = 20;
            }
            all.push(Trial { variant: CLASSIC, scenario, steps, course });
        }
    }
    all
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut town = Town::grown(scenario, progress);
    let mut near = vec![BTreeSet::new(); town.live.len()];
    for node in &town.live {
        for other in town.named(*node) {
            if other != *node {
                near[*node as usize].insert(other);
                near[other as usize].insert(*node);
            }
        }
    }
    let random = shuffled(&near, &mut town);
    let degree = near.iter().map(|near| near.len() as f64).sum::<f64>() / near.len() as f64;
    let values = [
        (CLUSTERING, clustering(&near)),
        (RANDOM_CLUSTERING, clustering(&random)),
        (PATH, path(&near)),
        (RANDOM_PATH, path(&random)),
        (DEGREE, degree),
    ];
    samples(f64::from(scenario.nodes), values)
}

type Links = Vec<BTreeSet<u32>>;

/// A random graph in which nodes have as many links, by swapping the ends of pairs of links.
fn shuffled(near: &Links, town: &mut Town) -> Links {
    let mut links: Vec<(u32, u32)> = Vec::new();
    for (node, others) in near.iter().enumerate() {
        links.extend(others.iter().filter(|other| **other > node as u32).map(|other| (node as u32, *other)));
    }
    let mut random = near.clone();
    for _ in 0..10 * links.len() {
        let (one, other) = (town.random.random_range(0..links.len()), town.random.random_range(0..links.len()));
        let ((a, b), (c, d)) = (links[one], links[other]);
        let is_possible = a != d && c != b && !random[a as usize].contains(&d) && !random[c as usize].contains(&b);
        if one == other || !is_possible {
            continue;
        }
        for (x, y) in [(a, b), (c, d)] {
            random[x as usize].remove(&y);
            random[y as usize].remove(&x);
        }
        for (x, y) in [(a, d), (c, b)] {
            random[x as usize].insert(y);
            random[y as usize].insert(x);
        }
        (links[one], links[other]) = ((a, d), (c, b));
    }
    random
}

/// The mean share of pairs of a node's neighbours that are linked.
fn clustering(near: &Links) -> f64 {
    let of = |others: &BTreeSet<u32>| {
        let linked: usize = others.iter().map(|other| near[*other as usize].intersection(others).count()).sum();
        linked as f64 / (others.len() * (others.len() - 1)) as f64
    };
    let all: Vec<f64> = near.iter().filter(|others| others.len() > 1).map(of).collect();
    statistics::mean(&all).unwrap_or(0.0)
}

/// The mean length of the shortest paths between all pairs that are connected.
fn path(near: &Links) -> f64 {
    let (mut sum, mut pairs) = (0_u64, 0_u64);
    for start in 0..near.len() {
        let mut distances: Vec<Option<u64>> = vec![None; near.len()];
        let mut open = VecDeque::from([start]);
        distances[start] = Some(0);
        while let Some(node) = open.pop_front() {
            let next = distances[node].map_or(0, |distance| distance + 1);
            for other in near[node].iter().map(|other| *other as usize) {
                if distances[other].is_none() {
                    distances[other] = Some(next);
                    (sum, pairs) = (sum + next, pairs + 1);
                    open.push_back(other);
                }
            }
        }
    }
    sum as f64 / pairs.max(1) as f64
}

fn findings(outcomes: &Outcomes) -> Findings {
    let mut rows = Vec::new();
    for variant in [FREENET, CLASSIC] {
        let of = outcomes.of(variant);
        let ratio = |name: &str, random: &str| {
            let pairs = of.values(name, LAST).into_iter().zip(of.values(random, LAST));
            statistics::mean_estimate(&pairs.map(|(ours, random)| ours / random).collect::<Vec<_>>())
        };
        let what = |what: &str| format!("{variant}, 800 nodes: {what} ÷ that of a random graph");
        rows.push(Row::new(
            what("clustering"),
            "much more than 1",
            ratio(CLUSTERING, RANDOM_CLUSTERING),
            (2.0, 1_000.0),
        ));
        rows.push(Row::new(what("mean path"), "about 1", ratio(PATH, RANDOM_PATH), (1.0, 1.5)));
    }
    let (ours, old) = (outcomes.of(FREENET), outcomes.of(CLASSIC));
    let figure = |name, title: &str, y, actual: &'static str, random: &'static str| Figure {
        name,
        title: title.into(),
        x: Axis::log("nodes", 100.0, 800.0),
        y,
        series: vec![
            Series::new("freenet", Tone::Ours, Style::Line, ours.means(actual)),
            Series::new("random graph", Tone::Ours, Style::Dashed, ours.means(random)),
            Series::new("classic", Tone::Second, Style::Line, old.means(actual)),
            Series::new("random graph", Tone::Second, Style::Dashed, old.means(random)),
        ],
    };
    let clustered = "Clustering stays, where a random graph loses it";
    let near = "Paths are hardly longer than in a random graph";
    let figures = vec![
        figure("clustering", clustered, Axis::log("clustering coefficient", 0.01, 1.0), CLUSTERING, RANDOM_CLUSTERING),
        figure("paths", near, Axis::linear("links on the shortest path, mean", 0.0, 4.0), PATH, RANDOM_PATH),
    ];
    Findings { rows, figures }
}

const CLUSTERING: &str = "clustering";
const RANDOM_CLUSTERING: &str = "clustering of a random graph";
const PATH: &str = "path";
const RANDOM_PATH: &str = "path of a random graph";
const DEGREE: &str = "degree";
const SIZES: &[u32] = &[100, 200, 400, 800];
const LAST: f64 = 800.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_with_a_tail_has_its_clustering_and_paths() {
        let near = vec![BTreeSet::from([1, 2]), BTreeSet::from([0, 2]), BTreeSet::from([0, 1, 3]), BTreeSet::from([2])];
        // Of the three nodes with two neighbours or more: 1, 1 and 1/3.
        assert!((clustering(&near) - 7.0 / 9.0).abs() < 1e-9);
        // Four links of length 1, and 0–3 and 1–3 of length 2.
        assert!((path(&near) - 8.0 / 6.0).abs() < 1e-9);
    }
}
