//! The tables of a scenario that all overlays share.

use serde::{Deserialize, Serialize};

use crate::overlay::mode::publish::Publish;
use crate::sim::latency::LatencyKind;

/// The overlays that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModeName {
    /// Freenet as we ship it.
    Freenet,
    /// Freenet of 2001.
    Classic,
    /// A ring with fingers.
    Chord,
    /// One index server.
    Central,
    /// Buckets by exclusive or.
    Kademlia,
    /// Zones of a torus.
    Can,
    /// Queries to all neighbours.
    Flooding,
    /// Leaves that register at supernodes, which flood.
    Supernode,
    /// A tracker and peers that trade pieces.
    Swarm,
}

/// How messages travel, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FidelityChoice {
    /// Bytes up to 1,000 nodes and 1 GB of content moved, else values.
    Auto,
    /// Every message through cells.
    Bytes,
    /// Messages handed over.
    Values,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Every message through cells, every block real.
    Bytes,
    /// Messages handed over, blocks stand-ins.
    Values,
}

/// The graph at the start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// Which graph.
    pub kind: TopologyKind,
    /// Links of a node.
    pub degree: u32,
}

/// Graphs to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TopologyKind {
    /// Every edge as likely.
    Random,
    /// The nearest on either side of a ring.
    RingLattice,
    /// Few with many links.
    PowerLaw,
    /// Long links ∝ 1/distance.
    SmallWorld,
}

/// How long messages take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyTable {
    /// Which model.
    pub kind: LatencyKind,
    /// Median round trip.
    pub median_ms: f64,
    /// Share of packets lost and sent again.
    pub loss: f64,
}

/// Growth while the network works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Nodes at the start.
    #[serde(default = "twenty")]
    pub start: u32,
    /// Operations between two joins.
    #[serde(default = "five")]
    pub operations_per_join: u32,
}

/// What is asked of the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Distinct documents published before the first lookup.
    pub documents: u32,
    /// Size of a document.
    pub object_bytes: u64,
    /// Copies at the start.
    pub copies: u32,
    /// Operations before anything is measured: alternately an insert and a request.
    pub warmup_operations: u32,
    /// Lookups that are measured.
    pub lookups: u32,
    /// Of the whole network.
    pub lookups_per_second: f64,
    /// Exponent of popularity.
    pub zipf: f64,
    /// Whether no node asks for a document twice.
    pub fetch_at_most_once: bool,
    /// For so long nothing is asked before the first lookup. Upkeep is then that of this span, without lookups.
    pub idle_seconds: f64,
}

/// How participants come and go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Distribution of session lengths.
    pub session: Session,
    /// Mean session.
    pub mean_seconds: f64,
    /// Shape of the Weibull distribution; sigma, in natural logarithms, of the lognormal one.
    pub shape: f64,
    /// The share of time that an installed node is online: between two sessions it stays away, for spans of the same
    /// distribution, and comes back with all it had. 0: whoever leaves never comes back.
    pub availability: f64,
    /// Arrivals, Poisson.
    pub joins_per_second: f64,
    /// Departures, Poisson.
    pub leaves_per_second: f64,
    /// Whether those who leave say so.
    pub graceful: bool,
}

/// Distribution of session lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Session {
    /// Nobody leaves.
    None,
    /// Memoryless.
    Exponential,
    /// Heavy at both ends.
    Weibull,
    /// Heavier still.
    Lognormal,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Share of nodes that die at once, after publishing and growth.
    pub fail_fraction: f64,
    /// Which nodes.
    pub target: Target,
    /// Whether the overlay may repair before measuring.
    pub repair: bool,
    /// For how long.
    pub repair_seconds: f64,
    /// Operations by live nodes while nodes die one per cent at a time (classic).
    pub operations_per_percent: u32,
    /// Whether probes may start at dead nodes and count as failed (classic).
    pub dead_starts: bool,
    /// Share of nodes that only take.
    pub free_riders: f64,
}

/// Which nodes die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Any.
    Random,
    /// Those with most links, counted anew after every per cent.
    Busiest,
}

/// What is stored at the nodes that are responsible for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishKind {
    /// The document.
    Value,
    /// Who has it.
    Reference,
}

impl From<PublishKind> for Publish {
    fn from(kind: PublishKind) -> Self {
        match kind {
            PublishKind::Value => Self::Value,
            PublishKind::Reference => Self::Reference,
        }
    }
}

/// What leaves when something is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The least recently used.
    Lru,
    /// The farthest from the node's own place.
    Clustered,
}

/// A scenario that cannot be run: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub String);

impl ModeName {
    /// All of them, in the order in which they are shown.
    pub const ALL: &[Self] = &[
        Self::Freenet,
        Self::Classic,
        Self::Central,
        Self::Chord,
        Self::Kademlia,
        Self::Can,
        Self::Flooding,
        Self::Supernode,
        Self::Swarm,
    ];
}

impl std::fmt::Display for ModeName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Freenet => "freenet",
            Self::Classic => "classic",
            Self::Chord => "chord",
            Self::Central => "central",
            Self::Kademlia => "kademlia",
            Self::Can => "can",
            Self::Flooding => "flooding",
            Self::Supernode => "supernode",
            Self::Swarm => "swarm",
        })
    }
}

const fn twenty() -> u32 {
    20
}

const fn five() -> u32 {
    5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_modes_holds_each_of_them_once() {
        // Whoever adds a mode is told here to list it.
        let place = |mode: ModeName| match mode {
            ModeName::Freenet => 0,
            ModeName::Classic => 1,
            ModeName::Central => 2,
            ModeName::Chord => 3,
            ModeName::Kademlia => 4,
            ModeName::Can => 5,
            ModeName::Flooding => 6,
            ModeName::Supernode => 7,
            ModeName::Swarm => 8,
        };
        let places: Vec<usize> = ModeName::ALL.iter().map(|mode| place(*mode)).collect();
        assert_eq!(places, (0..ModeName::ALL.len()).collect::<Vec<_>>());
        assert_eq!(ModeName::ALL.len(), 9);
    }
}
