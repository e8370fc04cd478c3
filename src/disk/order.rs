//! The order of use, saved at most once a minute, so that the least recently used still leaves first after a restart.
//!
//! Two files take turns. Sealed pages of 4,096 bytes are appended to one; when it is full, what still matters moves to
//! the other and the first is emptied. A page never changes once it is written, so a crash costs at most the page
//! being written, and damage costs one page of order, never a block. Nothing of it is in clear; its length tells how
//! much was used, not what.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 24 | nonce |
//! | 24 | 16 | tag, also over the page's number |
//! | 40 | 8 | sealed: generation: how often the files took turns |
//! | 48 | 8 | sealed: sequence number of the slots when the page was written |
//! | 56 | 4 | sealed: number of uses in this page, at most 500 |
//! | 60 | 36 | sealed: zero |
//! | 96 | 8 × 500 | sealed: slot (bit 31: signed, bit 30: established), then how many sequence numbers back it was used |

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crypto::slot::{SlotKey, open_in_place, seal_in_place};
use rand::CryptoRng;

use crate::disk::header::{draw_nonce, part};
use crate::disk::medium::Medium;
use crate::message::block::BlockKind;
use crate::store::geometry::{Capacity, ORDER_PAGE_BYTES, ORDER_PAGE_USES};
use crate::store::work::Place;

/// The two files, and where in them the next page goes.
#[derive(Debug)]
pub(super) struct Order<M> {
    media: [M; 2],
    key: Arc<SlotKey>,
    most_pages: u64,
    active: usize,
    generation: u64,
    pages: u64,
}

/// That a block was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) place: Place,
    pub(super) established: bool,
    /// The sequence number of the slots at that time: a slot written later holds another block.
    pub(super) sequence: u64,
}

/// What the files held.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The last use of each slot, with its rank among all uses.
    pub(super) uses: BTreeMap<Place, (u64, Use)>,
    pub(super) damaged_pages: u64,
}

struct Page {
    generation: u64,
    uses: Vec<Use>,
}

impl<M: Medium> Order<M> {
    /// Reads both files. Whatever they hold, they can be written afterwards.
    pub(super) fn open(media: [M; 2], key: Arc<SlotKey>, capacity: &Capacity) -> io::Result<(Self, Remembered)> {
        let most_pages = capacity.order_pages();
        let mut order = Self { media, key, most_pages, active: 0, generation: 0, pages: 0 };
        let mut remembered = Remembered::default();
        let mut pages = Vec::new();
        for file in 0..2 {
            let found = order.read(file, &mut remembered.damaged_pages)?;
            if let Some(last) = found.last()
                && last.generation >= order.generation
            {
                (order.active, order.generation) = (file, last.generation);
            }
            pages.extend(found);
        }
        order.pages = order.media[order.active].bytes()?.div_ceil(ORDER_PAGE_BYTES);
        pages.sort_by_key(|page| page.generation);
        for (rank, used) in (1..).zip(pages.into_iter().flat_map(|page| page.uses)) {
            remembered.insert(rank, used);
        }
        Ok((order, remembered))
    }

    /// Appends uses, oldest first, and makes them durable.
    pub(super) fn append(&mut self, uses: &[Use], rng: &mut impl CryptoRng) -> io::Result<()> {
        let more = (uses.len() as u64).div_ceil(ORDER_PAGE_USES);
        if self.pages + more > self.most_pages {
            return self.take_turns(uses, rng);
        }
        self.write(uses, rng)?;
        self.media[self.active].sync()
    }

    pub(super) fn into_media(self) -> [M; 2] {
        self.media
    }

    /// Moves the last use of each slot to the other file.
    fn take_turns(&mut self, uses: &[Use], rng: &mut impl CryptoRng) -> io::Result<()> {
        let mut remembered = Remembered::default();
        let old = self.active;
        let pages = self.read(old, &mut remembered.damaged_pages)?;
        let all = pages.iter().flat_map(|page| &page.uses).chain(uses);
        for (rank, used) in (1..).zip(all) {
            remembered.insert(rank, *used);
        }
        (self.active, self.generation, self.pages) = (1 - old, self.generation + 1, 0);
        self.media[self.active].set_bytes(0)?;
        self.write(&remembered.oldest_first(), rng)?;
        self.media[self.active].sync()?;
        self.media[old].set_bytes(0)
    }

