//! What a gateway wants done in the network behind it, and in its own overlay, as plain values.
//!
//! Whoever drives the gateway does it and says what came of it; every errand has one return.

use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::overlay::mode::{Command, StoreWork, Ticket};

/// To be done in the network of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Find a block.
    Fetch(RoutingKey),
    /// Store a block.
    Insert(Block),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Return {
    /// Of a fetch: the block, if it was found.
    Fetched(RoutingKey, Option<Block>),
    /// Of an insert: whether enough nodes keep it.
    Inserted(RoutingKey, bool),
    /// Of no errand: the operator lets these cross as well.
    Allowed(Vec<RoutingKey>),
}

/// What one part of a gateway asks of the whole.
#[derive(Debug)]
pub(super) enum Deed {
    /// Work for the node's own store.
    Store(StoreWork),
    /// A command of the node's own overlay.
    Command(Ticket, Command),
    /// An errand behind it.
    Errand(Errand),
}
