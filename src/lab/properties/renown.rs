//! Renown: nodes that many others know are asked more often.

use rand::RngExt;

use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{CLASSIC, FREENET, Town, trials as of_both};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "renown",
    title: "Well-known nodes see more requests",
    about: "200 nodes, 200 documents, 4,000 requests for random ones at random nodes. Nodes are put in four quarters by how \
            many others name them as a neighbour or in their table. Measured: the messages that a node of each quarter \
            receives, as a multiple of the mean. Claimed (2001): nodes that are known get known better, because those they \
            answer learn of them; a few see much of the traffic.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, nodes) = if effort == Effort::Quick { (1, 60) } else { (10, 200) };
    of_both(seeds, u64::from(nodes) * 6 + 4_400, nodes, 50, course)
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut town = Town::grown(scenario, progress);
    let documents: Vec<u32> = (0..DOCUMENTS).map(|_| town.publish()).collect();
    let mut known = vec![0_u32; town.live.len()];
    for node in &town.live {
        town.named(*node).iter().for_each(|other| known[*other as usize] += 1);
    }
    let before: Vec<u64> = town.live.iter().map(|node| town.received(*node)).collect();
    for _ in 0..REQUESTS {
        let (node, at) = (town.anybody(), town.random.random_range(0..documents.len()));
        town.fetch(node, documents[at]);
    }
    let mut order: Vec<usize> = (0..town.live.len()).collect();
    order.sort_by_key(|node| known[*node]);
    let load = |node: &usize| (town.received(*node as u32) - before[*node]) as f64;
    let mean = order.iter().map(load).sum::<f64>() / order.len() as f64;
    let quarter = |at: usize| -> Vec<f64> {
        let (from, to) = (order.len() * at / QUARTERS, order.len() * (at + 1) / QUARTERS);
        order[from..to].iter().map(load).collect()
    };
    let share = |at: usize| statistics::mean(&quarter(at)).map(|load| Sample::new(LOAD, (at + 1) as f64, load / mean));
    (0..QUARTERS).filter_map(share).collect()
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (ours, old) = (outcomes.of(FREENET), outcomes.of(CLASSIC));
    let row = |variant: &str, of: &Outcomes| {
        let pairs = of.values(LOAD, QUARTERS as f64).into_iter().zip(of.values(LOAD, 1.0));
        let ratio = statistics::mean_estimate(&pairs.map(|(most, least)| most / least).collect::<Vec<_>>());
        let what = format!("{variant}: messages at the quarter known best ÷ at the quarter known least");
        Row::new(what, "more than 1", ratio, (1.0, 1_000.0))
    };
    let figure = Figure {
        name: "load",
        title: "Who is known is asked".into(),
        x: Axis::linear("quarter of the nodes, from the least known to the best known", 1.0, QUARTERS as f64),
        y: Axis::linear("messages received, as a multiple of the mean", 0.0, 3.0),
        series: vec![
            Series::new("freenet", Tone::Ours, Style::Line, ours.means(LOAD)),
            Series::new("classic", Tone::Second, Style::Line, old.means(LOAD)),
        ],
    };
    Findings { rows: vec![row(FREENET, &ours), row(CLASSIC, &old)], figures: vec![figure] }
}

const DOCUMENTS: u32 = 200;
const REQUESTS: u32 = 4_000;
const QUARTERS: usize = 4;
const LOAD: &str = "load";
