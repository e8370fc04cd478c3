//! The first 4,096 bytes of a slot file: what it is, and whether the secret is the right one.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 16 | `bolthole slots\0\0` |
//! | 16 | 4 | version 2, little-endian |
//! | 512 and 1,024 | 24 | nonce |
//! | | 16 | tag |
//! | | 16 | sealed: kind (0 content, 1 signed), 15 zeros |
//!
//! Two sealed copies, so that one damaged sector does not lock out the rest. Only the first 20 bytes are in clear: they
//! tell a newer version from a wrong secret, and betray no more than the name of the file does.

use std::io;

use crypto::slot::{SlotKey, open_in_place, seal_in_place};
use rand::CryptoRng;

use crate::disk::header::{draw_nonce, part};
use crate::disk::medium::Medium;
use crate::message::block::BlockKind;
use crate::store::geometry::FILE_HEADER_BYTES;

/// What the head of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// Both copies are right.
    Right,
    /// One copy is right.
    Damaged,
    /// The file was written by another version.
    Version(u32),
    /// Nothing was written yet.
    Blank,
    /// No copy is right: another secret, another file, or damage.
    Unreadable,
}

/// Reads the head of a file.
pub(super) fn read(medium: &impl Medium, key: &SlotKey, kind: BlockKind) -> io::Result<Label> {
    let mut head = [0; FILE_HEADER_BYTES as usize];
    medium.read_at(&mut head, 0)?;
    let version = u32::from_le_bytes(part(&head, 16));
    Ok(match COPIES.map(|offset| copy_is_right(&head[offset..offset + COPY_BYTES], key, kind)) {
        [true, true] => Label::Right,
        [false, false] if head.iter().all(|byte| *byte == 0) => Label::Blank,
        [false, false] if head[..16] == NAME && version != VERSION => Label::Version(version),
        [false, false] => Label::Unreadable,
        _ => Label::Damaged,
    })
}

/// Writes the head of a file and makes it durable, before any slot is written.
pub(super) fn write(medium: &impl Medium, key: &SlotKey, kind: BlockKind, rng: &mut impl CryptoRng) -> io::Result<()> {
    let mut head = [0; FILE_HEADER_BYTES as usize];
    head[..16].copy_from_slice(&NAME);
    head[16..20].copy_from_slice(&VERSION.to_le_bytes());
    for offset in COPIES {
        let copy = &mut head[offset..offset + COPY_BYTES];
        copy[40] = kind_number(kind);
        let nonce = draw_nonce(rng);
        let tag = seal_in_place(key, &nonce, &[LABEL], &mut copy[40..]);
        copy[..24].copy_from_slice(&nonce);
        copy[24..40].copy_from_slice(&tag);
    }
    medium.write_at(&head, 0)?;
    medium.sync()
}

fn copy_is_right(copy: &[u8], key: &SlotKey, kind: BlockKind) -> bool {
    let (nonce, tag, mut sealed): ([u8; 24], [u8; 16], [u8; 16]) = (part(copy, 0), part(copy, 24), part(copy, 40));
    open_in_place(key, &nonce, &[LABEL], &mut sealed, &tag).is_ok() && sealed[0] == kind_number(kind)
}

const fn kind_number(kind: BlockKind) -> u8 {
    match kind {
        BlockKind::Content => 0,
        BlockKind::Signed => 1,
    }
}

const NAME: [u8; 16] = *b"bolthole slots\0\0";
pub(super) const VERSION: u32 = 2;
const COPIES: [usize; 2] = [512, 1_024];
const COPY_BYTES: usize = 56;
/// Sets labels apart from everything else under the same key.
const LABEL: u8 = 4;
