//! One segment being gathered: which of its blocks to ask for, when it can be rebuilt, what to repair.

use std::ops::Range;

use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use rand::rngs::ChaCha8Rng;

use super::shares::Shares;
use super::why::Why;
use crate::document::coding;
use crate::document::layout::Segment;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::time::Instant;

/// The blocks of a segment: data blocks first, then check blocks.
pub(super) struct Gathering {
    segment: Segment,
    /// The data blocks whose bytes are wanted, by index.
    needed: Range<usize>,
    /// Blocks to ask for beyond those that suffice.
    race: usize,
    shares: Shares,
    blocks: Vec<Option<Block>>,
    stage: Stage,
}

enum Stage {
    Open,
    /// All data blocks are there; these check blocks are missing in the network.
    Mending(Vec<usize>),
    Done,
}

/// What a piece of work led to.
pub(super) struct Work {
    /// Blocks that the network does not have.
    pub(super) repaired: Vec<Block>,
    /// Nothing more is asked for this segment.
    pub(super) finished: bool,
}

impl Gathering {
    /// Begins with nothing found. `keys` are those of the segment, `needed` the data blocks wanted, by index.
    pub(super) fn new(
        segment: Segment,
        needed: Range<usize>,
        keys: Vec<RoutingKey>,
        race: u32,
        random: &mut ChaCha8Rng,
    ) -> Self {
        // A race for a part of a segment would ask for all of it.
        let race = if needed.len() == segment.data as usize { race as usize } else { 0 };
        let blocks = vec![None; keys.len()];
        let shares = Shares::in_random_order(keys, segment.data as usize, random);
        Self { segment, needed, race, shares, blocks, stage: Stage::Open }
    }

    pub(super) const fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The position in the document after the last data block wanted.
    pub(super) const fn end(&self) -> u64 {
        self.segment.first_block + self.needed.end as u64
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    pub(super) const fn shares(&mut self) -> &mut Shares {
        &mut self.shares
    }

    /// The data block at `index`, if it is there.
    pub(super) fn block(&self, index: usize) -> Option<&Block> {
        self.blocks[index].as_ref()
    }

    /// The data block at `index` was delivered: it is held on only while it may be needed for coding.
    pub(super) fn release(&mut self, index: usize) {
        if self.is_done() {
            self.blocks[index] = None;
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.blocks.iter().flatten().count() * SEALED_BYTES
    }

    pub(super) fn found(&mut self, index: usize, block: &Block) {
        self.shares.found(index);
        self.blocks[index] = Some(block.clone());
    }

    /// The next block to ask for: data blocks that are wanted, and once one of them is missing, any.
    pub(super) fn next(&mut self, now: Instant) -> Option<(usize, RoutingKey)> {
        if !matches!(self.stage, Stage::Open) {
            return None;
        }
        let missing = self.needed.clone().any(|index| self.shares.is_missing(index));
        let (among, wanted) = if missing || self.race > 0 {
            (0..self.blocks.len(), self.data() + self.race)
        } else {
            (self.needed.clone(), self.needed.len())
        };
        if self.shares.under_way(among.clone()) < wanted { self.shares.next(now, among) } else { None }
    }

    pub(super) fn rested_at(&self, now: Instant) -> Option<Instant> {
        if matches!(self.stage, Stage::Open) { self.shares.rested_at(now) } else { None }
    }

    /// One piece of work, if there is any.
    pub(super) fn work(&mut self) -> Result<Option<Work>, Why> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Done => Ok(None),
            Stage::Mending(missing) => {
                let repaired = self.remade(&missing);
                Ok(Some(Work { repaired, finished: true }))
            }
            Stage::Open => {
                self.stage = Stage::Open;
                let complete = self.blocks[self.needed.clone()].iter().all(Option::is_some);
                if complete || self.blocks.iter().flatten().count() >= self.data() {
                    return self.complete().map(Some);
                }
                self.check_reachable()?;
                Ok(None)
            }
        }
    }

    /// Rebuilds what is wanted and not found.
    fn complete(&mut self) -> Result<Work, Why> {
        let missing: Vec<_> = (0..self.blocks.len()).filter(|index| self.shares.is_missing(*index)).collect();
        if self.blocks[self.needed.clone()].iter().any(Option::is_none) {
            self.rebuild()?;
        }
        let data = self.data();
        let rebuilt = missing.iter().filter(|index| **index < data);
        let repaired = rebuilt.filter_map(|index| self.blocks[*index].clone()).collect();
        let checks: Vec<_> = missing.into_iter().filter(|index| *index >= data).collect();
        let mendable = !checks.is_empty() && self.blocks[..data].iter().all(Option::is_some);
        self.blocks[data..].fill(None);
        self.stage = if mendable { Stage::Mending(checks) } else { Stage::Done };
        Ok(Work { repaired, finished: !mendable })
    }

    fn rebuild(&mut self) -> Result<(), Why> {
        let indices = 0..self.segment.blocks();
        let body = |index: &u32| self.blocks[*index as usize].as_ref().map(|block| block.body().clone());
        let found: Vec<(u32, Bytes)> = indices.filter_map(|index| Some((index, body(&index)?))).collect();
        let rebuilt = coding::rebuild(self.segment.data, self.segment.check, &found);
        for (index, sealed) in rebuilt.expect("as many blocks as are needed were found") {
            let index = index as usize;
            let block = Block::new(sealed.into()).map_err(|_| Why::Inconsistent)?;
            // Parity of other blocks than those listed rebuilds rubbish.
            if block.key() != self.shares.key(index) {
                return Err(Why::Inconsistent);
            }
            self.found(index, &block);
        }
        Ok(())
    }

    /// The check blocks at `missing`, made again; those that the manifest lists otherwise are left out.
    fn remade(&self, missing: &[usize]) -> Vec<Block> {
        let data = self.data();
        let sealed: Vec<_> = self.blocks[..data].iter().flatten().map(|block| block.body().clone()).collect();
        let mut checks = coding::check_blocks(&sealed, self.segment.check);
        let made = missing.iter().map(|index| (index, std::mem::take(&mut checks[index - data])));
        let blocks = made.filter_map(|(index, sealed)| {
            Block::new(sealed.into()).ok().filter(|block| block.key() == self.shares.key(*index))
        });
        blocks.collect()
    }

    fn check_reachable(&self) -> Result<(), Why> {
        let reachable = self.shares.reachable(0..self.blocks.len());
        let wanted = self.shares.reachable(self.needed.clone());
        if wanted == self.needed.len() || reachable >= self.data() {
            return Ok(());
        }
        let reachable = u32::try_from(reachable).expect("a segment is small");
        Err(Why::SegmentLost { segment: self.segment.index, reachable, needed: self.segment.data })
    }

    const fn data(&self) -> usize {
        self.segment.data as usize
    }
}
