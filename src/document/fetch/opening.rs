//! Opening sealed blocks: one copy, decrypted where it lies.

use bytes::Bytes;
use crypto::content::{COMMITMENT_BYTES, ContentKey, open_in_place};

/// The payload of a sealed block, padding included.
pub(super) fn opened(key: &ContentKey, sealed: &[u8]) -> Option<Bytes> {
    let mut block = sealed.to_vec();
    let length = open_in_place(key, &mut block).ok()?.len();
    Some(Bytes::from(block).slice(COMMITMENT_BYTES..COMMITMENT_BYTES + length))
}
