//! A power cut at every point of a workload loses nothing that was called durable.
//!
//! The workload runs once on media that record every write, growth and sync. Then, for every prefix of that record, the
//! disk is built as a power cut may leave it: what was synced is there; of what was not, any 512-byte sector may have
//! arrived or not, in any order, and so may every change of length. The store must open on it, with every block that was
//! answered as durable and not displaced since. The same disk without its syncs must fail the same check.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disk_harness;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use bolthole::disk::engine::Media;
use bolthole::disk::medium::{Medium, Memory};
use bolthole::key::RoutingKey;
use bolthole::message::block::{Block, BlockKind};
use bolthole::store::work::Area;
use bolthole::store::{Capacity, Input, Output, Store, Token};
use bolthole::time::Duration;
use disk_harness::{Local, content, signed};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const CAPACITY: Capacity = Capacity { content: 8, signed: 16 };
const SEEDS: u64 = 24;
const STEPS: usize = 60;
const SECTOR: u64 = 512;

#[test]
fn a_power_cut_at_any_point_loses_nothing_durable() {
    let mut points = 0;
    for seed in 0..SEEDS {
        let run = Run::of(seed, true);
        for point in 0..=run.record.len() {
            let violations = run.cut(point, seed);
            assert!(violations.is_empty(), "seed {seed}, point {point} of {}: {violations:?}", run.record.len());
            points += 1;
        }
    }
    assert!(points > 2_000, "only {points} points were tried");
}

#[test]
fn without_its_syncs_the_disk_fails_the_same_check() {
    let failing = (0..SEEDS / 4).filter(|seed| {
        let run = Run::of(*seed, false);
        (0..=run.record.len()).any(|point| !run.cut(point, *seed).is_empty())
    });
    assert_eq!(failing.count() as u64, SEEDS / 4, "the check would not notice a missing sync");
}

/// One step of the disk.
#[derive(Clone, Debug)]
enum Step {
    Write { file: usize, offset: u64, bytes: Vec<u8> },
    Length { file: usize, bytes: u64 },
    Sync { file: usize },
}

/// What the store said, and how many steps the disk had taken then.
#[derive(Clone, Copy, Debug)]
enum Said {
    Durable(RoutingKey),
    Displaced(RoutingKey),
}

struct Run {
    record: Vec<Step>,
    said: Vec<(usize, Said)>,
    blocks: BTreeMap<RoutingKey, Block>,
}

