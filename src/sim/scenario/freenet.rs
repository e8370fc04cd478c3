//! `[freenet]`: what a scenario chooses of the production overlay.

use serde::{Deserialize, Serialize};

use crate::document::layout::{Geometry, Layout, Redundancy};
use crate::limits;
use crate::sim::scenario::shared::Policy;

/// `[freenet]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreenetTable {
    /// Hops to live of requests and inserts.
    pub htl: u8,
    /// Blocks a node stores: half of them kept, half in passing.
    pub store_blocks: usize,
    /// Learned sources.
    pub routing_entries: usize,
    /// Most neighbours.
    pub neighbours: usize,
    /// What leaves a full cache.
    pub cache_policy: Policy,
    /// Whether nodes conceal what they hold and what they ask for themselves, as live nodes do: hits are late, and own requests
    /// bind nobody. Published figures are of networks that do not.
    pub discreet: bool,
    /// Onion routing before key routing.
    pub prerouting: bool,
    /// Whether cells leave at a constant rate.
    pub link_clock: LinkClock,
}

/// Whether cells leave at a constant rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkClock {
    /// Cells leave when there are some.
    Off,
}

impl FreenetTable {
    pub(super) fn sentence(&self) -> Option<String> {
        if self.prerouting {
            return Some("freenet.prerouting is not available yet".into());
        }
        let range = |name: &str, value: usize, least: usize, most: usize| {
            (value < least || value > most)
                .then(|| format!("freenet.{name} is between {least} and {most}, not {value}"))
        };
        range("htl", self.htl.into(), 1, limits::MAX_HTL.into())
            .or_else(|| range("store_blocks", self.store_blocks, 2, 1 << 24))
            .or_else(|| range("routing_entries", self.routing_entries, 1, 1 << 20))
            .or_else(|| range("neighbours", self.neighbours, 8, limits::DEGREE_MAX))
    }
}

/// Where the blocks of a document of `freenet` are; `None` if it is one block.
pub fn layout(object_bytes: u64) -> Option<Layout> {
    let length = object_bytes.min(limits::DOCUMENT_BYTES);
    let layout = Layout::new(Geometry::STANDARD, length, Redundancy::DEFAULT).expect("no longer than the longest");
    (object_bytes > ONE_BLOCK).then_some(layout)
}

/// What counts as a document of one block.
pub(super) const ONE_BLOCK: u64 = 32_768;