    fn write(&mut self, uses: &[Use], rng: &mut impl CryptoRng) -> io::Result<()> {
        for uses in uses.chunks(ORDER_PAGE_USES as usize) {
            let page = self.seal(uses, rng);
            self.media[self.active].write_at(&page, self.pages * ORDER_PAGE_BYTES)?;
            self.pages += 1;
        }
        Ok(())
    }

    fn seal(&self, uses: &[Use], rng: &mut impl CryptoRng) -> [u8; PAGE] {
        let mut page = [0; PAGE];
        let sequence = uses.iter().map(|used| used.sequence).max().unwrap_or(0);
        page[40..48].copy_from_slice(&self.generation.to_le_bytes());
        page[48..56].copy_from_slice(&sequence.to_le_bytes());
        page[56..60].copy_from_slice(&(uses.len() as u32).to_le_bytes());
        for (used, field) in uses.iter().zip(page[96..].as_chunks_mut::<8>().0) {
            let back = u32::try_from(sequence - used.sequence).unwrap_or(u32::MAX);
            field[..4].copy_from_slice(&used.packed().to_le_bytes());
            field[4..].copy_from_slice(&back.to_le_bytes());
        }
        let nonce = draw_nonce(rng);
        let tag = seal_in_place(&self.key, &nonce, &associated(self.pages), &mut page[40..]);
        page[..24].copy_from_slice(&nonce);
        page[24..40].copy_from_slice(&tag);
        page
    }

    /// The pages of one file that can be read.
    fn read(&self, file: usize, damaged: &mut u64) -> io::Result<Vec<Page>> {
        let count = self.media[file].bytes()?.div_ceil(ORDER_PAGE_BYTES);
        let mut pages = Vec::new();
        for number in 0..count {
            let mut bytes = [0; PAGE];
            self.media[file].read_at(&mut bytes, number * ORDER_PAGE_BYTES)?;
            match self.open_page(bytes, number) {
                Some(page) => pages.push(page),
                None => *damaged += 1,
            }
        }
        Ok(pages)
    }

    fn open_page(&self, mut page: [u8; PAGE], number: u64) -> Option<Page> {
        let (nonce, tag) = (part(&page, 0), part(&page, 24));
        open_in_place(&self.key, &nonce, &associated(number), &mut page[40..], &tag).ok()?;
        let sequence = u64::from_le_bytes(part(&page, 48));
        let count = u32::from_le_bytes(part(&page, 56)) as usize;
        let fields = page[96..].as_chunks::<8>().0.get(..count)?;
        let uses = fields.iter().map(|field| {
            let back = u32::from_le_bytes(part(field, 4));
            Use::unpacked(u32::from_le_bytes(part(field, 0)), sequence.saturating_sub(u64::from(back)))
        });
        Some(Page { generation: u64::from_le_bytes(part(&page, 40)), uses: uses.collect() })
    }
}

impl Remembered {
    fn insert(&mut self, rank: u64, used: Use) {
        self.uses.insert(used.place, (rank, used));
    }

    fn oldest_first(&self) -> Vec<Use> {
        let mut ranked: Vec<_> = self.uses.values().collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, used)| *used).collect()
    }
}

impl Use {
    const fn packed(&self) -> u32 {
        let signed = matches!(self.place.kind, BlockKind::Signed);
        self.place.slot | (signed as u32) << 31 | (self.established as u32) << 30
    }

    const fn unpacked(packed: u32, sequence: u64) -> Self {
        let kind = if packed >> 31 == 1 { BlockKind::Signed } else { BlockKind::Content };
        let place = Place { kind, slot: packed & (u32::MAX >> 2) };
        Self { place, established: packed >> 30 & 1 == 1, sequence }
    }
}

const fn associated(number: u64) -> [u8; 9] {
    let number = number.to_le_bytes();
    [ORDER, number[0], number[1], number[2], number[3], number[4], number[5], number[6], number[7]]
}

/// Sets pages apart from slot headers and bodies under the same key.
const ORDER: u8 = 3;
const PAGE: usize = ORDER_PAGE_BYTES as usize;

const _: () = assert!(96 + 8 * ORDER_PAGE_USES <= ORDER_PAGE_BYTES);
