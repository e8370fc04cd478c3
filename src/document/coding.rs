//! Erasure coding of one segment: raw Reed–Solomon parity over sealed blocks.
//!
//! Guarantees: any as many blocks of a segment as it has data blocks rebuild its data blocks. A call is one segment's
//! work: at most a few milliseconds. Leaves out whether the blocks are the right ones: their hashes are checked before
//! and after.

use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

/// The check blocks of the segment whose sealed data blocks are `data`.
///
/// # Panics
/// If a block has another size than sealed blocks have, or there are none, or more than the code allows (65,536).
#[must_use]
pub fn check_blocks(data: &[Bytes], count: u32) -> Vec<Vec<u8>> {
    if count == 0 {
        return Vec::new();
    }
    let mut encoder = ReedSolomonEncoder::new(data.len(), count as usize, SEALED_BYTES).expect(SUPPORTED);
    for block in data {
        encoder.add_original_shard(block).expect("sealed blocks have one size");
    }
    let parity = encoder.encode().expect("all data blocks are there");
    parity.recovery_iter().map(<[u8]>::to_vec).collect()
}

/// The data blocks that are not among `found`, each with its index in the segment; none if too few were found.
///
/// `found` are sealed blocks by their index in the segment: `0..data` are data blocks, `data..data + check` check blocks.
///
/// # Panics
/// If a block has another size than sealed blocks have, or an index is out of range or occurs twice.
#[must_use]
pub fn rebuild(data: u32, check: u32, found: &[(u32, Bytes)]) -> Option<Vec<(u32, Vec<u8>)>> {
    if found.len() < data as usize {
        return None;
    }
    if found.iter().filter(|(index, _)| *index < data).count() == data as usize {
        return Some(Vec::new());
    }
    let mut decoder = ReedSolomonDecoder::new(data as usize, check as usize, SEALED_BYTES).expect(SUPPORTED);
    for (index, block) in found {
        let added = match index.checked_sub(data) {
            None => decoder.add_original_shard(*index as usize, block),
            Some(index) => decoder.add_recovery_shard(index as usize, block),
        };
        added.expect("sealed blocks have one size, and each is given once");
    }
    let restored = decoder.decode().expect("enough blocks are there");
    let missing = restored.restored_original_iter();
    Some(missing.map(|(index, block)| (u32::try_from(index).expect("an index was a u32"), block.to_vec())).collect())
}

const SUPPORTED: &str = "a segment is far below the bounds of the code";
