//! The manifest as far as it is needed now: lists that were read, and blocks that are being looked for.

use std::collections::BTreeMap;
use std::ops::Range;

use crypto::content::{Root, seal};
use rand::rngs::ChaCha8Rng;

use super::asks::Place;
use super::opening::opened;
use super::shares::Shares;
use super::why::Why;
use crate::document::header::Malformed;
use crate::document::keys;
use crate::document::root::node_key;
use crate::document::tree::{Node, Tree};
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::time::Instant;

/// Part of a manifest.
pub(super) struct Nodes {
    tree: Tree,
    top: Vec<RoutingKey>,
    read: BTreeMap<Node, Vec<RoutingKey>>,
    wanted: BTreeMap<Node, Shares>,
}

impl Nodes {
    /// A manifest of which the top block is read.
    pub(super) const fn new(tree: Tree, top: Vec<RoutingKey>) -> Self {
        Self { tree, top, read: BTreeMap::new(), wanted: BTreeMap::new() }
    }

    /// The keys numbered `range`, if all are read.
    pub(super) fn keys(&self, range: Range<u64>) -> Option<Vec<RoutingKey>> {
        range.map(|key| self.key(key)).collect()
    }

    /// Looks for the nodes that list the keys numbered `range`.
    pub(super) fn want(&mut self, range: Range<u64>, random: &mut ChaCha8Rng) -> Result<(), Why> {
        let mut key = range.start;
        while key < range.end {
            let Some((leaf, place)) = self.tree.leaf_of(key) else { return Ok(()) };
            self.want_node(leaf, random)?;
            key += (self.tree.listed(leaf) - place) as u64;
        }
        Ok(())
    }

    /// Forgets what lists only keys before `key`.
    pub(super) fn retire(&mut self, key: u64) {
        let mut here = self.tree.leaf_of(key).map(|(leaf, _)| leaf);
        while let Some(node) = here {
            let old = |other: &Node| other.level == node.level && other.index < node.index;
            self.read.retain(|other, _| !old(other));
            here = self.tree.listing(node).parent;
        }
    }

    /// The next block to ask for: of each node one copy at a time.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Place, RoutingKey)> {
        let copies = self.copies();
        for (node, shares) in &mut self.wanted {
            if shares.under_way(copies.clone()) == 0
                && let Some((copy, key)) = shares.next(now, copies.clone())
            {
                return Some((Place::Node { node: *node, copy }, key));
            }
        }
        None
    }

    pub(super) fn shares(&mut self, node: Node) -> Option<&mut Shares> {
        self.wanted.get_mut(&node)
    }

    /// A copy of `node` came. Returns the copies that the network does not have, sealed again.
    pub(super) fn found(&mut self, root: &Root, node: Node, copy: usize, block: &Block) -> Result<Vec<Block>, Why> {
        let Some(shares) = self.wanted.remove(&node) else { return Ok(Vec::new()) };
        let payload = opened(&node_key(root, &self.tree, node, copy), block.body()).ok_or(Why::NotVerified)?;
        let listed = keys::read(&payload, self.tree.listed(node)).ok_or(Malformed::Padding)?;
        self.read.insert(node, listed);
        let missing = self.copies().filter(|other| *other != copy && shares.is_missing(*other));
        let sealed = missing.filter_map(|other| {
            let sealed = seal(&node_key(root, &self.tree, node, other), &payload).ok()?;
            Block::new(sealed.into()).ok().filter(|block| block.key() == shares.key(other))
        });
        Ok(sealed.collect())
    }

    /// Whether all copies of a node are lost.
    pub(super) fn is_lost(&self) -> bool {
        self.wanted.values().any(|shares| shares.reachable(self.copies()) == 0)
    }

    pub(super) fn rested_at(&self, now: Instant) -> Option<Instant> {
        self.wanted.values().filter_map(|shares| shares.rested_at(now)).min()
    }

    pub(super) fn held_bytes(&self) -> usize {
        (self.top.len() + self.read.values().map(Vec::len).sum::<usize>()) * size_of::<RoutingKey>()
    }

    fn key(&self, key: u64) -> Option<RoutingKey> {
        match self.tree.leaf_of(key) {
            Some((leaf, place)) => self.read.get(&leaf).map(|keys| keys[place]),
            None => Some(self.top[usize::try_from(key).expect("the top lists few keys")]),
        }
    }

    /// Looks for `node`, or for the nearest node above it that is not read either.
    fn want_node(&mut self, node: Node, random: &mut ChaCha8Rng) -> Result<(), Why> {
        if self.read.contains_key(&node) || self.wanted.contains_key(&node) {
            return Ok(());
        }
        let listing = self.tree.listing(node);
        let list = match listing.parent {
            None => &self.top,
            Some(parent) => match self.read.get(&parent) {
                Some(list) => list,
                None => return self.want_node(parent, random),
            },
        };
        let copies = &list[listing.first..listing.first + self.copies().len()];
        if !keys::distinct(copies) {
            return Err(Malformed::DuplicateKey.into());
        }
        self.wanted.insert(node, Shares::in_random_order(copies.iter().copied(), copies.len(), random));
        Ok(())
    }

    fn copies(&self) -> Range<usize> {
        0..usize::from(self.tree.copies().count())
    }
}
