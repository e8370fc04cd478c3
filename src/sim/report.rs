//! What a simulation found: the result fields that all overlays share.
//!
//! A field that does not apply is `null`. Wall time and memory are filled in by whoever has a clock; everything else is
//! the same, bit for bit, for the same scenario.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::distribution::{Summary, Unevenness};
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
    /// The same in bytes, as records: an entry as it stands in a message, a key for each document.
    pub state_bytes_per_node: Option<Summary>,
    /// Blocks that a live node holds.
    pub keys_per_node: Option<Summary>,
    /// Links of a live node.
    pub degree: Option<Degree>,
    /// How unevenly messages fall on nodes: 0 evenly, 1 all on one.
    pub load_gini: Option<f64>,
    /// The busiest node's share over the mean.
    pub load_max_over_mean: Option<f64>,
    /// How unevenly the bytes of content that nodes send fall on them.
    pub served: Option<Unevenness>,
    /// How unevenly documents are spread over nodes.
    pub kept: Option<Unevenness>,
    /// What keeps the network together.
    pub maintenance_bytes_per_node_second: Option<f64>,
    /// Copies of the documents that exist.
    pub copies_per_document: Option<Summary>,
    /// Exponent of copies over popularity, where documents are not all as popular: 0 for uniform copies, 1 for proportional.
    pub copies_exponent: Option<f64>,
    /// Nodes per lookup that learn who asks and what for.
    pub exposure: Option<Exposure>,
    /// How many lookups colluding nodes learn of.
    pub linkage: Option<Linkage>,
    /// The tenth of all documents that is asked for least.
    pub unpopular: Option<Unpopular>,
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

/// Shares of lookups of which colluding nodes learn who asks and for what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Linkage {
    /// Nodes that are told of a lookup.
    pub told_nodes: f64,
    /// One node in a hundred colludes.
    pub one_percent: f64,
    /// One in ten.
    pub ten_percent: f64,
    /// One alone, the one that learns of the most.
    pub best_placed: f64,
}

/// The tenth of all documents that is asked for least.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unpopular {
    /// Lookups for one of them.
    pub lookups: u64,
    /// Those that found it ÷ all of them.
    pub success: f64,
    /// The same, of those whose document exists.
    pub success_of_existing: Option<f64>,
    /// Live copies of one.
    pub copies: Option<f64>,
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
            state_bytes_per_node: None,
            keys_per_node: None,
            degree: None,
            load_gini: None,
            load_max_over_mean: None,
            served: None,
            kept: None,
            maintenance_bytes_per_node_second: None,
            copies_per_document: None,
            copies_exponent: None,
            exposure: None,
            linkage: None,
            unpopular: None,
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
