//! `[can]`: what a scenario chooses of a torus of zones.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::scenario::shared::PublishKind;

/// `[can]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanTable {
    /// Axes of the torus.
    pub dimensions: usize,
    /// Zones of a node, each in a torus of its own.
    pub realities: usize,
    /// Time between two updates to neighbours; a neighbour is taken over after three.
    pub update_seconds: f64,
    /// What is stored at the owner of a place.
    pub publish: PublishKind,
}

impl Default for CanTable {
    fn default() -> Self {
        Self { dimensions: 2, realities: 1, update_seconds: 30.0, publish: PublishKind::Value }
    }
}

impl CanTable {
    pub(super) fn sentence(&self) -> Option<String> {
        let range = |name: &str, value: usize, most: usize| {
            (value < 1 || value > most).then(|| format!("can.{name} is between 1 and {most}, not {value}"))
        };
        let is_span = self.update_seconds >= 1.0 && self.update_seconds <= 1e9;
        range("dimensions", self.dimensions, limits::CAN_DIMENSIONS)
            .or_else(|| range("realities", self.realities, limits::CAN_REALITIES))
            .or_else(|| (!is_span).then(|| format!("can.update_seconds is at least 1, not {}", self.update_seconds)))
    }

    /// About how many bytes a node takes: neighbours and their neighbours in each reality.
    pub(super) fn bytes_of_a_node(&self) -> u64 {
        let neighbours = 2 * self.dimensions as u64 + 3;
        2_000 + self.realities as u64 * neighbours * (200 + neighbours * 24)
    }
}
