//! How a size limit in bytes becomes a number of slots.
//!
//! Counted against the limit are all files of the store at their largest: both slot files with headers and bodies, and
//! both files of the order of use. So the limit holds to the block: what is on disk never exceeds it, and one more
//! content slot would. Not counted: what the file system spends on its own tables.

use crypto::{content, signed};

use crate::message::block::BlockKind;

/// Bytes at the head of each slot file that say what it is.
pub const FILE_HEADER_BYTES: u64 = 4_096;
/// A sealed slot header, bytes. A power of two, so that none straddles a 512-byte sector and each is replaced whole.
pub const SLOT_HEADER_BYTES: u64 = 128;
/// Slots whose headers stand together in front of their bodies. Chosen: a scan of 100 GiB is 13,000 reads of 32 KiB.
pub const GROUP_SLOTS: u64 = 256;
/// One page of the order of use, bytes: sealed on its own, so damage costs one page.
pub const ORDER_PAGE_BYTES: u64 = 4_096;
/// Uses that one page records.
pub const ORDER_PAGE_USES: u64 = 500;
/// Pages an order file may have beyond two for each 500 slots, so that small stores do not rewrite it each time.
pub const ORDER_SPARE_PAGES: u64 = 4;
/// The part of the limit given to signed blocks: 1/32. Chosen: about three signed blocks for two content blocks, more
/// than documents of one block each would need.
const SIGNED_SHARE: u64 = 32;
/// Slots that fit the 30 bits which an order page has for one.
const MAX_SLOTS: u64 = 1 << 30;

/// How many slots of each kind a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Slots for content blocks.
    pub content: u32,
    /// Slots for signed blocks.
    pub signed: u32,
}

impl Capacity {
    /// The most slots whose files fit in `limit` bytes.
    pub fn of_limit(limit: u64) -> Self {
        let signed = largest(|slots| file_bytes(BlockKind::Signed, slots) <= limit / SIGNED_SHARE);
        let content = largest(|slots| Self { content: slots, signed }.bytes() <= limit);
        Self { content, signed }
    }

    /// The slots of one kind.
    pub const fn slots(&self, kind: BlockKind) -> u32 {
        match kind {
            BlockKind::Content => self.content,
            BlockKind::Signed => self.signed,
        }
    }

    /// What all files of a full store take, bytes.
    pub const fn bytes(&self) -> u64 {
        file_bytes(BlockKind::Content, self.content)
            + file_bytes(BlockKind::Signed, self.signed)
            + 2 * self.order_pages() * ORDER_PAGE_BYTES
    }

    /// Most pages of one order file: two for each 500 slots, so that it is rewritten only after as many uses as
    /// there are slots.
    pub const fn order_pages(&self) -> u64 {
        2 * (self.content as u64 + self.signed as u64).div_ceil(ORDER_PAGE_USES) + ORDER_SPARE_PAGES
    }
}

/// What the body of a slot takes, bytes.
pub const fn body_bytes(kind: BlockKind) -> u64 {
    match kind {
        BlockKind::Content => content::SEALED_BYTES as u64,
        BlockKind::Signed => signed::SIGNED_BYTES as u64,
    }
}

/// What a file of `slots` slots takes, bytes.
pub const fn file_bytes(kind: BlockKind, slots: u32) -> u64 {
    let groups = (slots as u64).div_ceil(GROUP_SLOTS);
    FILE_HEADER_BYTES + groups * GROUP_SLOTS * SLOT_HEADER_BYTES + slots as u64 * body_bytes(kind)
}

/// Where the header of a slot begins.
pub const fn header_offset(kind: BlockKind, slot: u32) -> u64 {
    let (group, index) = (slot as u64 / GROUP_SLOTS, slot as u64 % GROUP_SLOTS);
    group_offset(kind, group) + index * SLOT_HEADER_BYTES
}

/// Where the body of a slot begins.
pub const fn body_offset(kind: BlockKind, slot: u32) -> u64 {
    let (group, index) = (slot as u64 / GROUP_SLOTS, slot as u64 % GROUP_SLOTS);
    group_offset(kind, group) + GROUP_SLOTS * SLOT_HEADER_BYTES + index * body_bytes(kind)
}

const fn group_offset(kind: BlockKind, group: u64) -> u64 {
    FILE_HEADER_BYTES + group * GROUP_SLOTS * (SLOT_HEADER_BYTES + body_bytes(kind))
}

/// The largest number that still fits, by halving; `fits` holds up to some number and never beyond it.
fn largest(fits: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, MAX_SLOTS as u32);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

const _: () = assert!(512 % SLOT_HEADER_BYTES == 0 && FILE_HEADER_BYTES.is_multiple_of(512));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::STORE_MIN_BYTES;

    #[test]
    fn the_limit_holds_and_one_more_content_slot_would_break_it() {
        for limit in [STORE_MIN_BYTES, STORE_MIN_BYTES + 12_345, 64 << 20, 1 << 30, 100 << 30] {
            let capacity = Capacity::of_limit(limit);
            let more = Capacity { content: capacity.content + 1, ..capacity };
            assert!(capacity.bytes() <= limit, "{limit}: {capacity:?} takes {}", capacity.bytes());
            assert!(more.bytes() > limit, "{limit}: {capacity:?} leaves room for another");
            assert!(capacity.signed > capacity.content, "{limit}: {capacity:?}");
        }
    }

    #[test]
    fn slots_neither_overlap_nor_leave_the_file() {
        for kind in [BlockKind::Content, BlockKind::Signed] {
            let mut spans = Vec::new();
            for slot in 0..600 {
                spans.push((header_offset(kind, slot), SLOT_HEADER_BYTES));
                spans.push((body_offset(kind, slot), body_bytes(kind)));
                assert!(body_offset(kind, slot) + body_bytes(kind) <= file_bytes(kind, slot + 1));
            }
            spans.sort_unstable();
            assert!(spans.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
        }
    }

    #[test]
    fn no_limit_at_all_yields_no_slots() {
        assert_eq!(Capacity::of_limit(0), Capacity { content: 0, signed: 0 });
    }
}
