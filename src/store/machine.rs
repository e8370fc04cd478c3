//! The store of one node: answers from two shelves, one for each kind of block, and keeps the disk busy.
//!
//! On each shelf stand two regions, `cache` for what passes and `kept` for what this node answers for (protocol.md §3.5).
//! Guarantees: passing traffic never evicts what is kept; new kept blocks displace only new ones until they have been
//! asked for; the size limit holds to the block; a block is stored once, whatever regions want it; what is on its way to
//! the disk is readable and bounded. Only a read counts as use: neither asking whether a block is held nor offering it
//! once more protects it.

use std::collections::{BTreeMap, VecDeque};

use crate::key::RoutingKey;
use crate::limits::{STORE_ORDER_INTERVAL, STORE_READS, STORE_WAITERS, STORE_WRITES};
use crate::message::block::{Block, BlockKind};
use crate::store::contract::{Counts, Input, Output, Token};
use crate::store::geometry::Capacity;
use crate::store::shelf::{Held, Shelf};
use crate::store::work::{Area, DiskDone, DiskFault, DiskWork, Place, Recovered};
use crate::time::Instant;

/// The store of one node.
#[derive(Debug)]
pub struct Store {
    content: Shelf,
    signed: Shelf,
    /// Whether the cache gathers around the place of the node.
    is_clustered: bool,
    writing: BTreeMap<RoutingKey, Writing>,
    reading: BTreeMap<RoutingKey, Vec<Token>>,
    /// Tokens in `reading`, all keys together.
    readers: usize,
    outputs: VecDeque<Output>,
    counts: Counts,
    health: Result<(), DiskFault>,
    /// When the oldest use happened that is not saved yet.
    unsaved_since: Option<Instant>,
}

/// A block on its way to the disk.
#[derive(Debug)]
struct Writing {
    /// Readable from here until it stands; absent while only its area changes.
    block: Option<Block>,
    /// Whether, once written, it must also be noted as kept.
    mark: bool,
    /// Who waits until it is durable.
    waiters: Vec<Token>,
}

impl Store {
    /// A store of so many slots that holds what was found on disk (least recently used first).
    pub fn recover(capacity: Capacity, found: &[Recovered]) -> Self {
        let mut store = Self {
            content: Shelf::new(capacity.content),
            signed: Shelf::new(capacity.signed),
            is_clustered: false,
            writing: BTreeMap::new(),
            reading: BTreeMap::new(),
            readers: 0,
            outputs: VecDeque::new(),
            counts: Counts::default(),
            health: Ok(()),
            unsaved_since: None,
        };
        for kind in [BlockKind::Content, BlockKind::Signed] {
            let of_kind = found.iter().filter(|block| block.place.kind == kind);
            let blocks: Vec<_> = of_kind.map(|block| (block.place.slot, block.key, block.area)).collect();
            for slot in store.shelf(kind).recover(&blocks) {
                store.ask(DiskWork::Erase { place: Place { kind, slot } });
            }
        }
        store
    }

    /// An empty store.
    pub fn new(capacity: Capacity) -> Self {
        Self::recover(capacity, &[])
    }

    /// From now on the cache gathers around the place of the node, once that is told.
    pub const fn cluster_cache(&mut self) {
        self.is_clustered = true;
    }

    /// Whether the last write succeeded; if not, why.
    pub const fn health(&self) -> Result<(), DiskFault> {
        self.health
    }

