//! What the store promises of its files: the limit, the order, secrecy, one owner, and what damage may cost.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disk_harness;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bolthole::disk::OpenError;
use bolthole::disk::engine::Media;
use bolthole::disk::medium::{Medium, Memory};
use bolthole::limits::STORE_MIN_BYTES;
use bolthole::message::block::{Block, BlockKind};
use bolthole::store::geometry::body_offset;
use bolthole::store::work::{Area, DiskFault};
use bolthole::store::{Capacity, Input};
use disk_harness::{Local, content, memory, signed};

const LIMIT: u64 = STORE_MIN_BYTES;

#[test]
fn what_is_kept_and_what_is_cached_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, cached, small) = (content(1), content(2), signed(3));
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    assert!(local.keep(&kept) && local.keep(&small));
    local.cache(&cached);
    drop(local);
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    assert_eq!(local.report.blocks, 3);
    for block in [&kept, &cached, &small] {
        assert_eq!(local.read(block.key()).as_ref(), Some(block));
    }
    let area = |area| local.store.keys(BlockKind::Content, area).copied().collect::<Vec<_>>();
    assert_eq!((area(Area::Cache), area(Area::Established)), (vec![cached.key()], vec![kept.key()]));
}

#[test]
fn a_cached_block_that_is_kept_later_is_kept_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let block = content(1);
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    local.cache(&block);
    assert!(local.keep(&block));
    drop(local);
    let local = Local::open(directory.path(), 1, LIMIT).unwrap();
    assert_eq!(local.store.keys(BlockKind::Content, Area::Fresh).count(), 1);
    assert_eq!(local.store.held(BlockKind::Content).cache, 0, "stored once");
}

#[test]
fn the_order_of_use_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    let blocks: Vec<_> = (0..30).map(content).collect();
    for (number, block) in blocks.iter().enumerate() {
        if number % 2 == 0 { assert!(local.keep(block)) } else { local.cache(block) }
    }
    for number in [7, 4, 21, 0, 13, 4] {
        assert!(local.read(blocks[number].key()).is_some());
    }
    local.minute();
    for number in [9, 2, 7] {
        assert!(local.read(blocks[number].key()).is_some());
    }
    local.input(Input::Save);
    local.run();
    let order = |local: &Local<fs::File>| {
        let areas = [Area::Cache, Area::Fresh, Area::Established];
        areas.map(|area| local.store.keys(BlockKind::Content, area).copied().collect::<Vec<_>>())
    };
    let before = order(&local);
    drop(local);
    let local = Local::open(directory.path(), 1, LIMIT).unwrap();
    assert_eq!(order(&local), before);
    assert_eq!(before[2][..3], [blocks[2].key(), blocks[4].key(), blocks[0].key()]);
}

#[test]
fn uses_of_the_last_minute_are_all_that_a_crash_forgets() {
    let directory = tempfile::tempdir().unwrap();
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    let blocks: Vec<_> = (0..10).map(content).collect();
    blocks.iter().for_each(|block| local.cache(block));
    local.read(blocks[3].key());
    local.minute();
    local.read(blocks[5].key());
    drop(local);
    let local = Local::open(directory.path(), 1, LIMIT).unwrap();
    let first: Vec<_> = local.store.keys(BlockKind::Content, Area::Cache).take(2).copied().collect();
    assert_eq!(first, [blocks[3].key(), blocks[9].key()]);
}

#[test]
fn the_order_files_take_turns_and_stay_within_their_pages() {
    let capacity = Capacity { content: 40, signed: 40 };
    let mut local = Local::on(memory(), capacity, 1);
    let blocks: Vec<_> = (0..20).map(content).collect();
    blocks.iter().for_each(|block| local.cache(block));
    for round in 0..60 {
        for step in 0..5 {
            local.read(blocks[(round * 7 + step * 3) % 20].key());
        }
        local.minute();
    }
    let order: Vec<_> = local.store.keys(BlockKind::Content, Area::Cache).copied().collect();
    let media = local.engine.into_media();
    assert!(media.order.iter().all(|file| file.content().len() as u64 <= capacity.order_pages() * 4_096));
    let local = Local::on(media, capacity, 2);
    assert_eq!(local.store.keys(BlockKind::Content, Area::Cache).copied().collect::<Vec<_>>(), order);
}

