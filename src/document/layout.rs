//! Where the blocks of a splitfile are: how many, in which segments, with how many check blocks.
//!
//! Guarantees: everything here is a function of length, redundancy and geometry, so a manifest cannot lie about it; the
//! number of data blocks is a Padmé number, so that a size tells little; segments are even, so that none is weak.
//! Leaves out the keys of the blocks (`tree`).

use std::ops::Range;

use crypto::content::PAYLOAD_BYTES;

use crate::limits::{
    CHECK_FLOOR, DOCUMENT_BYTES, MANIFEST_COPIES, MANIFEST_NODE_KEYS, MANIFEST_TOP_KEYS, REDUNDANCY_MAX_PERCENT,
    SEGMENT_BLOCKS,
};

/// How many blocks make a segment and how many keys a manifest block lists. Not part of a document: both ends must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    segment_blocks: u32,
    node_keys: u32,
    top_keys: u32,
}

/// How many check blocks are added, in per cent of the data blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Redundancy(u16);

/// In how many sealed copies each manifest block is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copies(u8);

/// The segments of one splitfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    geometry: Geometry,
    redundancy: Redundancy,
    length: u64,
    data_blocks: u64,
    full_segments: u64,
}

/// One segment: data blocks that follow one another, and the check blocks that protect them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which segment.
    pub index: u64,
    /// Its first data block, counted through the document.
    pub first_block: u64,
    /// How many data blocks.
    pub data: u32,
    /// How many check blocks.
    pub check: u32,
    /// Its first key, counted through the manifest: keys of data blocks, then of check blocks.
    pub first_key: u64,
}

/// A number that no document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// More than [`REDUNDANCY_MAX_PERCENT`].
    #[error("redundancy is at most {REDUNDANCY_MAX_PERCENT} per cent, not {0}")]
    Redundancy(u16),
    /// None, or more than [`MANIFEST_COPIES`].
    #[error("a manifest is stored in 1 to {MANIFEST_COPIES} copies, not {0}")]
    Copies(u8),
    /// More than [`DOCUMENT_BYTES`].
    #[error("a document has at most {DOCUMENT_BYTES} bytes, not {0}")]
    Length(u64),
}

impl Geometry {
    /// What the network uses.
    pub const STANDARD: Self = Self::new(SEGMENT_BLOCKS, MANIFEST_NODE_KEYS, MANIFEST_TOP_KEYS);

    /// Another geometry, for tests that want deep trees of small documents.
    ///
    /// # Panics
    /// If a tree of it would not shrink from level to level, or does not fit into blocks.
    #[must_use]
    pub const fn new(segment_blocks: u32, node_keys: u32, top_keys: u32) -> Self {
        let copies = MANIFEST_COPIES as u32;
        // Half of four is two: the only check block of a single data block would be that block again.
        assert!(segment_blocks >= 3 && segment_blocks <= SEGMENT_BLOCKS);
        assert!(node_keys >= 2 * copies && node_keys as usize * 32 <= PAYLOAD_BYTES);
        assert!(top_keys >= copies && top_keys <= MANIFEST_TOP_KEYS && top_keys < node_keys);
        Self { segment_blocks, node_keys, top_keys }
    }

    /// Data blocks of a full segment.
    #[must_use]
    pub const fn segment_blocks(&self) -> u32 {
        self.segment_blocks
    }

    /// Keys of a full manifest block.
    #[must_use]
    pub const fn node_keys(&self) -> u32 {
        self.node_keys
    }

    /// Most keys that the top block itself lists.
    #[must_use]
    pub const fn top_keys(&self) -> u32 {
        self.top_keys
    }
}

impl Redundancy {
    /// Check blocks for half as many: any third of a segment may be lost.
    pub const DEFAULT: Self = Self(50);

    /// `percent` of the data blocks.
    ///
    /// # Errors
    /// Beyond [`REDUNDANCY_MAX_PERCENT`].
    pub const fn percent(percent: u16) -> Result<Self, OutOfBounds> {
        if percent <= REDUNDANCY_MAX_PERCENT { Ok(Self(percent)) } else { Err(OutOfBounds::Redundancy(percent)) }
    }

    /// In per cent of the data blocks.
    #[must_use]
    pub const fn as_percent(self) -> u16 {
        self.0
    }

    /// Check blocks of a segment with `data` data blocks: the share, rounded up, and for few data blocks at least
    /// [`CHECK_FLOOR`] (or as many as there are data blocks), because a small segment has no law of large numbers on its
    /// side. None at all if none are wanted.
    #[must_use]
    pub const fn check_blocks(self, data: u32) -> u32 {
        if self.0 == 0 {
            return 0;
        }
        let share = (data * self.0 as u32).div_ceil(100);
        let floor = if data < CHECK_FLOOR { data } else { CHECK_FLOOR };
        if share < floor { floor } else { share }
    }
}

impl Copies {
    /// What inserts use.
    pub const DEFAULT: Self = Self(4);

