//! What an operator or a scenario chooses of a `classic` node.
//!
//! Holds choices only, with the figures of the paper as defaults; one value is shared by all nodes that are alike.

use crate::limits;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Hops to live of own requests and inserts: the most nodes visited, this one included. Default 20, as in the paper.
    pub htl: u16,
    /// Entries of the routing table. Default 250, as in the paper.
    pub routing_entries: usize,
    /// Nodes that hear of a newcomer. Default 10, as in the paper; at most [`limits::ANNOUNCE_HOPS`].
    pub announce_htl: u16,
    /// Which entry leaves a full table.
    pub table_policy: TablePolicy,
    /// Links kept open at once. Default [`limits::CLASSIC_LINKS`]. Lowering it costs handshakes.
    pub links: usize,
}

/// Which entry leaves a full routing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablePolicy {
    /// The one added longest ago, as in the paper.
    Lru,
    /// The one farthest from the node's own place, with light randomness (Zhang, Goel, Govindan 2004).
    Clustered,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            htl: 20,
            routing_entries: 250,
            announce_htl: limits::ANNOUNCE_HOPS,
            table_policy: TablePolicy::Lru,
            links: limits::CLASSIC_LINKS,
        }
    }
}
