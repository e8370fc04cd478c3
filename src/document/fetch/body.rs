//! A splitfile being fetched: segments gathered a little ahead of what is delivered, in order.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use crypto::content::{PAYLOAD_BYTES, Root, SEALED_BYTES};
use crypto::hash::Digester;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::asks::Place;
use super::gathering::Gathering;
use super::nodes::Nodes;
use super::opening::opened;
use super::shares::Unfound;
use super::why::Why;
use crate::document::header::{Header, Malformed};
use crate::document::keys;
use crate::document::layout::{Copies, Geometry, Layout, Redundancy};
use crate::document::root::{data_key, digester};
use crate::document::tree::Tree;
use crate::key::RoutingKey;
use crate::limits::{FETCH_LEAD, FETCH_SEGMENTS};
use crate::message::block::Block;
use crate::time::Instant;

/// How a document was split, and what its blocks are derived from.
pub(super) struct Form {
    pub(super) root: Root,
    pub(super) geometry: Geometry,
    pub(super) redundancy: Redundancy,
    pub(super) copies: Copies,
}

/// In which order its blocks are asked for, and how many beyond those needed.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) race: u32,
    pub(super) order: u64,
}

/// The blocks below a top block.
pub(super) struct Body {
    form: Form,
    layout: Layout,
    nodes: Nodes,
    /// The bytes wanted, and the data blocks to gather for them.
    bytes: Range<u64>,
    blocks: Range<u64>,
    /// Segments being gathered, in order; the first holds the next block to deliver.
    gatherings: VecDeque<Gathering>,
    next_segment: u64,
    /// What the digest is computed with, and what it must be; not for a part of a document.
    digest: Option<(Digester, [u8; 32])>,
    repaired: Vec<Block>,
    race: u32,
    /// Decides in which order blocks are asked for.
    random: ChaCha8Rng,
    /// Whether what is read of the manifest or what is needed of it may have changed.
    look: bool,
}

/// What a step led to.
pub(super) enum Event {
    /// Nothing for anybody else.
    Progress,
    /// The next bytes; possibly none.
    Bytes(Bytes),
    /// Blocks that the network does not have; and the segment that is complete, if one is.
    Repaired { blocks: Vec<Block>, segment: Option<u64> },
    /// Everything was delivered.
    Complete,
}

/// The bound on what a fetch holds, before the redundancy is known: no more is rebuilt than there are data blocks.
pub(super) fn most_held_bytes(geometry: Geometry, race: u32) -> usize {
    let segment = 2 * geometry.segment_blocks() as usize + race as usize + 1;
    FETCH_SEGMENTS * segment * SEALED_BYTES + NODES * PAYLOAD_BYTES
}

impl Body {
    /// Begins with the top block read: `keys` are what it lists, `bytes` (not empty) are wanted.
    pub(super) fn new(form: Form, header: &Header, keys: Vec<RoutingKey>, bytes: Range<u64>, manner: Manner) -> Self {
        let layout =
            Layout::new(form.geometry, header.length, form.redundancy).expect("a decoded header is within bounds");
        let tree = Tree::new(form.geometry, form.copies, layout.keys());
        let whole = bytes == (0..header.length);
        // Who fetches the whole fetches the padding too: the number of blocks asked for tells no more than the number stored.
        let blocks = if whole { 0..layout.data_blocks() } else { layout.blocks_of(&bytes) };
        let next_segment = layout.segment_of(blocks.start).index;
        Self {
            form,
            layout,
            nodes: Nodes::new(tree, keys),
            bytes,
            blocks,
            gatherings: VecDeque::new(),
            next_segment,
            digest: whole.then(|| (digester(), header.digest)),
            repaired: Vec::new(),
            race: manner.race,
            random: ChaCha8Rng::seed_from_u64(manner.order),
            look: true,
        }
    }

