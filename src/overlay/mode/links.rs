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
    /// Sorted by id.
    open: Vec<Link>,
    waiting: BTreeMap<NodeId, Vec<M>>,
    clock: u32,
}

#[derive(Debug)]
struct Link {
    peer: NodeId,
    used: u32,
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
        Self { open: Vec::new(), waiting: BTreeMap::new(), clock: 0 }
    }
}

impl<M> Links<M> {
    /// Finds the way of a message to `peer`.
    pub fn way(&mut self, peer: NodeId, message: M) -> Way<M> {
        self.clock = self.clock.wrapping_add(1);
        if let Ok(at) = self.find(&peer) {
            self.open[at].used = self.clock;
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
        match self.find(&peer) {
            Ok(at) => self.open[at].used = self.clock,
            Err(at) => self.open.insert(at, Link { peer, used: self.clock }),
        }
        self.waiting.remove(&peer).unwrap_or_default()
    }

    /// A link is gone, or could not be opened: what waited for it is lost.
    pub fn closed(&mut self, peer: &NodeId) {
        if let Ok(at) = self.find(peer) {
            self.open.remove(at);
        }
        self.waiting.remove(peer);
    }

    /// The idle link used longest ago, if there are more than `most`.
    pub fn excess(&self, most: usize, in_use: impl Fn(&NodeId) -> bool) -> Option<NodeId> {
        if self.open.len() <= most {
            return None;
        }
        let idle = self.open.iter().filter(|link| !in_use(&link.peer));
        idle.max_by_key(|link| self.clock.wrapping_sub(link.used)).map(|link| link.peer)
    }

    /// How many links are open.
    pub const fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn find(&self, peer: &NodeId) -> Result<usize, usize> {
        self.open.binary_search_by(|link| link.peer.cmp(peer))
    }
}
