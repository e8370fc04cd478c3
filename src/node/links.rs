//! Which links of a node the overlay uses. All serve pre-routing; a link that was opened for that alone is none of the
//! overlay's business until one of the two overlays wants it.
//!
//! Guarantees that the overlay hears of a link once, before any message over it, and of its end only if it heard of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::id::NodeId;

/// The links of one node.
#[derive(Debug, Default)]
pub(crate) struct Links {
    open: BTreeMap<NodeId, Link>,
    /// Dials of the overlay's under way.
    dialled: BTreeSet<NodeId>,
}

#[derive(Debug)]
struct Link {
    address: SocketAddr,
    is_shared: bool,
}

impl Links {
    /// A link is open. Whether the overlay asked for it.
    pub(crate) fn opened(&mut self, peer: NodeId, address: SocketAddr) -> bool {
        self.open.insert(peer, Link { address, is_shared: false });
        self.dialled.remove(&peer)
    }

    /// A link is gone. Whether the overlay used it.
    pub(crate) fn closed(&mut self, peer: &NodeId) -> bool {
        self.open.remove(peer).is_some_and(|link| link.is_shared)
    }

    /// The overlay dials. Whether a dial must be made: not if there is a link.
    pub(crate) fn dial(&mut self, peer: NodeId) -> bool {
        let is_open = self.open.contains_key(&peer);
        if !is_open {
            self.dialled.insert(peer);
        }
        !is_open
    }

    /// A dial failed. Whether it was the overlay's.
    pub(crate) fn dial_failed(&mut self, peer: &NodeId) -> bool {
        self.dialled.remove(peer)
    }

    /// From now on the overlay uses the link; its address if that is new.
    pub(crate) fn share(&mut self, peer: &NodeId) -> Option<SocketAddr> {
        let link = self.open.get_mut(peer).filter(|link| !link.is_shared)?;
        link.is_shared = true;
        Some(link.address)
    }

    /// All links, each with whether the overlay uses it.
    pub(crate) fn all(&self) -> Vec<(NodeId, bool)> {
        self.open.iter().map(|(peer, link)| (*peer, link.is_shared)).collect()
    }

    /// Whether the overlay uses the link.
    pub(crate) fn is_shared(&self, peer: &NodeId) -> bool {
        self.open.get(peer).is_some_and(|link| link.is_shared)
    }
}
