//! A store of unlimited memory that answers at once: for tests of overlays, where storage policy is not the subject.
//!
//! Tells blocks that are kept from blocks that pass, as the real store does; evicts nothing. It can be told that its disk is
//! full from now on.

use std::collections::{BTreeMap, BTreeSet};

use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::overlay::mode::{Holding, StoreAnswer, StoreWork};

/// The blocks of one node.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    blocks: BTreeMap<RoutingKey, Block>,
    kept: BTreeSet<RoutingKey>,
    full: bool,
}

impl Shelf {
    /// Does the work; answers if the work is one that is answered.
    pub fn perform(&mut self, work: StoreWork) -> Option<StoreAnswer> {
        match work {
            StoreWork::Read { token, key } | StoreWork::Copy { token, key } => {
                Some(StoreAnswer::Read { token, block: self.blocks.get(&key).cloned() })
            }
            StoreWork::Contains { token, key } => {
                let holding = match (self.keeps(&key), self.holds(&key)) {
                    (true, _) => Holding::Kept,
                    (false, true) => Holding::Passing,
                    (false, false) => Holding::Nothing,
                };
                Some(StoreAnswer::Contains { token, holding })
            }
            StoreWork::Survey { token, around, within, after, most } => {
                let near = |key: &&RoutingKey| key.location().distance(around) <= within && Some(**key) > after;
                let keys = self.kept.iter().filter(near).take(most).copied().collect();
                Some(StoreAnswer::Survey { token, keys })
            }
            StoreWork::Keep { token, .. } if self.full => Some(StoreAnswer::Kept { token, durable: false }),
            StoreWork::Cache { .. } if self.full => None,
            StoreWork::Keep { token, block } => {
                self.kept.insert(block.key());
                self.blocks.insert(block.key(), block);
                Some(StoreAnswer::Kept { token, durable: true })
            }
            StoreWork::Cache { block } => {
                self.blocks.insert(block.key(), block);
                None
            }
            StoreWork::Around { .. } => None,
        }
    }

    /// Whether a block is here, kept or in passing.
    pub fn holds(&self, key: &RoutingKey) -> bool {
        self.blocks.contains_key(key)
    }

    /// Whether a block is kept here.
    pub fn keeps(&self, key: &RoutingKey) -> bool {
        self.kept.contains(key)
    }

    /// The block is lost.
    pub fn lose(&mut self, key: &RoutingKey) {
        self.blocks.remove(key);
        self.kept.remove(key);
    }

    /// From now on the disk is full: nothing more is written.
    pub const fn fill(&mut self) {
        self.full = true;
    }

    /// How many blocks are here.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether no block is here.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}
