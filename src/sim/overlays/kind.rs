//! What the driver of the comparison needs to know of an overlay: how its nodes are made, and what they hold.

use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::{Mode, Ticket};
use crate::sim::depot::Room;
use crate::sim::report::Exposure;
use crate::sim::scenario::Scenario;
use crate::sim::traffic::Roles;
use crate::time::Duration;

/// An overlay as the driver sees it. Nodes are numbered; those that are no ordinary participants come first.
pub trait Kind: Sized + std::fmt::Debug {
    /// Its machine.
    type Mode: Mode<Message: Roles>;

    /// Bytes of an entry of its routing tables, as it stands in a message: a contact, unless more belongs to it.
    const ENTRY_BYTES: usize = CONTACT_BYTES;

    /// Bytes of a reference to a document that another has: its key, and who.
    const REFERENCE_BYTES: usize = KEY_BYTES + CONTACT_BYTES;

    /// What all nodes under this scenario share.
    fn new(scenario: &Scenario) -> Self;

    /// How many nodes are there beside the ordinary participants.
    fn servers(&self) -> u32 {
        0
    }

    /// The first `count` nodes, servers included, in a network that has found itself.
    fn settled(&self, count: u32) -> Vec<Self::Mode>;

    /// Pairs of the first nodes that are linked from the start, as their machines know.
    fn linked(&self, _count: u32) -> Vec<(u32, u32)> {
        Vec::new()
    }

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

    /// What a node has room for. Most of these overlays give up nothing that they were given.
    fn room(&self) -> Room {
        Room::Two { passing: ROOM, kept: ROOM }
    }

    /// Whether what leaves a full store is drawn by lot, not what was used longest ago.
    fn deletes_at_random(&self) -> bool {
        false
    }

    /// Time that the first nodes need to link to each other before anything else.
    fn settling(&self) -> Duration {
        Duration::ZERO
    }

    /// What others' searches have told a node, where nodes pass on what they are asked; `None` elsewhere.
    fn witnessed(_mode: &Self::Mode) -> Option<Witnessed> {
        None
    }

    /// References to documents that others have.
    fn references(mode: &Self::Mode) -> usize;

    /// Who learned what, from the mean costs of lookups and the mean number of messages that asked.
    fn exposure(&self, both: f64, key_only: f64, queries: f64) -> Exposure {
        let _ = queries;
        Exposure { requester_and_key: both, key_only, requester_only: 0.0 }
    }
}

/// What passing searches told nodes, counted where they came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// Nodes that learned what is asked for.
    pub reached: u64,
    /// Those of them that learned who asks.
    pub named: u64,
    /// Queries that reached a node a second time.
    pub duplicates: u64,
}

impl Witnessed {
    /// Both together.
    pub const fn and(self, other: Self) -> Self {
        Self {
            reached: self.reached + other.reached,
            named: self.named + other.named,
            duplicates: self.duplicates + other.duplicates,
        }
    }

    /// What has come since `earlier`.
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            reached: self.reached - earlier.reached,
            named: self.named - earlier.named,
            duplicates: self.duplicates - earlier.duplicates,
        }
    }
}

/// An id of 32 bytes, an address of 16 and a port of 2.
pub(super) const CONTACT_BYTES: usize = 50;
/// A routing key.
pub(super) const KEY_BYTES: usize = 32;
/// Blocks that a node holds in each region where nothing is given up: more than any scenario has.
pub(super) const ROOM: usize = 1 << 24;
