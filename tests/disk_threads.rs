//! The disk's threads: what is given is answered, once, and a stopping disk finishes first.

mod disk_harness;

use std::collections::BTreeMap;
use std::sync::mpsc;

use bolthole::disk::Disk;
use bolthole::limits::STORE_MIN_BYTES;
use bolthole::message::block::BlockKind;
use bolthole::store::work::{Area, DiskDone, DiskWork, Place};
use crypto::secret::Secret;
use disk_harness::{content, signed};

#[test]
fn every_piece_of_work_is_answered_once_and_reads_see_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let (disk, recovered, _) = Disk::open(directory.path(), &secret(), 16 * STORE_MIN_BYTES).unwrap();
    assert!(recovered.is_empty());
    let (sender, answers) = mpsc::channel();
    let handle = disk.start(move |done| sender.send(done).unwrap()).unwrap();
    let blocks: BTreeMap<u32, _> = (0..200).map(|slot| (slot, content(u64::from(slot)))).collect();
    for (slot, block) in &blocks {
        let (place, block) = (place(*slot), block.clone());
        handle.submit(DiskWork::Write { place, block, area: Area::Fresh, durable: slot % 3 == 0 });
    }
    for _ in &blocks {
        let DiskDone::Written { result: Ok(()), .. } = answers.recv().unwrap() else { panic!("a write failed") };
    }
    for (slot, block) in &blocks {
        handle.submit(DiskWork::Read { place: place(*slot), key: block.key() });
        if slot % 4 == 0 {
            handle.submit(DiskWork::Mark { place: place(*slot), key: block.key(), area: Area::Established });
        }
    }
    let mut marked = 0;
    for _ in 0..blocks.len() + blocks.len() / 4 {
        match answers.recv().unwrap() {
            DiskDone::Read { place, block, .. } => assert_eq!(block.as_ref(), Some(&blocks[&place.slot])),
            DiskDone::Marked { result, .. } => marked += u32::from(result.is_ok()),
            DiskDone::Written { .. } => panic!("answered twice"),
        }
    }
    assert_eq!(marked, 50);
    handle.close().unwrap();
    assert!(answers.recv().is_err(), "an answer nobody asked for");
}

#[test]
fn a_stopping_disk_finishes_what_it_was_given_and_frees_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (disk, _, _) = Disk::open(directory.path(), &secret(), STORE_MIN_BYTES).unwrap();
    let handle = disk.start(|_| {}).unwrap();
    for slot in 0..50 {
        let place = Place { kind: BlockKind::Signed, slot };
        handle.submit(DiskWork::Write { place, block: signed(slot.into()), area: Area::Cache, durable: false });
    }
    drop(handle);
    let (_, recovered, report) = Disk::open(directory.path(), &secret(), STORE_MIN_BYTES).unwrap();
    assert_eq!((recovered.len(), report.unfinished), (50, 0));
}

#[test]
fn a_read_of_a_slot_that_holds_another_block_is_answered_as_absent() {
    let directory = tempfile::tempdir().unwrap();
    let (disk, _, _) = Disk::open(directory.path(), &secret(), STORE_MIN_BYTES).unwrap();
    let (sender, answers) = mpsc::channel();
    let handle = disk.start(move |done| sender.send(done).unwrap()).unwrap();
    handle.submit(DiskWork::Write { place: place(0), block: content(1), area: Area::Cache, durable: false });
    assert!(matches!(answers.recv().unwrap(), DiskDone::Written { result: Ok(()), .. }));
    for slot in [0, 1, 1_000_000] {
        handle.submit(DiskWork::Read { place: place(slot), key: content(2).key() });
        assert!(matches!(answers.recv().unwrap(), DiskDone::Read { block: None, .. }));
    }
    handle.close().unwrap();
}

const fn place(slot: u32) -> Place {
    Place { kind: BlockKind::Content, slot }
}

const fn secret() -> Secret<32> {
    Secret::from_bytes([1; 32])
}
