//! The recipe of docs/simulation.md as a small model: plain lists, global knowledge, no messages.
//!
//! Written from the recipe alone. It says which nodes a search visits, which of them store and learn, and what leaves.

use std::collections::BTreeSet;

/// All nodes and the places of all documents.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) nodes: Vec<Node>,
    pub(crate) documents: Vec<u64>,
    pub(crate) entries: usize,
    pub(crate) blocks: usize,
}

/// One node: key → node and stored documents, each with when it was last added or used.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) table: Vec<(u64, usize, u64)>,
    pub(crate) store: Vec<(u32, u64)>,
    pub(crate) dead: bool,
    clock: u64,
}

/// What a search did.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// The way from the originator to where the search stands.
    pub(crate) chain: Vec<usize>,
    /// Every node reached, in order; the originator first.
    pub(crate) visited: Vec<usize>,
    /// Nodes contacted, dead ones included.
    pub(crate) count: usize,
    pub(crate) end: End,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// The last node of the chain has the document.
    Found,
    /// As many nodes as there were hops to live.
    #[default]
    Exhausted,
    /// No node was left.
    RanOut,
}

impl Model {
    /// Depth first, nearest key first, without wrapping round. Only a node not yet visited costs; so does a dead one.
    pub(crate) fn search(&self, start: usize, document: u32, htl: usize) -> Trail {
        let mut trail = Trail { chain: vec![start], visited: vec![start], count: 1, end: End::Exhausted };
        let mut dead_tried: BTreeSet<(usize, usize)> = BTreeSet::new();
        if self.nodes[start].holds(document) {
            return Trail { end: End::Found, ..trail };
        }
        while trail.count < htl {
            let Some(at) = trail.chain.last().copied() else { return Trail { end: End::RanOut, ..trail } };
            let open = |other: &usize| !trail.visited.contains(other) && !dead_tried.contains(&(at, *other));
            let Some(next) = self.nodes[at].nearest(self.documents[document as usize], open) else {
                trail.chain.pop();
                continue;
            };
            trail.count += 1;
            if self.nodes[next].dead {
                dead_tried.insert((at, next));
                continue;
            }
            trail.chain.push(next);
            trail.visited.push(next);
            if self.nodes[next].holds(document) {
                return Trail { end: End::Found, ..trail };
            }
        }
        trail
    }

    /// An insert: the path stores, and all of it but the originator learns the originator.
    pub(crate) fn insert(&mut self, start: usize, document: u32, htl: usize) -> Trail {
        let trail = self.search(start, document, htl);
        let path = if trail.end == End::RanOut { trail.visited.clone() } else { trail.chain.clone() };
        for node in path {
            self.keep(node, document);
            if node != start {
                self.learn(node, self.documents[document as usize], start);
            }
        }
        trail
    }

    /// A request: the holder's copy is used, the rest of the path stores and learns the holder. Failure changes nothing.
    pub(crate) fn request(&mut self, start: usize, document: u32, htl: usize) -> Trail {
        let trail = self.search(start, document, htl);
        if let (End::Found, Some((holder, path))) = (trail.end, trail.chain.split_last()) {
            self.keep(*holder, document);
            for node in path {
                self.keep(*node, document);
                self.learn(*node, self.documents[document as usize], *holder);
            }
        }
        trail
    }

    /// Adds an entry, unless it names the node itself. A known key gets the new address.
    pub(crate) fn learn(&mut self, node: usize, key: u64, other: usize) {
        if node == other {
            return;
        }
        let most = self.entries;
        let node = &mut self.nodes[node];
        node.clock += 1;
        node.table.retain(|entry| entry.0 != key);
        if node.table.len() >= most {
            let oldest = node.table.iter().map(|entry| entry.2).min().expect("a full table has entries");
            node.table.retain(|entry| entry.2 != oldest);
        }
        node.table.push((key, other, node.clock));
    }

    fn keep(&mut self, node: usize, document: u32) {
        let most = self.blocks;
        let node = &mut self.nodes[node];
        node.clock += 1;
        node.store.retain(|item| item.0 != document);
        if node.store.len() >= most {
            let oldest = node.store.iter().map(|item| item.1).min().expect("a full store has items");
            node.store.retain(|item| item.1 != oldest);
        }
        node.store.push((document, node.clock));
    }
}

impl Node {
    pub(crate) fn holds(&self, document: u32) -> bool {
        self.store.iter().any(|item| item.0 == document)
    }

    fn nearest(&self, key: u64, open: impl Fn(&usize) -> bool) -> Option<usize> {
        let entries = self.table.iter().filter(|entry| open(&entry.1));
        entries.min_by_key(|entry| (entry.0.abs_diff(key), entry.0)).map(|entry| entry.1)
    }
}
