//! Nodes that passed by and are not linked: who may become a neighbour later.
//!
//! Bounded: beyond [`limits::ACQUAINTANCES`] the oldest leaves. What they say of themselves is verified when they are
//! dialled, not here.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::core::Core;
use crate::time::Instant;

/// Who passed by, and when last.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    by_id: BTreeMap<NodeId, (Instant, NodeRef)>,
}

impl Acquaintances {
    /// A node passed by.
    pub(super) fn remember(&mut self, core: &Core, now: Instant, reference: NodeRef) {
        if reference.id == core.me.id || core.neighbours.get(&reference.id).is_some() {
            return;
        }
        if self.by_id.len() >= limits::ACQUAINTANCES && !self.by_id.contains_key(&reference.id) {
            let oldest = self.by_id.iter().min_by_key(|(_, (since, _))| *since).map(|(id, _)| *id);
            oldest.map(|id| self.by_id.remove(&id));
        }
        self.by_id.insert(reference.id, (now, reference));
    }

    /// The node is a neighbour now, or not to be had.
    pub(super) fn remove(&mut self, id: &NodeId) {
        self.by_id.remove(id);
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &NodeRef> {
        self.by_id.values().map(|(_, reference)| reference)
    }
}
