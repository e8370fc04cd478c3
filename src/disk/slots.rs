//! A file of slots for one kind of block.
//!
//! After a file header of 4,096 bytes come groups: 256 slot headers, then their 256 bodies. So one file, and one sync,
//! makes a block and its header durable together, and a scan reads 32 KiB for every 256 slots. A header is written
//! before its body and tells how far the file was durable then: on opening only bodies written after the last sync
//! need to be read. Who stands where is the store's decision.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use crypto::slot::SlotKey;
use rand::CryptoRng;

use crate::disk::header::{Found, HEADER_BYTES, Header, draw_nonce, open_body, seal_body};
use crate::disk::medium::Medium;
use crate::key::RoutingKey;
use crate::message::block::{Block, BlockKind};
use crate::store::geometry::{GROUP_SLOTS, body_bytes, body_offset, file_bytes, header_offset};
use crate::store::work::{Area, Place};

/// Reads slots; any number of these may read while one [`SlotFile`] writes.
#[derive(Debug)]
pub(super) struct SlotReader<M> {
    medium: Arc<M>,
    key: Arc<SlotKey>,
    kind: BlockKind,
}

/// Reads and writes slots.
#[derive(Debug)]
pub(super) struct SlotFile<M> {
    reader: SlotReader<M>,
    slots: u32,
    /// As long as the file is.
    bytes: u64,
    /// The last sequence number up to which everything in this file is durable.
    synced: u64,
    /// Bytes written since.
    unsynced_bytes: u64,
    scratch: Vec<u8>,
}

/// What is remembered of a header that was found by a scan: there may be millions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanned {
    pub(super) key: RoutingKey,
    pub(super) sequence: u64,
    pub(super) slot: u32,
    pub(super) area: Area,
}

impl<M: Medium> SlotReader<M> {
    /// The block of `key`, if `slot` holds it unharmed.
    pub(super) fn read(&self, slot: u32, key: &RoutingKey) -> Option<Block> {
        let header = self.header(slot).ok()??;
        if header.key == *key { self.body(slot, &header) } else { None }
    }

    fn header(&self, slot: u32) -> io::Result<Option<Header>> {
        let mut bytes = [0; HEADER_BYTES];
        self.medium.read_at(&mut bytes, header_offset(self.kind, slot))?;
        Ok(match Header::open(&bytes, &self.key, self.place(slot)) {
            Found::Header(header) => Some(header),
            Found::Nothing | Found::Damaged => None,
        })
    }

    /// The block that `header` stands for: first the tag must be right, then the routing key.
    fn body(&self, slot: u32, header: &Header) -> Option<Block> {
        let mut body = vec![0; body_bytes(self.kind) as usize];
        self.medium.read_at(&mut body, body_offset(self.kind, slot)).ok()?;
        let opened = open_body(&self.key, self.place(slot), header, &mut body);
        let block = opened.then(|| Block::new(Bytes::from(body)).ok())??;
        (block.key() == header.key).then_some(block)
    }

    const fn place(&self, slot: u32) -> Place {
        Place { kind: self.kind, slot }
    }
}

impl<M: Medium> SlotFile<M> {
    pub(super) fn new(medium: Arc<M>, key: Arc<SlotKey>, kind: BlockKind, slots: u32) -> io::Result<Self> {
        let bytes = medium.bytes()?;
        let reader = SlotReader { medium, key, kind };
        Ok(Self { reader, slots, bytes, synced: 0, unsynced_bytes: 0, scratch: Vec::new() })
    }

    pub(super) fn reader(&self) -> SlotReader<M> {
        let SlotReader { medium, key, kind } = &self.reader;
        SlotReader { medium: Arc::clone(medium), key: Arc::clone(key), kind: *kind }
    }

    pub(super) fn into_medium(self) -> M {
        Arc::into_inner(self.reader.medium).expect("the caller has no reader left")
    }

    pub(super) fn read(&self, slot: u32, key: &RoutingKey) -> Option<Block> {
        self.reader.read(slot, key)
    }

    /// Writes a block into a slot. Not durable until `sync`.
    pub(super) fn write(
        &mut self,
        slot: u32,
        block: &Block,
        area: Area,
        sequence: u64,
        rng: &mut impl CryptoRng,
    ) -> io::Result<()> {
        self.grow(slot)?;
        let (kind, place, body_nonce) = (self.reader.kind, self.reader.place(slot), draw_nonce(rng));
        self.scratch.clear();
        self.scratch.extend_from_slice(block.body());
        let body_tag = seal_body(&self.reader.key, place, &body_nonce, &mut self.scratch);
        let header = Header { key: block.key(), body_nonce, body_tag, sequence, synced: self.synced, area };
        // Header first: should only one of the two arrive, the header shows that the body must be checked.
        self.write_header(slot, &header, rng)?;
        self.reader.medium.write_at(&self.scratch, body_offset(kind, slot))?;
        self.unsynced_bytes += body_bytes(kind);
        Ok(())
    }

