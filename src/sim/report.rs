//! What a simulation found: the result fields that all overlays share.
//!
//! A field that does not apply is `null`. Wall time and memory are filled in by whoever has a clock; everything else is
//! the same, bit for bit, for the same scenario.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::scenario::{Fidelity, Scenario};

/// The result of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario with all defaults.
    pub scenario: Scenario,
    /// How messages travelled.
    pub fidelity: Fidelity,
    /// What was ideal instead of real.
    pub stand_ins: Vec<&'static str>,
    /// Lookups answered with the right document ÷ all lookups.
    pub success: Option<f64>,
    /// The same, of those whose document still exists on a live node.
    pub success_of_existing: Option<f64>,
    /// Why lookups failed.
    pub misses: Misses,
    /// Of successful lookups.
    pub hops: Option<Summary>,
    /// Hops of an onion path.
    pub onion_hops: Option<Summary>,
    /// As the papers count: nodes contacted, the originator's own first; a failed probe is its hops to live.
    pub path_with_failures: Option<Summary>,
    /// Messages that search, and their answers, without content and maintenance.
    pub messages_per_lookup: Option<f64>,
    /// The searching ones alone.
    pub query_messages_per_lookup: Option<f64>,
    /// Queries that reached a node a second time.
    pub duplicates_per_lookup: Option<f64>,
    /// Bytes on all links.
    pub bytes_per_lookup: Option<BytesPerLookup>,
    /// Time-outs.
    pub timeouts_per_lookup: Option<Summary>,
    /// To the first byte.
    pub latency_ms: Option<Summary>,
    /// To the last byte.
    pub completion_seconds: Option<Summary>,
    /// Of free riders.
    pub rider_completion_seconds: Option<Summary>,
    /// Of leechers.
    pub uplink_utilisation: Option<f64>,
    /// How trade stood between peers, minute by minute, where pieces are traded.
    pub trades: Option<Vec<TradeSample>>,
    /// Entries that a live node holds.
    pub state_per_node: Option<Summary>,
    /// Blocks that a live node holds.
    pub keys_per_node: Option<Summary>,
    /// Links of a live node.
    pub degree: Option<Degree>,
    /// How unevenly messages fall on nodes: 0 evenly, 1 all on one.
    pub load_gini: Option<f64>,
    /// The busiest node's share over the mean.
    pub load_max_over_mean: Option<f64>,
    /// What keeps the network together.
    pub maintenance_bytes_per_node_second: Option<f64>,
    /// Copies of the documents that exist.
    pub copies_per_document: Option<Summary>,
    /// Exponent of copies over popularity, where documents are not all as popular: 0 for uniform copies, 1 for proportional.
    pub copies_exponent: Option<f64>,
    /// Nodes per lookup that learn who asks and what for.
    pub exposure: Option<Exposure>,
    /// Share of the live nodes in the largest connected part.
    pub largest_component: Option<f64>,
    /// Documents published, and how many of them exist on a live node.
    pub documents: Option<Documents>,
    /// Searches for single blocks, where documents have several.
    pub blocks: Option<Blocks>,
    /// How nodes came and went.
    pub presence: Option<Presence>,
    /// What it cost to publish.
    pub publication: Option<Publication>,
    /// What passed while nothing was asked.
    pub idle: Option<Idle>,
    /// How the network came into being, where it grew by its own joins.
    pub growth: Option<Growing>,
    /// Insert operations that ended without success.
    pub failed_inserts: u64,
    /// What the checkers outside the nodes saw: none is expected.
    pub violations: Violations,
    /// Virtual time that passed.
    pub virtual_seconds: f64,
    /// Messages delivered, links opened and lost, timers that changed a node's state.
    pub events: u64,
    /// Per second of wall time.
    pub events_per_second: Option<f64>,
    /// Wall time.
    pub wall_seconds: Option<f64>,
    /// Peak memory of the process.
    pub peak_memory_bytes: Option<u64>,
}

/// Failed lookups by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Misses {
    /// No live node held the document.
    pub lost: u64,
    /// One did, and the search did not reach it.
    pub not_found: u64,
    /// The search was not answered, or refused for load.
    pub timed_out: u64,
}

/// Bytes of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BytesPerLookup {
    /// Without content.
    pub control: f64,
    /// Content.
    pub content: f64,
}

/// Links of a node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Degree {
    /// The distribution.
    #[serde(flatten)]
    pub summary: Summary,
    /// Exponent of its tail as a power law.
    pub exponent: Option<f64>,
    /// Share of nodes whose table is full.
    pub full: f64,
    /// Share of nodes with fewer than ten.
    pub below_ten: f64,
}

