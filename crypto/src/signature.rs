//! Ed25519 as the rest of the crate uses it: labelled and strict.
//!
//! What is signed is the label's context string followed by the labelled hash of the parts. It begins with
//! `bolthole`, so it can never be a TLS handshake, which begins with spaces. Guarantees: one encoding per key, no
//! key of small order, no malleable signature. Leaves out keys with a small-order component beside a full one: only
//! their owner can make them, and gains nothing, since every verifier computes the same equation.

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
    // Nobody is known to be able to sign for such a key; refusing it here makes that no argument anyone must follow.
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

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use ed25519_dalek::Verifier;

    use super::*;

    /// Points of order 1, 2, 4, 4, 8, 8, 8, 8, and the identity in its non-canonical encodings.
    const SMALL_ORDERS: [&str; 11] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    fn decode(text: &str) -> [u8; 32] {
        let bytes = HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
        bytes.try_into().expect("32 bytes")
    }

    /// A "signature" by nobody: R is the identity, S is zero.
    fn forgery() -> [u8; SIGNATURE_BYTES] {
        let mut signature = [0; SIGNATURE_BYTES];
        signature[0] = 1;
        signature
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        for key in SMALL_ORDERS.map(decode) {
            let lax = VerifyingKey::from_bytes(&key).expect("a point");
            assert!(lax.is_weak());
            let forged: Vec<u8> =
                (0..=255).filter(|byte| lax.verify(&[*byte], &Signature::from_bytes(&forgery())).is_ok()).collect();
            assert!(!forged.is_empty(), "lax verification accepts the forgery");
            for byte in forged {
                assert_eq!(verify_raw(&key, &[byte], &forgery()), Err(NotVerified));
            }
        }
    }

    #[test]
    fn a_key_has_one_encoding() {
        let mut key = [0xff; 32];
        for (low, high, canonical) in [
            (0xec, 0x7f, true),
            (0xed, 0x7f, false),
            (0xff, 0x7f, false),
            (0xec, 0xff, true),
            (0xed, 0xff, false),
            (0xff, 0x7e, true),
        ] {
            (key[0], key[31]) = (low, high);
            assert_eq!(is_canonical(&key), canonical, "{low:x} .. {high:x}");
        }
        key = [0xff; 32];
        (key[0], key[17], key[31]) = (0xed, 0xfe, 0x7f);
        assert!(is_canonical(&key));
    }
}
