//! The blocks that this node's own clients have fetched or inserted of late, apart from what the node stores for others.
//!
//! Guarantees: nothing here ever answers the network; it is bounded, and the block used longest ago makes room. It lies in a
//! file without a name, sealed under a key that is nowhere but in memory: when the process ends, however it ends, nobody can
//! read it, not even with the node secret (protocol.md §7.6). While the node runs its size tells about how much was fetched.
//! A file that fails costs the cache and nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use crypto::secret::Secret;
use crypto::slot::{self, NONCE_BYTES, SlotKey, TAG_BYTES};
use tracing::warn;

use super::chance;
use crate::disk::medium::Medium;
use crate::key::RoutingKey;
use crate::limits::{CLIENT_CACHE_BLOCKS, CLIENT_CACHE_QUEUE};
use crate::message::block::Block;

/// The cache of one node's clients; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct ClientCache {
    state: Arc<Mutex<State>>,
    /// What has been put in and is not written yet.
    queue: Arc<Mutex<Queue>>,
}

/// Blocks on their way into the cache. One thread writes whatever has gathered: waking one for each block costs more than
/// sealing it does.
#[derive(Debug, Default)]
struct Queue {
    blocks: VecDeque<Block>,
    /// A thread is writing, and looks here once more before it ends.
    is_written: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing has been put in yet: there is no file.
    Empty(PathBuf),
    Open(Slots<File>),
    /// The file cannot be had.
    Broken,
}

/// Blocks on a medium.
#[derive(Debug)]
struct Slots<M> {
    medium: M,
    key: SlotKey,
    free: Vec<usize>,
    held: BTreeMap<RoutingKey, Held>,
    /// The keys by their last use.
    by_use: BTreeMap<u64, RoutingKey>,
    uses: u64,
}

/// Where a block lies, and what opens it.
#[derive(Clone, Copy, Debug)]
struct Held {
    slot: usize,
    used: u64,
    bytes: usize,
    nonce: [u8; NONCE_BYTES],
    tag: [u8; TAG_BYTES],
}

impl ClientCache {
    /// An empty cache that will have its file in the directory `place`.
    pub(super) fn new(place: PathBuf) -> Self {
        Self { state: Arc::new(Mutex::new(State::Empty(place))), queue: Arc::default() }
    }

    /// The block of `key`, if it is here. Counts as use.
    pub(super) async fn get(&self, key: RoutingKey) -> Option<Block> {
        if let Some(block) = self.queue().blocks.iter().find(|block| block.key() == key) {
            return Some(block.clone());
        }
        let cache = self.clone();
        // A panic in it was reported where it happened, and costs what a miss costs.
        tokio::task::spawn_blocking(move || cache.with(|slots| slots.get(&key))).await.ok().flatten()
    }

    /// Puts a block in, begun and not waited for. While too many wait to be written, it is not cached.
    pub(super) fn put(&self, block: Block) {
        let mut queue = self.queue();
        if queue.blocks.len() < CLIENT_CACHE_QUEUE {
            queue.blocks.push_back(block);
        }
        if !std::mem::replace(&mut queue.is_written, true) {
            let cache = self.clone();
            drop(tokio::task::spawn_blocking(move || cache.write_queue()));
        }
    }

    /// Writes what waits, until nothing does.
    fn write_queue(&self) {
        while let Some(block) = self.first_queued() {
            self.fill(&block);
            self.queue().blocks.pop_front();
        }
    }

    /// The block that has waited longest; it stays there until it is written.
    fn first_queued(&self) -> Option<Block> {
        let mut queue = self.queue();
        let first = queue.blocks.front().cloned();
        queue.is_written = first.is_some();
        first
    }

    fn fill(&self, block: &Block) {
        self.open();
        let written = self.with(|slots| Some(slots.put(block)));
        if let Some(Err(error)) = written {
            warn!(%error, "the cache of this node's clients is given up");
            *self.state() = State::Broken;
        }
    }