    /// The next block to ask for, if any: the manifest first, then the segments in order.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Place, RoutingKey)> {
        if let Some(ask) = self.nodes.next(now) {
            return Some(ask);
        }
        self.gatherings.iter_mut().find_map(|gathering| {
            let segment = gathering.segment().index;
            gathering.next(now).map(|(index, key)| (Place::Share { segment, index }, key))
        })
    }

    pub(super) fn on_found(&mut self, place: Place, block: &Block) -> Result<(), Why> {
        match place {
            Place::Top => {}
            Place::Node { node, copy } => {
                self.repaired.extend(self.nodes.found(&self.form.root, node, copy, block)?);
                self.look = true;
            }
            Place::Share { segment, index } => {
                if let Some(gathering) = self.gathering(segment) {
                    gathering.found(index, block);
                }
            }
        }
        Ok(())
    }

    pub(super) fn on_unfound(&mut self, place: Place, how: Unfound, now: Instant) {
        match place {
            Place::Top => {}
            Place::Node { node, copy } => {
                if let Some(shares) = self.nodes.shares(node) {
                    shares.unfound(copy, how, now);
                }
            }
            Place::Share { segment, index } => {
                if let Some(gathering) = self.gathering(segment) {
                    gathering.shares().unfound(index, how, now);
                }
            }
        }
    }

    pub(super) fn rested_at(&self, now: Instant) -> Option<Instant> {
        let segments = self.gatherings.iter().filter_map(|gathering| gathering.rested_at(now));
        segments.chain(self.nodes.rested_at(now)).min()
    }

    pub(super) fn held_bytes(&self) -> usize {
        let repaired = self.repaired.len() * SEALED_BYTES;
        self.gatherings.iter().map(Gathering::held_bytes).sum::<usize>() + self.nodes.held_bytes() + repaired
    }

    /// One piece of work, if there is any.
    pub(super) fn step(&mut self, may_deliver: bool) -> Result<Option<Event>, Why> {
        if std::mem::take(&mut self.look) {
            self.look_ahead()?;
            return Ok(Some(Event::Progress));
        }
        if self.nodes.is_lost() {
            return Err(Why::ManifestLost);
        }
        if !self.repaired.is_empty() {
            let blocks = std::mem::take(&mut self.repaired);
            return Ok(Some(Event::Repaired { blocks, segment: None }));
        }
        for gathering in &mut self.gatherings {
            if let Some(work) = gathering.work()? {
                let segment = work.finished.then_some(gathering.segment().index);
                return Ok(Some(Event::Repaired { blocks: work.repaired, segment }));
            }
        }
        self.advance(may_deliver)
    }

    fn gathering(&mut self, segment: u64) -> Option<&mut Gathering> {
        self.gatherings.iter_mut().find(|gathering| gathering.segment().index == segment)
    }

    /// Asks for the part of the manifest that is needed soon, and begins the segments whose keys are read.
    fn look_ahead(&mut self) -> Result<(), Why> {
        let end = self.layout.segment_of(self.blocks.end - 1).index + 1;
        let soon = (self.next_segment + FETCH_LEAD).min(end);
        if self.next_segment < soon {
            let last = self.layout.segment(soon - 1);
            let first = self.layout.segment(self.next_segment);
            self.nodes.want(first.first_key..last.first_key + u64::from(last.blocks()), &mut self.random)?;
        }
        while self.gatherings.len() < FETCH_SEGMENTS && self.next_segment < end {
            let segment = self.layout.segment(self.next_segment);
            let listed = segment.first_key..segment.first_key + u64::from(segment.blocks());
            let Some(keys) = self.nodes.keys(listed) else { break };
            if !keys::distinct(&keys) {
                return Err(Malformed::DuplicateKey.into());
            }
            self.nodes.retire(segment.first_key);
            let last = segment.first_block + u64::from(segment.data);
            let place = |block: u64| usize::try_from(block - segment.first_block).expect("a segment is small");
            let needed = place(self.blocks.start.max(segment.first_block))..place(self.blocks.end.min(last));
            self.gatherings.push_back(Gathering::new(segment, needed, keys, self.race, &mut self.random));
            self.next_segment += 1;
            self.look = true;
        }
        Ok(())
    }

    /// Delivers the next block if it is there, or goes on to the next segment.
    fn advance(&mut self, may_deliver: bool) -> Result<Option<Event>, Why> {
        if self.blocks.is_empty() {
            return self.finish();
        }
        let Some(first) = self.gatherings.front_mut() else { return Ok(None) };
        if first.is_done() && self.blocks.start >= first.end() {
            self.gatherings.pop_front();
            self.look = true;
            return Ok(Some(Event::Progress));
        }
        let Some(index) = self.blocks.start.checked_sub(first.segment().first_block) else { return Ok(None) };
        let index = usize::try_from(index).expect("a segment is small");
        if !may_deliver || self.blocks.start >= first.end() {
            return Ok(None);
        }
        let Some(block) = first.block(index) else { return Ok(None) };
        let key = data_key(&self.form.root, self.form.geometry, self.blocks.start);
        let payload = opened(&key, block.body()).ok_or(Why::NotVerified)?;
        first.release(index);
        self.deliver(&payload).map(Some)
    }

    /// The wanted bytes of the next data block.
    fn deliver(&mut self, payload: &Bytes) -> Result<Event, Why> {
        let position = self.blocks.start;
        self.blocks.start += 1;
        let bytes = self.layout.bytes_in(position);
        if !keys::is_zero(&payload[bytes..]) {
            return Err(Malformed::Padding.into());
        }
        let content = payload.slice(..bytes);
        if let Some((digester, _)) = &mut self.digest {
            digester.update(&content);
        }
        let first_byte = position * PAYLOAD_BYTES as u64;
        let within = |byte: u64| usize::try_from(byte.saturating_sub(first_byte)).map_or(bytes, |byte| byte.min(bytes));
        Ok(Event::Bytes(content.slice(within(self.bytes.start)..within(self.bytes.end))))
    }

    fn finish(&mut self) -> Result<Option<Event>, Why> {
        let matches = self.digest.take().is_none_or(|(digester, digest)| digester.finish() == digest);
        if matches { Ok(Some(Event::Complete)) } else { Err(Why::Digest) }
    }
}

/// Manifest blocks that are read at one time: a path from the top, and the leaves of the segments ahead.
const NODES: usize = 16;
