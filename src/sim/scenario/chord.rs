//! `[chord]`: what a scenario chooses of a ring.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::scenario::shared::PublishKind;

/// `[chord]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChordTable {
    /// Entries of the successor list.
    pub successors: usize,
    /// Places on the ring that one node takes.
    pub virtual_nodes: u8,
    /// Least and greatest time between two stabilisations.
    pub stabilise_seconds: [f64; 2],
    /// Fingers looked up in one stabilisation.
    pub fingers_per_round: FingersPerRound,
    /// How lookups go on.
    pub lookup: ChordLookup,
    /// What is stored at the owner of a key.
    pub publish: PublishKind,
    /// Whether a lookup goes on past a node that does not answer.
    pub goes_round: bool,
}

/// Fingers looked up in one stabilisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FingersPerRound {
    /// One after the other (2003).
    One,
    /// Every one of them (2001).
    All,
}

/// How lookups go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChordLookup {
    /// Whoever looks asks node after node.
    Iterative,
    /// Every node passes the question on.
    Recursive,
    /// As iterative, along successors alone.
    Linear,
}

impl Default for ChordTable {
    fn default() -> Self {
        Self {
            successors: 20,
            virtual_nodes: 1,
            stabilise_seconds: [15.0, 45.0],
            fingers_per_round: FingersPerRound::One,
            lookup: ChordLookup::Iterative,
            publish: PublishKind::Value,
            goes_round: true,
        }
    }
}

impl ChordTable {
    pub(super) fn sentence(&self) -> Option<String> {
        let range = |name: &str, value: usize, least: usize, most: usize| {
            (value < least || value > most).then(|| format!("chord.{name} is between {least} and {most}, not {value}"))
        };
        let [least, most] = self.stabilise_seconds;
        let is_span = least >= 1.0 && most >= least && most <= 1e9;
        range("successors", self.successors, 1, limits::CALL_CONTACTS)
            .or_else(|| range("virtual_nodes", self.virtual_nodes.into(), 1, 64))
            .or_else(|| {
                (!is_span).then(|| "chord.stabilise_seconds is a least and a greatest time, from 1 second on".into())
            })
    }
}
