//! `[kademlia]`: what a scenario chooses of a network of buckets.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::scenario::shared::PublishKind;

/// `[kademlia]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KademliaTable {
    /// Contacts of a bucket, and nodes that a lookup ends with.
    pub k: usize,
    /// Questions of one lookup under way at once.
    pub alpha: usize,
    /// After so long buckets are refreshed and documents stored again.
    pub refresh_seconds: f64,
    /// What is stored at the nodes nearest to a key.
    pub publish: PublishKind,
}

impl Default for KademliaTable {
    fn default() -> Self {
        Self { k: 20, alpha: 3, refresh_seconds: 3_600.0, publish: PublishKind::Value }
    }
}

impl KademliaTable {
    pub(super) fn sentence(&self) -> Option<String> {
        let most = limits::CALL_CONTACTS;
        if self.k == 0 || self.k > most {
            return Some(format!("kademlia.k is between 1 and {most}, not {}", self.k));
        }
        if self.alpha == 0 || self.alpha > most {
            return Some(format!("kademlia.alpha is between 1 and {most}, not {}", self.alpha));
        }
        let is_span = self.refresh_seconds >= 60.0 && self.refresh_seconds <= 1e9;
        (!is_span).then(|| "kademlia.refresh_seconds is at least 60".into())
    }
}
