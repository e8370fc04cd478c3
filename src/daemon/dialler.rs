//! When a peer may be dialled again after it could not be reached.
//!
//! The overlay may ask as often as it likes; a dial within the pause fails at once. Bounded: beyond [`MOST`] peers the
//! one with the oldest failure is forgotten, which lets it be dialled at once.

use std::collections::BTreeMap;

use rand::rngs::ChaCha20Rng;

use super::chance;
use crate::id::NodeId;
use crate::link::backoff::Backoff;
use crate::time::{Duration, Instant};

/// The pauses of all peers that could not be reached.
#[derive(Debug)]
pub(super) struct Dialler {
    failing: BTreeMap<NodeId, Pause>,
    rng: ChaCha20Rng,
}

#[derive(Debug)]
struct Pause {
    backoff: Backoff,
    failed: Instant,
    until: Instant,
}

impl Dialler {
    pub(super) fn new() -> Self {
        Self { failing: BTreeMap::new(), rng: chance::generator() }
    }

    /// Whether `peer` may be dialled now.
    pub(super) fn may_dial(&self, now: Instant, peer: &NodeId) -> bool {
        self.failing.get(peer).is_none_or(|pause| pause.until <= now)
    }

    /// A dial failed.
    pub(super) fn on_failed(&mut self, now: Instant, peer: NodeId) {
        if self.failing.len() >= MOST && !self.failing.contains_key(&peer) {
            let oldest = self.failing.iter().min_by_key(|(_, pause)| pause.failed).map(|(peer, _)| *peer);
            oldest.map(|oldest| self.failing.remove(&oldest));
        }
        let fresh = Pause { backoff: Backoff::new(FIRST, LONGEST), failed: now, until: now };
        let pause = self.failing.entry(peer).or_insert(fresh);
        pause.failed = now;
        pause.until = now + pause.backoff.pause(&mut self.rng);
    }

    /// A link to `peer` is open.
    pub(super) fn on_up(&mut self, peer: &NodeId) {
        self.failing.remove(peer);
    }
}

/// Chosen: a node that restarts is back in about a second.
const FIRST: Duration = Duration::from_secs(1);
/// Chosen: a node that is back for good is found within five minutes.
const LONGEST: Duration = Duration::from_secs(300);
/// Chosen: some hundred bytes each.
const MOST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_fails_is_left_alone_for_growing_pauses_until_it_answers() {
        let mut dialler = Dialler::new();
        let (peer, start) = (NodeId([1; 32]), Instant::EPOCH);
        assert!(dialler.may_dial(start, &peer));
        dialler.on_failed(start, peer);
        assert!(!dialler.may_dial(start, &peer));
        assert!(dialler.may_dial(start + FIRST, &peer));
        dialler.on_failed(start, peer);
        dialler.on_failed(start, peer);
        assert!(!dialler.may_dial(start + FIRST, &peer));
        dialler.on_up(&peer);
        assert!(dialler.may_dial(start, &peer));
    }

    #[test]
    fn the_number_of_failing_peers_is_bounded() {
        let mut dialler = Dialler::new();
        for n in 0..2000_u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&n.to_be_bytes());
            dialler.on_failed(Instant::EPOCH + Duration::from_secs(n.into()), NodeId(id));
        }
        assert_eq!(dialler.failing.len(), MOST);
    }
}