#[test]
fn the_size_limit_holds_to_the_block_for_real_files() {
    let directory = tempfile::tempdir().unwrap();
    let capacity = Capacity::of_limit(LIMIT);
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    for number in 0..u64::from(capacity.content) + 20 {
        local.cache(&content(number));
        assert!(bytes_in(directory.path()) <= LIMIT);
    }
    for number in 0..u64::from(capacity.signed) + 20 {
        local.cache(&signed(number));
    }
    for _ in 0..30 {
        local.minute();
        assert!(local.read(content(u64::from(capacity.content)).key()).is_some());
    }
    assert!(bytes_in(directory.path()) <= LIMIT);
    assert_eq!(local.store.held(BlockKind::Content).cache, capacity.content);
    assert_eq!(local.store.held(BlockKind::Signed).cache, capacity.signed);
    let slots = bytes_in(directory.path()) - order_bytes(directory.path());
    assert!(slots + 2 * capacity.order_pages() * 4_096 + 32_784 > LIMIT, "room for another block is left");
}

#[test]
fn hashing_a_seized_disk_does_not_tell_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    let (content, signed): (Vec<_>, Vec<_>) = ((0..12).map(content).collect(), (0..12).map(signed).collect());
    for (number, block) in content.iter().chain(&signed).enumerate() {
        if number % 2 == 0 {
            assert!(local.keep(block));
        } else {
            local.cache(block);
        }
        assert!(local.read(block.key()).is_some());
    }
    local.minute();
    drop(local);
    let mut wanted = BTreeSet::new();
    for block in content.iter().chain(&signed) {
        let windows = block.key().0.windows(16).chain(block.body().windows(16)).map(<[u8]>::to_vec).collect::<Vec<_>>();
        wanted.extend(windows.into_iter().map(|window| <[u8; 16]>::try_from(window).unwrap()));
    }
    let public_key = <[u8; 16]>::try_from(&signed[0].body()[..16]).unwrap();
    assert!(wanted.contains(&public_key));
    for (name, bytes) in files_in(directory.path()) {
        let clear = bytes.windows(16).find(|window| wanted.contains(*window) && window.iter().any(|byte| *byte != 0));
        assert_eq!(clear, None, "in {name}");
    }
    // The search itself finds what is there.
    let planted = [&[0; 40], &content[5].body()[777..800]].concat();
    assert!(planted.windows(16).any(|window| wanted.contains(window)));
}

#[test]
fn a_flipped_byte_loses_at_most_the_slot_it_hits() {
    let directory = tempfile::tempdir().unwrap();
    let blocks: Vec<_> = (0..6).map(content).chain((0..6).map(signed)).collect();
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    assert!(blocks.iter().all(|block| local.keep(block)));
    local.minute();
    drop(local);
    for (name, bytes) in files_in(directory.path()) {
        for step in 0..40 {
            let offset = if step < 20 { step * 61 } else { bytes.len() * (step - 20) / 20 } % bytes.len().max(1);
            if bytes.is_empty() {
                continue;
            }
            flip(&directory.path().join(&name), offset, &bytes);
            let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
            let lost = blocks.iter().filter(|block| local.read(block.key()).as_ref() != Some(*block)).count();
            assert!(lost <= 1, "{lost} lost by byte {offset} of {name}");
            drop(local);
            for (name, bytes) in files_in(directory.path()) {
                fs::remove_file(directory.path().join(&name)).unwrap();
                drop(bytes);
            }
            restore(directory.path(), &blocks);
        }
    }
}

#[test]
fn a_damaged_body_is_answered_as_absent_counted_and_forgotten() {
    let capacity = Capacity { content: 8, signed: 8 };
    let mut local = Local::on(memory(), capacity, 1);
    let (block, later) = (content(1), content(2));
    assert!(local.keep(&block) && local.keep(&later));
    let media = local.engine.into_media();
    let first_body = body_offset(BlockKind::Content, 0) as usize;
    media.content.content()[first_body + 5] ^= 1;
    let mut local = Local::on(media, capacity, 2);
    assert!(local.store.holds(&block.key()), "believed until it is read: it was durable");
    assert_eq!(local.read(block.key()), None);
    assert_eq!(local.store.counts().damaged, 1);
    assert!(!local.store.holds(&block.key()));
    let mut local = Local::on(local.engine.into_media(), capacity, 3);
    assert_eq!((local.report.blocks, local.read(later.key())), (1, Some(later)));
}

