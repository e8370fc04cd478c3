//! Packets that leave at a time of their own, the earliest first, and of one time in the order they came.
//!
//! Leaves out how many there may be: who puts them in decides.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::time::Instant;

/// Packets and whom each goes to.
#[derive(Debug, Default)]
pub(super) struct Timed {
    packets: BTreeMap<(Instant, u64), (NodeId, Vec<u8>)>,
    number: u64,
}

impl Timed {
    /// `packet` leaves for `to` when it is `at`.
    pub(super) fn put(&mut self, at: Instant, to: NodeId, packet: Vec<u8>) {
        self.number += 1;
        self.packets.insert((at, self.number), (to, packet));
    }

    /// A packet whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(NodeId, Vec<u8>)> {
        let entry = self.packets.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// When the next one leaves.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.packets.keys().next().map(|(at, _)| *at)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }
}