    /// Something happened. Drain `poll_output` afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Read { token, key } => {
                self.on_use(now, &key);
                self.on_read(token, key);
            }
            Input::Copy { token, key } => self.on_read(token, key),
            Input::Contains { token, key } => {
                let held = self.holds(&key);
                self.outputs.push_back(Output::Contains { token, held });
            }
            Input::Keep { token, block } => self.on_keep(now, token, block),
            Input::Cache { block } => self.on_cache(now, block),
            Input::Around { place } if self.is_clustered => {
                self.content.cluster(place);
                self.signed.cluster(place);
            }
            Input::Around { .. } => {}
            Input::Disk(DiskDone::Read { place, key, block }) => self.on_read_done(place, key, block),
            Input::Disk(DiskDone::Written { place, key, result }) => self.on_written(place, key, result),
            Input::Disk(DiskDone::Marked { place, key, result }) => self.on_marked(place, key, result),
            Input::Save => self.save_order(),
            Input::Timeout if self.poll_timeout().is_some_and(|due| due <= now) => self.save_order(),
            Input::Timeout => {}
        }
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call `handle_input` with [`Input::Timeout`], if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.unsaved_since.map(|since| since + STORE_ORDER_INTERVAL)
    }

    /// Whether any region holds the block.
    pub fn holds(&self, key: &RoutingKey) -> bool {
        self.content.find(key).or_else(|| self.signed.find(key)).is_some()
    }

    /// In which area the block stands, if it is held.
    pub fn area(&self, key: &RoutingKey) -> Option<Area> {
        self.content.find(key).or_else(|| self.signed.find(key)).map(|(area, _)| area)
    }

    /// The keys of one area, most recently used first.
    pub fn keys(&self, kind: BlockKind, area: Area) -> impl Iterator<Item = &RoutingKey> {
        match kind {
            BlockKind::Content => self.content.keys(area),
            BlockKind::Signed => self.signed.keys(area),
        }
    }

    /// How many blocks of one kind stand in each area.
    pub fn held(&self, kind: BlockKind) -> Held {
        match kind {
            BlockKind::Content => self.content.held(),
            BlockKind::Signed => self.signed.held(),
        }
    }

    /// What happened since the start.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn on_use(&mut self, now: Instant, key: &RoutingKey) {
        if let Some((kind, _)) = self.locate(key) {
            self.used(now);
            self.shelf(kind).touch(key);
        }
    }

    fn on_read(&mut self, token: Token, key: RoutingKey) {
        let Some((kind, slot)) = self.locate(&key) else {
            self.counts.misses += 1;
            return self.answer_read(token, None);
        };
        if let Some(block) = self.readable(&key) {
            return self.answer_read(token, Some(block));
        }
        if self.readers >= STORE_READS {
            self.counts.reads_refused += 1;
            return self.answer_read(token, None);
        }
        self.readers += 1;
        let waiting = self.reading.entry(key).or_default();
        waiting.push(token);
        if waiting.len() == 1 {
            self.ask(DiskWork::Read { place: Place { kind, slot }, key });
        }
    }

    fn on_read_done(&mut self, place: Place, key: RoutingKey, block: Option<Block>) {
        // A slot that was given to another block meanwhile is not damaged: its old block has left.
        // Nor does it matter what was found where the block is being written once more.
        let stands = self.readable(&key).is_none();
        if block.is_none() && stands && self.shelf(place.kind).forget(&key, place.slot) {
            self.counts.damaged += 1;
            self.ask(DiskWork::Erase { place });
        }
        let block = block.or_else(|| self.readable(&key));
        let waiting = self.reading.remove(&key).unwrap_or_default();
        self.readers -= waiting.len();
        for token in waiting {
            self.answer_read(token, block.clone());
        }
    }

    fn on_cache(&mut self, now: Instant, block: Block) {
        let (key, kind) = (block.key(), block.kind());
        if self.holds(&key) || self.writing.contains_key(&key) {
            return;
        }
        // Half of the queue is for what is kept: traffic that passes must not make it wait.
        if self.writing.len() >= STORE_WRITES / 2 {
            self.counts.cache_dropped += 1;
            return;
        }
        let (shelf, busy) = self.shelf_and_busy(kind);
        let Some(slot) = shelf.admit_cache(key, busy) else {
            self.counts.cache_dropped += 1;
            return;
        };
        self.used(now);
        self.write(Place { kind, slot }, block, Area::Cache, Vec::new());
    }

    fn on_keep(&mut self, now: Instant, token: Token, block: Block) {
        let (key, kind) = (block.key(), block.kind());
        if let Some(writing) = self.writing.get_mut(&key)
            && writing.waiters.len() >= STORE_WAITERS
        {
            return self.refuse_keep(token);
        }
        match self.shelf(kind).find(&key) {
            Some((Area::Cache, slot)) => self.keep_cached(now, token, key, Place { kind, slot }),
            Some(_) => match self.writing.get_mut(&key) {
                Some(writing) => writing.waiters.push(token),
                None => self.answer_kept(token, true),
            },
            None => self.keep_new(now, token, block),
        }
    }

    fn keep_new(&mut self, now: Instant, token: Token, block: Block) {
        let (key, kind) = (block.key(), block.kind());
        // A block that is not held and yet under way was found damaged while its area was changing.
        if self.writing.len() >= STORE_WRITES || self.writing.contains_key(&key) {
            return self.refuse_keep(token);
        }
        let (shelf, busy) = self.shelf_and_busy(kind);
        let Some(slot) = shelf.admit_kept(key, busy) else { return self.refuse_keep(token) };
        self.used(now);
        self.write(Place { kind, slot }, block, Area::Fresh, vec![token]);
    }

    /// The block stands, or is about to stand, in the cache: it moves where it is, and only its header is written.
    fn keep_cached(&mut self, now: Instant, token: Token, key: RoutingKey, place: Place) {
        if self.writing.len() >= STORE_WRITES {
            return self.refuse_keep(token);
        }
        let (shelf, busy) = self.shelf_and_busy(place.kind);
        if !shelf.keep(key, busy) {
            return self.refuse_keep(token);
        }
        self.used(now);
        if let Some(writing) = self.writing.get_mut(&key) {
            writing.mark = true;
            writing.waiters.push(token);
        } else {
            self.mark(place, key, vec![token]);
        }
    }

    fn on_written(&mut self, place: Place, key: RoutingKey, result: Result<(), DiskFault>) {
        let Some(writing) = self.writing.remove(&key) else { return };
        self.on_health(result);
        if result.is_err() {
            self.shelf(place.kind).forget(&key, place.slot);
        } else if writing.mark {
            return self.mark(place, key, writing.waiters);
        }
        self.answer_waiters(writing.waiters, result.is_ok());
    }

    fn on_marked(&mut self, place: Place, key: RoutingKey, result: Result<(), DiskFault>) {
        let Some(writing) = self.writing.remove(&key) else { return };
        self.on_health(result);
        if result.is_err() {
            self.shelf(place.kind).unkeep(&key);
        }
        self.answer_waiters(writing.waiters, result.is_ok());
    }

    fn on_health(&mut self, health: Result<(), DiskFault>) {
        self.counts.write_faults += u64::from(health.is_err());
        if health != self.health {
            self.health = health;
            self.outputs.push_back(Output::Health(health));
        }
    }

    fn save_order(&mut self) {
        self.unsaved_since = None;
        let mut used = Vec::new();
        for kind in [BlockKind::Content, BlockKind::Signed] {
            let of_kind = self.shelf(kind).take_used();
            used.extend(of_kind.into_iter().map(|(slot, established)| (Place { kind, slot }, established)));
        }
        if !used.is_empty() {
            self.ask(DiskWork::Order { used });
        }
    }

    fn write(&mut self, place: Place, block: Block, area: Area, waiters: Vec<Token>) {
        self.writing.insert(block.key(), Writing { block: Some(block.clone()), mark: false, waiters });
        self.ask(DiskWork::Write { place, block, area, durable: area != Area::Cache });
    }

    fn mark(&mut self, place: Place, key: RoutingKey, waiters: Vec<Token>) {
        self.writing.insert(key, Writing { block: None, mark: false, waiters });
        self.ask(DiskWork::Mark { place, key, area: Area::Fresh });
    }

    fn answer_read(&mut self, token: Token, block: Option<Block>) {
        self.counts.hits += u64::from(block.is_some());
        self.outputs.push_back(Output::Read { token, block });
    }

    fn answer_kept(&mut self, token: Token, durable: bool) {
        self.outputs.push_back(Output::Kept { token, durable });
    }

    fn answer_waiters(&mut self, waiters: Vec<Token>, durable: bool) {
        for token in waiters {
            self.answer_kept(token, durable);
        }
    }

    fn refuse_keep(&mut self, token: Token) {
        self.counts.keep_refused += 1;
        self.answer_kept(token, false);
    }

    fn ask(&mut self, work: DiskWork) {
        self.outputs.push_back(Output::Disk(work));
    }

    fn used(&mut self, now: Instant) {
        self.unsaved_since.get_or_insert(now);
    }

    fn locate(&self, key: &RoutingKey) -> Option<(BlockKind, u32)> {
        let content = self.content.find(key).map(|(_, slot)| (BlockKind::Content, slot));
        content.or_else(|| self.signed.find(key).map(|(_, slot)| (BlockKind::Signed, slot)))
    }

    /// The block, if it is on its way to the disk.
    fn readable(&self, key: &RoutingKey) -> Option<Block> {
        self.writing.get(key).and_then(|writing| writing.block.clone())
    }

    const fn shelf(&mut self, kind: BlockKind) -> &mut Shelf {
        match kind {
            BlockKind::Content => &mut self.content,
            BlockKind::Signed => &mut self.signed,
        }
    }

    /// The shelf, and what may not be displaced from it: a block that somebody waits for, or whose slot is being
    /// written.
    const fn shelf_and_busy(&mut self, kind: BlockKind) -> (&mut Shelf, impl Fn(&RoutingKey) -> bool + '_) {
        let shelf = match kind {
            BlockKind::Content => &mut self.content,
            BlockKind::Signed => &mut self.signed,
        };
        let writing = &self.writing;
        (shelf, |key: &RoutingKey| writing.contains_key(key))
    }
}
