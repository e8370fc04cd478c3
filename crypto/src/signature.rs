//! Ed25519 as the rest of the crate uses it: labelled and strict.
//!
//! What is signed is the label's context string followed by the labelled hash of the parts. It begins with
//! `bolthole`, so it can never be a TLS handshake, which begins with spaces. Guarantees: one encoding per key, no key of small
//! order, no malleable signature. Leaves out keys with a small-order component beside a full one: only their owner
//! can make them, and gains nothing, since every verifier computes the same equation.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::error::NotVerified;
use crate::hash::{Label, hash};

/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Signs `parts` for the purpose `label`.
pub(crate) fn sign(key: &SigningKey, label: Label, parts: &[&[u8]]) -> [u8; SIGNATURE_BYTES] {
    key.sign(&labelled(label, parts)).to_bytes()
}

/// Whether `signature` is what the owner of `public_key` said of `parts` for the purpose `label`.
pub(crate) fn verify(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    label: Label,
    parts: &[&[u8]],
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), NotVerified> {
    verify_raw(public_key, &labelled(label, parts), signature)
}

/// Strict verification of bytes that carry no label of ours.
pub(crate) fn verify_raw(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    message: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), NotVerified> {
    if !is_canonical(public_key) {
        return Err(NotVerified);
    }
    // `verify_strict` refuses small orders in key and signature, and every unreduced scalar.
    VerifyingKey::from_bytes(public_key)
        .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
        .map_err(|_| NotVerified)
}

/// Whether the y coordinate is below 2^255 - 19. The two keys with x = 0 and a sign are of small order and fall there.
fn is_canonical(public_key: &[u8; PUBLIC_KEY_BYTES]) -> bool {
    let [low, middle @ .., high] = public_key;
    *low < 0xed || middle.iter().any(|byte| *byte != 0xff) || high & 0x7f != 0x7f
}

fn labelled(label: Label, parts: &[&[u8]]) -> Vec<u8> {
    [label.context().as_bytes(), &hash(label, parts)].concat()
}
