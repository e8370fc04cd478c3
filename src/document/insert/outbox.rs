//! Blocks on their way out: waiting, handed out, or resting after a failure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::document::backoff;
use crate::document::handle::Handle;
use crate::document::header::Message;
use crate::document::signed::Reader;
use crate::limits::BLOCK_ATTEMPTS;
use crate::message::block::Block;
use crate::time::Instant;

/// What a block is in its document.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// The data block at this position.
    Data(u64),
    Check,
    Manifest,
    Top,
    /// A signed block, and what is needed to see that another one says the same.
    Signed(Arc<(Reader, Message)>),
}

/// What a collision amounts to.
pub(super) enum Settled {
    /// Nobody asked.
    Unknown,
    /// What stands there is as good as ours.
    Equal(Part),
    /// What stands there is something else than this part, which is not handed out any more.
    Other(Part),
}

/// Blocks that are not stored yet. They leave in a random order, drawn among those that wait (protocol.md §2.1).
pub(super) struct Outbox {
    random: ChaCha8Rng,
    window: usize,
    made: u64,
    stored: u64,
    stored_at_least: Option<u32>,
    ready: Vec<Handle>,
    /// Blocks that were out before and have rested.
    rested: VecDeque<Handle>,
    resting: BTreeSet<(Instant, Handle)>,
    flying: BTreeSet<Handle>,
    entries: BTreeMap<Handle, Entry>,
}

struct Entry {
    block: Block,
    part: Part,
    failures: u32,
}

impl Outbox {
    /// Nothing yet; `order` decides in which order blocks will leave.
    pub(super) fn new(window: usize, order: u64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(order),
            window,
            made: 0,
            stored: 0,
            stored_at_least: None,
            ready: Vec::new(),
            rested: VecDeque::new(),
            resting: BTreeSet::new(),
            flying: BTreeSet::new(),
            entries: BTreeMap::new(),
        }
    }

    pub(super) const fn set_window(&mut self, blocks: usize) {
        self.window = blocks;
    }

    /// Blocks that are not stored yet.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn made_blocks(&self) -> u64 {
        self.made
    }

    pub(super) const fn stored_blocks(&self) -> u64 {
        self.stored
    }

    pub(super) fn stored_at_least(&self) -> u32 {
        self.stored_at_least.unwrap_or(0)
    }

    pub(super) fn push(&mut self, block: Block, part: Part) {
        let handle = Handle(self.made);
        self.made += 1;
        self.entries.insert(handle, Entry { block, part, failures: 0 });
        self.ready.push(handle);
    }

    pub(super) fn extend(&mut self, blocks: Vec<Block>, part: Part) {
        for block in blocks {
            self.push(block, part.clone());
        }
    }

    /// The next block to hand out, if the window allows one: one that has rested, else any that waits if at least
    /// `crowd` do.
    pub(super) fn next(&mut self, crowd: usize) -> Option<(Handle, Block)> {
        if self.flying.len() >= self.window {
            return None;
        }
        let handle = match self.rested.pop_front() {
            Some(handle) => handle,
            None if self.ready.is_empty() || self.ready.len() < crowd => return None,
            None => self.ready.swap_remove(self.random.random_range(0..self.ready.len())),
        };
        self.flying.insert(handle);
        Some((handle, self.entries.get(&handle).expect("what is ready has an entry").block.clone()))
    }

    pub(super) fn stored(&mut self, handle: Handle, stores: u32) -> Option<Part> {
        if !self.flying.remove(&handle) {
            return None;
        }
        self.stored += 1;
        self.stored_at_least = Some(self.stored_at_least.map_or(stores, |least| least.min(stores)));
        self.entries.remove(&handle).map(|entry| entry.part)
    }

    pub(super) fn collided(&mut self, handle: Handle, existing: &Block) -> Settled {
        let Some(entry) = self.entries.get(&handle).filter(|_| self.flying.contains(&handle)) else {
            return Settled::Unknown;
        };
        let equal = match &entry.part {
            Part::Signed(own) => own.0.open(existing).is_ok_and(|message| message == own.1),
            _ => entry.block == *existing,
        };
        // Who showed us the block has it.
        if equal {
            return self.stored(handle, 1).map_or(Settled::Unknown, Settled::Equal);
        }
        self.flying.remove(&handle);
        self.entries.remove(&handle).map_or(Settled::Unknown, |entry| Settled::Other(entry.part))
    }

    /// Puts a block to rest after a failure.
    ///
    /// # Errors
    /// The number of attempts, when there have been too many.
    pub(super) fn failed(&mut self, now: Instant, handle: Handle) -> Result<(), u32> {
        if !self.flying.remove(&handle) {
            return Ok(());
        }
        let entry = self.entries.get_mut(&handle).expect("what is out has an entry");
        entry.failures += 1;
        if entry.failures >= BLOCK_ATTEMPTS {
            return Err(entry.failures);
        }
        self.resting.insert((now + backoff::rest(entry.failures), handle));
        Ok(())
    }

    /// Rested blocks go out before others: the document waits for them.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((until, handle)) = self.resting.first().copied()
            && until <= now
        {
            self.resting.pop_first();
            self.rested.push_back(handle);
        }
    }

    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.resting.first().map(|(until, _)| *until)
    }

    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.rested.clear();
        self.resting.clear();
        self.flying.clear();
        self.entries.clear();
    }
}
