//! The 32 zero bytes at the head of every plaintext, which bind a ciphertext to one key.
//!
//! Poly1305 alone does not: whoever chooses two keys can solve a linear equation for a ciphertext whose tag holds under
//! both, and so show two readers two texts under one routing key. With the zeros, both keys would have to produce the
//! same first 32 bytes of ChaCha20 key stream, a collision in 256 bits ("padding fix", Albertini et al. 2022). Leaves
//! out hiding the key: the zeros are no secret, the key stream over them is.

use subtle::ConstantTimeEq;

use crate::error::NotVerified;

/// Zero bytes before every payload.
pub const COMMITMENT_BYTES: usize = 32;

/// Whether a decrypted text begins with the commitment; what follows it is the payload.
pub(crate) fn check(text: &[u8]) -> Result<(), NotVerified> {
    let head = text.get(..COMMITMENT_BYTES).ok_or(NotVerified)?;
    if bool::from(head.ct_eq(&[0; COMMITMENT_BYTES])) { Ok(()) } else { Err(NotVerified) }
}
