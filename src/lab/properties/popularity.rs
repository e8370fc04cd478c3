//! Popularity: the more often a document is asked for, the cheaper it is to find, from anywhere.

use crate::lab::experiment::{Effort, Experiment, Findings, Outcomes, Progress, Sample, Trial};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::properties::town::{CLASSIC, FREENET, Town, samples, trials as of_both};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::scenario::Scenario;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "popularity",
    title: "More requests make a document cheaper to find",
    about: "200 nodes with room for 50 blocks each, 40 documents. Each is requested 100 times, every time at a random node. \
            Measured against the number of requests so far: the forwards that a request takes, and how many nodes hold a copy. \
            Claimed (2001): answers leave copies on their way, so requests for what is popular end early.",
    trials,
    findings,
};

fn trials(effort: Effort) -> Vec<Trial> {
    let (seeds, nodes) = if effort == Effort::Quick { (1, 60) } else { (10, 200) };
    of_both(seeds, u64::from(nodes) * 6 + 4_100, nodes, 50, course)
}

fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    let mut town = Town::grown(scenario, progress);
    let documents: Vec<u32> = (0..DOCUMENTS).map(|_| town.publish()).collect();
    let (mut all, mut requests) = (Vec::new(), 0);
    for point in POINTS.iter().copied() {
        let mut hops = Vec::new();
        while requests < point {
            for number in &documents {
                let node = town.anybody();
                hops.extend(town.fetch(node, *number).map(f64::from));
            }
            requests += 1;
        }
        let copies: u32 = documents.iter().map(|number| town.depot().live_copies(*number)).sum();
        let at = f64::from(point);
        all.extend(samples(at, [(COPIES, f64::from(copies) / documents.len() as f64)]));
        all.extend(statistics::mean(&hops).map(|hops| Sample::new(HOPS, at, hops)));
    }
    all
}

fn findings(outcomes: &Outcomes) -> Findings {
    let (ours, old) = (outcomes.of(FREENET), outcomes.of(CLASSIC));
    let row = |variant: &str, of: &Outcomes| {
        let pairs = of.values(HOPS, LAST).into_iter().zip(of.values(HOPS, FIRST));
        let ratio = statistics::mean_estimate(&pairs.map(|(last, first)| last / first).collect::<Vec<_>>());
        Row::new(
            format!("{variant}: forwards of the 51st to 100th request ÷ those of the first"),
            "less than 1",
            ratio,
            (0.0, 1.0),
        )
    };
    let both = |name, title: &str, y, measure: &'static str| Figure {
        name,
        title: title.into(),
        x: Axis::log("requests for each document so far", FIRST, LAST),
        y,
        series: vec![
            Series::new("freenet", Tone::Ours, Style::Line, ours.means(measure)),
            Series::new("classic", Tone::Second, Style::Line, old.means(measure)),
        ],
    };
    let figures = vec![
        both("hops", "What is popular is near", Axis::linear("forwards of a request, mean", 0.0, 3.0), HOPS),
        both("copies", "Copies of what is popular", Axis::linear("nodes that hold a copy", 0.0, 200.0), COPIES),
    ];
    Findings { rows: vec![row(FREENET, &ours), row(CLASSIC, &old)], figures }
}

const DOCUMENTS: u32 = 40;
const HOPS: &str = "hops";
const COPIES: &str = "copies";
const POINTS: [u32; 7] = [1, 2, 5, 10, 20, 50, 100];
const FIRST: f64 = 1.0;
const LAST: f64 = 100.0;
