//! What a node remembers of a question that passes through it or begins at it.
//!
//! Leaves out where the question goes on (`relay`).

use super::message::Way;
use super::peer::Peer;
use crate::id::NodeId;
use crate::key::Location;
use crate::overlay::mode::calls::CallId;

/// One question at one node.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) back: Back,
    pub(super) key: Location,
    /// Which place of this node was asked.
    pub(super) member: usize,
    pub(super) way: Way,
    pub(super) tried: Vec<NodeId>,
}

/// Where a question came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// An errand of this node.
    Own(u32),
    /// Another node.
    Peer(NodeId, CallId),
}

/// How a question of this node has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Whose errand it was.
    pub(super) errand: u32,
    /// The owner and those after it; nobody if no way was left.
    pub(super) owners: Vec<Peer>,
    pub(super) way: Way,
    /// Nodes that were asked by this node itself.
    pub(super) asked: u16,
}
