//! Store files that hold anything: arbitrary bytes, and true files that were damaged.
//!
//! The model of the damaged ones is what was written: a block that is read is one of those, and each changed byte costs
//! one block at most. Needs the feature `daemon` for `disk`, but opens no file: the media are memory.

use crypto::content::SEALED_BYTES;
use crypto::secret::Secret;
use crypto::signed::{Subspace, sign_block};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::choices::Choices;
use crate::disk::engine::{Engine, Media, Unusable};
use crate::disk::medium::Memory;
use crate::message::block::Block;
use crate::store::Capacity;
use crate::store::work::{Area, DiskDone, DiskWork, Place, Recovered};

/// Opens what `data` describes and reads all that was recovered.
pub fn store_files(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 2 {
        0 => arbitrary(choices),
        _ => damaged(choices),
    }
}

fn arbitrary(mut choices: Choices<'_>) {
    let mut next = || {
        let bytes = choices.below(1 << 15);
        Memory::new(choices.bytes(bytes).to_vec())
    };
    let media = Media { content: next(), signed: next(), order: [next(), next()] };
    if let Ok((mut engine, recovered, _)) = open(media) {
        assert!(recovered.is_empty(), "recovered what nobody has sealed: {recovered:?}");
        assert_eq!(write_all(&mut engine), BLOCKS);
    }
}

fn damaged(mut choices: Choices<'_>) {
    let mut media = written();
    let (mut changed_bytes, mut only_bytes) = (0, true);
    while !choices.is_empty() {
        match damage(&mut media, &mut choices) {
            Damage::Byte => changed_bytes += 1,
            Damage::More => only_bytes = false,
        }
    }
    match open(media) {
        Ok((mut engine, recovered, report)) => {
            assert_eq!(report.blocks, recovered.len() as u64);
            let readable = recovered.iter().filter(|block| is_readable(&mut engine, block)).count();
            assert!(!only_bytes || readable + changed_bytes >= BLOCKS, "{changed_bytes} bytes cost {readable} blocks");
            // Whatever is left is a store: it takes blocks again, and opens again.
            write_all(&mut engine);
            assert!(open(engine.into_media()).is_ok(), "cannot be opened a second time");
        }
        Err(Unusable::Io(error)) => panic!("memory does not fail: {error}"),
        Err(Unusable::Secret | Unusable::Version(_)) => {
            assert!(!only_bytes || changed_bytes > BLOCKS / 2, "{changed_bytes} bytes cost the whole store");
        }
    }
}

type Opened = (Engine<Memory>, Vec<Recovered>, crate::disk::OpenReport);

fn open(media: Media<Memory>) -> Result<Opened, Unusable> {
    Engine::open(media, &Secret::from_bytes([1; 32]), CAPACITY, ChaCha20Rng::from_seed([2; 32]))
}

/// Media that hold all the blocks and an order of use.
fn written() -> Media<Memory> {
    let (mut engine, ..) = open(Media {
        content: Memory::default(),
        signed: Memory::default(),
        order: [Memory::default(), Memory::default()],
    })
    .expect("memory that holds nothing is an empty store");
    assert_eq!(write_all(&mut engine), BLOCKS);
    let used = places().map(|(place, _)| (place, place.slot == 0)).collect();
    engine.perform(vec![DiskWork::Order { used }]);
    engine.into_media()
}

/// Writes every block into its place and says how many can be read again.
fn write_all(engine: &mut Engine<Memory>) -> usize {
    let write = |(place, block)| DiskWork::Write { place, block, area: Area::Fresh, durable: true };
    engine.perform(places().map(write).collect());
    let recovered = |(place, block): (Place, Block)| Recovered { place, key: block.key(), area: Area::Fresh };
    places().map(recovered).filter(|block| is_readable(engine, block)).count()
}

/// Whether a block is there. If it is, it is one that was written.
fn is_readable(engine: &mut Engine<Memory>, recovered: &Recovered) -> bool {
    let Recovered { place, key, .. } = *recovered;
    match engine.perform(vec![DiskWork::Read { place, key }]).as_slice() {
        [DiskDone::Read { block: Some(block), .. }] => {
            assert!(places().any(|(_, written)| written == *block), "reads what was never written");
            assert_eq!(block.key(), key);
            true
        }
        [DiskDone::Read { block: None, .. }] => false,
        other => panic!("one answer is due: {other:?}"),
    }
}

fn places() -> impl Iterator<Item = (Place, Block)> {
    let content = (0..SLOTS).map(|slot| vec![slot as u8; SEALED_BYTES]);
    let signed = (0..SLOTS).map(|slot| {
        let owner = Subspace::from_secret_bytes([slot as u8; 64]);
        sign_block(&owner, "name", b"message", &[0; 24]).expect("a short message").to_vec()
    });
    content.chain(signed).zip((0..SLOTS).chain(0..SLOTS)).map(|(body, slot)| {
        let block = Block::new(body.into()).expect("a correct block");
        (Place { kind: block.kind(), slot }, block)
    })
}

/// What became of the files.
enum Damage {
    /// One byte differs, or none.
    Byte,
    /// More than that.
    More,
}

fn damage(media: &mut Media<Memory>, choices: &mut Choices<'_>) -> Damage {
    let [what, at, a, b, c, with] = choices.array();
    let [first, second] = &mut media.order;
    let file = [&mut media.content, &mut media.signed, first, second].into_iter().nth(usize::from(at % 4));
    let mut bytes = file.expect("one of four").content();
    let length = bytes.len();
    if length == 0 {
        return Damage::Byte;
    }
    let at = u32::from_le_bytes([a, b, c, 0]) as usize % length;
    match what % 8 {
        // Cut off.
        0 => bytes.truncate(at),
        // A sector that was never written.
        1 => bytes[at & !511..].iter_mut().take(512).for_each(|byte| *byte = 0),
        // A sector in another place.
        2 => {
            let sector = at & !511..((at & !511) + 512).min(length);
            bytes.copy_within(sector, (usize::from(with) * 512).min(length.saturating_sub(512)));
        }
        _ => {
            bytes[at] ^= with;
            return Damage::Byte;
        }
    }
    Damage::More
}

const SLOTS: u32 = 3;
const BLOCKS: usize = 2 * SLOTS as usize;
const CAPACITY: Capacity = Capacity { content: SLOTS, signed: SLOTS };
