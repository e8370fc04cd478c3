//! Every relay that is known, and how one is drawn.
//!
//! Guarantees: a descriptor that is here verified, has not expired and is the newest that was heard of its relay; an address
//! group has a bounded number of entries and a bounded weight. Leaves out where descriptors come from (`gossip`) and what
//! a relay is drawn for (`guards`).

use std::collections::BTreeMap;

use rand::rngs::ChaCha20Rng;
use rand::{Rng, RngExt};

use crate::id::{AddressGroup, NetworkId, NodeId};
use crate::limits;
use crate::message::credentials::Credentials;
use crate::onion::acquaintance::Acquaintances;
use crate::onion::descriptor::Descriptor;
use crate::time::{Duration, Instant};

/// All relays.
#[derive(Debug)]
pub struct Directory {
    me: NodeId,
    pause: Duration,
    entries: BTreeMap<NodeId, Entry>,
    /// The relays among them, in no order, so that one can be drawn.
    relays: Vec<NodeId>,
    groups: BTreeMap<AddressGroup, usize>,
    acquaintances: Acquaintances,
}

/// One node that has said it is, or was, a relay.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it says.
    pub descriptor: Descriptor,
    /// When this node first heard of it, in this run or an earlier one.
    pub first_seen: Instant,
    /// Since when enough witnesses have known it.
    pub witnessed: Option<Instant>,
    changed: Instant,
}

impl Entry {
    /// Since when the relay counts as known: by this node's own observation or by that of enough others.
    pub fn known_since(&self) -> Instant {
        self.witnessed.map_or(self.first_seen, |witnessed| witnessed.min(self.first_seen))
    }
}

/// What became of a descriptor that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is new, or newer than what was known.
    New,
    /// It is known, older, of this node itself, or too soon after the last.
    Known,
    /// It has expired, or claims to hold for too long: one of the two clocks is wrong.
    Untimely,
    /// There is no room for it, or none for its address group.
    Full,
    /// It is not signed by the relay it names.
    Forged,
}

impl Directory {
    /// An empty directory of the node `me`, which takes a newer descriptor of a relay once in `pause`.
    pub const fn new(me: NodeId, pause: Duration) -> Self {
        Self {
            me,
            pause,
            entries: BTreeMap::new(),
            relays: Vec::new(),
            groups: BTreeMap::new(),
            acquaintances: Acquaintances::none(),
        }
    }

    /// The same, with what an earlier run remembered of relays.
    #[must_use]
    pub fn recalling(self, remembered: &[u8]) -> Self {
        Self { acquaintances: Acquaintances::from_bytes(remembered), ..self }
    }

    /// What a restart should find: since when relays are known.
    pub fn remembrance(&self) -> Vec<u8> {
        self.acquaintances.to_bytes()
    }

    /// Takes a descriptor, if it is one to take. What is cheap to check is checked first.
    pub fn admit(
        &mut self,
        now: Instant,
        descriptor: Descriptor,
        judge: &dyn Credentials,
        network: &NetworkId,
    ) -> Admitted {
        let id = descriptor.words.id;
        let held = self.entries.get(&id);
        let is_known = held.is_some_and(|entry| {
            // That a relay stops is heard at once: it will not say so again.
            let is_too_soon = descriptor.words.relays && now.since(entry.changed) < self.pause;
            entry.descriptor.words.sequence >= descriptor.words.sequence || is_too_soon
        });
        if id == self.me || is_known {
            return Admitted::Known;
        }
        if !descriptor.holds(now) || descriptor.is_from_the_future(now) {
            return Admitted::Untimely;
        }
        let group = descriptor.group();
        let is_newcomer = held.is_none_or(|entry| entry.descriptor.group() != group);
        let of_group = self.groups.get(&group).copied().unwrap_or(0);
        let is_full = held.is_none() && self.entries.len() >= limits::RELAYS;
        if is_full || (is_newcomer && of_group >= limits::RELAYS_PER_GROUP) {
            return Admitted::Full;
        }
        if !descriptor.verifies(judge, network) {
            return Admitted::Forged;
        }
        let (before, witnessed) = (held.map(|entry| entry.first_seen), held.and_then(|entry| entry.witnessed));
        let heard = self.acquaintances.hear(now, id);
        let first_seen = before.map_or(heard, |before| before.min(heard));
        self.remove(&id);
        self.insert(Entry { descriptor, first_seen, witnessed, changed: now });
        Admitted::New
    }

    /// This node's own descriptor: told to others, never drawn.
    pub fn set_own(&mut self, now: Instant, descriptor: Descriptor) {
        let me = self.me;
        self.remove(&me);
        self.insert(Entry { descriptor, first_seen: now, witnessed: None, changed: now });
    }

