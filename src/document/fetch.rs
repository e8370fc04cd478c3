//! Fetching a document: a URI in, bytes in order out, and what was missing rebuilt for reinsertion.
//!
//! Guarantees: every byte delivered opened under the key of its place, and a document delivered whole has the digest its
//! top block names; the memory held is bounded by four segments, whatever the length; a hostile manifest costs one block
//! and is refused. Data blocks of a segment are asked first, in a random order, check blocks when data blocks are missing (or
//! as a race, if told to).
//! A call opens one block or codes one segment, so a driver that must not stall yields between calls of
//! [`Fetcher::poll_output`].
//! Leaves out finding blocks, and reinserting what is rebuilt: the driver does both.

mod asks;
mod body;
mod gathering;
mod nodes;
mod opening;
pub mod shares;
pub mod top;
mod why;
mod words;

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use crypto::content::{PAYLOAD_BYTES, Root};
use crypto::reader::ReaderKey;
use crypto::{NotVerified, envelope};

use self::asks::{Asked, Asks};
use self::body::{Body, Event};
use self::opening::{Led, Opening};
use self::shares::{Shares, Unfound};
pub use self::why::Why;
pub use self::words::{Input, Options, Output, Start, Summary};
use crate::document::header::{Header, Message, Opener, Top};
use crate::document::mime::Mime;
use crate::document::root;
use crate::document::signed::{Reader, Unreadable};
use crate::limits::{BLOCK_SEARCHES, DELIVERY_BYTES};
use crate::message::block::Block;
use crate::time::Instant;

/// Fetches one document.
pub struct Fetcher {
    options: Options,
    asks: Asks,
    stage: Stage,
    /// Bytes delivered and not yet taken.
    untaken: usize,
    delivered: u64,
    fetched: u64,
    repaired: u64,
    mime: Mime,
    /// What envelopes are tried with.
    readers: Vec<ReaderKey>,
    /// Whether an envelope has been opened: there is nothing in it but a document.
    unsealed: bool,
    now: Instant,
    outputs: VecDeque<Output>,
}

enum Stage {
    Signed { reader: Reader, share: Shares },
    Top(Box<Opening>),
    Body(Box<Body>),
    Ended,
}

impl Fetcher {
    /// Begins a fetch.
    #[must_use]
    pub fn new(start: Start, options: Options) -> Self {
        let stage = match start {
            Start::Content { routing, root } => Stage::Top(Box::new(Opening::new(root, routing))),
            Start::Signed(reader) => {
                let share = Shares::new([reader.routing_key()]);
                Stage::Signed { reader, share }
            }
        };
        Self {
            asks: Asks::new(options.window),
            options,
            stage,
            untaken: 0,
            delivered: 0,
            fetched: 0,
            repaired: 0,
            mime: Mime::default(),
            readers: Vec::new(),
            unsealed: false,
            now: Instant::EPOCH,
            outputs: VecDeque::new(),
        }
    }

    /// The same fetch on behalf of these readers: what is sealed to one of them opens.
    #[must_use]
    pub fn for_readers(self, readers: Vec<ReaderKey>) -> Self {
        Self { readers, ..self }
    }

    /// How many blocks may be asked at once, from now on.
    pub const fn set_window(&mut self, blocks: usize) {
        self.asks.set_window(blocks);
    }