/// How trade stands at one moment between linked leechers, in shares of their pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TradeSample {
    /// Since the first arrival.
    pub seconds: f64,
    /// Pairs.
    pub pairs: u64,
    /// Each has what the other lacks, and they do not answer each other: both could gain by trading.
    pub could_gain: f64,
    /// Each has what the other lacks, and they answer each other.
    pub trading: f64,
}

/// Nodes per lookup that learn each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Exposure {
    /// Who asks, and for what.
    pub requester_and_key: f64,
    /// What is asked for.
    pub key_only: f64,
    /// Who asks.
    pub requester_only: f64,
}

/// Documents published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Documents {
    /// All.
    pub published: u64,
    /// Those of which a live node holds a copy.
    pub existing: u64,
}

/// Searches for single blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Blocks {
    /// Data, check and top blocks that one document has.
    pub per_document: u64,
    /// Searches, repeated ones included.
    pub searches: u64,
    /// Searches that found the block ÷ all.
    pub success: f64,
    /// The same, of those whose block a live node held when the search began.
    pub success_of_existing: f64,
    /// Missing blocks that fetches rebuilt and inserted again.
    pub repaired: u64,
}

/// How nodes came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Presence {
    /// Mean number of nodes online while documents were looked up.
    pub online: f64,
    /// Nodes that went, from the publication on.
    pub departures: u64,
    /// Nodes that came, or came back.
    pub arrivals: u64,
    /// Lookups that ended because their node went: they count nowhere.
    pub abandoned_lookups: u64,
}

/// What it cost to publish a document, replicas included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Publication {
    /// Messages that publish, or carry the document.
    pub messages_per_document: f64,
    /// Bytes of them.
    pub bytes_per_document: f64,
    /// Messages of upkeep meanwhile: lookups of publication among them where the wire does not tell them apart.
    pub upkeep_messages_per_document: f64,
}

/// A span in which nothing was asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Idle {
    /// How long it was.
    pub seconds: f64,
    /// Mean number of live nodes.
    pub nodes: f64,
    /// Nodes that joined, or came back.
    pub arrivals: u64,
    /// Messages of upkeep.
    pub messages: u64,
    /// Bytes of upkeep.
    pub bytes: u64,
}

/// How a network grew.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growing {
    /// Nodes that were there without joining.
    pub founders: u32,
    /// Nodes that had not got a place when the growth was over.
    pub unplaced: u64,
    /// Virtual time.
    pub virtual_seconds: f64,
    /// Events, as in the whole report.
    pub events: u64,
    /// Messages of each kind over the number of joins, upkeep of the others included.
    pub messages_per_join: BTreeMap<&'static str, f64>,
}

/// What must not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// Documents altered.
    pub altered: u64,
    /// Commands answered twice.
    pub answered_twice: u64,
    /// Rules broken by honest nodes.
    pub offences: u64,
    /// Commands never answered.
    pub unanswered: u64,
}

/// A distribution in nine numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// Percentiles: element ⌊n·p/100⌋ of the sorted values, as the papers take them.
    pub p1: f64,
    /// The first quartile.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// The third quartile.
    pub p75: f64,
    /// See `p1`.
    pub p95: f64,
    /// See `p1`.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

impl Report {
    /// A report in which nothing has been measured yet.
    pub fn of(scenario: &Scenario, stand_ins: Vec<&'static str>) -> Self {
        Self {
            scenario: scenario.clone(),
            fidelity: scenario.fidelity(),
            stand_ins,
            success: None,
            success_of_existing: None,
            misses: Misses::default(),
            hops: None,
            onion_hops: None,
            path_with_failures: None,
            messages_per_lookup: None,
            query_messages_per_lookup: None,
            duplicates_per_lookup: None,
            bytes_per_lookup: None,
            timeouts_per_lookup: None,
            latency_ms: None,
            completion_seconds: None,
            rider_completion_seconds: None,
            uplink_utilisation: None,
            trades: None,
            state_per_node: None,
            keys_per_node: None,
            degree: None,
            load_gini: None,
            load_max_over_mean: None,
            maintenance_bytes_per_node_second: None,
            copies_per_document: None,
            copies_exponent: None,
            exposure: None,
            largest_component: None,
            documents: None,
            blocks: None,
            presence: None,
            publication: None,
            idle: None,
            growth: None,
            failed_inserts: 0,
            violations: Violations::default(),
            virtual_seconds: 0.0,
            events: 0,
            events_per_second: None,
            wall_seconds: None,
            peak_memory_bytes: None,
        }
    }
}

