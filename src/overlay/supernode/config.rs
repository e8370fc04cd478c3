//! What the nodes of one network have in common.

use crate::limits;

/// The choices of a network.
#[derive(Clone, Debug)]
pub struct Config {
    /// Leaves that a supernode is meant to have.
    pub leaves: usize,
    /// Supernodes that a leaf registers at.
    pub parents: usize,
    /// Links among supernodes that a new one wants.
    pub degree: usize,
    /// Results at which a search stops.
    pub want_results: u32,
    /// Most hops of a query.
    pub max_ttl: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self { leaves: 30, parents: 3, degree: 10, want_results: 150, max_ttl: 4 }
    }
}

impl Config {
    /// Nodes that a supernode takes into its index: every leaf registers at several parents, and the node itself is there too.
    pub(super) const fn most_listed(&self) -> usize {
        self.leaves * self.parents * limits::LEAVES_OVER + 1
    }

    /// Nodes in its index at which a supernode has one of its leaves rise: half as many leaves again as it is meant to have, and
    /// before it has no links left for newcomers.
    pub(super) fn crowded(&self) -> usize {
        (self.leaves * self.parents * 3 / 2 + 1).min(limits::CALL_LINKS / 16 * 15)
    }
}

/// Whether a node is a supernode or one of their leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// It keeps an index for its leaves, and floods.
    Supernode,
    /// It registers at its parents, and asks them. How many leaves it could carry, in classes: the higher the more, and one of
    /// class 0 never becomes a supernode.
    Leaf(u8),
}
