//! Inserting a document: bytes in, blocks out, a URI at the end.
//!
//! Guarantees: the memory held is bounded by about two segments, whatever the length and whether or not it is known
//! beforehand; no more blocks are handed out than the window allows; the top block is handed out when all else is
//! stored; a document whose bytes are not those announced fails. A call seals at most [`INSERT_CHUNK_BLOCKS`] blocks or
//! codes one segment, so a driver that must not stall yields between calls of [`Inserter::poll_output`].
//! Leaves out sending blocks, and waiting for a network that is busy: the window is the driver's.
//!
//! How it works: data is sealed as it comes and handed out in a random order, drawn among some dozens of blocks. Sealed blocks stay in the `strip` until their
//! segment can be cut off, which is known when more than two segments lie there, or the end is. The keys of every
//! segment go into the manifest, which is built from its leaves while the document passes.

mod manifest;
mod outbox;
mod page;
mod strip;
mod tops;
mod words;

use std::collections::VecDeque;
use std::sync::Arc;

use crypto::content::{PAYLOAD_BYTES, Root, SEALED_BYTES};
use crypto::envelope::{BadReaders, Envelope};
use crypto::hash::Digester;
use rand::CryptoRng;

use self::manifest::Manifest;
use self::outbox::{Outbox, Part, Settled};
use self::page::Page;
use self::strip::Strip;
use self::tops::{Maker, Seal, Tops};
pub use self::words::{Input, Keys, Options, Output, Receipt, Why};
use crate::document::coding;
use crate::document::handle::Handle;
use crate::document::header::{Header, Top};
use crate::document::layout::{Copies, Geometry, Layout, Redundancy};
use crate::document::mime::Mime;
use crate::document::root;
use crate::document::signed::Writer;
use crate::document::tree::Tree;
use crate::key::RoutingKey;
use crate::key::uri::Uri;
use crate::limits::{DOCUMENT_BYTES, EDITIONS_TAKEN, INSERT_CHUNK_BLOCKS, INSERT_CROWD, STANDBYS};
use crate::message::block::Block;
use crate::time::Instant;

/// Inserts one document.
pub struct Inserter {
    form: Form,
    root: Root,
    seal: Option<Seal>,
    nonce: [u8; 24],
    digester: Digester,
    taken: u64,
    wanted: usize,
    page: Page,
    strip: Strip,
    manifest: Manifest,
    outbox: Outbox,
    check_blocks: u64,
    /// Editions that turned out to be somebody else's.
    editions_taken: u8,
    stage: Stage,
    now: Instant,
    outputs: VecDeque<Output>,
}

/// What was decided before the first byte.
struct Form {
    mime: Mime,
    redundancy: Redundancy,
    copies: Copies,
    announced: Option<u64>,
    expected: Option<[u8; 32]>,
    writer: Option<Writer>,
    geometry: Geometry,
}

enum Stage {
    /// Bytes are still coming.
    Reading,
    /// All bytes are there; padding blocks and the last segments are made.
    Closing(Header, Layout),
    /// All but the top is made.
    Topping(Box<Tops>),
    /// All is made.
    Settling(Uri),
    Ended,
}

