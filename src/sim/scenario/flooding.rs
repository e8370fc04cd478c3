//! `[flooding]`: what a scenario chooses of a network that asks all neighbours.

use serde::{Deserialize, Serialize};

use crate::limits;

/// `[flooding]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloodingTable {
    /// Hops that a query may make, or steps of a walker.
    pub ttl: u16,
    /// Walkers of one search.
    pub walkers: u16,
    /// How queries spread.
    pub strategy: SearchStrategy,
    /// Hops of pings, by which a node that lacks links finds others.
    pub ping_ttl: u8,
    /// Who keeps a copy of what was found.
    pub replication: CopyKind,
    /// Copies in passing that a node has room for; 0: any number.
    pub store_blocks: usize,
    /// Which of them leaves a full store.
    pub deletion: Deletion,
    /// How many nodes publish each document; `workload.copies` is their mean.
    pub allocation: Allocation,
}

/// Who keeps a copy of what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CopyKind {
    /// Nobody.
    None,
    /// Whoever sought it.
    Owner,
    /// The nodes on the way.
    Path,
    /// As many nodes anywhere.
    Random,
}

/// What leaves a full store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deletion {
    /// The least recently used.
    Lru,
    /// Any.
    Random,
}

/// How many copies documents have at the start (Cohen and Shenker 2002).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// The same for all.
    Uniform,
    /// In proportion to how often they are asked for.
    Proportional,
    /// In proportion to the square root of that.
    SquareRoot,
}

impl Allocation {
    /// The exponent of copies over popularity.
    pub const fn exponent(self) -> f64 {
        match self {
            Self::Uniform => 0.0,
            Self::Proportional => 1.0,
            Self::SquareRoot => 0.5,
        }
    }
}

/// How queries spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchStrategy {
    /// To all neighbours.
    Flood,
    /// By random walkers that ask every fourth step whether to go on.
    Walk,
    /// To all neighbours, deeper each time until something is found.
    Deepen,
}

impl Default for FloodingTable {
    fn default() -> Self {
        Self {
            ttl: 7,
            walkers: 32,
            strategy: SearchStrategy::Flood,
            ping_ttl: 2,
            replication: CopyKind::None,
            store_blocks: 0,
            deletion: Deletion::Lru,
            allocation: Allocation::Uniform,
        }
    }
}

impl FloodingTable {
    pub(super) fn sentence(&self) -> Option<String> {
        let range = |name: &str, value: u16, most: u16| {
            (value == 0 || value > most).then(|| format!("flooding.{name} is between 1 and {most}, not {value}"))
        };
        let most = match self.strategy {
            SearchStrategy::Walk => limits::WALK_STEPS,
            SearchStrategy::Flood | SearchStrategy::Deepen => limits::FLOOD_HOPS.into(),
        };
        range("ttl", self.ttl, most)
            .or_else(|| range("walkers", self.walkers, limits::WALKERS))
            .or_else(|| range("ping_ttl", self.ping_ttl.into(), limits::FLOOD_HOPS.into()))
    }
}
