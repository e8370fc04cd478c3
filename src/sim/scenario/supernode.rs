//! `[supernode]`: what a scenario chooses of a network of leaves and supernodes.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::scenario::shared::{ModeName, Topology};

/// `[supernode]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupernodeTable {
    /// Leaves for each supernode.
    pub leaves_per_supernode: u32,
    /// Supernodes that a leaf registers at.
    pub parents: u32,
    /// Results at which a search stops.
    pub want_results: u32,
    /// Most hops of a query among supernodes.
    pub max_ttl: u8,
}

impl SupernodeTable {
    /// The figures of Gnutella 0.6; in a small network fewer leaves, so that there are some ten supernodes.
    pub(super) fn default_of(nodes: u32) -> Self {
        let leaves_per_supernode = (nodes / 10).clamp(1, 30);
        Self { leaves_per_supernode, parents: 3, want_results: 150, max_ttl: limits::SUPERNODE_HOPS }
    }

    /// Supernodes among so many participants: one of every `leaves_per_supernode` + 1, at least one.
    pub const fn supernodes(&self, nodes: u32) -> u32 {
        nodes.div_ceil(self.leaves_per_supernode + 1)
    }

    /// Whether a participant is a supernode, by its number.
    pub const fn is_supernode(&self, number: u32) -> bool {
        number.is_multiple_of(self.leaves_per_supernode + 1)
    }

    pub(super) fn sentence(&self, topology: Option<Topology>, nodes: u32) -> Option<String> {
        let range = |name: &str, value: u32, least: u32, most: u32| {
            (value < least || value > most)
                .then(|| format!("supernode.{name} is between {least} and {most}, not {value}"))
        };
        range("leaves_per_supernode", self.leaves_per_supernode, 1, 10_000)
            .or_else(|| range("parents", self.parents, 1, 10))
            .or_else(|| range("want_results", self.want_results, 1, limits::RESULTS_MOST))
            .or_else(|| range("max_ttl", self.max_ttl.into(), 1, limits::SUPERNODE_HOPS.into()))
            .or_else(|| {
                let (supernodes, degree) = (self.supernodes(nodes), topology?.degree);
                // Nobody asked for the default: fewer supernodes have fewer links.
                let is_asked_for = topology != Topology::default_of(ModeName::Supernode, nodes);
                (is_asked_for && supernodes > 1 && degree >= supernodes)
                    .then(|| format!("topology.degree is {degree}, but there are only {supernodes} supernodes"))
            })
    }
}