#[test]
fn a_second_opener_is_refused_and_the_first_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = Local::open(directory.path(), 1, LIMIT).unwrap();
    let refused = Local::open(directory.path(), 1, LIMIT).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("in use by another node"));
    assert!(first.keep(&content(1)));
    drop(first);
    assert!(Local::open(directory.path(), 1, LIMIT).is_ok());
}

#[test]
fn another_secret_is_refused_and_nothing_is_changed() {
    let directory = tempfile::tempdir().unwrap();
    let block = content(1);
    assert!(Local::open(directory.path(), 1, LIMIT).unwrap().keep(&block));
    let before = files_in(directory.path());
    let refused = Local::open(directory.path(), 2, LIMIT).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("belongs to another secret"), "{refused}");
    assert_eq!(files_in(directory.path()), before);
    assert_eq!(Local::open(directory.path(), 1, LIMIT).unwrap().read(block.key()), Some(block));
}

#[test]
fn a_file_of_another_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let mut head = vec![0; 4_096];
    head[..16].copy_from_slice(b"bolthole slots\0\0");
    head[16] = 3;
    fs::write(directory.path().join("content.slots"), head).unwrap();
    let refused = Local::open(directory.path(), 1, LIMIT).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("it has version 3; this program knows version 2"), "{refused}");
}

#[test]
fn a_lower_limit_keeps_what_is_kept_before_what_is_cached() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, cached): (Vec<_>, Vec<_>) = ((0..40).map(content).collect(), (100..300).map(content).collect());
    let mut local = Local::open(directory.path(), 1, 4 * LIMIT).unwrap();
    cached.iter().for_each(|block| local.cache(block));
    assert!(kept.iter().all(|block| local.keep(block)));
    local.input(Input::Save);
    local.run();
    drop(local);
    let mut local = Local::open(directory.path(), 1, LIMIT).unwrap();
    assert!(bytes_in(directory.path()) <= LIMIT);
    assert_eq!(local.report.displaced, 240 - u64::from(Capacity::of_limit(LIMIT).content));
    for block in &kept {
        assert_eq!(local.read(block.key()).as_ref(), Some(block));
    }
    assert!(local.read(cached[199].key()).is_some() && local.read(cached[0].key()).is_none());
}

#[test]
fn a_full_disk_loses_nothing_and_is_told() {
    let room = Arc::new(AtomicU64::new(600_000));
    let file = || Narrow { memory: Memory::default(), room: Arc::clone(&room) };
    let media = Media { content: file(), signed: file(), order: [file(), file()] };
    let mut local = Local::on(media, Capacity { content: 100, signed: 100 }, 1);
    let blocks: Vec<_> = (0..40).map(content).collect();
    let durable: Vec<&Block> = blocks.iter().filter(|block| local.keep(block)).collect();
    assert!((10..30).contains(&durable.len()), "{}", durable.len());
    assert_eq!(local.health, [Err(DiskFault::Full)]);
    for block in &durable {
        assert_eq!(local.read(block.key()).as_ref(), Some(*block));
    }
    room.store(u64::MAX, Ordering::Relaxed);
    assert!(local.keep(&content(99)));
    assert_eq!(local.health, [Err(DiskFault::Full), Ok(())]);
}

/// Memory that is full at some point.
#[derive(Debug)]
struct Narrow {
    memory: Memory,
    room: Arc<AtomicU64>,
}

impl Narrow {
    fn fits(&self, end: u64) -> io::Result<()> {
        if end <= self.room.load(Ordering::Relaxed) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }
}

impl Medium for Narrow {
    fn bytes(&self) -> io::Result<u64> {
        self.memory.bytes()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.memory.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.fits(offset + bytes.len() as u64)?;
        self.memory.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.fits(bytes)?;
        self.memory.set_bytes(bytes)
    }
}

fn files_in(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn bytes_in(directory: &Path) -> u64 {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn order_bytes(directory: &Path) -> u64 {
    ["order.0", "order.1"].iter().map(|name| fs::metadata(directory.join(name)).unwrap().len()).sum()
}

fn flip(path: &Path, offset: usize, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[bytes[offset] ^ 0x10], offset as u64).unwrap();
}

fn restore(directory: &Path, blocks: &[Block]) {
    let mut local = Local::open(directory, 1, LIMIT).unwrap();
    assert!(blocks.iter().all(|block| local.keep(block)));
    local.minute();
}
