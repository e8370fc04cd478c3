//! Clusters: a node comes to hold keys that are similar to each other.

use rand::RngExt;

use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{CLASSIC, FREENET, Town, trials as of_both};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "clusters",
    title: "Similar keys gather at one node",
    about: "200 nodes with room for 50 blocks each, inserts at random nodes and requests for random documents in turn. Of \
            all pairs of keys that lie at one node, how many are nearer to each other than a sixty-fourth of key space, \
            against chance: of random pairs 1 in 32 is. Claimed (2001): nodes come to specialise in clusters of similar \
            keys, because a node is asked for what others believe it to have.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, nodes) = if effort == Effort::Quick { (1, 60) } else { (10, 200) };
    of_both(seeds, u64::from(nodes) * 6 + 5_000, nodes, 50, course)
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut town = Town::grown(scenario, progress);
    let (mut all, mut operations) = (Vec::new(), 0);
    for point in POINTS.iter().copied() {
        while operations < point {
            if operations % 2 == 0 {
                town.publish();
            } else {
                let (node, count) = (town.anybody(), town.depot().len());
                let number = town.random.random_range(0..count) as u32;
                town.fetch(node, number);
            }
            operations += 1;
        }
        all.extend(lift(&town).map(|lift| Sample::new(LIFT, f64::from(point), lift)));
    }
    all
}

/// Near pairs of keys at one node, as a multiple of what chance gives.
fn lift(town: &Town) -> Option<f64> {
    let (mut near, mut pairs) = (0_u64, 0_u64);
    for node in &town.live {
        let mut keys: Vec<u64> =
            town.depot().held_by(*node).map(|number| town.depot().block(number).key().location().0).collect();
        keys.sort_unstable();
        for (at, key) in keys.iter().enumerate() {
            pairs += (keys.len() - at - 1) as u64;
            let distance = |other: &&u64| (*other - key).min(key.wrapping_sub(**other)) < u64::MAX / 64;
            near += keys[at + 1..].iter().filter(distance).count() as u64;
        }
    }
    (pairs > 0).then(|| near as f64 / pairs as f64 * 32.0)
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (ours, old) = (outcomes.of(FREENET), outcomes.of(CLASSIC));
    let row = |variant: &str, of: &Outcomes| {
        let what = format!("{variant}: similar pairs of keys at one node ÷ chance, after 4,000 operations");
        Row::new(what, "more than 1", statistics::mean_estimate(&of.values(LIFT, LAST)), (1.0, 1_000.0))
    };
    let chance = vec![(POINTS[0].into(), 1.0), (LAST, 1.0)];
    let figure = Figure {
        name: "lift",
        title: "Similar keys gather at one node".into(),
        x: Axis::log("inserts and requests so far", 100.0, 4_000.0),
        y: Axis::log("similar pairs at one node, as a multiple of chance", 0.5, 50.0),
        series: vec![
            Series::new("freenet", Tone::Ours, Style::Line, ours.means(LIFT)),
            Series::new("classic", Tone::Second, Style::Line, old.means(LIFT)),
            Series::new("chance", Tone::Published, Style::Dashed, chance),
        ],
    };
    Findings { rows: vec![row(FREENET, &ours), row(CLASSIC, &old)], figures: vec![figure] }
}

const LIFT: &str = "lift";
const POINTS: [u32; 6] = [100, 250, 500, 1_000, 2_000, 4_000];
const LAST: f64 = 4_000.0;
