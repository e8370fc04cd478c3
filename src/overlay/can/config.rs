//! What an operator or a scenario chooses of a `can` node; one value is shared by all nodes that are alike.

use crate::overlay::mode::publish::Publish;
use crate::time::Duration;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Axes of the torus. Default 2, as in the paper's bare network; at most
    /// [`CAN_DIMENSIONS`](crate::limits::CAN_DIMENSIONS). More shorten paths and add neighbours.
    pub dimensions: usize,
    /// Torus after torus in each of which a node has a zone of its own. Default 1; at most
    /// [`CAN_REALITIES`](crate::limits::CAN_REALITIES). More hold further copies, shorten paths and multiply neighbours.
    pub realities: usize,
    /// Places that a key has on the torus: the paper's hash functions. Default 1. Each reality holds one copy for each.
    pub copies: u8,
    /// How often a node tells its neighbours that it is there. Default 30 s; a neighbour that is silent for three of these
    /// is taken over. Less finds the dead sooner and costs as much more.
    pub update: Duration,
    /// What is stored at the owner of a place.
    pub publish: Publish,
}

impl Default for Config {
    fn default() -> Self {
        Self { dimensions: 2, realities: 1, copies: 1, update: Duration::from_secs(30), publish: Publish::Value }
    }
}
