//! Store slots: sealed again under the node secret, so that hashing a seized disk does not answer "is this block here?"
//! (`protocol.md` §8).
//!
//! XChaCha20-Poly1305 in place, tag apart: the caller's layout decides where nonce and tag lie. Nonces are random and
//! 24 bytes long, so a slot may be rewritten for ever. Leaves out key commitment: the key is the node's own.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};

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

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose().into())
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
    key.cipher()
        .encrypt_inout_detached(&XNonce::from(*nonce), associated, buffer.into())
        .expect("a slot is far below the limit of ChaCha20")
        .into()
}

/// Decrypts `buffer` where it is.
///
/// # Errors
/// [`NotVerified`] if any input is not as it was when sealed; `buffer` is then unchanged.
pub fn open_in_place(
    key: &SlotKey,
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> Result<(), NotVerified> {
    key.cipher()
        .decrypt_inout_detached(&XNonce::from(*nonce), associated, buffer.into(), &Tag::from(*tag))
        .map_err(|_| NotVerified)
}
