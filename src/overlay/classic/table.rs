//! The routing table of 2001: key → address, indexed by key, so that many entries may name one node.
//!
//! Closeness is the difference of keys as numbers, without wrapping round. Bounded; what leaves a full table is the
//! entry added longest ago, or by choice the one farthest from the node's own place.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::key::Location;
use crate::message::contact::Contact;
use crate::overlay::classic::config::TablePolicy;

/// The table: parallel lists sorted by key.
#[derive(Debug, Default)]
pub(super) struct Table {
    keys: Vec<u64>,
    contacts: Vec<Contact>,
    added: Vec<u32>,
    clock: u32,
}

/// How far a search has looked around a key, in either direction. Survives changes of the table in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    target: u64,
    /// Every key from here to the target has been looked at; `None` before the first look.
    seen: Option<(u64, u64)>,
}

impl Cursor {
    pub(super) const fn new(target: Location) -> Self {
        Self { target: target.0, seen: None }
    }
}

impl Table {
    /// `contact` is said to have `key`. A known key gets the new address and counts as added now.
    pub(super) fn add(&mut self, key: Location, contact: Contact, rule: Rule, random: &mut ChaCha8Rng) {
        self.clock = self.clock.wrapping_add(1);
        match self.keys.binary_search(&key.0) {
            Ok(at) => {
                self.contacts[at] = contact;
                self.added[at] = self.clock;
            }
            Err(at) if self.keys.len() < rule.entries => self.insert(at, key.0, contact),
            Err(_) => {
                let Some(leaving) = self.leaving(key.0, rule, random) else { return };
                self.keys.remove(leaving);
                self.contacts.remove(leaving);
                self.added.remove(leaving);
                let at = self.keys.partition_point(|other| *other < key.0);
                self.insert(at, key.0, contact);
            }
        }
    }

    /// The entry nearest the target that the cursor has not passed yet.
    pub(super) fn next(&self, cursor: &mut Cursor) -> Option<&Contact> {
        let (low, high) = match cursor.seen {
            None => {
                let split = self.keys.partition_point(|key| *key < cursor.target);
                (split, split)
            }
            Some((low, high)) => {
                (self.keys.partition_point(|key| *key < low), self.keys.partition_point(|key| *key <= high))
            }
        };
        let below = low.checked_sub(1).map(|at| (cursor.target - self.keys[at], at));
        let above = self.keys.get(high).map(|key| (*key - cursor.target, high));
        let (_, at) = [below, above].into_iter().flatten().min()?;
        let key = self.keys[at];
        let (low, high) = cursor.seen.unwrap_or((cursor.target, cursor.target));
        cursor.seen = Some((low.min(key), high.max(key)));
        Some(&self.contacts[at])
    }

    /// All entries, in the order of keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Location, &Contact)> {
        self.keys.iter().map(|key| Location(*key)).zip(&self.contacts)
    }

    /// The contacts of all entries.
    pub(super) fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    fn insert(&mut self, at: usize, key: u64, contact: Contact) {
        self.keys.insert(at, key);
        self.contacts.insert(at, contact);
        self.added.insert(at, self.clock);
    }

    /// Which entry makes room for `key`; `None` if it is not taken in.
    fn leaving(&self, key: u64, rule: Rule, random: &mut ChaCha8Rng) -> Option<usize> {
        let all = 0..self.keys.len();
        match rule.policy {
            // Ages, not stamps: the counter may wrap.
            TablePolicy::Lru => all.max_by_key(|at| self.clock.wrapping_sub(self.added[*at])),
            TablePolicy::Clustered => {
                let distance = |key: u64| key.abs_diff(rule.own.0);
                let farthest = all.max_by_key(|at| distance(self.keys[*at]))?;
                let closer = distance(key) < distance(self.keys[farthest]);
                (closer || random.random_ratio(3, 100)).then_some(farthest)
            }
        }
    }
}

/// The bound of a table and what happens at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) entries: usize,
    pub(super) policy: TablePolicy,
    pub(super) own: Location,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;
    use crate::id::NodeId;

    fn contact(number: u64) -> Contact {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        Contact::new(NodeId(id), "127.0.0.1:1".parse().expect("a literal address"))
    }

    fn table(keys: &[u64], entries: usize, policy: TablePolicy) -> Table {
        let (mut table, mut random) = (Table::default(), ChaCha8Rng::from_seed([1; 32]));
        for key in keys {
            table.add(Location(*key), contact(*key), Rule { entries, policy, own: Location(0) }, &mut random);
        }
        table
    }

    proptest! {
        #[test]
        fn entries_come_in_the_order_of_closeness_without_wrapping(
            keys in prop::collection::vec(any::<u64>(), 0..60),
            target: u64,
        ) {
            let table = table(&keys, 100, TablePolicy::Lru);
            let mut naive = keys;
            naive.sort_unstable();
            naive.dedup();
            naive.sort_by_key(|key| key.abs_diff(target));
            let mut cursor = Cursor::new(Location(target));
            let walked: Vec<Contact> = std::iter::from_fn(|| table.next(&mut cursor).cloned()).collect();
            let distances = |all: Vec<u64>| -> Vec<u64> { all.into_iter().map(|key| key.abs_diff(target)).collect() };
            let number = |contact: &Contact| u64::from_be_bytes(contact.id().0[..8].try_into().expect("eight bytes"));
            prop_assert_eq!(distances(walked.iter().map(number).collect()), distances(naive));
        }

        #[test]
        fn a_full_table_keeps_what_was_added_last(keys in prop::collection::vec(0u64..50, 1..200)) {
            let table = table(&keys, 10, TablePolicy::Lru);
            let mut last: Vec<u64> = Vec::new();
            for key in keys.iter().rev() {
                if !last.contains(key) && last.len() < 10 {
                    last.push(*key);
                }
            }
            last.sort_unstable();
            prop_assert_eq!(&table.keys, &last);
        }
    }

    #[test]
    fn a_clustered_table_holds_mostly_keys_near_its_own() {
        let keys: Vec<u64> = (0..1_000).map(|number| (number * 7_919) % 1_000).collect();
        let near = |policy| table(&keys, 20, policy).keys.iter().filter(|key| **key < 30).count();
        assert!(near(TablePolicy::Clustered) > 3 * near(TablePolicy::Lru) + 5);
    }
}
