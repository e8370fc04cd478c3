//! Signed blocks: 640 bytes that only the owner of a subspace can write, that every relay verifies and that only
//! readers can read (`protocol.md` §1).
//!
//! | offset | length | signed block |
//! |---|---|---|
//! | 0 | 32 | Ed25519 public key of the subspace |
//! | 32 | 32 | hidden name |
//! | 64 | 64 | signature of hidden name and payload |
//! | 128 | 24 | payload: nonce |
//! | 152 | 472 | payload: ciphertext of commitment 32, length 2 (little-endian), message, zeros |
//! | 624 | 16 | payload: Poly1305 tag |
//!
//! Guarantees: the routing key binds public key and name; the signature binds the rest; the payload opens under one key
//! only. Leaves out freshness: an older block of the same name verifies as well as a newer one, and choosing between
//! them is the work of editions.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use ed25519_dalek::SigningKey;
use rand::CryptoRng;

use crate::commitment::{self, COMMITMENT_BYTES};
use crate::error::{NotVerified, TooLong};
use crate::hash::{Label, derive, hash};
use crate::secret::Secret;
use crate::signature::{self, PUBLIC_KEY_BYTES, SIGNATURE_BYTES};

/// Bytes of a signed block.
pub const SIGNED_BYTES: usize = PAYLOAD_START + NONCE_BYTES + TEXT_BYTES + TAG_BYTES;
/// Bytes of the message field: the length of the message, the message, zeros.
pub const MESSAGE_BYTES: usize = TEXT_BYTES - COMMITMENT_BYTES;
/// Bytes of the longest message.
pub const LONGEST_MESSAGE: usize = MESSAGE_BYTES - LENGTH_BYTES;

const HIDDEN_NAME_BYTES: usize = 32;
const PAYLOAD_START: usize = PUBLIC_KEY_BYTES + HIDDEN_NAME_BYTES + SIGNATURE_BYTES;
const NONCE_BYTES: usize = 24;
const TEXT_BYTES: usize = 472;
const TAG_BYTES: usize = 16;
const LENGTH_BYTES: usize = 2;

const _: () = assert!(SIGNED_BYTES == 640 && MESSAGE_BYTES == 440 && PAYLOAD_START == 128);

/// The right to write in a subspace: a signing key, and the reading key that its readers share.
pub struct Subspace {
    signing_key: SigningKey,
    reading_key: Secret<32>,
}

impl Subspace {
    /// A fresh subspace.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::from_secret(&Secret::generate(rng))
    }

    /// The subspace that [`Subspace::secret_bytes`] came from: Ed25519 seed 32, reading key 32.
    #[must_use]
    pub fn from_secret_bytes(bytes: [u8; 64]) -> Self {
        Self::from_secret(&Secret::from_bytes(bytes))
    }

    /// Everything that must be kept to write again: Ed25519 seed 32, reading key 32.
    #[must_use]
    pub fn secret_bytes(&self) -> Secret<64> {
        let mut secret = Secret::from_bytes([0; 64]);
        let (seed, reading_key) = secret.expose_mut().split_at_mut(32);
        seed.copy_from_slice(self.signing_key.as_bytes());
        reading_key.copy_from_slice(self.reading_key.expose());
        secret
    }

    /// What a URI of this subspace names.
    #[must_use]
    pub fn public(&self) -> SubspaceReader {
        SubspaceReader {
            public_key_hash: public_key_hash(self.signing_key.verifying_key().as_bytes()),
            reading_key: self.reading_key.duplicate(),
        }
    }

    pub(crate) fn from_secret(secret: &Secret<64>) -> Self {
        let [seed, reading_key] = secret.expose().as_chunks::<32>().0 else {
            unreachable!("64 bytes are two times 32");
        };
        Self { signing_key: SigningKey::from_bytes(seed), reading_key: Secret::from_bytes(*reading_key) }
    }
}

impl fmt::Debug for Subspace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subspace(..)")
    }
}

/// The right to read a subspace: what its URIs carry.
#[derive(Debug, PartialEq, Eq)]
pub struct SubspaceReader {
    /// Hash of the Ed25519 public key.
    pub public_key_hash: [u8; 32],
    /// What names and payloads are hidden under.
    pub reading_key: Secret<32>,
}

impl SubspaceReader {
    /// Where the block of `name` is found.
    #[must_use]
    pub fn routing_key(&self, name: &str) -> [u8; 32] {
        routing_key_of(&self.public_key_hash, &self.reading_key, name)
    }

    /// A second copy.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self { public_key_hash: self.public_key_hash, reading_key: self.reading_key.duplicate() }
    }
}

