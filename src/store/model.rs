//! The store beside a naive model: bytes choose inputs and disk outcomes, both must agree after every step.
//!
//! Used by the property tests and by a fuzz target. The model knows three plain lists and recomputes everything; the
//! disk it drives is a map. It panics where the store breaks a promise: an answer too many or too few, a block that is
//! not the one asked for, something called durable that the disk does not hold, two blocks in one slot, another block
//! displaced than the rules name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use crypto::content::SEALED_BYTES;

use crate::key::RoutingKey;
use crate::message::block::{Block, BlockKind};
use crate::store::contract::{Input, Output, Token};
use crate::store::geometry::Capacity;
use crate::store::machine::Store;
use crate::store::work::{Area, DiskDone, DiskFault, DiskWork, Place, Recovered};
use crate::time::{Duration, Instant};

/// Runs the inputs that `bytes` describe: the first byte chooses the number of slots, then two bytes for each step.
///
/// # Panics
/// When the store and the model disagree.
pub fn check(bytes: &[u8]) {
    let Some((&slots, steps)) = bytes.split_first() else { return };
    let mut bench = Bench::new(u32::from(slots % 24));
    for step in steps.chunks_exact(2) {
        bench.step(step[0], step[1]);
        bench.compare();
    }
    bench.settle();
    assert!(bench.waiting.is_empty(), "never answered: {:?}", bench.waiting);
}

struct Bench {
    now: Instant,
    capacity: Capacity,
    store: Store,
    blocks: Vec<Block>,
    naive: Naive,
    work: VecDeque<DiskWork>,
    disk: BTreeMap<u32, (RoutingKey, Area)>,
    /// Where each block was last sent.
    sent: BTreeMap<RoutingKey, u32>,
    /// Blocks whose slots were damaged after they were written.
    damaged: BTreeSet<RoutingKey>,
    waiting: BTreeMap<u64, Question>,
    next_token: u64,
}

#[derive(Debug)]
enum Question {
    Read(RoutingKey),
    Contains(bool),
    Keep(RoutingKey),
}

impl Bench {
    fn new(slots: u32) -> Self {
        let capacity = Capacity { content: slots, signed: 0 };
        Self {
            now: Instant::EPOCH,
            capacity,
            store: Store::new(capacity),
            blocks: (0..BLOCKS).map(block).collect(),
            naive: Naive { slots: slots as usize, ..Naive::default() },
            work: VecDeque::new(),
            disk: BTreeMap::new(),
            sent: BTreeMap::new(),
            damaged: BTreeSet::new(),
            waiting: BTreeMap::new(),
            next_token: 0,
        }
    }

    fn step(&mut self, choice: u8, argument: u8) {
        let block = self.blocks[usize::from(argument % BLOCKS)].clone();
        let key = block.key();
        match choice % 16 {
            0..=3 => {
                self.naive.touch(key);
                let token = self.question(Question::Read(key));
                self.input(Input::Read { token, key });
            }
            4 => {
                let token = self.question(Question::Contains(self.naive.held(&key)));
                self.input(Input::Contains { token, key });
            }
            5..=7 => {
                if self.waiting.len() > 20 {
                    self.settle();
                }
                let busy = self.busy();
                self.naive.keep(key, &busy);
                let token = self.question(Question::Keep(key));
                self.input(Input::Keep { token, block });
            }
            8..=10 => {
                let busy = self.busy();
                self.naive.cache(key, &busy);
                self.input(Input::Cache { block });
            }
            11 | 12 => self.perform(Ok(())),
            13 => self.perform(Err(if argument.is_multiple_of(2) { DiskFault::Full } else { DiskFault::Failed })),
            14 => {
                if let Some((key, _)) = self.disk.remove(&u32::from(argument % 24)) {
                    self.damaged.insert(key);
                }
            }
            _ if argument.is_multiple_of(8) => self.restart(),
            _ => {
                self.now = self.now + Duration::from_secs(u64::from(argument));
                self.input(Input::Timeout);
            }
        }
    }

    fn question(&mut self, question: Question) -> Token {
        self.next_token += 1;
        self.waiting.insert(self.next_token, question);
        Token(self.next_token)
    }