    fn open(&self) {
        let mut state = self.state();
        if let State::Empty(place) = &*state {
            *state = match tempfile::tempfile_in(place) {
                Ok(file) => State::Open(Slots::new(file, CLIENT_CACHE_BLOCKS)),
                Err(error) => {
                    warn!(%error, "there is no cache for this node's clients");
                    State::Broken
                }
            };
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Slots<File>) -> Option<T>) -> Option<T> {
        match &mut *self.state() {
            State::Open(slots) => act(slots),
            State::Empty(_) | State::Broken => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic left behind verifies or is a miss.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Medium> Slots<M> {
    fn new(medium: M, most: usize) -> Self {
        let key = SlotKey::new(&Secret::from_bytes(chance::bytes()));
        let free = (0..most.max(1)).rev().collect();
        Self { medium, key, free, held: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0 }
    }

    fn get(&mut self, key: &RoutingKey) -> Option<Block> {
        let held = *self.held.get(key)?;
        let mut body = vec![0; held.bytes];
        let read = self.medium.read_at(&mut body, offset(held.slot));
        let opened = read.is_ok() && slot::open_in_place(&self.key, &held.nonce, &key.0, &mut body, &held.tag).is_ok();
        let block = opened.then(|| Block::new(Bytes::from(body)).ok()).flatten();
        match &block {
            Some(_) => self.use_of(*key),
            None => self.forget(key),
        }
        block
    }

    fn put(&mut self, block: &Block) -> io::Result<()> {
        let key = block.key();
        if self.held.contains_key(&key) {
            self.use_of(key);
            return Ok(());
        }
        let slot = self.room();
        let nonce = chance::bytes();
        let mut body = block.body().to_vec();
        let tag = slot::seal_in_place(&self.key, &nonce, &key.0, &mut body);
        self.medium.write_at(&body, offset(slot))?;
        self.held.insert(key, Held { slot, used: 0, bytes: body.len(), nonce, tag });
        self.use_of(key);
        Ok(())
    }

    /// A slot that is free: the first one, or that of the block used longest ago.
    fn room(&mut self) -> usize {
        if self.free.is_empty()
            && let Some(key) = self.by_use.first_key_value().map(|(_, key)| *key)
        {
            self.forget(&key);
        }
        self.free.pop().expect("there is more than one slot, and each is free or held")
    }

    fn use_of(&mut self, key: RoutingKey) {
        self.uses += 1;
        let Some(held) = self.held.get_mut(&key) else { return };
        self.by_use.remove(&held.used);
        held.used = self.uses;
        self.by_use.insert(self.uses, key);
    }

    fn forget(&mut self, key: &RoutingKey) {
        if let Some(held) = self.held.remove(key) {
            self.by_use.remove(&held.used);
            self.free.push(held.slot);
        }
    }
}

fn offset(slot: usize) -> u64 {
    (slot * SEALED_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::medium::Memory;

    fn block(byte: u8) -> Block {
        Block::new(vec![byte; SEALED_BYTES].into()).expect("any bytes of that length are a content block")
    }

    #[test]
    fn the_block_used_longest_ago_makes_room() {
        let mut slots = Slots::new(Memory::default(), 3);
        for byte in 1..=3 {
            slots.put(&block(byte)).expect("memory takes it");
        }
        assert_eq!(slots.get(&block(1).key()), Some(block(1)));
        slots.put(&block(4)).expect("memory takes it");
        assert_eq!(slots.get(&block(2).key()), None);
        let rest = [1, 3, 4].map(|byte| slots.get(&block(byte).key()));
        assert_eq!(rest, [1, 3, 4].map(|byte| Some(block(byte))));
        assert_eq!(slots.medium.bytes().expect("memory"), 3 * SEALED_BYTES as u64);
    }

    #[test]
    fn what_lies_there_is_no_block_and_what_was_changed_is_a_miss() {
        let mut slots = Slots::new(Memory::default(), 2);
        slots.put(&block(1)).expect("memory takes it");
        let mut lying = vec![0; SEALED_BYTES];
        slots.medium.read_at(&mut lying, 0).expect("memory");
        assert!(lying.chunks(16).all(|piece| piece != [1; 16]));
        lying[7] ^= 1;
        slots.medium.write_at(&lying, 0).expect("memory");
        assert_eq!(slots.get(&block(1).key()), None);
        slots.put(&block(1)).expect("memory takes it");
        assert_eq!(slots.get(&block(1).key()), Some(block(1)));
    }

    #[tokio::test]
    async fn nothing_bears_its_name_on_the_disk() {
        let place = tempfile::tempdir().expect("a directory");
        let cache = ClientCache::new(place.path().to_owned());
        assert_eq!(cache.get(block(1).key()).await, None);
        cache.fill(&block(1));
        assert_eq!(cache.get(block(1).key()).await, Some(block(1)));
        assert_eq!(std::fs::read_dir(place.path()).expect("it is there").count(), 0);
    }

    #[tokio::test]
    async fn what_is_put_in_is_there_at_once_and_stays_there() {
        let place = tempfile::tempdir().expect("a directory");
        let cache = ClientCache::new(place.path().to_owned());
        for byte in 1..=20 {
            cache.put(block(byte));
            assert_eq!(cache.get(block(byte).key()).await, Some(block(byte)));
        }
        while cache.queue().is_written {
            tokio::task::yield_now().await;
        }
        assert!(cache.queue().blocks.is_empty());
        for byte in 1..=20 {
            assert_eq!(cache.get(block(byte).key()).await, Some(block(byte)));
        }
    }
}