    /// Notes another area beside the block of `key`; false if the slot does not hold it.
    pub(super) fn mark(
        &mut self,
        slot: u32,
        key: &RoutingKey,
        area: Area,
        sequence: u64,
        rng: &mut impl CryptoRng,
    ) -> io::Result<bool> {
        let Some(header) = self.reader.header(slot)?.filter(|header| header.key == *key) else { return Ok(false) };
        // What is called durable from now on was perhaps written long ago and never read since.
        if self.reader.body(slot, &header).is_none() {
            return Ok(false);
        }
        self.write_header(slot, &Header { area, sequence, synced: self.synced, ..header }, rng)?;
        Ok(true)
    }

    /// Forgets what a slot held.
    pub(super) fn erase(&mut self, slot: u32) -> io::Result<()> {
        let offset = header_offset(self.reader.kind, slot);
        if offset + HEADER_BYTES as u64 > self.bytes {
            return Ok(());
        }
        self.unsynced_bytes += HEADER_BYTES as u64;
        self.reader.medium.write_at(&[0; HEADER_BYTES], offset)
    }

    /// Makes durable what was written; `sequence` is the last number that was given to anything.
    pub(super) fn sync(&mut self, sequence: u64) -> io::Result<()> {
        self.reader.medium.sync()?;
        self.synced = sequence;
        self.unsynced_bytes = 0;
        Ok(())
    }

    pub(super) const fn slots(&self) -> u32 {
        self.slots
    }

    pub(super) const fn unsynced_bytes(&self) -> u64 {
        self.unsynced_bytes
    }

    /// Reads all headers; also how many are damaged. Learns how far the file was durable.
    pub(super) fn scan(&mut self) -> io::Result<(Vec<Scanned>, Vec<u32>)> {
        let (mut found, mut damaged) = (Vec::new(), Vec::new());
        let kind = self.reader.kind;
        let mut group = vec![0; GROUP_SLOTS as usize * HEADER_BYTES];
        let mut first = 0;
        self.synced = 0;
        while header_offset(kind, first) < self.bytes {
            self.reader.medium.read_at(&mut group, header_offset(kind, first))?;
            for (slot, bytes) in (first..).zip(group.as_chunks::<HEADER_BYTES>().0) {
                match Header::open(bytes, &self.reader.key, self.reader.place(slot)) {
                    Found::Nothing => {}
                    Found::Header(Header { key, sequence, synced, area, .. }) => {
                        self.synced = self.synced.max(synced);
                        found.push(Scanned { key, sequence, slot, area });
                    }
                    Found::Damaged => damaged.push(slot),
                }
            }
            first += GROUP_SLOTS as u32;
        }
        Ok((found, damaged))
    }

    /// Whether the body must be looked at before the header is believed: it may not have been durable.
    pub(super) const fn is_doubtful(&self, scanned: &Scanned) -> bool {
        scanned.sequence > self.synced
    }

    /// Whether the body is what its header says.
    pub(super) fn verifies(&self, scanned: &Scanned) -> bool {
        self.reader.read(scanned.slot, &scanned.key).is_some()
    }

    /// Copies a block to another slot; false if it cannot be read.
    pub(super) fn relocate(
        &mut self,
        from: u32,
        to: u32,
        key: &RoutingKey,
        area: Area,
        sequence: u64,
        rng: &mut impl CryptoRng,
    ) -> io::Result<bool> {
        let Some(block) = self.read(from, key) else { return Ok(false) };
        self.write(to, &block, area, sequence, rng).map(|()| true)
    }

    /// Cuts off the slots beyond the last.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        let most = file_bytes(self.reader.kind, self.slots);
        if self.bytes > most {
            self.reader.medium.set_bytes(most)?;
            self.bytes = most;
        }
        Ok(())
    }

    fn write_header(&mut self, slot: u32, header: &Header, rng: &mut impl CryptoRng) -> io::Result<()> {
        let bytes = header.seal(&self.reader.key, self.reader.place(slot), rng);
        self.unsynced_bytes += HEADER_BYTES as u64;
        self.reader.medium.write_at(&bytes, header_offset(self.reader.kind, slot))
    }

    /// Makes the file long enough for `slot`: by an eighth of what it has, since each growth costs a sync dearly, and
    /// if that does not fit, by no more than is needed.
    fn grow(&mut self, slot: u32) -> io::Result<()> {
        let kind = self.reader.kind;
        let needed = file_bytes(kind, slot + 1);
        if self.bytes >= needed {
            return Ok(());
        }
        let more = (slot / 8).clamp(GROWTH_SLOTS.start, GROWTH_SLOTS.end);
        let ample = file_bytes(kind, slot.saturating_add(more).min(self.slots)).max(needed);
        let grown = self.reader.medium.set_bytes(ample).map(|()| ample);
        self.bytes = grown.or_else(|_| self.reader.medium.set_bytes(needed).map(|()| needed))?;
        Ok(())
    }
}

/// Fewest and most slots by which a file grows at once.
const GROWTH_SLOTS: std::ops::Range<u32> = 16..1_024;
