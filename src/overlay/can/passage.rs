//! What a node remembers of a way that passes through it or begins at it.
//!
//! Leaves out where the way goes on (`relay`).

use super::message::{Goal, Trail};
use crate::id::NodeId;
use crate::overlay::mode::calls::CallId;
use crate::time::Instant;

/// One way at one node.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) back: Back,
    pub(super) goal: Goal,
    pub(super) upkeep: bool,
    pub(super) trail: Trail,
    pub(super) tried: Vec<NodeId>,
    /// From then on the way was turned back here: it shall not come again.
    pub(super) turned_back: Option<Instant>,
}

/// Where a way came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// An errand of this node.
    Own(u32),
    /// A neighbour's question.
    Peer(NodeId, CallId),
}