    /// So many copies.
    ///
    /// # Errors
    /// When there are none or more than [`MANIFEST_COPIES`].
    pub const fn new(copies: u8) -> Result<Self, OutOfBounds> {
        if copies >= 1 && copies <= MANIFEST_COPIES { Ok(Self(copies)) } else { Err(OutOfBounds::Copies(copies)) }
    }

    /// The number.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.0
    }
}

impl Layout {
    /// The layout of a splitfile of `length` bytes.
    ///
    /// # Errors
    /// When the document is too long.
    pub const fn new(geometry: Geometry, length: u64, redundancy: Redundancy) -> Result<Self, OutOfBounds> {
        if length > DOCUMENT_BYTES {
            return Err(OutOfBounds::Length(length));
        }
        let blocks = length.div_ceil(PAYLOAD_BYTES as u64);
        let data_blocks = padme(if blocks < 2 { 2 } else { blocks });
        let segment = geometry.segment_blocks as u64;
        let full_segments = data_blocks.saturating_sub(2 * segment).div_ceil(segment);
        Ok(Self { geometry, redundancy, length, data_blocks, full_segments })
    }

    /// Bytes of the document.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Data blocks, padding blocks included.
    #[must_use]
    pub const fn data_blocks(&self) -> u64 {
        self.data_blocks
    }

    /// How many segments there are.
    #[must_use]
    pub const fn segments(&self) -> u64 {
        self.full_segments + if self.rest() > self.geometry.segment_blocks as u64 { 2 } else { 1 }
    }

    /// The segment at `index`.
    ///
    /// # Panics
    /// If there is no such segment.
    #[must_use]
    pub const fn segment(&self, index: u64) -> Segment {
        assert!(index < self.segments());
        let full = self.geometry.segment_blocks;
        let full_keys = (full + self.redundancy.check_blocks(full)) as u64;
        if index < self.full_segments {
            return self.described(index, index * full as u64, full, index * full_keys);
        }
        let (block, key) = (self.full_segments * full as u64, self.full_segments * full_keys);
        let [first, second] = self.last_segments();
        if index == self.full_segments {
            return self.described(index, block, first, key);
        }
        self.described(index, block + first as u64, second, key + (first + self.redundancy.check_blocks(first)) as u64)
    }

    /// The segment that holds the data block `block`.
    ///
    /// # Panics
    /// If there is no such block.
    #[must_use]
    pub const fn segment_of(&self, block: u64) -> Segment {
        assert!(block < self.data_blocks);
        let index = block / self.geometry.segment_blocks as u64;
        if index < self.full_segments {
            return self.segment(index);
        }
        let first = self.segment(self.full_segments);
        if block < first.first_block + first.data as u64 { first } else { self.segment(self.full_segments + 1) }
    }

    /// Keys that the manifest lists, of data and check blocks.
    #[must_use]
    pub const fn keys(&self) -> u64 {
        let last = self.segment(self.segments() - 1);
        last.first_key + (last.data + last.check) as u64
    }

    /// How many bytes of the document lie in the data block `block`; none in a padding block.
    #[must_use]
    pub fn bytes_in(&self, block: u64) -> usize {
        let room = PAYLOAD_BYTES as u64;
        usize::try_from(self.length.saturating_sub(block * room).min(room)).expect("a payload fits into memory")
    }

    /// The data blocks that hold the bytes `range`, which is not empty.
    #[must_use]
    pub const fn blocks_of(&self, range: &Range<u64>) -> Range<u64> {
        range.start / PAYLOAD_BYTES as u64..range.end.div_ceil(PAYLOAD_BYTES as u64)
    }

    const fn described(&self, index: u64, first_block: u64, data: u32, first_key: u64) -> Segment {
        Segment { index, first_block, data, check: self.redundancy.check_blocks(data), first_key }
    }

    /// Data blocks beyond the full segments: more than none and at most two segments.
    const fn rest(&self) -> u64 {
        self.data_blocks - self.full_segments * self.geometry.segment_blocks as u64
    }

    /// The rest as one segment, or as two of equal size.
    const fn last_segments(&self) -> [u32; 2] {
        let rest = self.rest() as u32;
        if rest <= self.geometry.segment_blocks { [rest, 0] } else { [rest.div_ceil(2), rest / 2] }
    }
}

impl Segment {
    /// Data and check blocks.
    #[must_use]
    pub const fn blocks(&self) -> u32 {
        self.data + self.check
    }
}

/// The smallest Padmé number that is not below `count`: its binary form ends in zeros but for as many leading digits as
/// the length of its exponent, which costs at most 12 % and lets only O(log log n) bits of the size be seen (Nikitin et
/// al., PURBs, 2019).
#[must_use]
pub const fn padme(count: u64) -> u64 {
    if count < 2 {
        return count;
    }
    let exponent = count.ilog2();
    let low_bits = exponent - (exponent.ilog2() + 1);
    let mask = (1 << low_bits) - 1;
    (count + mask) & !mask
}

const _: () = assert!(Copies::DEFAULT.0 <= MANIFEST_COPIES && Redundancy::DEFAULT.0 <= REDUNDANCY_MAX_PERCENT);