    /// Something happened. Drain [`Fetcher::poll_output`] afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.now = now;
        match input {
            Input::BlockFound { handle, block } => {
                if let Some(asked) = self.asks.answered(handle) {
                    self.on_found(asked, &block);
                }
            }
            Input::BlockMissing { handle } => {
                if let Some(asked) = self.asks.answered(handle) {
                    self.on_unfound(asked, Unfound::Missing);
                }
            }
            Input::BlockFailed { handle } => {
                if let Some(asked) = self.asks.answered(handle) {
                    self.on_unfound(asked, Unfound::Failed);
                }
            }
            Input::Delivered { bytes } => self.untaken = self.untaken.saturating_sub(bytes),
            Input::Timeout => {}
        }
    }

    /// The next thing to do, if any. Does at most one step of work: a block opened, or a segment coded.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if let Some(output) = self.ask() {
                return Some(output);
            }
            if !self.step() {
                return None;
            }
        }
    }

    /// When to come back with [`Input::Timeout`], if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.asks.is_full() {
            return None;
        }
        match &self.stage {
            Stage::Signed { share, .. } => share.rested_at(self.now),
            Stage::Top(opening) => opening.search.rested_at(self.now),
            Stage::Body(body) => body.rested_at(self.now),
            Stage::Ended => None,
        }
    }

    /// Which search for the beginning of the document is going on, and of how many; none once it is found.
    #[must_use]
    pub fn search(&self) -> Option<(u32, u32)> {
        let round = match &self.stage {
            Stage::Signed { share, .. } => share.round(),
            Stage::Top(opening) => opening.search.round(),
            Stage::Body(_) | Stage::Ended => return None,
        };
        Some((round, BLOCK_SEARCHES))
    }

    /// Bytes of blocks, keys and undelivered data held now. At most [`Fetcher::most_held_bytes`].
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.untaken + if let Stage::Body(body) = &self.stage { body.held_bytes() } else { 0 }
    }

    /// The bound on what a fetch of this document holds; until it is opened, of any document.
    #[must_use]
    pub fn most_held_bytes(&self) -> usize {
        DELIVERY_BYTES + PAYLOAD_BYTES + body::most_held_bytes(self.options.geometry, self.options.race)
    }

    /// A block came that was asked for. Another one than that counts as none.
    fn on_found(&mut self, asked: Asked, block: &Block) {
        if block.key() != asked.key {
            return self.on_unfound(asked, Unfound::Missing);
        }
        self.fetched += 1;
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Signed { reader, .. } => self.on_signed(&reader, block),
            Stage::Top(opening) => self.on_opening(opening, block),
            Stage::Body(mut body) => {
                let taken = body.on_found(asked.place, block);
                self.stage = Stage::Body(body);
                if let Err(why) = taken {
                    self.fail(why);
                }
            }
            Stage::Ended => {}
        }
    }

    fn on_unfound(&mut self, asked: Asked, how: Unfound) {
        match &mut self.stage {
            Stage::Signed { share, .. } => share.unfound(0, how, self.now),
            Stage::Top(opening) => opening.search.unfound(&asked.key, how, self.now),
            Stage::Body(body) => body.on_unfound(asked.place, how, self.now),
            Stage::Ended => {}
        }
    }

    fn on_signed(&mut self, reader: &Reader, block: &Block) {
        match reader.open(block) {
            Ok(Message::Inline { header, content }) => self.inline(header, content),
            Ok(Message::Redirect { routing, root }) => {
                self.stage = Stage::Top(Box::new(Opening::new(root, routing)));
            }
            Err(Unreadable::Sealed) => self.fail(Why::NotVerified),
            Err(Unreadable::Malformed(malformed)) => self.fail(malformed.into()),
        }
    }

    fn on_opening(&mut self, mut opening: Box<Opening>, block: &Block) {
        match opening.on_found(block) {
            Led::On => self.stage = Stage::Top(opening),
            Led::Unverified => self.fail(Why::NotVerified),
            Led::Top(payload, lost) => {
                self.on_top(opening.into_root(), &payload);
                if let Some(block) = lost {
                    self.repaired += 1;
                    self.outputs.push_front(Output::Repair { block });
                }
            }
        }
    }

    fn on_top(&mut self, root: Root, payload: &[u8]) {
        match Top::decode(payload, self.options.geometry) {
            Ok(Top::Inline { header, content }) => self.inline(header, content),
            Ok(Top::Split { header, redundancy, copies, keys }) => {
                self.open(&header);
                match self.range(header.length) {
                    Err(why) => self.fail(why),
                    Ok(range) => {
                        let form = body::Form { root, geometry: self.options.geometry, redundancy, copies };
                        let manner = body::Manner { race: self.options.race, order: self.options.order };
                        let body = Body::new(form, &header, keys, range, manner);
                        self.stage = Stage::Body(Box::new(body));
                    }
                }
            }
            Ok(Top::Sealed { .. }) if self.unsealed => self.fail(Why::EnvelopeInEnvelope),
            Ok(Top::Sealed { envelope }) => match envelope::open(&envelope, &self.readers) {
                Ok(content) => {
                    let Opener { routing, root } = Opener::from_bytes(content.expose());
                    self.unsealed = true;
                    self.stage = Stage::Top(Box::new(Opening::new(root, routing)));
                }
                Err(NotVerified) => self.fail(Why::SealedToOthers),
            },
            Err(malformed) => self.fail(malformed.into()),
        }
    }

    fn open(&mut self, header: &Header) {
        self.mime = header.mime.clone();
        let Header { mime, length, digest } = header.clone();
        self.outputs.push_back(Output::Opened { mime, length, digest });
    }

    fn inline(&mut self, header: Header, content: Bytes) {
        let mut digester = root::digester();
        digester.update(&content);
        if digester.finish() != header.digest {
            return self.fail(Why::Digest);
        }
        self.open(&header);
        match self.range(header.length) {
            Err(why) => self.fail(why),
            Ok(range) => {
                let place = |byte: u64| usize::try_from(byte).expect("the content is in memory");
                self.deliver(content.slice(place(range.start)..place(range.end)));
                self.done();
            }
        }
    }

    /// The bytes wanted of a document of `length` bytes.
    fn range(&self, length: u64) -> Result<Range<u64>, Why> {
        match &self.options.range {
            None => Ok(0..length),
            Some(range) if range.start < range.end.min(length) => Ok(range.start..range.end.min(length)),
            Some(_) => Err(Why::OutOfRange { length }),
        }
    }

    fn ask(&mut self) -> Option<Output> {
        if self.asks.is_full() {
            return None;
        }
        let (place, key) = match &mut self.stage {
            Stage::Signed { share, .. } => (asks::Place::Top, share.next(self.now, 0..1)?.1),
            Stage::Top(opening) => (asks::Place::Top, opening.search.next(self.now)?),
            Stage::Body(body) => body.next(self.now)?,
            Stage::Ended => return None,
        };
        let handle = self.asks.ask(Asked { place, key });
        Some(Output::Fetch { handle, key })
    }

    /// One piece of work, if there is any: true if something changed.
    fn step(&mut self) -> bool {
        match &mut self.stage {
            Stage::Signed { .. } | Stage::Top(_) => {
                let lost = match &self.stage {
                    Stage::Signed { share, .. } => share.reachable(0..1) == 0,
                    Stage::Top(opening) => opening.search.is_lost(),
                    Stage::Body(_) | Stage::Ended => false,
                };
                if lost {
                    self.fail(Why::NotFound);
                }
                lost
            }
            Stage::Body(body) => match body.step(self.untaken < DELIVERY_BYTES) {
                Ok(None) => false,
                Ok(Some(event)) => {
                    self.on_event(event);
                    true
                }
                Err(why) => {
                    self.fail(why);
                    true
                }
            },
            Stage::Ended => false,
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Progress => {}
            Event::Bytes(bytes) => self.deliver(bytes),
            Event::Repaired { blocks, segment } => {
                self.repaired += blocks.len() as u64;
                self.outputs.extend(blocks.into_iter().map(|block| Output::Repair { block }));
                if let Some(segment) = segment {
                    let cancelled = self.asks.cancel_segment(segment);
                    self.outputs.extend(cancelled.into_iter().map(|handle| Output::Cancel { handle }));
                }
            }
            Event::Complete => self.done(),
        }
    }

    fn deliver(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.untaken += bytes.len();
        self.delivered += bytes.len() as u64;
        self.outputs.push_back(Output::Deliver(bytes));
    }

    fn done(&mut self) {
        let summary = Summary {
            bytes: self.delivered,
            mime: self.mime.clone(),
            blocks_fetched: self.fetched,
            blocks_repaired: self.repaired,
        };
        self.end(Output::Done(summary));
    }

    fn fail(&mut self, why: Why) {
        self.end(Output::Failed(why));
    }

    fn end(&mut self, last: Output) {
        self.stage = Stage::Ended;
        let cancelled = self.asks.cancel_all();
        self.outputs.extend(cancelled.into_iter().map(|handle| Output::Cancel { handle }));
        self.outputs.push_back(last);
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Fetcher({} bytes delivered, {} blocks fetched)", self.delivered, self.fetched)
    }
}