impl Summary {
    /// Of any numbers; `None` of none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len();
        let max = *values.last()?;
        let at = |percent: usize| values[(count * percent / 100).min(count - 1)];
        let mean = values.iter().sum::<f64>() / count as f64;
        Some(Self {
            mean,
            min: values[0],
            p1: at(1),
            p25: at(25),
            p50: at(50),
            p75: at(75),
            p95: at(95),
            p99: at(99),
            max,
        })
    }
}

/// How unevenly `loads` are spread: the Gini coefficient, and the greatest over the mean.
pub fn unevenness(mut loads: Vec<u64>) -> Option<(f64, f64)> {
    loads.sort_unstable();
    let (count, sum) = (loads.len() as f64, loads.iter().sum::<u64>() as f64);
    let max = *loads.last()? as f64;
    if sum == 0.0 {
        return None;
    }
    let weighted: f64 = loads.iter().enumerate().map(|(rank, load)| (rank as f64 + 1.0) * *load as f64).sum();
    Some((2.0 * weighted / (count * sum) - (count + 1.0) / count, max * count / sum))
}

/// The exponent of a power law between the smallest of `degrees` and `full`, by maximum likelihood; full tables, which are
/// a cut-off and no part of the law, left out. The law ends there: without that the estimate would be too steep.
pub fn power_law_exponent(degrees: &[usize], full: usize) -> Option<f64> {
    let counted: Vec<usize> = degrees.iter().copied().filter(|degree| *degree > 0 && *degree < full).collect();
    let least = *counted.iter().min()? as f64 - 0.5;
    let width = libm::log((full as f64 - 0.5) / least);
    let mean = counted.iter().map(|degree| libm::log(*degree as f64 / least)).sum::<f64>() / counted.len() as f64;
    if mean <= 0.0 || mean >= width {
        return None;
    }
    // The mean falls as the law gets steeper: found by halving.
    let (mut low, mut high) = (-20.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if mean_logarithm(middle, width) > mean { low = middle } else { high = middle }
    }
    Some(1.0 + low)
}

/// The mean of the logarithm, from 0 to `width`, under a power law whose exponent is one more than `steepness`.
fn mean_logarithm(steepness: f64, width: f64) -> f64 {
    if (steepness * width).abs() < 1e-6 {
        return width / 2.0;
    }
    1.0 / steepness - width / libm::expm1(steepness * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_the_elements_the_papers_take() {
        let summary = Summary::of((0..300).rev().map(f64::from).collect()).expect("not empty");
        assert_eq!((summary.p25, summary.p50, summary.p75, summary.max), (75.0, 150.0, 225.0, 299.0));
        assert_eq!(Summary::of(Vec::new()), None);
    }

    #[test]
    fn evenness_is_zero_and_one_bearer_of_all_is_nearly_one() {
        let (gini, max) = unevenness(vec![5; 100]).expect("some load");
        assert!(gini.abs() < 1e-9 && (max - 1.0).abs() < 1e-9);
        let mut one = vec![0; 100];
        one[3] = 7;
        let (gini, max) = unevenness(one).expect("some load");
        assert!((gini - 0.99).abs() < 1e-9 && (max - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_exponent_of_a_drawn_power_law_is_recovered() {
        // 20,000 quantiles of a law with exponent 2.5 from 10 on.
        let draw = |step: u32| 9.5 * libm::pow(1.0 - (f64::from(step) + 0.5) / 20_000.0, -1.0 / 1.5);
        let degrees: Vec<usize> = (0..20_000).map(|step| libm::round(draw(step)) as usize).collect();
        let exponent = power_law_exponent(&degrees, usize::MAX).expect("some degrees");
        assert!((exponent - 2.5).abs() < 0.05, "{exponent}");
    }

    #[test]
    fn the_cut_off_of_full_tables_makes_a_law_no_steeper() {
        // 20,000 quantiles of a law with exponent 1.5 from 10 on, most of its tail beyond the full table.
        let draw = |step: u32| 9.5 * libm::pow(1.0 - (f64::from(step) + 0.5) / 20_000.0, -2.0);
        let degrees: Vec<usize> = (0..20_000).map(|step| libm::round(draw(step)).min(250.0) as usize).collect();
        let exponent = power_law_exponent(&degrees, 250).expect("some degrees");
        assert!((exponent - 1.5).abs() < 0.05, "{exponent}");
    }
}
