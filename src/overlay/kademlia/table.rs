//! The routing table: buckets of contacts by the length of the prefix that they share with this node.
//!
//! A full bucket keeps whom it has: those that were long there are likely to stay. Newcomers wait in a replacement cache for
//! somebody that has failed to answer.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::message::contact::Contact;
use crate::time::Instant;

/// How far apart two names are: their bitwise difference, as a number.
pub(super) type Apart = (u128, u128);

/// The difference of two names.
pub(super) fn apart(a: &[u8; 32], b: &[u8; 32]) -> Apart {
    let (a, b) = (halves(a), halves(b));
    (a.0 ^ b.0, a.1 ^ b.1)
}

fn halves(name: &[u8; 32]) -> (u128, u128) {
    let half = |from: usize| u128::from_be_bytes(std::array::from_fn(|at| name[from + at]));
    (half(0), half(16))
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    me: NodeId,
    k: usize,
    buckets: BTreeMap<u16, Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    entries: Vec<Entry>,
    /// Newcomers for whom there is no room, the latest last.
    waiting: Vec<Contact>,
    /// The last lookup in this bucket's range.
    looked_up: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    contact: Contact,
    /// The end of the contact's id, so that most others are told from it without a look at it.
    tag: u32,
    /// Questions in a row without an answer.
    failures: u8,
}

impl Entry {
    fn new(contact: Contact) -> Self {
        let tag = tag(&contact.id());
        Self { contact, tag, failures: 0 }
    }

    fn is_of(&self, tag: u32, node: &NodeId) -> bool {
        self.tag == tag && self.contact.id() == *node
    }
}

fn tag(node: &NodeId) -> u32 {
    u32::from_be_bytes(std::array::from_fn(|at| node.0[28 + at]))
}

impl Table {
    pub(super) const fn new(me: NodeId, k: usize) -> Self {
        Self { me, k, buckets: BTreeMap::new() }
    }

    /// Bits that `name` and this node share at the front; 256 for the node itself.
    fn shared(&self, name: &[u8; 32]) -> u16 {
        let (first, second) = apart(&self.me.0, name);
        (if first == 0 { 128 + second.leading_zeros() } else { first.leading_zeros() }) as u16
    }

    /// A contact has spoken.
    pub(super) fn see(&mut self, contact: &Contact) {
        let id = contact.id();
        let (shared, tag) = (self.shared(&id.0), tag(&id));
        if shared == 256 {
            return;
        }
        let k = self.k;
        let bucket = self.buckets.entry(shared).or_default();
        if let Some(entry) = bucket.entries.iter_mut().find(|entry| entry.is_of(tag, &id)) {
            entry.failures = 0;
        } else if bucket.entries.len() < k {
            bucket.entries.push(Entry::new(contact.clone()));
        } else {
            bucket.waiting.retain(|other| other != contact);
            if bucket.waiting.len() >= WAITING {
                bucket.waiting.remove(0);
            }
            bucket.waiting.push(contact.clone());
        }
    }

    /// A contact has not answered: it gives way to one that waits, and without one after five times.
    pub(super) fn fail(&mut self, node: &NodeId) {
        let shared = self.shared(&node.0);
        let Some(bucket) = self.buckets.get_mut(&shared) else { return };
        bucket.waiting.retain(|contact| contact.id() != *node);
        let Some(at) = bucket.entries.iter().position(|entry| entry.is_of(tag(node), node)) else { return };
        bucket.entries[at].failures += 1;
        if let Some(contact) = bucket.waiting.pop() {
            bucket.entries[at] = Entry::new(contact);
        } else if bucket.entries[at].failures >= STALE {
            bucket.entries.remove(at);
        }
    }

    /// The nearest contacts to a name, the nearest first.
    pub(super) fn nearest(&self, name: &[u8; 32], most: usize) -> Vec<Contact> {
        let shared = self.shared(name);
        // The bucket of the name and those beyond it hold all that are nearer to it than this node; farther ones follow
        // from the longest prefix to the shortest.
        let mut found: Vec<&Contact> = Vec::new();
        found.extend(self.buckets.range(shared..=shared).flat_map(|(_, bucket)| bucket.contacts()));
        if found.len() < most {
            found.extend(self.buckets.range(shared + 1..).flat_map(|(_, bucket)| bucket.contacts()));
        }
        for (_, bucket) in self.buckets.range(..shared).rev() {
            if found.len() >= most {
                break;
            }
            found.extend(bucket.contacts());
        }
        let mut found: Vec<(Apart, &Contact)> =
            found.into_iter().map(|contact| (apart(&contact.id().0, name), contact)).collect();
        if found.len() > most && most > 0 {
            found.select_nth_unstable_by_key(most - 1, |(apart, _)| *apart);
            found.truncate(most);
        }
        found.sort_unstable_by_key(|(apart, _)| *apart);
        found.into_iter().take(most).map(|(_, contact)| contact.clone()).collect()
    }

    /// A lookup of this name begins: its bucket needs no refresh for a while.
    pub(super) fn look_up(&mut self, name: &[u8; 32], now: Instant) {
        let shared = self.shared(name);
        if let Some(bucket) = self.buckets.get_mut(&shared) {
            bucket.looked_up = Some(now);
        }
    }

    /// Buckets in whose range nothing was looked up since `since`: a name of each, whose other bits are `random`.
    pub(super) fn quiet(&self, since: Instant, random: &[u8; 32]) -> Vec<RoutingKey> {
        let is_quiet = |bucket: &&Bucket| bucket.looked_up.is_none_or(|at| at <= since);
        let quiet = self.buckets.iter().filter(|(_, bucket)| is_quiet(bucket)).map(|(shared, _)| *shared);
        quiet.map(|shared| self.name_sharing(shared, random)).collect()
    }

    /// Ranges beyond the nearest neighbour have nobody in them: names in all others, for a newcomer to look up.
    pub(super) fn ranges(&self, random: &[u8; 32]) -> Vec<RoutingKey> {
        let last = self.buckets.last_key_value().map_or(0, |(shared, _)| *shared);
        (0..=last).map(|shared| self.name_sharing(shared, random)).collect()
    }

    /// A name that shares so many bits with this node and not the next.
    fn name_sharing(&self, shared: u16, random: &[u8; 32]) -> RoutingKey {
        let bit = |at: u16| 0x80_u8 >> (at % 8);
        RoutingKey(std::array::from_fn(|byte| {
            (0..8).fold(0, |made, offset| {
                let at = byte as u16 * 8 + offset;
                let own = self.me.0[byte] & bit(at);
                made | match at.cmp(&shared) {
                    std::cmp::Ordering::Less => own,
                    std::cmp::Ordering::Equal => own ^ bit(at),
                    std::cmp::Ordering::Greater => random[byte] & bit(at),
                }
            })
        }))
    }

    /// The contacts by the length of the prefix that they share with this node.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (u16, Vec<NodeId>)> {
        self.buckets.iter().map(|(shared, bucket)| (*shared, bucket.contacts().map(Contact::id).collect()))
    }

    /// How many contacts there are.
    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(|bucket| bucket.entries.len()).sum()
    }

    /// Gives back room that was set aside for more.
    pub(super) fn shrink(&mut self) {
        self.buckets.values_mut().for_each(|bucket| bucket.entries.shrink_to_fit());
    }
}

impl Bucket {
    fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.entries.iter().map(|entry| &entry.contact)
    }
}

/// The paper's figure.
const STALE: u8 = 5;
/// Chosen: a few in case some of a bucket go.
const WAITING: usize = 8;
