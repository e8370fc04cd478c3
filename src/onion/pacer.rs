//! How fast this node sends over each link: never faster than the relay at its end passes on, since that relay drops what
//! is over its share without a word (`relay`).
//!
//! Guarantees: what leaves over one link stays below [`limits::PACKETS_PER_SECOND`] and [`limits::PACKET_BURST`] by a margin
//! that the network may use up by bunching packets; packets of others leave in the order they came; those that wait are
//! bounded, for each link and in all. Own packets are not kept here: a command waits for its time before it is a packet.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::limits;
use crate::onion::allowance::Allowances;
use crate::onion::timed::Timed;
use crate::time::Instant;

/// The pace of every link of one node.
#[derive(Debug)]
pub(super) struct Pacer {
    allowances: Allowances,
    waiting: Timed,
    of_link: BTreeMap<NodeId, usize>,
}

impl Default for Pacer {
    fn default() -> Self {
        Self {
            allowances: Allowances::new(limits::PACED_PER_SECOND, limits::PACED_BURST),
            waiting: Timed::default(),
            of_link: BTreeMap::new(),
        }
    }
}

impl Pacer {
    /// Books the next packet to `to`: when it may leave, at the earliest now.
    pub(super) fn book(&mut self, now: Instant, to: NodeId) -> Instant {
        self.allowances.book(now, to)
    }

    /// A packet of somebody else is to leave for `to`. Gives it back if that may be now; else it waits, or is dropped if too
    /// many do.
    pub(super) fn pass(&mut self, now: Instant, to: NodeId, packet: Vec<u8>) -> Option<Vec<u8>> {
        let of_link = self.of_link.get(&to).copied().unwrap_or(0);
        if of_link >= limits::PACED_PER_LINK || self.waiting.len() >= limits::PACED_PACKETS {
            return None;
        }
        let at = self.allowances.book(now, to);
        if at <= now {
            return Some(packet);
        }
        self.waiting.put(at, to, packet);
        *self.of_link.entry(to).or_default() += 1;
        None
    }

    /// A packet whose time has come, and whom it goes to.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(NodeId, Vec<u8>)> {
        let (to, packet) = self.waiting.take_due(now)?;
        if let Some(count) = self.of_link.get_mut(&to) {
            *count -= 1;
            if *count == 0 {
                self.of_link.remove(&to);
            }
        }
        Some((to, packet))
    }

    /// When the next one leaves.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.deadline()
    }

    /// The link is gone, and the relay at its end has forgotten what came over it.
    pub(super) fn forget(&mut self, peer: &NodeId) {
        self.allowances.forget(peer);
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::ChaCha20Rng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::onion::fixture::{START, id};
    use crate::time::Duration;

    /// What a pacer lets out of `count` packets that come `every`, held up in the network for up to `jitter`, and how many of
    /// them the relay at the end of the link lets pass.
    fn sent_and_passed(count: u32, every: Duration, jitter: u64) -> (usize, usize) {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut pacer = Pacer::default();
        let mut sent = Vec::new();
        for number in 0..count {
            let now = START + Duration::from_micros(every.as_micros() as u64 * u64::from(number));
            sent.extend(pacer.pass(now, id(1), vec![]).map(|_| now));
            while let Some(at) = pacer.deadline().filter(|at| *at <= now) {
                pacer.take_due(at).expect("due");
                sent.push(at);
            }
        }
        while let Some(at) = pacer.deadline() {
            pacer.take_due(at).expect("due");
            sent.push(at);
        }
        let mut came: Vec<Instant> =
            sent.iter().map(|at| *at + Duration::from_micros(random.random_range(0..=jitter))).collect();
        came.sort_unstable();
        let mut allowances = Allowances::new(limits::PACKETS_PER_SECOND, limits::PACKET_BURST);
        (sent.len(), came.into_iter().filter(|now| allowances.take(*now, id(2))).count())
    }

    #[test]
    fn a_relay_passes_on_all_that_is_paced_though_the_network_bunches_it() {
        for (every, jitter) in [(900, 0), (500, 300_000), (1_000, 900_000)] {
            let (sent, passed) = sent_and_passed(20_000, Duration::from_micros(every), jitter);
            assert!(sent > 3_000 + limits::PACED_PER_LINK, "{sent} of packets every {every} µs");
            assert_eq!(sent, passed, "packets every {every} µs");
        }
    }

    #[test]
    fn packets_that_wait_are_bounded_and_leave_in_order() {
        let mut pacer = Pacer::default();
        let at_once = (0..limits::PACED_BURST).filter(|_| pacer.pass(START, id(1), vec![]).is_some()).count();
        assert_eq!(at_once, limits::PACED_BURST as usize);
        for number in 0..=255 {
            assert!(pacer.pass(START, id(1), vec![number]).is_none());
        }
        assert_eq!(pacer.waiting.len(), limits::PACED_PER_LINK);
        assert!(pacer.pass(START, id(1), vec![0]).is_none());
        assert_eq!(pacer.waiting.len(), limits::PACED_PER_LINK, "no room for one more");
        assert!(pacer.pass(START, id(2), vec![0]).is_some(), "links do not share");
        let later = START + Duration::from_secs(1);
        let left: Vec<u8> = std::iter::from_fn(|| pacer.take_due(later)).map(|(_, packet)| packet[0]).collect();
        assert_eq!(left, Vec::from_iter(0..=255));
        assert!(pacer.of_link.is_empty());
    }
}
