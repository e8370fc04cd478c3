//! Envelopes: what opens a document, sealed to its readers (`protocol.md` §1).
//!
//! | offset | length | envelope of *w* wraps |
//! |---|---|---|
//! | 0 | 1 | *w*: 1, 2, 4, … 64 |
//! | 1 | 32 | X25519 public key, made for this envelope |
//! | 33 | 48 *w* | wraps: the envelope's key, sealed to one reader each; what is not needed is random |
//! | 33 + 48 *w* | 96 | ciphertext under the envelope's key: commitment (32 zero bytes), content 64 |
//! | 129 + 48 *w* | 16 | Poly1305 tag |
//!
//! Guarantees: every reader opens the same content, for the ciphertext commits to its key; an envelope does not say who its
//! readers are, nor how many, but for the next power of two. A wrap's key comes from a secret that one reader and one
//! envelope share, and the envelope's key seals once, so the nonces of ChaCha20-Poly1305 are zero. Leaves out forward secrecy:
//! whoever gets a reader's key later opens what was sealed to it before.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use rand::{CryptoRng, RngExt};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::commitment::{self, COMMITMENT_BYTES};
use crate::error::NotVerified;
use crate::hash::{Label, derive};
use crate::reader::ReaderKey;
use crate::secret::Secret;

/// Most readers of one envelope.
pub const READERS: usize = 64;
/// Bytes that an envelope holds.
pub const CONTENT_BYTES: usize = 64;

/// An envelope that is addressed, and holds nothing yet. Holds one thing only: sealing consumes it.
pub struct Envelope {
    key: Secret<32>,
    /// Everything before the ciphertext.
    head: Vec<u8>,
}

/// Why an envelope cannot be addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReaders {
    /// None, or more than [`READERS`].
    #[error("an envelope has 1 to {READERS} readers, not {0}")]
    Count(usize),
    /// No public key that anybody can hold: whatever is sealed to it, everybody can open.
    #[error("reader number {0} is no public key of a reader")]
    Weak(usize),
}

impl Envelope {
    /// An envelope for these readers, by their public keys.
    ///
    /// # Errors
    /// [`BadReaders`].
    pub fn to<R: CryptoRng + ?Sized>(readers: &[[u8; 32]], rng: &mut R) -> Result<Self, BadReaders> {
        if readers.is_empty() || readers.len() > READERS {
            return Err(BadReaders::Count(readers.len()));
        }
        let (key, own) = (Secret::<32>::generate(rng), StaticSecret::from(*Secret::<32>::generate(rng).expose()));
        let public = PublicKey::from(&own).to_bytes();
        let mut wraps = Vec::new();
        for (number, reader) in readers.iter().enumerate() {
            let shared = own.diffie_hellman(&PublicKey::from(*reader));
            if !shared.was_contributory() {
                return Err(BadReaders::Weak(number + 1));
            }
            wraps.push(wrap(&wrap_key(shared.as_bytes(), &public, reader), &key));
        }
        while !wraps.len().is_power_of_two() {
            wraps.push(rng.random());
        }
        // So that the order in which readers were named says nothing to them.
        for at in (1..wraps.len()).rev() {
            wraps.swap(at, rng.random_range(0..=at));
        }
        let mut head = vec![wraps.len() as u8];
        head.extend(public);
        head.extend(wraps.as_flattened());
        Ok(Self { key, head })
    }

    /// The envelope with `content` in it.
    #[must_use]
    pub fn seal(self, content: &[u8; CONTENT_BYTES]) -> Vec<u8> {
        let mut text = Secret::<TEXT_BYTES>::from_bytes([0; TEXT_BYTES]);
        text.expose_mut()[COMMITMENT_BYTES..].copy_from_slice(content);
        let tag = seal(&self.key, text.expose_mut());
        [&self.head[..], text.expose(), &tag].concat()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Envelope(..)")
    }
}