    fn input(&mut self, input: Input) {
        self.store.handle_input(self.now, input);
        while let Some(output) = self.store.poll_output() {
            self.on_output(output);
        }
        assert!(
            self.store.poll_timeout().is_none_or(|due| due > self.now || due <= self.now + Duration::from_secs(60))
        );
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Disk(work) => {
                if let DiskWork::Write { place, block, .. } = &work {
                    assert!((place.slot as usize) < self.naive.slots, "a slot beyond the last");
                    self.sent.insert(block.key(), place.slot);
                }
                self.work.push_back(work);
            }
            Output::Health(_) => {}
            Output::Read { token, block } => match (self.waiting.remove(&token.0), block) {
                (Some(Question::Read(key)), Some(block)) => assert_eq!(block.key(), key, "another block"),
                (Some(Question::Read(key)), None) => {
                    assert!(!self.naive.held(&key), "held, and yet answered as absent");
                }
                (other, _) => panic!("an answer to {other:?}"),
            },
            Output::Contains { token, held } => match self.waiting.remove(&token.0) {
                Some(Question::Contains(expected)) => assert_eq!(held, expected),
                other => panic!("an answer to {other:?}"),
            },
            Output::Kept { token, durable } => match self.waiting.remove(&token.0) {
                Some(Question::Keep(key)) if durable => self.assert_durable(&key),
                Some(Question::Keep(_)) => {}
                other => panic!("an answer to {other:?}"),
            },
        }
    }

    /// What is called durable stands on disk, noted as kept; unless the disk has damaged it unnoticed.
    fn assert_durable(&self, key: &RoutingKey) {
        let noted = self.sent.get(key).and_then(|slot| self.disk.get(slot)).filter(|(held, _)| held == key);
        match noted {
            Some((_, area)) => assert_ne!(*area, Area::Cache, "durable, and yet noted as cached"),
            None => assert!(self.damaged.contains(key), "durable, and yet not on disk"),
        }
    }

    /// The disk performs its oldest piece of work.
    fn perform(&mut self, outcome: Result<(), DiskFault>) {
        let Some(work) = self.work.pop_front() else { return };
        match work {
            DiskWork::Read { place, key } => {
                let block = self.disk.get(&place.slot).filter(|(held, _)| *held == key);
                let block = block.and_then(|_| self.blocks.iter().find(|block| block.key() == key).cloned());
                let stands_there = self.sent.get(&key) == Some(&place.slot) && !self.being_written(&key);
                if block.is_none() && stands_there {
                    self.naive.forget(&key);
                }
                self.input(Input::Disk(DiskDone::Read { place, key, block }));
            }
            DiskWork::Write { place, block, area, .. } => {
                let key = block.key();
                match outcome {
                    Ok(()) => {
                        self.disk.insert(place.slot, (key, area));
                        self.damaged.remove(&key);
                    }
                    Err(_) => self.naive.forget(&key),
                }
                self.input(Input::Disk(DiskDone::Written { place, key, result: outcome }));
            }
            DiskWork::Mark { place, key, area } => {
                let stands = self.disk.get(&place.slot).is_some_and(|(held, _)| *held == key);
                let result = if stands { outcome } else { Err(DiskFault::Failed) };
                match result {
                    Ok(()) => {
                        self.disk.insert(place.slot, (key, area));
                    }
                    Err(_) => self.naive.unkeep(&key),
                }
                self.input(Input::Disk(DiskDone::Marked { place, key, result }));
            }
            DiskWork::Erase { place } => {
                self.disk.remove(&place.slot);
            }
            DiskWork::Order { .. } => {}
        }
    }

    fn settle(&mut self) {
        while !self.work.is_empty() {
            self.perform(Ok(()));
        }
    }

    /// What stands on disk comes back, in the order and the areas that were saved.
    fn restart(&mut self) {
        self.settle();
        let (disk, sent) = (&self.disk, &self.sent);
        let stands = |key: &RoutingKey| disk.get(&sent[key]).is_some_and(|(held, _)| held == key);
        let mut found = Vec::new();
        for area in AREAS {
            let list = self.naive.list(area);
            list.retain(stands);
            let places = list.iter().map(|key| (Place { kind: BlockKind::Content, slot: sent[key] }, *key));
            found.extend(places.map(|(place, key)| Recovered { place, key, area }));
        }
        self.store = Store::recover(self.capacity, &found);
    }

    fn compare(&mut self) {
        for area in AREAS {
            let held: Vec<_> = self.store.keys(BlockKind::Content, area).copied().collect();
            let expected: Vec<_> = self.naive.list(area).iter().rev().copied().collect();
            assert_eq!(held, expected, "{area:?}");
        }
        assert!(self.naive.count() <= self.naive.slots, "more blocks than slots");
    }

    fn busy(&self) -> Vec<RoutingKey> {
        let writes = self.work.iter().filter_map(|work| match work {
            DiskWork::Write { block, .. } => Some(block.key()),
            DiskWork::Mark { key, .. } => Some(*key),
            _ => None,
        });
        writes.collect()
    }

    fn being_written(&self, key: &RoutingKey) -> bool {
        self.work.iter().any(|work| matches!(work, DiskWork::Write { block, .. } if block.key() == *key))
    }
}

