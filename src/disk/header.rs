//! The 128 bytes that stand for a slot: what it holds, sealed under the node secret.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 24 | nonce of the header |
//! | 24 | 16 | tag of the header |
//! | 40 | 32 | sealed: routing key |
//! | 72 | 24 | sealed: nonce of the body |
//! | 96 | 16 | sealed: tag of the body |
//! | 112 | 8 | sealed: sequence number, little-endian |
//! | 120 | 4 | sealed: how many sequence numbers back everything in this file was durable |
//! | 124 | 1 | sealed: area (0 cache, 1 fresh, 2 established) |
//! | 125 | 3 | sealed: zero |
//!
//! A slot that was never used is all zeros. The associated data bind the file and the number of the slot, so that
//! slots cannot be exchanged. A header lies within one 512-byte sector and is therefore replaced whole or not at all.

use crypto::slot::{NONCE_BYTES, SlotKey, TAG_BYTES, open_in_place, seal_in_place};
use rand::CryptoRng;

use crate::key::RoutingKey;
use crate::message::block::BlockKind;
use crate::store::geometry::SLOT_HEADER_BYTES;
use crate::store::work::{Area, Place};

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key: RoutingKey,
    pub(super) body_nonce: [u8; NONCE_BYTES],
    pub(super) body_tag: [u8; TAG_BYTES],
    /// When it was written, counted in writes.
    pub(super) sequence: u64,
    /// Everything in the file up to this sequence number was durable then.
    pub(super) synced: u64,
    pub(super) area: Area,
}

/// What stands where a header may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Header(Header),
    Damaged,
}

/// A header as it lies on disk.
pub(super) const HEADER_BYTES: usize = SLOT_HEADER_BYTES as usize;

impl Header {
    pub(super) fn seal(&self, key: &SlotKey, place: Place, rng: &mut impl CryptoRng) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let back = u32::try_from(self.sequence.saturating_sub(self.synced)).unwrap_or(u32::MAX);
        bytes[40..72].copy_from_slice(&self.key.0);
        bytes[72..96].copy_from_slice(&self.body_nonce);
        bytes[96..112].copy_from_slice(&self.body_tag);
        bytes[112..120].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[120..124].copy_from_slice(&back.to_le_bytes());
        bytes[124] = self.area as u8;
        let nonce = draw_nonce(rng);
        let tag = seal_in_place(key, &nonce, &associated(HEADER, place), &mut bytes[40..]);
        bytes[..24].copy_from_slice(&nonce);
        bytes[24..40].copy_from_slice(&tag);
        bytes
    }

    pub(super) fn open(bytes: &[u8; HEADER_BYTES], key: &SlotKey, place: Place) -> Found {
        if bytes.iter().all(|byte| *byte == 0) {
            return Found::Nothing;
        }
        let mut sealed = *bytes;
        let (nonce, tag): ([u8; NONCE_BYTES], [u8; TAG_BYTES]) = (part(bytes, 0), part(bytes, 24));
        if open_in_place(key, &nonce, &associated(HEADER, place), &mut sealed[40..], &tag).is_err() {
            return Found::Damaged;
        }
        Self::decode(&sealed).map_or(Found::Damaged, Found::Header)
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let sequence = u64::from_le_bytes(part(bytes, 112));
        let back = u32::from_le_bytes(part(bytes, 120));
        let area = [Area::Cache, Area::Fresh, Area::Established].into_iter().find(|area| *area as u8 == bytes[124])?;
        Some(Self {
            key: RoutingKey(part(bytes, 40)),
            body_nonce: part(bytes, 72),
            body_tag: part(bytes, 96),
            sequence,
            synced: sequence.saturating_sub(u64::from(back)),
            area,
        })
    }
}

/// Seals a body where it is.
pub(super) fn seal_body(key: &SlotKey, place: Place, nonce: &[u8; NONCE_BYTES], body: &mut [u8]) -> [u8; TAG_BYTES] {
    seal_in_place(key, nonce, &associated(BODY, place), body)
}

/// Opens a body where it is; false if it is not what the header was written for.
pub(super) fn open_body(key: &SlotKey, place: Place, header: &Header, body: &mut [u8]) -> bool {
    open_in_place(key, &header.body_nonce, &associated(BODY, place), body, &header.body_tag).is_ok()
}

pub(super) fn draw_nonce(rng: &mut impl CryptoRng) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    nonce
}

/// `N` bytes from `offset` on.
pub(super) fn part<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[offset..offset + N]);
    part
}

fn associated(purpose: u8, place: Place) -> [u8; 6] {
    let slot = place.slot.to_le_bytes();
    let kind = match place.kind {
        BlockKind::Content => 0,
        BlockKind::Signed => 1,
    };
    [purpose, kind, slot[0], slot[1], slot[2], slot[3]]
}

const HEADER: u8 = 1;
const BODY: u8 = 2;

#[cfg(test)]
mod tests {
    use crypto::secret::Secret;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    const PLACE: Place = Place { kind: BlockKind::Content, slot: 7 };

    fn example() -> Header {
        Header {
            key: RoutingKey([9; 32]),
            body_nonce: [8; 24],
            body_tag: [7; 16],
            sequence: 1_000,
            synced: 990,
            area: Area::Established,
        }
    }

    #[test]
    fn a_header_opens_only_in_its_own_slot_and_under_its_own_secret() {
        let (key, other) = (SlotKey::new(&Secret::from_bytes([1; 32])), SlotKey::new(&Secret::from_bytes([2; 32])));
        let bytes = example().seal(&key, PLACE, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(Header::open(&bytes, &key, PLACE), Found::Header(example()));
        assert_eq!(Header::open(&bytes, &other, PLACE), Found::Damaged);
        assert_eq!(Header::open(&bytes, &key, Place { slot: 8, ..PLACE }), Found::Damaged);
        assert_eq!(Header::open(&bytes, &key, Place { kind: BlockKind::Signed, ..PLACE }), Found::Damaged);
        assert_eq!(Header::open(&[0; HEADER_BYTES], &key, PLACE), Found::Nothing);
    }

    #[test]
    fn the_byte_table_is_what_is_written() {
        let key = SlotKey::new(&Secret::from_bytes([1; 32]));
        let mut bytes = example().seal(&key, PLACE, &mut ChaCha8Rng::seed_from_u64(1));
        let (nonce, tag) = (part(&bytes, 0), part(&bytes, 24));
        open_in_place(&key, &nonce, &associated(HEADER, PLACE), &mut bytes[40..], &tag).expect("sealed above");
        assert_eq!(bytes[40..72], [9; 32]);
        assert_eq!(bytes[72..96], [8; 24]);
        assert_eq!(bytes[96..112], [7; 16]);
        assert_eq!(bytes[112..120], 1_000_u64.to_le_bytes());
        assert_eq!(bytes[120..128], [10, 0, 0, 0, 2, 0, 0, 0]);
    }
}
