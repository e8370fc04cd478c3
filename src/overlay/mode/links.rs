//! The links a node has open, and what waits for one to open.
//!
//! For nodes without standing neighbours, which contact whomever their tables name. Links stay open after use and the one
//! used longest ago is closed when there are too many.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::limits;

/// The links of one node.
#[derive(Debug)]
pub struct Links<M> {
    /// When each was used last, by `clock`.
    open: BTreeMap<NodeId, u32>,
    waiting: BTreeMap<NodeId, Vec<M>>,
    clock: u32,
}

/// What is to be done with a message.
#[derive(Debug)]
pub enum Way<M> {
    /// The link is open: send it.
    Send(M),
    /// It waits; a link must be opened first.
    Dial,
    /// It waits for a dial that is under way, or there was no room for it.
    Wait,
}

impl<M> Default for Links<M> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), waiting: BTreeMap::new(), clock: 0 }
    }
}

impl<M> Links<M> {
    /// Finds the way of a message to `peer`.
    pub fn way(&mut self, peer: NodeId, message: M) -> Way<M> {
        self.clock = self.clock.wrapping_add(1);
        if let Some(used) = self.open.get_mut(&peer) {
            *used = self.clock;
            return Way::Send(message);
        }
        let waiting = self.waiting.entry(peer).or_default();
        if waiting.len() < limits::LINK_WAITING {
            waiting.push(message);
        }
        if waiting.len() == 1 { Way::Dial } else { Way::Wait }
    }

    /// A link is open; gives what waited for it.
    pub fn opened(&mut self, peer: NodeId) -> Vec<M> {
        self.clock = self.clock.wrapping_add(1);
        self.open.insert(peer, self.clock);
        self.waiting.remove(&peer).unwrap_or_default()
    }

    /// A link is gone, or could not be opened: what waited for it is lost.
    pub fn closed(&mut self, peer: &NodeId) {
        self.open.remove(peer);
        self.waiting.remove(peer);
    }

    /// The idle link used longest ago, if there are more than `most`.
    pub fn excess(&self, most: usize, in_use: impl Fn(&NodeId) -> bool) -> Option<NodeId> {
        if self.open.len() <= most {
            return None;
        }
        let idle = self.open.iter().filter(|(peer, _)| !in_use(peer));
        idle.max_by_key(|(_, used)| self.clock.wrapping_sub(**used)).map(|(peer, _)| *peer)
    }

    /// How many links are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
