//! The block that is being filled: bytes are copied once, to where they are sealed.

use bytes::Bytes;
use crypto::content::{COMMITMENT_BYTES, ContentKey, PAYLOAD_BYTES, SEALED_BYTES, seal_in_place};

use crate::message::block::Block;

/// One block's payload, growing.
#[derive(Default)]
pub(super) struct Page {
    /// The room of a whole sealed block, or nothing yet; zeros beyond what was filled.
    block: Vec<u8>,
    filled: usize,
}

impl Page {
    pub(super) const fn len(&self) -> usize {
        self.filled
    }

    pub(super) const fn is_full(&self) -> bool {
        self.filled == PAYLOAD_BYTES
    }

    /// Takes what fits; returns the rest.
    pub(super) fn fill<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = data.split_at(data.len().min(PAYLOAD_BYTES - self.filled));
        let start = COMMITMENT_BYTES + self.filled;
        self.room()[start..start + taken.len()].copy_from_slice(taken);
        self.filled += taken.len();
        rest
    }

    /// Seals what there is, padded with zeros, and begins an empty page.
    pub(super) fn seal(&mut self, key: &ContentKey) -> Block {
        seal_in_place(key, self.room().try_into().expect("the room is one block"));
        self.filled = 0;
        Block::new(std::mem::take(&mut self.block).into()).expect("a sealed block has its size")
    }

    /// What there is, unsealed; an empty page is begun.
    pub(super) fn take(&mut self) -> Bytes {
        let end = COMMITMENT_BYTES + std::mem::take(&mut self.filled);
        self.room();
        Bytes::from(std::mem::take(&mut self.block)).slice(COMMITMENT_BYTES..end)
    }

    fn room(&mut self) -> &mut [u8] {
        if self.block.is_empty() {
            self.block = vec![0; SEALED_BYTES];
        }
        &mut self.block
    }
}