    /// Forgets what has expired.
    pub fn expire(&mut self, now: Instant) {
        let holds = |entry: &Entry| entry.descriptor.holds(now);
        let gone: Vec<NodeId> = self.entries.iter().filter(|(_, entry)| !holds(entry)).map(|(id, _)| *id).collect();
        for id in &gone {
            self.remove(id);
        }
        self.acquaintances.expire(now);
    }

    /// What is known of a node, if it relays.
    pub fn relay(&self, id: &NodeId) -> Option<&Entry> {
        self.entries.get(id).filter(|entry| self.is_relay(entry))
    }

    /// What is known of a node, relay or not any more.
    pub fn get(&self, id: &NodeId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// How many relays there are, this node apart.
    pub const fn len(&self) -> usize {
        self.relays.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.relays.is_empty()
    }

    /// All relays.
    pub fn relays(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| self.is_relay(entry))
    }

    /// Everything that is held from the id `from` to the id `to`, both included; this node's own word too.
    pub fn range(&self, from: NodeId, to: NodeId) -> impl Iterator<Item = &Descriptor> {
        self.entries.range(from..=to).map(|(_, entry)| &entry.descriptor)
    }

    /// Draws a relay that is `fit`: uniformly, but for crowded address groups, whose relays share a bounded weight.
    pub fn draw(&self, random: &mut ChaCha20Rng, fit: impl Fn(&Entry) -> bool) -> Option<NodeId> {
        for _ in 0..DRAWS {
            let id = self.relays.get(random.random_range(0..self.relays.len().max(1)))?;
            let entry = self.entries.get(id)?;
            if fit(entry) && self.counts(random, &entry.descriptor.group()) {
                return Some(*id);
            }
        }
        // Few are fit: look at all of them.
        let fit: Vec<&Entry> = self.relays().filter(|entry| fit(entry)).collect();
        let start = random.random_range(0..fit.len().max(1));
        let turned = fit[start.min(fit.len())..].iter().chain(&fit[..start.min(fit.len())]);
        let mut turned = turned.map(|entry| entry.descriptor.words.id);
        turned.next()
    }

    /// A dial of this node's has reached a relay, or has not.
    pub fn dialled(&mut self, now: Instant, id: &NodeId, is_reached: bool) {
        self.acquaintances.dialled(now, id, is_reached);
    }

    /// Since when dials of this node's have reached a relay: all that it vouches for.
    pub fn reached(&self, id: &NodeId) -> Option<Instant> {
        self.relay(id).and_then(|_| self.acquaintances.reached(id))
    }

    /// As many witnesses as must agree have known a relay since then.
    pub fn witness(&mut self, id: &NodeId, since: Instant) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.witnessed = Some(since);
        }
    }

    /// The node whose id begins with these eight bytes.
    pub fn tagged(&self, tag: u64) -> Option<NodeId> {
        let (mut first, mut last) = ([0; 32], [255; 32]);
        first[..8].copy_from_slice(&tag.to_be_bytes());
        last[..8].copy_from_slice(&tag.to_be_bytes());
        self.entries.range(NodeId(first)..=NodeId(last)).next().map(|(id, _)| *id)
    }

    /// How many relays have been known for at least `age`.
    pub fn older_than(&self, now: Instant, age: Duration) -> usize {
        self.relays().filter(|entry| now.since(entry.known_since()) >= age).count()
    }

    /// Whether a relay of `group` that was drawn counts, by the weight of its group.
    fn counts(&self, random: &mut impl Rng, group: &AddressGroup) -> bool {
        let members = self.groups.get(group).copied().unwrap_or(1).max(1);
        random.random_range(0..members) < limits::GROUP_WEIGHT
    }

    fn is_relay(&self, entry: &Entry) -> bool {
        entry.descriptor.words.relays && entry.descriptor.words.id != self.me
    }

    fn insert(&mut self, entry: Entry) {
        let id = entry.descriptor.words.id;
        *self.groups.entry(entry.descriptor.group()).or_default() += 1;
        if self.is_relay(&entry) {
            self.relays.push(id);
        }
        self.entries.insert(id, entry);
    }

    fn remove(&mut self, id: &NodeId) {
        let Some(entry) = self.entries.remove(id) else { return };
        let group = entry.descriptor.group();
        if let Some(count) = self.groups.get_mut(&group) {
            *count -= 1;
            if *count == 0 {
                self.groups.remove(&group);
            }
        }
        if let Some(at) = self.relays.iter().position(|relay| relay == id) {
            self.relays.swap_remove(at);
        }
    }
}

/// Draws before all relays are looked at. Chosen.
const DRAWS: usize = 48;

#[cfg(test)]
mod tests;
