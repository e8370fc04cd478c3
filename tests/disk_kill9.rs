//! A node killed at any moment loses nothing that it called durable.
//!
//! A real process (this binary, started again by itself) keeps blocks under load with the threads and files of the
//! product, and tells of each one that is durable. It is killed with SIGKILL after a random number of them, the store
//! is opened, and everything told in this or any earlier life must be there and verify. What else is there must be a
//! block that some life was asked to keep.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disk_harness;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use bolthole::disk::Disk;
use bolthole::key::RoutingKey;
use bolthole::message::block::{Block, BlockKind};
use bolthole::store::work::Area;
use bolthole::store::{Capacity, Input, Output, Store, Token};
use bolthole::time::Instant;
use crypto::secret::Secret;
use disk_harness::{Local, content, signed};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const LIVES: u64 = 24;
const NUMBERS_PER_LIFE: u64 = 1_000_000;
/// Blocks that are on their way at once.
const IN_FLIGHT: usize = 48;
const LIMIT: u64 = 1 << 30;
const DIRECTORY: &str = "BOLTHOLE_TEST_KILL9_DIRECTORY";
const LIFE: &str = "BOLTHOLE_TEST_KILL9_LIFE";

#[test]
fn a_killed_process_loses_nothing_it_called_durable() {
    let directory = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let (mut asked, mut durable, mut died_writing) = (BTreeSet::new(), Vec::new(), 0);
    for life in 0..LIVES {
        let told = live_and_die(directory.path(), life, rng.random_range(1..200));
        asked.extend(told.asked.iter().map(|number| block(*number).key()));
        durable.extend(told.durable.iter().map(|number| block(*number).key()));
        died_writing += u64::from(told.asked.len() > told.durable.len());
        let mut local = Local::open(directory.path(), 1, LIMIT).expect("a killed node's store opens");
        assert_eq!((local.report.damaged, local.report.repaired_files), (0, 0));
        for key in &durable {
            assert!(local.read(*key).is_some_and(|block| block.key() == *key), "life {life} lost {key:?}");
        }
        for key in all_keys(&local.store) {
            assert!(asked.contains(&key), "life {life}: {key:?} is foreign");
            assert!(local.read(key).is_some(), "life {life}: {key:?} is recovered and not whole");
        }
    }
    assert!(durable.len() as u64 > LIVES * 20, "only {} blocks were durable", durable.len());
    assert!(died_writing > LIVES / 2, "only {died_writing} of {LIVES} lives ended while they were writing");
}

/// What a life told before it was killed.
struct Told {
    asked: Vec<u64>,
    durable: Vec<u64>,
}

/// Runs one life until it has told of `until` durable blocks, kills it, and returns all that it told.
fn live_and_die(directory: &Path, life: u64, until: usize) -> Told {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_life_of_a_child", "--nocapture", "--ignored"])
        .env(DIRECTORY, directory)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = Told { asked: Vec::new(), durable: Vec::new() };
    let mut killed = false;
    // After it is killed the rest is read: what it told before it died.
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("asked", number)) => told.asked.push(number.parse().unwrap()),
            Some(("durable", number)) => told.durable.extend(number.parse::<u64>().ok()),
            _ => {}
        }
        if !killed && told.durable.len() >= until {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(!child.wait().unwrap().success() && killed, "the child ended before it was killed");
    told
}

#[test]
#[ignore = "not a test: what the child process of the other test does"]
fn the_life_of_a_child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let life: u64 = std::env::var(LIFE).unwrap().parse().unwrap();
    let (disk, recovered, _) = Disk::open(Path::new(&directory), &Secret::from_bytes([1; 32]), LIMIT).unwrap();
    let mut store = Store::recover(Capacity::of_limit(LIMIT), &recovered);
    let (sender, done) = mpsc::channel();
    let handle = disk.start(move |done| sender.send(done).unwrap()).unwrap();
    let mut stdout = std::io::stdout().lock();
    let (mut numbers, mut open) = (life * NUMBERS_PER_LIFE.., 0);
    loop {
        while open < IN_FLIGHT {
            let number = numbers.next().unwrap();
            writeln!(stdout, "asked {number}").unwrap();
            stdout.flush().unwrap();
            store.handle_input(Instant::EPOCH, Input::Keep { token: Token(number), block: block(number) });
            open += 1;
        }
        while let Some(output) = store.poll_output() {
            match output {
                Output::Disk(work) => handle.submit(work),
                Output::Kept { token, durable } => {
                    assert!(durable);
                    open -= 1;
                    writeln!(stdout, "durable {}", token.0).unwrap();
                }
                _ => {}
            }
        }
        stdout.flush().unwrap();
        if open > 0 {
            store.handle_input(Instant::EPOCH, Input::Disk(done.recv().unwrap()));
        }
    }
}

fn block(number: u64) -> Block {
    if number.is_multiple_of(3) { content(number) } else { signed(number) }
}

fn all_keys(store: &Store) -> Vec<RoutingKey> {
    let mut keys = Vec::new();
    for kind in [BlockKind::Content, BlockKind::Signed] {
        for area in [Area::Cache, Area::Fresh, Area::Established] {
            keys.extend(store.keys(kind, area).copied());
        }
    }
    keys
}
