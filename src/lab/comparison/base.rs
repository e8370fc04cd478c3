//! The base of a comparison: the workload that every overlay goes through, as a scenario of each.
//!
//! Equal for all: ordinary participants, documents, lookups, their rate and popularity, latency. What an overlay decides for
//! itself are its defaults; where only one of them would bound what nodes may keep, it is given the room of the others.

use serde::{Deserialize, Serialize};

use crate::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario};

/// The workload. Two comparisons may be joined if theirs are equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The version of the program that measured.
    pub version: String,
    /// Ordinary participants.
    pub nodes: u32,
    /// Documents for each of them, each of one block.
    pub documents_per_node: u32,
    /// Lookups of the base run.
    pub lookups: u32,
    /// Lookups in a second, for each node.
    pub lookups_per_node_second: f64,
    /// Exponent of popularity.
    pub zipf: f64,
}

impl Base {
    /// The workload at this size.
    pub fn new(nodes: u32, lookups: u32) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            nodes,
            documents_per_node: DOCUMENTS_PER_NODE,
            lookups,
            lookups_per_node_second: 1.0 / SECONDS_BETWEEN_LOOKUPS,
            zipf: ZIPF,
        }
    }

    /// What differs from `other`, as a clause: of this workload first.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let clause = |what: &str, ours: &dyn std::fmt::Display, theirs: &dyn std::fmt::Display| {
            (ours.to_string() != theirs.to_string()).then(|| format!("{what} {ours} instead of {theirs}"))
        };
        clause("version", &self.version, &other.version)
            .or_else(|| clause("nodes", &self.nodes, &other.nodes))
            .or_else(|| clause("lookups", &self.lookups, &other.lookups))
            .or_else(|| clause("documents per node", &self.documents_per_node, &other.documents_per_node))
            .or_else(|| {
                clause("lookups per node and second", &self.lookups_per_node_second, &other.lookups_per_node_second)
            })
            .or_else(|| clause("zipf", &self.zipf, &other.zipf))
    }

    /// The workload as a scenario of `mode` with `nodes` participants.
    pub fn scenario(&self, mode: ModeName, nodes: u32, seed: u64) -> Scenario {
        let defaults = Scenario::defaults(mode, nodes);
        let mut scenario = Scenario { seed, fidelity: FidelityChoice::Values, ..defaults };
        scenario.workload.object_bytes = ONE_BLOCK;
        scenario.workload.documents = nodes.saturating_mul(self.documents_per_node);
        scenario.workload.lookups = self.lookups;
        scenario.workload.lookups_per_second = f64::from(nodes) * self.lookups_per_node_second;
        scenario.workload.zipf = self.zipf;
        if let Some(classic) = &mut scenario.classic {
            // As in its papers networks grow by announcements. Stores of 50 documents would lose most of this workload.
            scenario.growth = Some(Growth { start: nodes.min(20), operations_per_join: 5 });
            classic.store_blocks = STORE_BLOCKS;
        }
        scenario
    }
}

/// Chosen: publishing is to take no longer than looking up, in the overlays where it is dear.
const DOCUMENTS_PER_NODE: u32 = 5;
/// The faster of the two rates that are common in the literature: a run is over before upkeep outweighs it.
const SECONDS_BETWEEN_LOOKUPS: f64 = 9.0;
/// Chosen: between the 0.6 and 1.0 that were measured.
const ZIPF: f64 = 0.8;
/// Documents of several blocks are another workload: a swarm would trade them in pieces.
const ONE_BLOCK: u64 = 32_768;
/// The store of a node of `freenet`.
const STORE_BLOCKS: usize = 4_096;