/// Where the block of `name` in a subspace is found.
#[must_use]
pub fn routing_key_of(public_key_hash: &[u8; 32], reading_key: &Secret<32>, name: &str) -> [u8; 32] {
    routing_key(public_key_hash, &hidden_name(reading_key, name))
}

/// Writes `message` under `name`. Two blocks of one subspace must never share a nonce: draw it at random.
///
/// # Errors
/// [`TooLong`] beyond [`LONGEST_MESSAGE`].
pub fn sign_block(
    subspace: &Subspace,
    name: &str,
    message: &[u8],
    nonce: &[u8; NONCE_BYTES],
) -> Result<[u8; SIGNED_BYTES], TooLong> {
    let text = text_of(message)?;
    let hidden_name = hidden_name(&subspace.reading_key, name);
    let mut block = [0; SIGNED_BYTES];
    block[..PUBLIC_KEY_BYTES].copy_from_slice(subspace.signing_key.verifying_key().as_bytes());
    block[PUBLIC_KEY_BYTES..][..HIDDEN_NAME_BYTES].copy_from_slice(&hidden_name);
    let payload = &mut block[PAYLOAD_START..];
    seal_payload(&payload_key(&subspace.reading_key, name), nonce, text, payload);
    let parts: &[&[u8]] = &[&hidden_name, payload];
    let signature = signature::sign(&subspace.signing_key, Label::SignedBlock, parts);
    block[PAYLOAD_START - SIGNATURE_BYTES..PAYLOAD_START].copy_from_slice(&signature);
    Ok(block)
}

/// What every relay checks before it stores or forwards: the signature. Returns the routing key that the block belongs
/// to, for the caller to compare with the one that was asked for.
///
/// # Errors
/// [`NotVerified`] if any byte is not as the owner signed it, or the size is wrong.
pub fn verify_block(bytes: &[u8]) -> Result<[u8; 32], NotVerified> {
    let block = Parts::of(bytes)?;
    let parts: &[&[u8]] = &[block.hidden_name, block.payload];
    signature::verify(block.public_key, Label::SignedBlock, parts, block.signature)?;
    Ok(routing_key(&public_key_hash(block.public_key), block.hidden_name))
}

/// Verifies and reads the block of `name`.
///
/// # Errors
/// [`NotVerified`] if the block is another subspace's, another name's, altered, or sealed otherwise.
pub fn open_block(reader: &SubspaceReader, name: &str, bytes: &[u8]) -> Result<Vec<u8>, NotVerified> {
    if verify_block(bytes)? != reader.routing_key(name) {
        return Err(NotVerified);
    }
    let payload = Parts::of(bytes)?.payload;
    let text = open_payload(&payload_key(&reader.reading_key, name), payload)?;
    message_of(&text)
}

/// A signed block taken apart, nothing checked but its size.
struct Parts<'a> {
    public_key: &'a [u8; PUBLIC_KEY_BYTES],
    hidden_name: &'a [u8; HIDDEN_NAME_BYTES],
    signature: &'a [u8; SIGNATURE_BYTES],
    payload: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, NotVerified> {
        if bytes.len() != SIGNED_BYTES {
            return Err(NotVerified);
        }
        let (public_key, rest) = bytes.split_first_chunk().ok_or(NotVerified)?;
        let (hidden_name, rest) = rest.split_first_chunk().ok_or(NotVerified)?;
        let (signature, payload) = rest.split_first_chunk().ok_or(NotVerified)?;
        Ok(Self { public_key, hidden_name, signature, payload })
    }
}

fn public_key_hash(public_key: &[u8; PUBLIC_KEY_BYTES]) -> [u8; 32] {
    hash(Label::SubspacePublicKey, &[public_key])
}

fn hidden_name(reading_key: &Secret<32>, name: &str) -> [u8; HIDDEN_NAME_BYTES] {
    hash(Label::HiddenName, &[reading_key.expose(), name.as_bytes()])
}

fn payload_key(reading_key: &Secret<32>, name: &str) -> Secret<32> {
    derive(Label::SignedPayload, &[reading_key.expose(), name.as_bytes()])
}

fn routing_key(public_key_hash: &[u8; 32], hidden_name: &[u8; HIDDEN_NAME_BYTES]) -> [u8; 32] {
    let name_digest = hash(Label::HiddenNameDigest, &[hidden_name]);
    hash(Label::SignedRouting, &[public_key_hash, &name_digest])
}

