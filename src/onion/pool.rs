//! The links of a node as pre-routing uses them: what is open, what waits for a link to open, which are closed again.
//!
//! Guarantees: packets that wait are bounded for each relay and in all; links that serve only pre-routing are bounded, the
//! one that was idle for longest is closed. Leaves out links that the overlay uses: they are open as long as it wants.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::id::NodeId;
use crate::limits;
use crate::time::Instant;

/// The links of one node.
#[derive(Debug, Default)]
pub(super) struct Pool {
    open: BTreeMap<NodeId, Instant>,
    /// Those that the overlay uses.
    shared: BTreeSet<NodeId>,
    waiting: BTreeMap<NodeId, Vec<Vec<u8>>>,
    count: usize,
}

/// What to do with a packet.
#[derive(Debug)]
pub(super) enum Way {
    /// The link is open.
    Send(Vec<u8>),
    /// It waits; open a link.
    Dial(SocketAddr),
    /// It waits for a dial under way, or there was no room for it.
    Wait,
}

impl Pool {
    /// Finds the way of a packet to the relay at `address`.
    pub(super) fn way(&mut self, now: Instant, to: NodeId, address: SocketAddr, packet: Vec<u8>) -> Way {
        if let Some(used) = self.open.get_mut(&to) {
            *used = now;
            return Way::Send(packet);
        }
        let waiting = self.waiting.entry(to).or_default();
        let is_first = waiting.is_empty();
        if self.count < limits::WAITING_PACKETS && waiting.len() < limits::WAITING_PER_RELAY {
            waiting.push(packet);
            self.count += 1;
        }
        match (is_first, waiting.is_empty()) {
            (true, true) => {
                self.waiting.remove(&to);
                Way::Wait
            }
            (true, false) => Way::Dial(address),
            (false, _) => Way::Wait,
        }
    }

    /// A link is open; gives what waited for it.
    pub(super) fn opened(&mut self, now: Instant, peer: NodeId) -> Vec<Vec<u8>> {
        self.open.insert(peer, now);
        self.take_waiting(&peer)
    }

    /// A link could not be opened; what waited for it is lost.
    pub(super) fn dial_failed(&mut self, peer: &NodeId) {
        self.take_waiting(peer);
    }

    /// A link is gone, and what waited for it.
    pub(super) fn closed(&mut self, peer: &NodeId) {
        self.open.remove(peer);
        self.shared.remove(peer);
        self.take_waiting(peer);
    }

    /// Something came over a link.
    pub(super) fn heard(&mut self, now: Instant, peer: &NodeId) {
        if let Some(used) = self.open.get_mut(peer) {
            *used = now;
        }
    }

    /// The overlay uses a link from now on.
    pub(super) fn share(&mut self, peer: NodeId) {
        self.shared.insert(peer);
    }

    /// Whether there is a link.
    pub(super) fn is_open(&self, peer: &NodeId) -> bool {
        self.open.contains_key(peer)
    }

    /// All open links.
    pub(super) fn peers(&self) -> Vec<NodeId> {
        self.open.keys().copied().collect()
    }

    /// Those that the overlay uses.
    pub(super) const fn shared(&self) -> &BTreeSet<NodeId> {
        &self.shared
    }

    /// Links to close: of this node's alone, idle for too long or too many. `kept` stays.
    pub(super) fn excess(&self, now: Instant, kept: Option<NodeId>) -> Vec<NodeId> {
        let own = self.open.iter().filter(|(peer, _)| !self.shared.contains(peer) && kept != Some(**peer));
        let mut own: Vec<(Instant, NodeId)> = own.map(|(peer, used)| (*used, *peer)).collect();
        own.sort_unstable();
        let surplus = own.len().saturating_sub(limits::RELAY_LINKS);
        let is_idle = |used: Instant| now.since(used) >= limits::RELAY_LINK_IDLE;
        let closed = own.iter().enumerate().filter(|(place, (used, _))| *place < surplus || is_idle(*used));
        closed.map(|(_, (_, peer))| *peer).collect()
    }

    fn take_waiting(&mut self, peer: &NodeId) -> Vec<Vec<u8>> {
        let packets = self.waiting.remove(peer).unwrap_or_default();
        self.count -= packets.len();
        packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onion::fixture::{START, address, at, id};

    #[test]
    fn packets_wait_for_one_dial_and_within_bounds() {
        let mut pool = Pool::default();
        assert!(matches!(pool.way(START, id(1), address(1), vec![1]), Way::Dial(_)));
        assert!(matches!(pool.way(START, id(1), address(1), vec![2]), Way::Wait));
        assert_eq!(pool.opened(START, id(1)), [vec![1], vec![2]]);
        assert!(matches!(pool.way(START, id(1), address(1), vec![3]), Way::Send(_)));
        let dials = (10..20)
            .flat_map(|peer| (0..200).map(move |_| peer))
            .filter(|peer| matches!(pool.way(START, id(*peer), address(1), vec![0]), Way::Dial(_)))
            .count();
        assert_eq!((pool.count, dials), (limits::WAITING_PACKETS, 2), "128 for each of two, and no room for more");
        pool.dial_failed(&id(10));
        assert_eq!(pool.count, limits::WAITING_PACKETS - limits::WAITING_PER_RELAY);
    }

    #[test]
    fn idle_and_surplus_links_are_closed_unless_somebody_else_needs_them() {
        let mut pool = Pool::default();
        for number in 0..200 {
            pool.opened(at(number.into()), id(number));
        }
        pool.share(id(3));
        let closed = pool.excess(at(200), Some(id(5)));
        assert_eq!(closed.len(), 200 - 2 - limits::RELAY_LINKS);
        assert!(closed.contains(&id(0)) && !closed.contains(&id(3)) && !closed.contains(&id(5)));
        assert!(!closed.contains(&id(199)), "the one used last stays");
        assert_eq!(pool.excess(at(2_000), None).len(), 199);
    }
}
