//! The ways back that a relay keeps: for each packet it passed on, whom the answer goes to and what transforms it.
//!
//! Guarantees: a way is used once, by the peer the packet went to, within its time; all ways together and those of one link
//! are bounded.

use std::collections::{BTreeMap, BTreeSet};

use crypto::onion::layout::REPLY_TAG_BYTES;
use crypto::onion::reply::RelayReply;

use crate::id::NodeId;
use crate::limits;
use crate::time::{Duration, Instant};

/// The ways back through one relay.
#[derive(Debug, Default)]
pub(super) struct Ways {
    ways: BTreeMap<Name, Way>,
    ends: BTreeSet<(Instant, Name)>,
    of_link: BTreeMap<NodeId, usize>,
}

/// Who will send the answer, and the tag it will bear.
type Name = (NodeId, [u8; REPLY_TAG_BYTES]);

#[derive(Debug)]
struct Way {
    reply: RelayReply,
    back: NodeId,
    ends: Instant,
}

impl Ways {
    /// Keeps the way of an answer that `next` will send and that goes `back`; false if there is no room for it.
    pub(super) fn keep(&mut self, now: Instant, next: NodeId, back: NodeId, reply: RelayReply) -> bool {
        let name = (next, reply.tag_in());
        let of_link = self.of_link.get(&back).copied().unwrap_or(0);
        let is_full = self.ways.len() >= limits::REPLY_ENTRIES || of_link >= limits::REPLY_ENTRIES_PER_LINK;
        if is_full || self.ways.contains_key(&name) {
            return false;
        }
        let ends = now + Duration::from_secs(u64::from(reply.lifetime_s()));
        self.ends.insert((ends, name));
        self.ways.insert(name, Way { reply, back, ends });
        *self.of_link.entry(back).or_default() += 1;
        true
    }

    /// Transforms an answer that `from` sent where it is; whom it goes to. None if nobody waits for it.
    pub(super) fn pass_back(&mut self, now: Instant, from: NodeId, packet: &mut [u8]) -> Option<NodeId> {
        self.expire(now);
        let name = (from, *packet.first_chunk()?);
        // Spent before anything leaves, whatever becomes of the answer.
        let way = self.take(&name)?;
        way.reply.pass_back(packet).ok()?;
        Some(way.back)
    }

    /// Forgets the ways whose time is over.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((_, name)) = self.ends.first().copied().filter(|(ends, _)| *ends <= now) {
            self.take(&name);
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ways.len()
    }

    /// Counts a link as one that has so many.
    #[cfg(test)]
    pub(super) fn pretend(&mut self, link: NodeId, count: usize) {
        self.of_link.insert(link, count);
    }

    fn take(&mut self, name: &Name) -> Option<Way> {
        let way = self.ways.remove(name)?;
        self.ends.remove(&(way.ends, *name));
        if let Some(count) = self.of_link.get_mut(&way.back) {
            *count -= 1;
            if *count == 0 {
                self.of_link.remove(&way.back);
            }
        }
        Some(way)
    }
}
