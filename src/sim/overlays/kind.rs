//! What the driver of the comparison needs to know of an overlay: how its nodes are made, and what they hold.

use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::{Mode, Ticket};
use crate::sim::report::Exposure;
use crate::sim::scenario::Scenario;
use crate::sim::traffic::Roles;

/// An overlay as the driver sees it. Nodes are numbered; those that are no ordinary participants come first.
pub trait Kind: Sized + std::fmt::Debug {
    /// Its machine.
    type Mode: Mode<Message: Roles>;

    /// What all nodes under this scenario share.
    fn new(scenario: &Scenario) -> Self;

    /// How many nodes are there beside the ordinary participants.
    fn servers(&self) -> u32 {
        0
    }

    /// The first `count` nodes, servers included, in a network that has found itself.
    fn settled(&self, count: u32) -> Vec<Self::Mode>;

    /// A node that joins, or comes back for the `start`-th time, through one of `entries`; founds the network without any.
    fn newcomer(&self, number: u32, entries: &[u32], start: u32) -> Self::Mode;

    /// A node is about to go: at its next timeout it does what is to be done before.
    fn leave(mode: &mut Self::Mode);

    /// What a command that has ended has cost.
    fn take_cost(mode: &mut Self::Mode, ticket: Ticket) -> Option<Cost>;

    /// Entries of its routing tables.
    fn entries(mode: &Self::Mode) -> usize;

    /// Other nodes that it would send to of itself.
    fn degree(mode: &Self::Mode) -> usize;

    /// References to documents that others have.
    fn references(mode: &Self::Mode) -> usize;

    /// Who learned what, from the mean costs of lookups and the mean number of messages that asked.
    fn exposure(&self, both: f64, key_only: f64, queries: f64) -> Exposure {
        let _ = queries;
        Exposure { requester_and_key: both, key_only, requester_only: 0.0 }
    }
}
