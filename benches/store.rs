//! The store against its limits in the same run: the raw disk, a raw slot file, raw memory copies.
//!
//! Each line gives the raw figure, ours, and the ratio: of time where less is better, of throughput where more is.
//! `BOLTHOLE_BENCH_DIRECTORY` chooses the disk (default: the temporary directory), `BOLTHOLE_BENCH_MIB` the size.
#![allow(clippy::disallowed_types, clippy::print_stdout, reason = "a benchmark reads the clock and prints")]

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bolthole::disk::Disk;
use bolthole::disk::engine::Engine;
use bolthole::key::RoutingKey;
use bolthole::message::block::{Block, BlockKind};
use bolthole::store::work::{Area, DiskDone, DiskWork, Place, Recovered};
use bolthole::store::{Capacity, Store};
use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use crypto::secret::Secret;

fn main() {
    let mib: u64 = std::env::var("BOLTHOLE_BENCH_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(512);
    let parent = std::env::var_os("BOLTHOLE_BENCH_DIRECTORY").map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = tempfile::tempdir_in(parent).expect("a directory to work in");
    let blocks = (mib << 20) / SEALED_BYTES as u64;
    println!("{blocks} blocks of {SEALED_BYTES} bytes in {}", directory.path().display());
    memory();
    syncs(directory.path());
    inserts(directory.path(), blocks as u32, mib);
}

/// What one fdatasync costs, alone and for two files one after the other (as a separate index would need).
fn syncs(directory: &Path) {
    let (first, second) = (reserved(&directory.join("first"), 4_096), reserved(&directory.join("second"), 4_096));
    let body = vec![7; SEALED_BYTES];
    let one = sample(200, |round| {
        first.write_all_at(&body, slot_offset(round)).expect("room");
        timed(|| first.sync_data().expect("synced"))
    });
    let two = sample(200, |round| {
        first.write_all_at(&body, slot_offset(round)).expect("room");
        second.write_all_at(&body[..128], slot_offset(round)).expect("room");
        timed(|| {
            first.sync_data().expect("synced");
            second.sync_data().expect("synced");
        })
    });
    println!("fdatasync after one block     p50 {:>9.3?}  p99 {:>9.3?}", one.0, one.1);
    println!(
        "fdatasync of two files        p50 {:>9.3?}  p99 {:>9.3?}  ratio {:.2}",
        two.0,
        two.1,
        ratio(two.0, one.0)
    );
}

fn inserts(directory: &Path, blocks: u32, mib: u64) {
    let raw = reserved(&directory.join("raw"), u64::from(blocks));
    let bodies: Vec<_> = (0..blocks).map(block).collect();
    let limit = (mib << 20) * 5 / 4;
    assert!(Capacity::of_limit(limit).content >= blocks);
    let (disk, _, _) = Disk::open(&directory.join("store"), &secret(), limit).expect("a new store");
    let (mut engine, lock) = disk.into_parts();
    fill(&mut engine, &bodies, blocks);
    for group in [1, 16, 64] {
        let rounds = (blocks / group).min(400);
        let (raw_p50, _) = sample(rounds, |round| timed(|| raw_group(&raw, &bodies, round, group)));
        let (our_p50, our_p99) = sample(rounds, |round| timed(|| group_of(&mut engine, &bodies, round * group, group)));
        println!(
            "insert, groups of {group:>2}         raw {raw_p50:>9.3?}  ours {our_p50:>9.3?}  ratio {:.2}  p99 {our_p99:>9.3?}  {:.0} MB/s",
            ratio(our_p50, raw_p50),
            f64::from(group) * SEALED_BYTES as f64 / our_p50.as_secs_f64() / 1e6
        );
    }
    let sealing = sample(2_000, |round| {
        let place = Place { kind: BlockKind::Content, slot: round % blocks };
        let block = bodies[place.slot as usize % bodies.len()].clone();
        timed(|| drop(engine.perform(vec![DiskWork::Write { place, block, area: Area::Cache, durable: false }])))
    });
    println!("write behind, one block       p50 {:>9.3?}", sealing.0);
    reads(&raw, &mut engine, &bodies, blocks);
    engine.sync().expect("synced");
    drop((engine, lock));
    opening(directory, limit, blocks);
    threads(directory, limit, &bodies);
}

fn reads(raw: &File, engine: &mut Engine<File>, bodies: &[Block], blocks: u32) {
    let mut buffer = vec![0; SEALED_BYTES];
    let copy = sample(4_000, |round| {
        timed(|| black_box(&mut buffer).copy_from_slice(bodies[round as usize % bodies.len()].body()))
    });
    let raw_read = sample(4_000, |round| {
        timed(|| raw.read_exact_at(black_box(&mut buffer), slot_offset(round * 7_919 % blocks)).expect("written"))
    });
    let ours = sample(4_000, |round| {
        let place = Place { kind: BlockKind::Content, slot: round * 7_919 % blocks };
        let key = bodies[place.slot as usize % bodies.len()].key();
        timed(|| {
            let done = engine.perform(vec![DiskWork::Read { place, key }]);
            assert!(matches!(black_box(done.as_slice()), [DiskDone::Read { block: Some(_), .. }]));
        })
    });
    println!(
        "read, warm       copy {:>9.3?}  raw {:>9.3?}  ours {:>9.3?}  ratio {:.2} to raw, {:.2} to copy  {:.0} MB/s",
        copy.0,
        raw_read.0,
        ours.0,
        ratio(ours.0, raw_read.0),
        ratio(ours.0, copy.0),
        SEALED_BYTES as f64 / ours.0.as_secs_f64() / 1e6
    );
}

fn opening(directory: &Path, limit: u64, blocks: u32) {
    let mut found = 0;
    let took = timed(|| {
        let (_, recovered, _) = Disk::open(&directory.join("store"), &secret(), limit).expect("opens again");
        found = recovered.len();
    });
    assert_eq!(found, blocks as usize);
    println!(
        "opening {blocks} blocks        {took:>9.3?}  {:.2} µs a block",
        took.as_secs_f64() * 1e6 / f64::from(blocks)
    );
}

/// One block at a time through the threads, as a node does it when idle.
fn threads(directory: &Path, limit: u64, bodies: &[Block]) {
    let (disk, _, _) = Disk::open(&directory.join("store"), &secret(), limit).expect("opens again");
    let (sender, done) = mpsc::channel();
    let handle = disk.start(move |answer| sender.send(answer).expect("the benchmark waits")).expect("threads");
    let (p50, p99) = sample(300, |round| {
        let place = Place { kind: BlockKind::Content, slot: round };
        let block = bodies[round as usize % bodies.len()].clone();
        timed(|| {
            handle.submit(DiskWork::Write { place, block, area: Area::Fresh, durable: true });
            assert!(matches!(done.recv().expect("answered"), DiskDone::Written { result: Ok(()), .. }));
        })
    });
    println!("kept through the threads      p50 {p50:>9.3?}  p99 {p99:>9.3?}");
    let (p50, p99) = sample(2_000, |round| {
        let place = Place { kind: BlockKind::Content, slot: round % 300 };
        let key = bodies[place.slot as usize % bodies.len()].key();
        timed(|| {
            handle.submit(DiskWork::Read { place, key });
            assert!(matches!(done.recv().expect("answered"), DiskDone::Read { block: Some(_), .. }));
        })
    });
    println!("read through the threads      p50 {p50:>9.3?}  p99 {p99:>9.3?}");
}

/// Memory that the machine needs for each block it holds.
fn memory() {
    let count = 1_000_000;
    let found: Vec<_> = (0..count).map(recovered).collect();
    let before = resident_bytes();
    let store = Store::recover(Capacity { content: count, signed: 0 }, &found);
    let held = resident_bytes().saturating_sub(before);
    println!("memory for each held block    {} bytes", held / u64::from(count));
    assert!(store.holds(&found[5].key));
}

fn fill(engine: &mut Engine<File>, bodies: &[Block], blocks: u32) {
    let started = Instant::now();
    for first in (0..blocks).step_by(64) {
        group_of(engine, bodies, first, 64.min(blocks - first));
    }
    let took = started.elapsed();
    println!(
        "filling the growing file      {:.0} MB/s",
        f64::from(blocks) * SEALED_BYTES as f64 / took.as_secs_f64() / 1e6
    );
}

fn group_of(engine: &mut Engine<File>, bodies: &[Block], first: u32, count: u32) {
    let write = |slot: u32| {
        let block = bodies[slot as usize % bodies.len()].clone();
        DiskWork::Write { place: Place { kind: BlockKind::Content, slot }, block, area: Area::Fresh, durable: true }
    };
    let done = engine.perform((first..first + count).map(write).collect());
    assert!(done.iter().all(|done| matches!(done, DiskDone::Written { result: Ok(()), .. })));
}

fn raw_group(raw: &File, bodies: &[Block], round: u32, count: u32) {
    for slot in round * count..(round + 1) * count {
        raw.write_all_at(bodies[slot as usize % bodies.len()].body(), slot_offset(slot)).expect("room");
    }
    raw.sync_data().expect("synced");
}

/// A file whose blocks are all written once, so that no growth is measured.
fn reserved(path: &Path, blocks: u64) -> File {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path).expect("a new file");
    let zeros = vec![0; SEALED_BYTES * 64];
    for first in (0..blocks).step_by(64) {
        file.write_all_at(&zeros, slot_offset(first as u32)).expect("room");
    }
    file.sync_all().expect("synced");
    file
}

/// p50 and p99 of what each round measures.
fn sample(rounds: u32, mut round: impl FnMut(u32) -> Duration) -> (Duration, Duration) {
    let mut times: Vec<_> = (0..rounds).map(&mut round).collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn ratio(ours: Duration, raw: Duration) -> f64 {
    ours.as_secs_f64() / raw.as_secs_f64()
}

fn block(number: u32) -> Block {
    let mut body = vec![0x5a; SEALED_BYTES];
    body[..4].copy_from_slice(&number.to_le_bytes());
    Block::new(Bytes::from(body)).expect("any bytes of that length are a content block")
}

fn recovered(slot: u32) -> Recovered {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&slot.wrapping_mul(2_654_435_761).to_le_bytes());
    Recovered { place: Place { kind: BlockKind::Content, slot }, key: RoutingKey(key), area: Area::Fresh }
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

const fn slot_offset(slot: u32) -> u64 {
    slot as u64 * SEALED_BYTES as u64
}

const fn secret() -> Secret<32> {
    Secret::from_bytes([1; 32])
}
