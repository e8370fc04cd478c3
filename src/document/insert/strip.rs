//! Sealed data blocks whose segment is not cut yet: what erasure coding still needs.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::document::layout::{Geometry, Layout};
use crate::key::RoutingKey;
use crate::message::block::Block;

/// Data blocks in order, from the first that no segment has yet.
#[derive(Default)]
pub(super) struct Strip {
    /// The position of the first block in the document.
    start: u64,
    blocks: VecDeque<Entry>,
    /// How many of them are stored, and held for coding alone.
    stored: usize,
}

struct Entry {
    block: Block,
    stored: bool,
}

impl Strip {
    /// Where the next block goes.
    pub(super) fn end(&self) -> u64 {
        self.start + self.blocks.len() as u64
    }

    /// Blocks that nothing but coding needs.
    pub(super) const fn stored(&self) -> usize {
        self.stored
    }

    pub(super) fn push(&mut self, block: Block) {
        self.blocks.push_back(Entry { block, stored: false });
    }

    pub(super) fn mark_stored(&mut self, position: u64) {
        let place = position.checked_sub(self.start).and_then(|place| usize::try_from(place).ok());
        if let Some(entry) = place.and_then(|place| self.blocks.get_mut(place)) {
            entry.stored = true;
            self.stored += 1;
        }
    }

    /// The size of the next segment while bytes are still coming, once it is certain and complete. Without a known
    /// length it is certain when more than two segments lie here: only the last two may be cut otherwise.
    pub(super) fn segment_in_a_stream(&self, geometry: Geometry, announced: Option<&Layout>) -> Option<u32> {
        match announced {
            Some(layout) => self.segment_of(layout),
            None => {
                let full = geometry.segment_blocks();
                (self.blocks.len() > 2 * full as usize).then_some(full)
            }
        }
    }

    /// The size of the next segment in `layout`, once it is complete.
    pub(super) fn segment_of(&self, layout: &Layout) -> Option<u32> {
        if self.start >= layout.data_blocks() {
            return None;
        }
        let data = layout.segment_of(self.start).data;
        (self.blocks.len() >= data as usize).then_some(data)
    }

    /// Takes the first `data` blocks away: their keys and their sealed bytes.
    pub(super) fn cut(&mut self, data: u32) -> (Vec<RoutingKey>, Vec<Bytes>) {
        self.start += u64::from(data);
        let entries: Vec<_> = self.blocks.drain(..data as usize).collect();
        self.stored -= entries.iter().filter(|entry| entry.stored).count();
        entries.into_iter().map(|entry| (entry.block.key(), entry.block.body().clone())).unzip()
    }
}
