//! The manifest as it grows: keys in, sealed nodes out, the topmost keys at the end.

use crypto::content::Root;

use super::page::Page;
use crate::document::keys;
use crate::document::layout::{Copies, Geometry};
use crate::document::root::node_key;
use crate::document::tree::{Node, Tree};
use crate::key::RoutingKey;
use crate::message::block::Block;

/// Nodes that listing one key, or the end, can complete: one or two of each level.
pub(super) const MOST_AT_ONCE: usize = 12;

/// Keys that no node lists yet, by level.
pub(super) struct Manifest {
    geometry: Geometry,
    copies: Copies,
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    keys: Vec<RoutingKey>,
    /// Nodes that this level's keys have filled.
    nodes: u64,
}

impl Manifest {
    pub(super) const fn new(geometry: Geometry, copies: Copies) -> Self {
        Self { geometry, copies, levels: Vec::new() }
    }

    /// Lists the key of a data or check block; returns the nodes that this completes.
    pub(super) fn list(&mut self, root: &Root, key: RoutingKey) -> Vec<Block> {
        let mut made = Vec::new();
        self.add(root, 0, &[key], &mut made);
        made
    }

    /// Completes the manifest: the remaining nodes, and the keys for the top block.
    pub(super) fn finish(&mut self, root: &Root) -> (Vec<Block>, Vec<RoutingKey>) {
        let mut made = Vec::new();
        for level in 0.. {
            let Some(top) = self.levels.get_mut(level) else { break };
            if top.nodes == 0 && top.keys.len() <= self.geometry.top_keys() as usize {
                return (made, std::mem::take(&mut top.keys));
            }
            while !self.levels[level].keys.is_empty() {
                self.complete_node(root, level, &mut made);
            }
        }
        (made, Vec::new())
    }

    fn add(&mut self, root: &Root, level: usize, keys: &[RoutingKey], made: &mut Vec<Block>) {
        if self.levels.len() == level {
            self.levels.push(Level::default());
        }
        self.levels[level].keys.extend(keys);
        // Keys that would fit into the top block may yet stay there.
        let waiting = self.levels[level].keys.len();
        if waiting > self.geometry.top_keys() as usize && waiting >= self.node_keys(level) {
            self.complete_node(root, level, made);
        }
    }

    fn complete_node(&mut self, root: &Root, level: usize, made: &mut Vec<Block>) {
        let most = self.node_keys(level);
        let here = &mut self.levels[level];
        let listed: Vec<_> = here.keys.drain(..most.min(here.keys.len())).collect();
        let node = Node { level: u8::try_from(level).expect("a tree is shallow"), index: here.nodes };
        here.nodes += 1;
        let copies = seal_copies(root, self.geometry, self.copies, node, &listed);
        let own: Vec<_> = copies.iter().map(Block::key).collect();
        made.extend(copies);
        self.add(root, level + 1, &own, made);
    }

    fn node_keys(&self, level: usize) -> usize {
        let copies = u32::from(self.copies.count());
        let keys = self.geometry.node_keys();
        (if level == 0 { keys } else { keys / copies * copies }) as usize
    }
}

fn seal_copies(root: &Root, geometry: Geometry, copies: Copies, node: Node, listed: &[RoutingKey]) -> Vec<Block> {
    let mut payload = Vec::with_capacity(listed.len() * 32);
    keys::write(&mut payload, listed);
    // Where a copy stands among its siblings does not depend on how many keys the whole manifest has.
    let tree = Tree::new(geometry, copies, 0);
    let seal = |copy| {
        let mut page = Page::default();
        page.fill(&payload);
        page.seal(&node_key(root, &tree, node, copy))
    };
    (0..usize::from(copies.count())).map(seal).collect()
}
