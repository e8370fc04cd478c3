//! Store slots: sealed again under the node secret, so that hashing a seized disk does not answer "is this block here?"
//! (`protocol.md` §8).
//!
//! AES-256-GCM in place, tag apart: the caller's layout decides where nonce and tag lie. Every write has a key of its own,
//! derived from the slot key and a random nonce of 24 bytes, so a slot may be rewritten for ever and the cipher never sees
//! a key twice. The implementation is `ring`'s: a relay seals or opens a slot for every block that passes, and with the
//! AES instructions of today's processors it is faster than ChaCha20-Poly1305. Leaves out key commitment,
//! for the key is the node's own, and the wiping of the cipher's own copy of a write's key, which `ring` does not offer.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

use crate::error::NotVerified;
use crate::hash::{Label, derive};
use crate::secret::Secret;

/// Bytes of a nonce, drawn afresh for every write.
pub const NONCE_BYTES: usize = 24;
/// Bytes of a tag.
pub const TAG_BYTES: usize = 16;

/// The key of every slot of one node.
pub struct SlotKey(Secret<32>);

impl SlotKey {
    /// The slot key that belongs to `node_secret`.
    #[must_use]
    pub fn new(node_secret: &Secret<32>) -> Self {
        Self(derive(Label::SlotKey, &[node_secret.expose()]))
    }

    /// The cipher of the one write that has this nonce.
    fn cipher(&self, nonce: &[u8; NONCE_BYTES]) -> LessSafeKey {
        let key = derive(Label::SlotWrite, &[self.0.expose(), nonce]);
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).expect("the key has 32 bytes"))
    }
}

impl fmt::Debug for SlotKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SlotKey(..)")
    }
}

/// Encrypts `buffer` where it is and returns its tag, which also covers `associated`: what must not change between
/// write and read, such as the number of the slot.
#[must_use]
pub fn seal_in_place(
    key: &SlotKey,
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    buffer: &mut [u8],
) -> [u8; TAG_BYTES] {
    let tag = key.cipher(nonce).seal_in_place_separate_tag(only(), Aad::from(associated), buffer);
    let tag = tag.expect("a slot is far below the limit of AES-GCM");
    tag.as_ref().try_into().expect("the tag has 16 bytes")
}

/// Decrypts `buffer` where it is.
///
/// # Errors
/// [`NotVerified`] if any input is not as it was when sealed; what `buffer` then holds is of no use.
pub fn open_in_place(
    key: &SlotKey,
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> Result<(), NotVerified> {
    let (tag, associated) = (Tag::from(*tag), Aad::from(associated));
    let opened = key.cipher(nonce).open_in_place_separate_tag(only(), associated, tag, buffer, 0..);
    opened.map(|_| ()).map_err(|_| NotVerified)
}

/// The cipher's own nonce: a key is used once.
fn only() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}
