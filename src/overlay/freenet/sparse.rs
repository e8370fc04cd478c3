//! Tables that are empty most of the time, and hold no memory while they are.
//!
//! A tree keeps its last leaf when its last entry goes: a node has some twenty such tables, and a leaf of exchanges is
//! kilobytes. Everything but leaving is the tree's own affair.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

/// A map that gives its memory back when its last entry leaves.
#[derive(Clone, Debug)]
pub(super) struct Sparse<K, V>(BTreeMap<K, V>);

impl<K, V> Sparse<K, V> {
    /// An empty table.
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, V> Sparse<K, V> {
    /// Takes an entry out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.0.remove(key);
        self.give_back();
        value
    }

    /// Keeps what `keep` says.
    pub(super) fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        if !self.0.is_empty() {
            self.0.retain(keep);
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if self.0.is_empty() {
            self.0.clear();
        }
    }
}

impl<K, V> Default for Sparse<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Deref for Sparse<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.0
    }
}

impl<K, V> DerefMut for Sparse<K, V> {
    fn deref_mut(&mut self) -> &mut BTreeMap<K, V> {
        &mut self.0
    }
}
