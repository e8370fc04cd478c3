//! Every relay that is known, and how one is drawn.
//!
//! Guarantees: a descriptor that is here verified, has not expired and is the newest that was heard of its relay; an address
//! group has a bounded number of entries and a bounded weight. Leaves out where descriptors come from (`gossip`) and what
//! a relay is drawn for (`guards`).

use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Copied before it is changed, where nodes of one process hold it together.
    table: Arc<Table>,
    acquaintances: Acquaintances,
}

/// A directory as many nodes of one process hold it together: the same bytes once.
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<Table>);

#[derive(Clone, Debug, Default)]
struct Table {
    entries: BTreeMap<NodeId, Entry>,
    /// Those of them that relay, in no order, so that one can be drawn.
    relays: Vec<NodeId>,
    groups: BTreeMap<AddressGroup, usize>,
    /// How many groups have so many members.
    sizes: BTreeMap<usize, usize>,
    /// Whether the weight of groups is left out: a control.
    is_unweighted: bool,
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
    /// What it adds to the sum of its part when directories are compared.
    print: u64,
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
    pub fn new(me: NodeId, pause: Duration) -> Self {
        Self { me, pause, table: Arc::default(), acquaintances: Acquaintances::none() }
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

    /// What is here, for other nodes of this process, as if all had been known since the instant given.
    pub fn snapshot(&self, first_seen: Instant) -> Snapshot {
        let mut table = (*self.table).clone();
        table.entries.values_mut().for_each(|entry| entry.first_seen = first_seen);
        Snapshot(Arc::new(table))
    }

    /// The same where crowded groups weigh as much as they have members: a control, for simulations only.
    #[must_use]
    pub fn unweighted(mut self) -> Self {
        Arc::make_mut(&mut self.table).is_unweighted = true;
        self
    }

    /// Takes what is in a snapshot for all it knows.
    pub fn adopt(&mut self, snapshot: &Snapshot) {
        self.table = Arc::clone(&snapshot.0);
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
        let held = self.table.entries.get(&id);
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
        let of_group = self.table.groups.get(&group).copied().unwrap_or(0);
        let is_full = held.is_none() && self.table.entries.len() >= limits::RELAYS;
        if is_full || (is_newcomer && of_group >= limits::RELAYS_PER_GROUP) {
            return Admitted::Full;
        }
        if !descriptor.verifies(judge, network) {
            return Admitted::Forged;
        }
        let (before, witnessed) = (held.map(|entry| entry.first_seen), held.and_then(|entry| entry.witnessed));
        let heard = self.acquaintances.hear(now, id);
        let first_seen = before.map_or(heard, |before| before.min(heard));
        self.put(Entry { witnessed, ..Entry::new(descriptor, first_seen, now) });
        Admitted::New
    }

    /// This node's own descriptor: told to others, never drawn.
    pub fn set_own(&mut self, now: Instant, descriptor: Descriptor) {
        self.put(Entry::new(descriptor, now, now));
    }

    /// Forgets what has expired.
    pub fn expire(&mut self, now: Instant) {
        let holds = |entry: &Entry| entry.descriptor.holds(now);
        let entries = self.table.entries.iter();
        let gone: Vec<NodeId> = entries.filter(|(_, entry)| !holds(entry)).map(|(id, _)| *id).collect();
        if gone.is_empty() {
            return;
        }
        self.acquaintances.expire(now);
        let table = Arc::make_mut(&mut self.table);
        gone.iter().for_each(|id| table.remove(id));
    }

    /// What is known of a node, if it relays.
    pub fn relay(&self, id: &NodeId) -> Option<&Entry> {
        self.table.entries.get(id).filter(|entry| self.is_relay(entry))
    }

    /// What is known of a node, relay or not any more.
    pub fn get(&self, id: &NodeId) -> Option<&Entry> {
        self.table.entries.get(id)
    }

    /// How many relays there are, this node apart.
    pub fn len(&self) -> usize {
        let is_among_them = self.table.entries.get(&self.me).is_some_and(|own| own.descriptor.words.relays);
        self.table.relays.len() - usize::from(is_among_them)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All relays.
    pub fn relays(&self) -> impl Iterator<Item = &Entry> {
        self.table.entries.values().filter(|entry| self.is_relay(entry))
    }

    /// Everything that is held from the id `from` to the id `to`, both included; this node's own word too.
    pub fn range(&self, from: NodeId, to: NodeId) -> impl Iterator<Item = &Entry> {
        self.table.entries.range(from..=to).map(|(_, entry)| entry)
    }

    /// Draws a relay that is `fit`: uniformly, but for crowded address groups, whose relays share a bounded weight.
    pub fn draw(&self, random: &mut ChaCha20Rng, fit: impl Fn(&Entry) -> bool) -> Option<NodeId> {
        for _ in 0..DRAWS {
            let id = self.table.relays.get(random.random_range(0..self.table.relays.len().max(1)))?;
            let entry = self.table.entries.get(id)?;
            if self.is_relay(entry) && fit(entry) && self.counts(random, &entry.descriptor.group()) {
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
        if let Some(entry) = Arc::make_mut(&mut self.table).entries.get_mut(id) {
            entry.witnessed = Some(since);
        }
    }

    /// The node whose id begins with these eight bytes.
    pub fn tagged(&self, tag: u64) -> Option<NodeId> {
        let (mut first, mut last) = ([0; 32], [255; 32]);
        first[..8].copy_from_slice(&tag.to_be_bytes());
        last[..8].copy_from_slice(&tag.to_be_bytes());
        self.table.entries.range(NodeId(first)..=NodeId(last)).next().map(|(id, _)| *id)
    }

    /// How many relays have been known for at least `age`.
    pub fn older_than(&self, now: Instant, age: Duration) -> usize {
        self.relays().filter(|entry| now.since(entry.known_since()) >= age).count()
    }

    /// Whether a relay of `group` that was drawn counts, by the weight of its group.
    fn counts(&self, random: &mut impl Rng, group: &AddressGroup) -> bool {
        let members = self.table.groups.get(group).copied().unwrap_or(1).max(1);
        self.table.is_unweighted || random.random_range(0..members) < self.table.weight()
    }

    fn is_relay(&self, entry: &Entry) -> bool {
        entry.descriptor.words.relays && entry.descriptor.words.id != self.me
    }

    fn put(&mut self, entry: Entry) {
        let held = self.table.entries.get(&entry.descriptor.words.id);
        // Nodes that hold one table together copy it only where something in it is new.
        if held.is_some_and(|held| held.descriptor == entry.descriptor) {
            return;
        }
        let table = Arc::make_mut(&mut self.table);
        table.remove(&entry.descriptor.words.id);
        table.insert(entry);
    }
}

impl Entry {
    fn new(descriptor: Descriptor, first_seen: Instant, changed: Instant) -> Self {
        let print = descriptor.print();
        Self { descriptor, first_seen, witnessed: None, changed, print }
    }

    /// What it adds to the sum of its part when directories are compared.
    pub const fn print(&self) -> u64 {
        self.print
    }
}

impl Table {
    /// What a group weighs at most: no more than a small group has members, or who fills few groups would outweigh those who
    /// are alone in theirs.
    fn weight(&self) -> usize {
        let mut smaller = 0;
        let few = self.sizes.iter().find(|(_, count)| {
            smaller += **count;
            smaller * SMALL_GROUPS >= self.groups.len()
        });
        few.map_or(1, |(size, _)| *size).min(limits::GROUP_WEIGHT)
    }

    fn resize(&mut self, group: AddressGroup, resize: impl Fn(usize) -> usize) {
        let before = self.groups.remove(&group).unwrap_or(0);
        let after = resize(before);
        if let Some(count) = self.sizes.get_mut(&before) {
            *count -= 1;
        }
        self.sizes.retain(|_, count| *count > 0);
        if after > 0 {
            self.groups.insert(group, after);
            *self.sizes.entry(after).or_default() += 1;
        }
    }

    fn insert(&mut self, entry: Entry) {
        let id = entry.descriptor.words.id;
        self.resize(entry.descriptor.group(), |members| members + 1);
        if entry.descriptor.words.relays {
            self.relays.push(id);
        }
        self.entries.insert(id, entry);
    }

    fn remove(&mut self, id: &NodeId) {
        let Some(entry) = self.entries.remove(id) else { return };
        self.resize(entry.descriptor.group(), |members| members.saturating_sub(1));
        if let Some(at) = self.relays.iter().position(|relay| relay == id) {
            self.relays.swap_remove(at);
        }
    }
}

/// Draws before all relays are looked at. Chosen.
const DRAWS: usize = 48;
/// One group in so many is small: the quartile, which nobody moves far who holds a fifth of the groups.
const SMALL_GROUPS: usize = 4;

#[cfg(test)]
mod tests;
