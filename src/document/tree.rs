//! The shape of a manifest: where in a tree of blocks the key of each block is listed.
//!
//! The leaves list the keys of data and check blocks, 1,023 to a block; a node above lists, for each of its children,
//! the keys of all its copies; the top block lists what is left. Few keys need no tree: the top lists them itself.
//! Guarantees: the shape is a function of the number of keys and copies, so no manifest can be too deep or turn in a
//! circle: a block that stood in two places would have to open under two keys. Leaves out the blocks themselves.

use crate::document::layout::{Copies, Geometry};

/// The shape of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    geometry: Geometry,
    copies: Copies,
    keys: u64,
    /// Nodes of each level, leaves first.
    nodes: Vec<u64>,
}

/// One manifest block (in all its copies): the level above the leaves, and which of that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// 0 for the leaves.
    pub level: u8,
    /// From the front of the document.
    pub index: u64,
}

/// Where the keys of a node's copies are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The node that lists them; the top block if none.
    pub parent: Option<Node>,
    /// The first of them in the parent's list.
    pub first: usize,
}

impl Tree {
    /// The shape for so many keys of data and check blocks.
    #[must_use]
    pub fn new(geometry: Geometry, copies: Copies, keys: u64) -> Self {
        let mut tree = Self { geometry, copies, keys, nodes: Vec::new() };
        while tree.listed_at_top() > u64::from(geometry.top_keys()) {
            let children = tree.nodes.last().copied().unwrap_or(keys);
            tree.nodes.push(children.div_ceil(tree.fan_out(tree.nodes.len())));
        }
        tree
    }

    /// Keys that the top block lists.
    #[must_use]
    pub fn listed_at_top(&self) -> u64 {
        self.nodes.last().map_or(self.keys, |nodes| nodes * u64::from(self.copies.count()))
    }

    /// How many levels of blocks stand below the top block.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.nodes.len()
    }

    /// Manifest blocks of all levels, copies included.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.nodes.iter().sum::<u64>() * u64::from(self.copies.count())
    }

    /// How many keys `node` lists.
    #[must_use]
    pub fn listed(&self, node: Node) -> usize {
        let level = usize::from(node.level);
        let children = if level == 0 { self.keys } else { self.nodes[level - 1] };
        let fan_out = self.fan_out(level);
        let here = (children - node.index * fan_out).min(fan_out);
        let width = if level == 0 { 1 } else { u64::from(self.copies.count()) };
        usize::try_from(here * width).expect("a node fits into a block")
    }

    /// Where the copies of `node` are listed.
    #[must_use]
    pub fn listing(&self, node: Node) -> Listing {
        let level = usize::from(node.level) + 1;
        let copies = usize::from(self.copies.count());
        if level == self.nodes.len() {
            return Listing { parent: None, first: place(node.index) * copies };
        }
        let fan_out = self.fan_out(level);
        let parent = Node { level: node.level + 1, index: node.index / fan_out };
        Listing { parent: Some(parent), first: place(node.index % fan_out) * copies }
    }

    /// The leaf that lists the key `key`, and where in it; none if the top block does.
    #[must_use]
    pub fn leaf_of(&self, key: u64) -> Option<(Node, usize)> {
        let fan_out = self.fan_out(0);
        let leaf = Node { level: 0, index: key / fan_out };
        (!self.nodes.is_empty()).then(|| (leaf, place(key % fan_out)))
    }

    /// The index from which the key of copy number `copy` of `node` is derived.
    #[must_use]
    pub fn copy_index(&self, node: Node, copy: usize) -> u32 {
        let index = place(node.index) * usize::from(self.copies.count()) + copy;
        u32::try_from(index).expect("the bound on the length bounds the manifest")
    }

    /// Copies of each node.
    #[must_use]
    pub const fn copies(&self) -> Copies {
        self.copies
    }

    /// Children of a full node.
    fn fan_out(&self, level: usize) -> u64 {
        let width = if level == 0 { 1 } else { u32::from(self.copies.count()) };
        u64::from(self.geometry.node_keys() / width)
    }
}

fn place(index: u64) -> usize {
    usize::try_from(index).expect("the bound on the length bounds the manifest")
}
