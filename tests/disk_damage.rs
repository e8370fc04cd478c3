//! Damage costs no more than what it hits, and no file makes the store panic.
//!
//! A small store is written; bytes choose what is flipped, overwritten, cut off or appended in its files; the store is
//! opened again. It may refuse if no head of a file reads any more; it may not panic, hand out a block under another
//! key, or lose a block whose header and body were not touched.

use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use crypto::secret::Secret;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use bolthole::disk::engine::{Engine, Media};
use bolthole::disk::medium::{Medium, Memory};
use bolthole::message::block::{Block, BlockKind};
use bolthole::store::geometry::{Capacity, SLOT_HEADER_BYTES, body_bytes, body_offset, header_offset};
use bolthole::store::work::{Area, DiskDone, DiskWork, Place};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_loses_nothing_that_it_did_not_touch(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        check_damaged_files(&bytes);
    }

    #[test]
    fn arbitrary_files_are_opened_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40_000)) {
        check_arbitrary_files(&bytes);
    }
}

/// Found by chance: both copies of one label cut off, and then a bit of its version.
#[test]
fn a_damaged_version_beside_a_whole_label_locks_nobody_out() {
    check_damaged_files(&[
        0, 0, 0, 0, 1, 0, 149, 10, 93, 156, 0, 0, 10, 0, 0, 0, 0, 0, 45, 106, 128, 148, 126, 0, 0, 0, 0, 0, 1, 0, 2, 0,
        0, 0, 0, 0, 37, 188, 83, 213, 200, 0,
    ]);
}

/// Opens a store whose files `bytes` have damaged: six bytes for each act of damage.
fn check_damaged_files(bytes: &[u8]) {
    let (media, blocks) = written();
    let mut untouched = [true; BLOCKS];
    let mut heads = [true; 2];
    for act in bytes.chunks_exact(6) {
        let (from, to) = damage(file(&media, act[0]), act);
        if let Some(head) = heads.get_mut(usize::from(act[0] % 4)) {
            *head &= from >= HEADS_END;
        }
        if act[0] % 4 == 0 {
            for (slot, untouched) in (0..).zip(&mut untouched) {
                *untouched &= !touches(from, to, slot);
            }
        }
    }
    let Ok((mut engine, recovered, report)) = Engine::open(media, &secret(), CAPACITY, rng(2)) else {
        return assert_eq!(heads, [false; 2], "one label is whole, and yet nothing can be opened");
    };
    assert_eq!(report.blocks, recovered.len() as u64);
    for (block, untouched) in blocks.iter().zip(untouched) {
        let found = recovered.iter().find(|found| found.key == block.key());
        assert!(found.is_some() || !untouched, "an untouched block is lost");
        let Some(found) = found else { continue };
        match engine.perform(vec![DiskWork::Read { place: found.place, key: found.key }]).as_slice() {
            [DiskDone::Read { block: Some(read), .. }] => assert_eq!(read, block),
            [DiskDone::Read { block: None, .. }] => assert!(!untouched, "an untouched block cannot be read"),
            other => panic!("one answer is due: {other:?}"),
        }
    }
    assert!(recovered.iter().all(|found| blocks.iter().any(|block| block.key() == found.key)), "a foreign block");
}

/// Opens four files of arbitrary content: the bytes are dealt out to them in turn.
fn check_arbitrary_files(bytes: &[u8]) {
    let deal = |file: usize| Memory::new(bytes.iter().skip(file).step_by(4).copied().collect());
    let media = Media { content: deal(0), signed: deal(1), order: [deal(2), deal(3)] };
    if let Ok((_, recovered, _)) = Engine::open(media, &secret(), CAPACITY, rng(2)) {
        assert!(recovered.is_empty(), "arbitrary bytes hold no block of this secret");
    }
}

/// A store of a few content blocks, as it lies on disk.
fn written() -> (Media<Memory>, Vec<Block>) {
    let media = Media { content: empty(), signed: empty(), order: [empty(), empty()] };
    let (mut engine, _, _) = Engine::open(media, &secret(), CAPACITY, rng(1)).expect("empty files can be opened");
    let place = |slot| Place { kind: BlockKind::Content, slot };
    let blocks: Vec<_> = (0..BLOCKS).map(block).collect();
    for (slot, block) in (0..).zip(&blocks) {
        engine.perform(vec![DiskWork::Write {
            place: place(slot),
            block: block.clone(),
            area: Area::Fresh,
            durable: true,
        }]);
    }
    engine
        .perform(vec![DiskWork::Order { used: (0..BLOCKS as u32).map(|slot| (place(slot), slot % 2 == 0)).collect() }]);
    (engine.into_media(), blocks)
}

/// Damages one file; gives the bytes from and to which it changed.
fn damage(file: &Memory, act: &[u8]) -> (u64, u64) {
    let length = file.bytes().expect("memory does not fail");
    let wide = u64::from(u32::from_le_bytes([act[2], act[3], act[4], 0]));
    let offset = if length == 0 { 0 } else { wide % length };
    match act[1] % 4 {
        0 | 1 => {
            let mut bytes = vec![0; if act[1].is_multiple_of(4) { 1 } else { usize::from(act[5]) }];
            bytes.truncate((length - offset) as usize);
            file.read_at(&mut bytes, offset).expect("memory does not fail");
            bytes.iter_mut().for_each(|byte| *byte ^= act[5] | 1);
            file.write_at(&bytes, offset).expect("memory does not fail");
            (offset, offset + bytes.len() as u64)
        }
        2 => {
            file.set_bytes(offset).expect("memory does not fail");
            (offset, u64::MAX)
        }
        _ => {
            file.set_bytes(length + u64::from(act[5])).expect("memory does not fail");
            (length, length)
        }
    }
}

fn touches(from: u64, to: u64, slot: u32) -> bool {
    let hits = |start: u64, bytes: u64| from < start + bytes && start < to;
    hits(header_offset(BlockKind::Content, slot), SLOT_HEADER_BYTES)
        || hits(body_offset(BlockKind::Content, slot), body_bytes(BlockKind::Content))
}

const fn file(media: &Media<Memory>, choice: u8) -> &Memory {
    match choice % 4 {
        0 => &media.content,
        1 => &media.signed,
        2 => &media.order[0],
        _ => &media.order[1],
    }
}

fn block(number: usize) -> Block {
    Block::new(Bytes::from(vec![number as u8; SEALED_BYTES])).expect("any bytes of that length are a content block")
}

fn empty() -> Memory {
    Memory::default()
}

const fn secret() -> Secret<32> {
    Secret::from_bytes([1; 32])
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

const BLOCKS: usize = 4;
const CAPACITY: Capacity = Capacity { content: 6, signed: 6 };
/// Where the second sealed copy of a label ends.
const HEADS_END: u64 = 1_080;