/// How long the envelope is that begins with `wraps`; `None` if none begins so.
#[must_use]
pub const fn length(wraps: u8) -> Option<usize> {
    if wraps.is_power_of_two() && wraps as usize <= READERS {
        Some(HEAD_BYTES + WRAP_BYTES * wraps as usize + TEXT_BYTES + TAG_BYTES)
    } else {
        None
    }
}

/// What the envelope holds, if one of `keys` opens it.
///
/// # Errors
/// [`NotVerified`] when none does: it is sealed to others, or no envelope.
pub fn open<'a>(
    envelope: &[u8],
    keys: impl IntoIterator<Item = &'a ReaderKey>,
) -> Result<Secret<CONTENT_BYTES>, NotVerified> {
    let (wraps, rest) = envelope.split_first().ok_or(NotVerified)?;
    if length(*wraps) != Some(envelope.len()) {
        return Err(NotVerified);
    }
    let (public, rest) = rest.split_first_chunk::<32>().ok_or(NotVerified)?;
    let (wraps, sealed) = rest.split_at(WRAP_BYTES * usize::from(*wraps));
    let wraps = wraps.as_chunks::<WRAP_BYTES>().0;
    for reader in keys {
        let Some(shared) = reader.shared_with(public) else { continue };
        let wrap_key = wrap_key(shared.expose(), public, &reader.public());
        if let Some(content) = wraps.iter().find_map(|wrap| content(&unwrap(&wrap_key, wrap)?, sealed)) {
            return Ok(content);
        }
    }
    Err(NotVerified)
}

fn wrap_key(shared: &[u8; 32], envelope: &[u8; 32], reader: &[u8; 32]) -> Secret<32> {
    derive(Label::ReaderWrap, &[shared, envelope, reader])
}

fn wrap(key: &Secret<32>, wrapped: &Secret<32>) -> [u8; WRAP_BYTES] {
    let mut wrap = [0; WRAP_BYTES];
    wrap[..32].copy_from_slice(wrapped.expose());
    let tag = seal(key, &mut wrap[..32]);
    wrap[32..].copy_from_slice(&tag);
    wrap
}

fn unwrap(key: &Secret<32>, wrap: &[u8; WRAP_BYTES]) -> Option<Secret<32>> {
    let (sealed, tag) = wrap.split_first_chunk::<32>()?;
    let mut wrapped = Secret::from_bytes(*sealed);
    open_in_place(key, wrapped.expose_mut(), tag).ok()?;
    Some(wrapped)
}

fn content(key: &Secret<32>, sealed: &[u8]) -> Option<Secret<CONTENT_BYTES>> {
    let (sealed, tag) = sealed.split_first_chunk::<TEXT_BYTES>()?;
    let mut text = Secret::from_bytes(*sealed);
    open_in_place(key, text.expose_mut(), tag).ok()?;
    commitment::check(text.expose()).ok()?;
    Some(Secret::from_bytes(*text.expose().last_chunk()?))
}

fn seal(key: &Secret<32>, text: &mut [u8]) -> [u8; TAG_BYTES] {
    let cipher = ChaCha20Poly1305::new(key.expose().into());
    let tag = cipher.encrypt_inout_detached(&Nonce::default(), &[], text.into());
    tag.expect("a hundred bytes are no more than the cipher takes").into()
}

fn open_in_place(key: &Secret<32>, text: &mut [u8], tag: &[u8]) -> Result<(), NotVerified> {
    let tag = Tag::try_from(tag).map_err(|_| NotVerified)?;
    let cipher = ChaCha20Poly1305::new(key.expose().into());
    cipher.decrypt_inout_detached(&Nonce::default(), &[], text.into(), &tag).map_err(|_| NotVerified)
}

const HEAD_BYTES: usize = 1 + 32;
const WRAP_BYTES: usize = 32 + TAG_BYTES;
const TEXT_BYTES: usize = COMMITMENT_BYTES + CONTENT_BYTES;
const TAG_BYTES: usize = 16;