fn text_of(message: &[u8]) -> Result<[u8; TEXT_BYTES], TooLong> {
    TooLong::check(message.len(), LONGEST_MESSAGE)?;
    let mut text = [0; TEXT_BYTES];
    let length = u16::try_from(message.len()).expect("the longest message is below 64 KiB");
    let field = &mut text[COMMITMENT_BYTES..];
    field[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    field[LENGTH_BYTES..][..message.len()].copy_from_slice(message);
    Ok(text)
}

fn message_of(text: &[u8; TEXT_BYTES]) -> Result<Vec<u8>, NotVerified> {
    let field = &text[COMMITMENT_BYTES..];
    let (length, rest) = field.split_first_chunk().ok_or(NotVerified)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (message, padding) = rest.split_at_checked(length).ok_or(NotVerified)?;
    // One message, one block: anything but zeros would be a second channel.
    if padding.iter().any(|byte| *byte != 0) {
        return Err(NotVerified);
    }
    Ok(message.to_vec())
}

fn seal_payload(key: &Secret<32>, nonce: &[u8; NONCE_BYTES], text: [u8; TEXT_BYTES], payload: &mut [u8]) {
    let (head, rest) = payload.split_at_mut(NONCE_BYTES);
    let (body, tail) = rest.split_at_mut(TEXT_BYTES);
    head.copy_from_slice(nonce);
    body.copy_from_slice(&text);
    let tag = XChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(&XNonce::from(*nonce), &[], body.into())
        .expect("a payload is far below the limit of ChaCha20");
    tail.copy_from_slice(&tag);
}

fn open_payload(key: &Secret<32>, payload: &[u8]) -> Result<[u8; TEXT_BYTES], NotVerified> {
    let (nonce, rest) = payload.split_first_chunk::<NONCE_BYTES>().ok_or(NotVerified)?;
    let (body, tag) = rest.split_first_chunk::<TEXT_BYTES>().ok_or(NotVerified)?;
    let tag = Tag::try_from(tag).map_err(|_| NotVerified)?;
    let mut text = *body;
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(&XNonce::from(*nonce), &[], text.as_mut_slice().into(), &tag)
        .map_err(|_| NotVerified)?;
    commitment::check(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collision::{extended_key_stream, forge};

    const NONCE: [u8; NONCE_BYTES] = [3; NONCE_BYTES];

    /// One payload for the keys `[1; 32]` and `[2; 32]`.
    fn forged(zeros_under: Option<usize>) -> (Vec<u8>, [Secret<32>; 2]) {
        let keys = [[1; 32], [2; 32]];
        let streams = keys.map(|key| extended_key_stream(&key, &NONCE, 64 + TEXT_BYTES));
        let (body, tag) = forge([&streams[0], &streams[1]], *b"AB", TEXT_BYTES, zeros_under);
        ([&NONCE[..], &body, &tag].concat(), keys.map(Secret::from_bytes))
    }

    fn open_bare(key: &Secret<32>, payload: &[u8]) -> Result<Vec<u8>, NotVerified> {
        let mut text = payload[NONCE_BYTES..][..TEXT_BYTES].to_vec();
        let tag = Tag::try_from(&payload[NONCE_BYTES + TEXT_BYTES..]).expect("a tag");
        XChaCha20Poly1305::new(key.expose().into())
            .decrypt_inout_detached(&NONCE.into(), &[], text.as_mut_slice().into(), &tag)
            .map(|()| text)
            .map_err(|_| NotVerified)
    }

    #[test]
    fn the_bare_cipher_opens_one_payload_under_two_keys_to_two_texts() {
        for zeros_under in [None, Some(0), Some(1)] {
            let (payload, keys) = forged(zeros_under);
            let texts = keys.each_ref().map(|key| open_bare(key, &payload).expect("the forgery holds"));
            assert_eq!(texts[0][100..103], *b"AAA");
            assert_eq!(texts[1][400..403], *b"BBB");
        }
    }

    #[test]
    fn no_payload_opens_under_two_keys() {
        let (payload, keys) = forged(None);
        assert!(keys.iter().all(|key| open_payload(key, &payload) == Err(NotVerified)));
        for favoured in [0, 1] {
            let (payload, keys) = forged(Some(favoured));
            assert!(open_payload(&keys[favoured], &payload).is_ok());
            assert_eq!(open_payload(&keys[1 - favoured], &payload), Err(NotVerified));
        }
    }

    #[test]
    fn a_message_field_with_a_false_length_or_padding_is_refused() {
        let text = text_of(b"message").expect("it fits");
        assert_eq!(message_of(&text), Ok(b"message".to_vec()));
        for (at, byte) in [(COMMITMENT_BYTES, 6), (COMMITMENT_BYTES + 1, 0xff), (TEXT_BYTES - 1, 1)] {
            let mut altered = text;
            altered[at] = byte;
            assert_eq!(message_of(&altered), Err(NotVerified));
        }
    }
}