impl Inserter {
    /// Begins an insert.
    pub fn new<R: CryptoRng + ?Sized>(options: Options, rng: &mut R) -> Self {
        let Options { mime, redundancy, copies, length, keys, writer, window, geometry } = options;
        let (root, expected) = match keys {
            Keys::Random => (Root::generate(rng), None),
            Keys::Convergent { digest, secret } => {
                (root::convergent(&digest, &mime, redundancy, copies, secret.as_ref()), Some(digest))
            }
        };
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce);
        let order = rng.next_u64();
        let form = Form { mime, redundancy, copies, announced: length, expected, writer, geometry };
        Self {
            manifest: Manifest::new(geometry, copies),
            form,
            root,
            seal: None,
            nonce,
            digester: root::digester(),
            taken: 0,
            wanted: 0,
            page: Page::default(),
            strip: Strip::default(),
            outbox: Outbox::new(window, order),
            check_blocks: 0,
            editions_taken: 0,
            stage: Stage::Reading,
            now: Instant::EPOCH,
            outputs: VecDeque::new(),
        }
    }

    /// The same insert for these readers alone, by their public keys: what the URI names opens for nobody else.
    ///
    /// # Errors
    /// When they are none, too many, or one is no key.
    pub fn sealed_to<R: CryptoRng + ?Sized>(self, readers: &[[u8; 32]], rng: &mut R) -> Result<Self, BadReaders> {
        let seal = Seal { envelope: Envelope::to(readers, rng)?, root: Root::generate(rng) };
        Ok(Self { seal: Some(seal), ..self })
    }

    /// How many blocks may be out at once, from now on.
    pub const fn set_window(&mut self, blocks: usize) {
        self.outbox.set_window(blocks);
    }

    /// Something happened. Drain [`Inserter::poll_output`] afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.now = now;
        if matches!(self.stage, Stage::Ended) {
            return;
        }
        match input {
            Input::Data(data) => self.on_data(&data),
            Input::EndOfData => self.on_end(),
            Input::BlockStored { handle, stores } => self.on_stored(handle, stores),
            Input::BlockFailed { handle } => {
                if let Err(attempts) = self.outbox.failed(now, handle) {
                    self.fail(Why::NotStored { attempts });
                }
            }
            Input::BlockCollided { handle, existing } => self.on_collided(handle, &existing),
            Input::Timeout => self.outbox.wake(now),
        }
    }

    /// The next thing to do, if any. Does at most one step of work: a chunk sealed, or a segment coded.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if matches!(self.stage, Stage::Ended) {
                return None;
            }
            if let Some((handle, block)) = self.outbox.next(self.crowd()) {
                return Some(Output::Insert { handle, block });
            }
            if !self.step() {
                return None;
            }
        }
    }

    /// When to come back with [`Input::Timeout`], if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if matches!(self.stage, Stage::Ended) { None } else { self.outbox.wakes_at() }
    }

    /// Bytes of blocks and data held now. At most [`Inserter::most_held_bytes`].
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_blocks() * SEALED_BYTES
    }

    /// The bound on what an insert of this form holds: two segments of data blocks and a chunk, the check blocks of one
    /// segment, and a few manifest blocks.
    #[must_use]
    pub fn most_held_bytes(&self) -> usize {
        let check = self.form.redundancy.check_blocks(self.form.geometry.segment_blocks());
        let manifest = manifest::MOST_AT_ONCE * usize::from(self.form.copies.count());
        (self.room_for_data() + check as usize + manifest) * SEALED_BYTES
    }

    /// Blocks, the open one included.
    fn held_blocks(&self) -> usize {
        1 + self.strip.stored() + self.outbox.len()
    }

    /// Blocks beyond which no more data is asked for. Two segments and one block must fit, or the first is never cut.
    const fn room_for_data(&self) -> usize {
        let segment = self.form.geometry.segment_blocks() as usize;
        2 * segment + 2 + INSERT_CHUNK_BLOCKS as usize
    }

    /// How many blocks must wait before one of them leaves: as long as more come, so many that the draw hides which were
    /// made when.
    fn crowd(&self) -> usize {
        let more_come = matches!(self.stage, Stage::Reading) && self.room() > 0;
        if more_come { INSERT_CROWD } else { 1 }
    }

    fn room(&self) -> usize {
        self.room_for_data().saturating_sub(self.held_blocks())
    }

    /// Check blocks come on top of what is held; if there is more than data held already, some of it goes out first.
    fn has_room_to_cut(&self) -> bool {
        self.held_blocks() <= self.room_for_data()
    }

    fn on_data(&mut self, data: &[u8]) {
        if !matches!(self.stage, Stage::Reading) || data.len() > self.wanted {
            return self.fail(Why::Unwanted);
        }
        self.wanted -= data.len();
        self.taken += data.len() as u64;
        if self.taken > self.form.announced.unwrap_or(DOCUMENT_BYTES) {
            return self.fail(if self.form.announced.is_some() { Why::Changed } else { Why::TooLong });
        }
        self.digester.update(data);
        let mut rest = data;
        while !rest.is_empty() {
            // A full page is sealed only when more comes: until then the document may still fit into its top block.
            if self.page.is_full() {
                self.seal_page();
            }
            rest = self.page.fill(rest);
        }
    }

    fn on_end(&mut self) {
        if !matches!(self.stage, Stage::Reading) {
            return self.fail(Why::Unwanted);
        }
        let digest = std::mem::replace(&mut self.digester, root::digester()).finish();
        let as_announced = self.form.announced.is_none_or(|length| length == self.taken);
        if !as_announced || self.form.expected.is_some_and(|expected| expected != digest) {
            return self.fail(Why::Changed);
        }
        self.wanted = 0;
        let header = Header { mime: self.form.mime.clone(), length: self.taken, digest };
        if self.taken <= Header::inline_room(&header.mime) as u64 {
            let content = self.page.take();
            let seal = self.seal.take();
            self.stage = Stage::Topping(Box::new(Tops::inline(&self.maker(), seal, header, content)));
            return;
        }
        match Layout::new(self.form.geometry, self.taken, self.form.redundancy) {
            Ok(layout) => self.stage = Stage::Closing(header, layout),
            Err(_) => self.fail(Why::TooLong),
        }
    }

    fn on_stored(&mut self, handle: Handle, stores: u32) {
        if let Some(part) = self.outbox.stored(handle, stores) {
            self.on_settled(part);
        }
    }

    fn on_settled(&mut self, part: Part) {
        if let Part::Data(block) = part {
            self.strip.mark_stored(block);
        }
        let (stored, made) = (self.outbox.stored_blocks(), self.outbox.made_blocks());
        self.outputs.push_back(Output::Progress { bytes: self.taken, stored, made });
    }

    /// An equal block under an equal key is as good as ours; so is an equal message under our name.
    fn on_collided(&mut self, handle: Handle, existing: &Block) {
        match self.outbox.collided(handle, existing) {
            Settled::Unknown => {}
            Settled::Equal(part) => self.on_settled(part),
            Settled::Other(part) => {
                if !self.write_next_edition(part) {
                    self.fail(Why::NameTaken);
                }
            }
        }
    }

    /// Somebody else who may write the site has taken this edition: the next one is ours, if that is what `part` was about.
    fn write_next_edition(&mut self, part: Part) -> bool {
        let (Part::Signed(told), Stage::Topping(tops)) = (part, &mut self.stage) else { return false };
        let Some(writer @ Writer::Edition { .. }) = &mut self.form.writer else { return false };
        // The block that says where a standby is has a name of its own.
        if told.0 != writer.reader() || self.editions_taken >= EDITIONS_TAKEN || !writer.go_to_next_edition() {
            return false;
        }
        self.editions_taken += 1;
        // Another message under another name: never the same nonce.
        self.nonce[0] ^= self.editions_taken;
        let Some((_, message)) = Arc::into_inner(told) else { return false };
        let maker = Maker { root: &self.root, nonce: &self.nonce, writer: None };
        let (block, part) = maker.sign(writer, message);
        tops.rename(writer.uri());
        self.outbox.push(block, part);
        true
    }

    fn fail(&mut self, why: Why) {
        self.stage = Stage::Ended;
        self.strip = Strip::default();
        self.outbox.clear();
        self.outputs.clear();
        self.outputs.push_back(Output::Failed(why));
    }

    /// One piece of work, if there is any: true if something changed.
    fn step(&mut self) -> bool {
        match &self.stage {
            Stage::Reading => self.read(),
            Stage::Closing(_, layout) => {
                let layout = *layout;
                self.close(&layout)
            }
            Stage::Topping(_) => self.hand_out_top(),
            Stage::Settling(_) => self.settle(),
            Stage::Ended => false,
        }
    }

    fn read(&mut self) -> bool {
        let announced = self.announced_layout();
        if self.has_room_to_cut()
            && let Some(data) = self.strip.segment_in_a_stream(self.form.geometry, announced.as_ref())
        {
            self.cut(data);
            return true;
        }
        let blocks = self.room().min(INSERT_CHUNK_BLOCKS as usize);
        if self.wanted > 0 || blocks == 0 {
            return false;
        }
        // Up to the end of a block, so that the page is full and nothing lies about half done.
        self.wanted = blocks * PAYLOAD_BYTES - self.page.len() % PAYLOAD_BYTES;
        self.outputs.push_back(Output::WantData { bytes: self.wanted });
        true
    }

    /// How many blocks the document will have, if its length is known.
    #[must_use]
    pub fn expected_blocks(&self) -> Option<u64> {
        let tops = if self.seal.is_some() { 2 } else { 1 };
        let named = u64::from(self.form.writer.is_some());
        let length = self.form.announced?;
        if length <= Header::inline_room(&self.form.mime) as u64 {
            let fits = named == 1 && tops == 1 && length <= Header::signed_room(&self.form.mime) as u64;
            return Some(if fits { 1 } else { tops + named });
        }
        let layout = self.announced_layout()?;
        let tree = Tree::new(self.form.geometry, self.form.copies, layout.keys());
        // Each standby has a block that says where it is.
        Some(layout.keys() + tree.blocks() + tops * (1 + 2 * u64::from(STANDBYS)) + named)
    }

    fn announced_layout(&self) -> Option<Layout> {
        Layout::new(self.form.geometry, self.form.announced?, self.form.redundancy).ok()
    }

    /// Makes padding blocks until the last segment is cut, then the manifest and the top.
    fn close(&mut self, layout: &Layout) -> bool {
        if let Some(data) = self.strip.segment_of(layout) {
            let room = self.has_room_to_cut();
            if room {
                self.cut(data);
            }
            return room;
        }
        if self.strip.end() < layout.data_blocks() {
            if self.room() == 0 {
                return false;
            }
            self.seal_page();
            return true;
        }
        self.top_split();
        true
    }

    /// Cuts a segment of `data` blocks off the strip: its check blocks are made, its keys listed.
    fn cut(&mut self, data: u32) {
        let (keys, sealed) = self.strip.cut(data);
        let check = self.form.redundancy.check_blocks(data);
        for key in keys {
            self.list(key);
        }
        for parity in coding::check_blocks(&sealed, check) {
            let block = Block::new(parity.into()).expect("parity has the size of a sealed block");
            self.list(block.key());
            self.outbox.push(block, Part::Check);
            self.check_blocks += 1;
        }
    }

    fn list(&mut self, key: RoutingKey) {
        let nodes = self.manifest.list(&self.root, key);
        self.outbox.extend(nodes, Part::Manifest);
    }

    fn seal_page(&mut self) {
        let position = self.strip.end();
        let key = root::data_key(&self.root, self.form.geometry, position);
        let block = self.page.seal(&key);
        self.strip.push(block.clone());
        self.outbox.push(block, Part::Data(position));
    }

    fn top_split(&mut self) {
        let Stage::Closing(header, _) = std::mem::replace(&mut self.stage, Stage::Ended) else {
            unreachable!("a split document is closed before its top is made");
        };
        let (nodes, keys) = self.manifest.finish(&self.root);
        self.outbox.extend(nodes, Part::Manifest);
        let (redundancy, copies) = (self.form.redundancy, self.form.copies);
        let seal = self.seal.take();
        let tops = Tops::new(&self.maker(), seal, &Top::Split { header, redundancy, copies, keys });
        self.stage = Stage::Topping(Box::new(tops));
    }

    /// Hands out the top once nothing else is out: a document that can be found is there.
    fn hand_out_top(&mut self) -> bool {
        if self.outbox.len() > 0 {
            return false;
        }
        let Stage::Topping(tops) = &mut self.stage else { return false };
        match tops.next() {
            Some(group) => group.into_iter().for_each(|(block, part)| self.outbox.push(block, part)),
            None => self.stage = Stage::Settling(tops.uri()),
        }
        true
    }

    const fn maker(&self) -> Maker<'_> {
        Maker { root: &self.root, nonce: &self.nonce, writer: self.form.writer.as_ref() }
    }

    fn settle(&mut self) -> bool {
        let Stage::Settling(uri) = std::mem::replace(&mut self.stage, Stage::Ended) else { return false };
        self.outputs.push_back(Output::Done(Receipt {
            uri,
            bytes: self.taken,
            blocks: self.outbox.stored_blocks(),
            check_blocks: self.check_blocks,
            stored_at_least: self.outbox.stored_at_least(),
        }));
        true
    }
}

impl std::fmt::Debug for Inserter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Inserter({} bytes taken, {} blocks stored)", self.taken, self.outbox.stored_blocks())
    }
}
