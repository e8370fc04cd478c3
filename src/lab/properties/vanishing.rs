//! Vanishing: what nobody asks for is forgotten when space runs out, and what is asked for stays.

use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{CLASSIC, FREENET, Town, samples, trials as of_both};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "vanishing",
    title: "What nobody wants vanishes when space runs out",
    about: "100 nodes with room for 20 blocks each, and 40 documents, of which twenty are asked for again and again and twenty \
            never. Then the network takes fresh documents until they would have filled all stores several times over: as many \
            as its copies of the forty tell. After every fourth insert one of the wanted is requested at a random node. \
            Measured: the share of either kind that still has a copy. Claimed (2001): stores keep what is used, so what is \
            not requested is forgotten in the end; Freenet is no archive.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, nodes) = if effort == Effort::Quick { (1, 40) } else { (10, 100) };
    of_both(seeds, u64::from(nodes) * 6 + 4_000, nodes, ROOM, course)
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut town = Town::grown(scenario, progress);
    let documents: Vec<u32> = (0..2 * EACH).map(|_| town.publish()).collect();
    let (wanted, unwanted) = documents.split_at(EACH as usize);
    let copies: u32 = documents.iter().map(|number| town.depot().live_copies(*number)).sum();
    let slots = town.live.len() * ROOM;
    // How many inserts put as many copies into the network as it has slots.
    let filling = slots as f64 * documents.len() as f64 / f64::from(copies.max(1));
    let (mut all, mut inserts) = (Vec::new(), 0_u32);
    for point in POINTS.iter().copied() {
        while f64::from(inserts) < point * filling {
            town.publish();
            inserts += 1;
            if inserts.is_multiple_of(4) {
                let (node, number) = (town.anybody(), wanted[(inserts / 4 % EACH) as usize]);
                town.fetch(node, number);
            }
        }
        all.extend(samples(point, [(WANTED, living(&town, wanted)), (UNWANTED, living(&town, unwanted))]));
    }
    all
}

/// The share of documents that have a copy.
fn living(town: &Town, documents: &[u32]) -> f64 {
    documents.iter().filter(|number| town.depot().live_copies(**number) > 0).count() as f64 / documents.len() as f64
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (ours, old) = (outcomes.of(FREENET), outcomes.of(CLASSIC));
    let rows = |variant: &str, of: &Outcomes| {
        let row = |what: &str, measure: &str, published: &str, tolerance| {
            let what = format!("{variant}: share of {what} documents left after six times the space was inserted");
            Row::new(what, published, statistics::mean_estimate(&of.values(measure, LAST)), tolerance)
        };
        [row("wanted", WANTED, "most", (0.8, 1.0)), row("unwanted", UNWANTED, "few", (0.0, 0.2))]
    };
    let series = |variant: &str, tone, of: &Outcomes| {
        let of_kind =
            |kind: &'static str, style| Series::new(format!("{variant}, {kind}"), tone, style, of.means(kind));
        [of_kind(WANTED, Style::Line), of_kind(UNWANTED, Style::Dashed)]
    };
    let figure = Figure {
        name: "left",
        title: "What is asked for stays, the rest goes".into(),
        x: Axis::linear("inserted since, as a multiple of all space", 0.0, LAST),
        y: Axis::linear("share of documents with a copy", 0.0, 1.0),
        series: [series(FREENET, Tone::Ours, &ours), series(CLASSIC, Tone::Second, &old)].concat(),
    };
    Findings { rows: [rows(FREENET, &ours), rows(CLASSIC, &old)].concat(), figures: vec![figure] }
}

/// Blocks that a node has room for.
const ROOM: usize = 20;
/// Documents of either kind.
const EACH: u32 = 20;
const WANTED: &str = "wanted";
const UNWANTED: &str = "unwanted";
const POINTS: [f64; 7] = [0.0, 0.5, 1.0, 1.5, 2.0, 4.0, 6.0];
const LAST: f64 = 6.0;
