//! A relay's onion keys and what each has seen: the key of this epoch, the next, and for a while the last.
//!
//! Guarantees: a packet is opened once under a key; the tags of a key live exactly as long as it does; a key never leaves
//! memory. Leaves out what an opened packet asks for (`relay`).

use std::collections::BTreeSet;

use crypto::onion::layout::REPLAY_TAG_BYTES;
use crypto::onion::process::{Arrival, OnionKey, Opened};
use rand::rngs::ChaCha20Rng;

use crate::id::NodeId;
use crate::limits;
use crate::time::Instant;

/// The keys of one relay.
#[derive(Debug)]
pub(super) struct Keys {
    current: Epoch,
    next: Epoch,
    last: Option<(Epoch, Instant)>,
    until: Instant,
}

#[derive(Debug)]
struct Epoch {
    key: OnionKey,
    seen: BTreeSet<[u8; REPLAY_TAG_BYTES]>,
}

impl Keys {
    /// Fresh keys.
    pub(super) fn new(now: Instant, random: &mut ChaCha20Rng) -> Self {
        let (current, next) = (Epoch::new(random), Epoch::new(random));
        Self { current, next, last: None, until: now + limits::ONION_KEY_LIFE }
    }

    /// The public keys of this epoch and the next, and when the one becomes the other.
    pub(super) const fn public(&self) -> ([u8; 32], [u8; 32], Instant) {
        (self.current.key.public(), self.next.key.public(), self.until)
    }

    /// Lets time pass: forgets the last key when its time is over, takes the next when it is due or this one has seen
    /// three quarters of what it may. Whether it took the next, which must be made known.
    pub(super) fn turn(&mut self, now: Instant, random: &mut ChaCha20Rng) -> bool {
        self.last.take_if(|(_, until)| *until <= now);
        let is_due = self.until <= now || self.current.seen.len() >= limits::REPLAY_TAGS / 4 * 3;
        // The tags of a key that still opens packets are never forgotten.
        if !is_due || self.last.is_some() {
            return false;
        }
        let next = std::mem::replace(&mut self.next, Epoch::new(random));
        let last = std::mem::replace(&mut self.current, next);
        self.last = Some((last, now + limits::ONION_KEY_OVERLAP));
        self.until = now + limits::ONION_KEY_LIFE;
        true
    }

    /// When to let time pass again.
    pub(super) fn deadline(&self) -> Instant {
        self.last.as_ref().map_or(self.until, |(_, until)| *until)
    }

    /// Opens a packet where it is, unless it is damaged, meant for somebody else or was here before. What was opened has
    /// entered the replay set of its key.
    pub(super) fn open(&mut self, now: Instant, me: &NodeId, packet: &mut [u8]) -> Option<Opened> {
        let is_near_turn = self.until <= now + limits::ONION_KEY_OVERLAP;
        let last = self.last.as_mut().map(|(epoch, _)| epoch);
        let epochs = [Some(&mut self.current), last, Some(&mut self.next).filter(|_| is_near_turn)];
        epochs.into_iter().flatten().find_map(|epoch| epoch.open(me, packet))
    }
}

impl Epoch {
    fn new(random: &mut ChaCha20Rng) -> Self {
        Self { key: OnionKey::generate(random), seen: BTreeSet::new() }
    }

    fn open(&mut self, me: &NodeId, packet: &mut [u8]) -> Option<Opened> {
        let arrival = Arrival::receive(&self.key, &me.0, packet).ok()?;
        let tag = arrival.replay_tag();
        if self.seen.contains(&tag) || self.seen.len() >= limits::REPLAY_TAGS {
            return None;
        }
        let opened = arrival.open(packet).ok()?;
        // After the packet has proven itself, so that junk fills nothing; before anything leaves.
        self.seen.insert(tag);
        Some(opened)
    }
}
