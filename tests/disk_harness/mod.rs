//! A store with its disk, driven step by step in one thread.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test uses a part of it; what fails here fails the test"
)]

use std::fs::File;
use std::path::Path;

use bolthole::disk::engine::{Engine, Media, OpenReport, Unusable};
use bolthole::disk::medium::{Medium, Memory};
use bolthole::disk::{Disk, OpenError};
use bolthole::key::RoutingKey;
use bolthole::message::block::Block;
use bolthole::store::work::{DiskDone, DiskFault, DiskWork};
use bolthole::store::{Capacity, Input, Output, Store, Token};
use bolthole::time::{Duration, Instant};
use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use crypto::secret::Secret;
use rand::rngs::{ChaCha8Rng, ChaCha20Rng};
use rand::{Rng, SeedableRng};

/// A store and the engine beneath it.
pub struct Local<M: Medium> {
    pub store: Store,
    pub engine: Engine<M>,
    pub report: OpenReport,
    /// What the store wants done and the disk has not done.
    pub work: Vec<DiskWork>,
    /// Every health the store told of.
    pub health: Vec<Result<(), DiskFault>>,
    pub now: Instant,
    answers: Vec<Output>,
    lock: Option<File>,
}

impl Local<File> {
    pub fn open(directory: &Path, secret: u8, limit: u64) -> Result<Self, OpenError> {
        let (disk, recovered, report) = Disk::open(directory, &Secret::from_bytes([secret; 32]), limit)?;
        let (engine, lock) = disk.into_parts();
        let store = Store::recover(Capacity::of_limit(limit), &recovered);
        Ok(Self { lock: Some(lock), ..Self::over(store, engine, report) })
    }
}

impl<M: Medium> Local<M> {
    pub fn on(media: Media<M>, capacity: Capacity, seed: u64) -> Self {
        Self::try_on(media, capacity, seed).expect("usable media")
    }

    pub fn try_on(media: Media<M>, capacity: Capacity, seed: u64) -> Result<Self, Unusable> {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let (engine, recovered, report) = Engine::open(media, &Secret::from_bytes([1; 32]), capacity, rng)?;
        Ok(Self::over(Store::recover(capacity, &recovered), engine, report))
    }

    fn over(store: Store, engine: Engine<M>, report: OpenReport) -> Self {
        let now = Instant::EPOCH;
        Self { store, engine, report, work: Vec::new(), health: Vec::new(), now, answers: Vec::new(), lock: None }
    }

    /// Hands an input over and takes what comes out.
    pub fn input(&mut self, input: Input) {
        self.store.handle_input(self.now, input);
        while let Some(output) = self.store.poll_output() {
            match output {
                Output::Disk(work) => self.work.push(work),
                Output::Health(health) => self.health.push(health),
                answer => self.answers.push(answer),
            }
        }
    }

    /// The disk does what has gathered, until nothing is left.
    pub fn run(&mut self) {
        while !self.work.is_empty() {
            let group = std::mem::take(&mut self.work);
            for done in self.engine.perform(group) {
                self.input(Input::Disk(done));
            }
        }
    }

    pub fn answers(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.answers)
    }

    pub fn keep(&mut self, block: &Block) -> bool {
        self.input(Input::Keep { token: TOKEN, block: block.clone() });
        self.run();
        match self.answers().as_slice() {
            [Output::Kept { durable, .. }] => *durable,
            other => panic!("one answer is due: {other:?}"),
        }
    }

    pub fn cache(&mut self, block: &Block) {
        self.input(Input::Cache { block: block.clone() });
        self.run();
    }

    pub fn read(&mut self, key: RoutingKey) -> Option<Block> {
        self.input(Input::Read { token: TOKEN, key });
        self.run();
        match self.answers().as_slice() {
            [Output::Read { block, .. }] => block.clone(),
            other => panic!("one answer is due: {other:?}"),
        }
    }

    /// A minute passes.
    pub fn minute(&mut self) {
        self.now = self.now + Duration::from_secs(60);
        self.input(Input::Timeout);
        self.run();
    }

    pub fn done(&mut self, done: DiskDone) {
        self.input(Input::Disk(done));
    }
}

pub fn memory() -> Media<Memory> {
    let new = Memory::default;
    Media { content: new(), signed: new(), order: [new(), new()] }
}

/// The content block number `number`: bytes that no compressor and no chance repeats.
pub fn content(number: u64) -> Block {
    let mut body = vec![0; SEALED_BYTES];
    ChaCha8Rng::seed_from_u64(number).fill_bytes(&mut body);
    Block::new(Bytes::from(body)).expect("any bytes of that length are a content block")
}

pub const TOKEN: Token = Token(1);

/// The signed block number `number`.
pub fn signed(number: u64) -> Block {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let subspace = crypto::signed::Subspace::generate(&mut rng);
    let mut nonce = [0; 24];
    rng.fill_bytes(&mut nonce);
    let body = crypto::signed::sign_block(&subspace, "name", b"what it says", &nonce).expect("short enough");
    Block::new(Bytes::copy_from_slice(&body)).expect("signed above")
}
