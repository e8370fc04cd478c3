//! `[classic]`: what a scenario chooses of Freenet of 2001.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::scenario::shared::{Policy, Topology, TopologyKind};

/// `[classic]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicTable {
    /// Hops to live of requests and inserts.
    pub htl: u16,
    /// Hops to live of probes.
    pub probe_htl: u16,
    /// Blocks a node stores.
    pub store_blocks: usize,
    /// Entries of the routing table.
    pub routing_entries: usize,
    /// Nodes that hear of a newcomer.
    pub announce_htl: u16,
    /// What leaves a full table.
    pub table_policy: Policy,
    /// What leaves a full store.
    pub store_policy: Policy,
}

impl ClassicTable {
    pub(super) fn sentence(&self, topology: Option<Topology>, start: u32) -> Option<String> {
        let zero = |name: &str, value: usize| (value == 0).then(|| format!("classic.{name} must be at least 1"));
        zero("htl", self.htl.into())
            .or_else(|| zero("probe_htl", self.probe_htl.into()))
            .or_else(|| zero("store_blocks", self.store_blocks))
            .or_else(|| zero("routing_entries", self.routing_entries))
            .or_else(|| zero("announce_htl", self.announce_htl.into()))
            .or_else(|| {
                (self.announce_htl > limits::ANNOUNCE_HOPS)
                    .then(|| format!("classic.announce_htl is at most {}", limits::ANNOUNCE_HOPS))
            })
            .or_else(|| {
                let topology = topology?;
                if topology.kind != TopologyKind::RingLattice {
                    return topology.sentence(start);
                }
                (topology.degree < 2 || topology.degree % 2 == 1 || topology.degree >= start).then(|| {
                    "topology.degree of a ring-lattice is even, at least 2 and below the number of nodes".into()
                })
            })
    }
}