impl Run {
    /// A workload of keeping, caching, reading and waiting, in groups, with more blocks than slots.
    fn of(seed: u64, syncs: bool) -> Self {
        let record = Arc::new(Mutex::new(Vec::new()));
        let file = |file| Recording { file, syncs, memory: Memory::default(), record: Arc::clone(&record) };
        let media = Media { content: file(0), signed: file(1), order: [file(2), file(3)] };
        let mut local = Local::on(media, CAPACITY, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pool: Vec<_> = (0..14).map(content).chain((0..26).map(signed)).collect();
        let (mut said, mut durable, mut asked) = (Vec::new(), BTreeSet::new(), Vec::new());
        for _ in 0..STEPS {
            for _ in 0..rng.random_range(1..=4) {
                let block = pool[rng.random_range(0..pool.len())].clone();
                let key = block.key();
                match rng.random_range(0..10) {
                    0..=4 => {
                        asked.push(key);
                        local.input(Input::Keep { token: Token(asked.len() as u64 - 1), block });
                    }
                    5..=7 => local.input(Input::Cache { block }),
                    8 => local.input(Input::Read { token: Token(0), key }),
                    _ => {
                        local.now = local.now + Duration::from_secs(20);
                        local.input(Input::Timeout);
                    }
                }
                let at = record.lock().unwrap().len();
                let gone: Vec<_> = durable.iter().filter(|key| !local.store.holds(key)).copied().collect();
                for key in gone {
                    durable.remove(&key);
                    said.push((at, Said::Displaced(key)));
                }
            }
            local.run();
            let at = record.lock().unwrap().len();
            for answer in local.answers() {
                if let Output::Kept { token, durable: true } = answer {
                    let key = asked[token.0 as usize];
                    if local.store.holds(&key) {
                        durable.insert(key);
                        said.push((at, Said::Durable(key)));
                    }
                }
            }
        }
        drop(local);
        let record = Arc::into_inner(record).unwrap().into_inner().unwrap();
        Self { record, said, blocks: pool.into_iter().map(|block| (block.key(), block)).collect() }
    }

    /// What is wrong after a power cut once `point` steps were taken.
    fn cut(&self, point: usize, seed: u64) -> Vec<String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed << 32 | point as u64);
        let [content, signed, first, second] = [0, 1, 2, 3].map(|file| self.remains(file, point, &mut rng));
        let media = Media { content, signed, order: [first, second] };
        // Opened twice: what the first opening mended must be there for the second.
        let once = match Local::try_on(media, CAPACITY, seed + 1_000) {
            Ok(local) => local,
            Err(error) => return vec![error.to_string()],
        };
        let mut local = Local::on(once.engine.into_media(), CAPACITY, seed + 2_000);
        let kept = kept(&local.store);
        let mut wrong = Vec::new();
        for key in self.due(point) {
            if !kept.contains(&key) {
                wrong.push(format!("{key:?} is not kept any more"));
            } else if local.read(key).as_ref() != self.blocks.get(&key) {
                wrong.push(format!("{key:?} cannot be read any more"));
            }
        }
        wrong.extend(kept.iter().filter(|key| !self.blocks.contains_key(key)).map(|key| format!("{key:?} is foreign")));
        wrong
    }

    /// The blocks that were called durable within the first `point` steps and not displaced since.
    fn due(&self, point: usize) -> BTreeSet<RoutingKey> {
        let mut due = BTreeSet::new();
        for (_, said) in self.said.iter().filter(|(at, _)| *at <= point) {
            match said {
                Said::Durable(key) => due.insert(*key),
                Said::Displaced(key) => due.remove(key),
            };
        }
        due
    }

    /// What a power cut may leave of one file.
    fn remains(&self, file: usize, point: usize, rng: &mut ChaCha8Rng) -> Memory {
        let (mut durable, mut pending) = (Memory::default(), Vec::new());
        let steps = &self.record[..point];
        for step in steps {
            match step {
                Step::Sync { file: synced } if *synced == file => {
                    pending.drain(..).for_each(|step| apply(&durable, step));
                }
                Step::Write { file: written, .. } | Step::Length { file: written, .. } if *written == file => {
                    pending.push(step);
                }
                _ => {}
            }
        }
        // All, nothing, or any part of it.
        let survives = [0.0, 0.5, 0.9, 1.0][rng.random_range(0..4)];
        let mut length = durable.bytes().unwrap();
        for step in &pending {
            match step {
                Step::Length { bytes, .. } if rng.random_bool(survives) => {
                    durable.set_bytes(*bytes).unwrap();
                    length = *bytes;
                }
                Step::Write { offset, bytes, .. } => {
                    for (at, sector) in sectors(*offset, bytes).into_iter().filter(|_| rng.random_bool(survives)) {
                        durable.write_at(sector, at).unwrap();
                    }
                    // A file that grew by writing has its old length or its new one.
                    if rng.random_bool(survives) {
                        length = length.max(offset + bytes.len() as u64);
                    }
                }
                _ => {}
            }
        }
        durable.set_bytes(length).unwrap();
        std::mem::take(&mut durable)
    }
}

fn kept(store: &Store) -> BTreeSet<RoutingKey> {
    let mut kept = BTreeSet::new();
    for kind in [BlockKind::Content, BlockKind::Signed] {
        kept.extend(store.keys(kind, Area::Fresh).chain(store.keys(kind, Area::Established)));
    }
    kept
}

fn apply(memory: &Memory, step: &Step) {
    match step {
        Step::Write { offset, bytes, .. } => memory.write_at(bytes, *offset).unwrap(),
        Step::Length { bytes, .. } => memory.set_bytes(*bytes).unwrap(),
        Step::Sync { .. } => {}
    }
}

/// The pieces of a write that lie in one sector each.
fn sectors(mut offset: u64, mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min((SECTOR - offset % SECTOR) as usize));
        pieces.push((offset, piece));
        (offset, bytes) = (offset + piece.len() as u64, rest);
    }
    pieces
}

/// Memory that records what is done to it.
#[derive(Debug)]
struct Recording {
    file: usize,
    syncs: bool,
    memory: Memory,
    record: Arc<Mutex<Vec<Step>>>,
}

impl Recording {
    fn note(&self, step: Step) {
        self.record.lock().unwrap().push(step);
    }
}

impl Medium for Recording {
    fn bytes(&self) -> io::Result<u64> {
        self.memory.bytes()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.memory.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.note(Step::Write { file: self.file, offset, bytes: bytes.to_vec() });
        self.memory.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        if self.syncs {
            self.note(Step::Sync { file: self.file });
        }
        Ok(())
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.note(Step::Length { file: self.file, bytes });
        self.memory.set_bytes(bytes)
    }
}
