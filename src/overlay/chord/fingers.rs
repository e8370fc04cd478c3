//! The finger table of one member: who is thought to follow 2^i after it.
//!
//! Neighbouring fingers often name the same peer and are held as one run, so a table costs as much as it has distinct
//! entries: about log2 of the number of nodes.

use super::peer::Peer;
use crate::id::NodeId;

/// Bits of a place, and so fingers.
pub(super) const FINGERS: usize = 64;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Fingers {
    /// From which exponent on; ends where the next begins.
    runs: Vec<(u8, Option<Peer>)>,
}

impl Fingers {
    /// A table of all fingers in their order.
    pub(super) fn of(all: impl Iterator<Item = Option<Peer>>) -> Self {
        let mut runs: Vec<(u8, Option<Peer>)> = Vec::new();
        for (exponent, peer) in all.enumerate() {
            if runs.last().is_none_or(|(_, last)| *last != peer) {
                runs.push((exponent as u8, peer));
            }
        }
        runs.shrink_to_fit();
        Self { runs }
    }

    /// The finger with this exponent.
    pub(super) fn get(&self, exponent: usize) -> Option<&Peer> {
        let after = self.runs.partition_point(|(first, _)| usize::from(*first) <= exponent);
        self.runs.get(after.checked_sub(1)?)?.1.as_ref()
    }

    pub(super) fn set(&mut self, exponent: usize, peer: Option<Peer>) {
        if self.get(exponent) != peer.as_ref() {
            let mut all = self.all();
            all[exponent] = peer;
            *self = Self::of(all.into_iter());
        }
    }

    /// Forgets all places of a node.
    pub(super) fn remove(&mut self, node: &NodeId) {
        if self.distinct().any(|peer| peer.id() == *node) {
            let all = self.all();
            *self = Self::of(all.into_iter().map(|peer| peer.filter(|peer| peer.id() != *node)));
        }
    }

    /// Distinct entries, the farthest first.
    pub(super) fn distinct(&self) -> impl Iterator<Item = &Peer> {
        self.runs.iter().rev().filter_map(|(_, peer)| peer.as_ref())
    }

    fn all(&self) -> Vec<Option<Peer>> {
        (0..FINGERS).map(|exponent| self.get(exponent).cloned()).collect()
    }
}