/// The rules over plain lists, least recently used first.
#[derive(Default)]
struct Naive {
    slots: usize,
    cache: Vec<RoutingKey>,
    fresh: Vec<RoutingKey>,
    established: Vec<RoutingKey>,
}

impl Naive {
    fn touch(&mut self, key: RoutingKey) {
        if take(&mut self.cache, &key) {
            self.cache.push(key);
        } else if take(&mut self.fresh, &key) || take(&mut self.established, &key) {
            self.established.push(key);
            while self.established.len() > self.kept().max(self.slots.div_ceil(2)) * 3 / 4 {
                self.fresh.push(self.established.remove(0));
            }
        }
    }

    fn cache(&mut self, key: RoutingKey, busy: &[RoutingKey]) {
        if self.held(&key) || busy.contains(&key) {
            return;
        }
        if self.count() < self.slots || leave(&mut self.cache, busy) {
            self.cache.push(key);
        }
    }

    fn keep(&mut self, key: RoutingKey, busy: &[RoutingKey]) {
        let ceiling = self.slots - self.slots / 8;
        if self.cache.contains(&key) {
            if self.kept() < ceiling || leave(&mut self.fresh, busy) {
                take(&mut self.cache, &key);
                self.fresh.push(key);
            }
        } else if !self.held(&key) && !busy.contains(&key) {
            let free = self.count() < self.slots;
            let below_half = self.kept() < self.slots.div_ceil(2);
            let room = (free && (below_half || self.kept() < ceiling))
                || (below_half && leave(&mut self.cache, busy))
                || leave(&mut self.fresh, busy);
            if room {
                self.fresh.push(key);
            }
        }
    }

    fn unkeep(&mut self, key: &RoutingKey) {
        if take(&mut self.fresh, key) || take(&mut self.established, key) {
            self.cache.push(*key);
        }
    }

    fn forget(&mut self, key: &RoutingKey) {
        for area in AREAS {
            take(self.list(area), key);
        }
    }

    fn held(&self, key: &RoutingKey) -> bool {
        self.cache.contains(key) || self.fresh.contains(key) || self.established.contains(key)
    }

    const fn kept(&self) -> usize {
        self.fresh.len() + self.established.len()
    }

    const fn count(&self) -> usize {
        self.cache.len() + self.kept()
    }

    const fn list(&mut self, area: Area) -> &mut Vec<RoutingKey> {
        match area {
            Area::Cache => &mut self.cache,
            Area::Fresh => &mut self.fresh,
            Area::Established => &mut self.established,
        }
    }
}

fn take(list: &mut Vec<RoutingKey>, key: &RoutingKey) -> bool {
    let found = list.iter().position(|held| held == key);
    found.map(|index| list.remove(index)).is_some()
}

/// The least recently used leaves, unless it is busy.
fn leave(list: &mut Vec<RoutingKey>, busy: &[RoutingKey]) -> bool {
    list.first().is_some_and(|first| !busy.contains(first)) && !list.drain(..1).as_slice().is_empty()
}

fn block(number: u8) -> Block {
    Block::new(Bytes::from(vec![number; SEALED_BYTES])).expect("any bytes of that length are a content block")
}

const AREAS: [Area; 3] = [Area::Cache, Area::Fresh, Area::Established];
/// Distinct blocks in play: more than the most slots, so that some must leave.
const BLOCKS: u8 = 40;
