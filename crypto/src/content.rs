//! Content blocks: 32 KiB of text, sealed and padded to 32,784 bytes, that anyone can verify and only the key can read
//! (`protocol.md` §1).
//!
//! | offset | length | sealed block |
//! |---|---|---|
//! | 0 | 32,768 | ciphertext: commitment (32 zero bytes), then 32,736 bytes of payload |
//! | 32,768 | 16 | Poly1305 tag |
//!
//! Guarantees: relays verify a block against its routing key without any secret; a block opens under one key only (see
//! `commitment`); every key seals one block, so the nonce of ChaCha20-Poly1305 is zero. Leaves out the length of a
//! payload, which is the manifest's: here every payload is padded with zeros to the same size.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use rand::CryptoRng;
use zeroize::Zeroize;

use crate::commitment;
pub use crate::commitment::COMMITMENT_BYTES;
use crate::error::{NotVerified, TooLong};
use crate::hash::{Label, derive, hash};
use crate::secret::Secret;

/// Bytes of a sealed block: what is stored, sent and hashed.
pub const SEALED_BYTES: usize = PLAIN_BYTES + TAG_BYTES;
/// Bytes under the seal: 32 KiB, commitment included.
pub const PLAIN_BYTES: usize = 32_768;
/// Bytes of a document that one block carries.
pub const PAYLOAD_BYTES: usize = PLAIN_BYTES - COMMITMENT_BYTES;

const TAG_BYTES: usize = 16;

const _: () = assert!(SEALED_BYTES == 32_784 && PAYLOAD_BYTES == 32_736);

/// What the blocks of one insert are derived from: random, unless the insert is convergent.
#[derive(PartialEq, Eq)]
pub struct Root(Secret<32>);

impl Root {
    /// A root that was named before, in a manifest or a resumed insert.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// A fresh root for one insert.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(Secret::generate(rng))
    }

    /// The bytes, for a manifest or the state of an insert.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// A second copy.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Root(..)")
    }
}

/// What a block is within its insert; one byte in the derivation of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum BlockKind {
    /// Bytes of the document.
    Data = 0,
    /// Part of a manifest.
    Manifest = 1,
    /// The block that the URI names.
    Top = 2,
}

impl BlockKind {
    /// The byte that stands for this kind.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The kind that `byte` stands for, if any.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Data),
            1 => Some(Self::Manifest),
            2 => Some(Self::Top),
            _ => None,
        }
    }
}

/// The key of one block. It seals once: a second payload under the same key would share its key stream.
#[derive(PartialEq, Eq)]
pub struct ContentKey(Secret<32>);

impl ContentKey {
    /// The key that a URI or a manifest names.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// The bytes, for a URI or a manifest.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// A second copy.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(self.0.expose().into())
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ContentKey(..)")
    }
}

/// The key of the block at `index` of `segment`. One insert uses each triple once.
#[must_use]
pub fn block_key(root: &Root, kind: BlockKind, segment: u32, index: u32) -> ContentKey {
    ContentKey(derive(
        Label::ContentBlock,
        &[root.expose(), &[kind.byte()], &segment.to_le_bytes(), &index.to_le_bytes()],
    ))
}

/// The root of an insert whose equal documents coalesce: whoever has the document (and the secret, where there is one)
/// finds the same root.
#[must_use]
pub fn convergent_root(digest: &[u8; 32], secret: Option<&Secret<32>>) -> Root {
    Root(match secret {
        None => derive(Label::ConvergentRoot, &[digest]),
        Some(secret) => derive(Label::ConvergentRoot, &[digest, secret.expose()]),
    })
}

/// Where a block is found: the hash of its sealed bytes. Any shape of bytes has one; check blocks have theirs too.
#[must_use]
pub fn routing_key(sealed: &[u8]) -> [u8; 32] {
    hash(Label::ContentRouting, &[sealed])
}

/// Seals `payload`, padded with zeros.
///
/// # Errors
/// [`TooLong`] beyond [`PAYLOAD_BYTES`].
pub fn seal(key: &ContentKey, payload: &[u8]) -> Result<Vec<u8>, TooLong> {
    let mut sealed = vec![0; SEALED_BYTES];
    let block = (&mut sealed[..]).try_into().expect("the vector has the size of a block");
    seal_into(key, payload, block)?;
    Ok(sealed)
}

/// Like [`seal`], into a block of the caller's, whatever it holds; the payload is copied once.
///
/// # Errors
/// [`TooLong`] beyond [`PAYLOAD_BYTES`]; the block is then as it was.
pub fn seal_into(key: &ContentKey, payload: &[u8], block: &mut [u8; SEALED_BYTES]) -> Result<(), TooLong> {
    TooLong::check(payload.len(), PAYLOAD_BYTES)?;
    let (filled, padding) = block[COMMITMENT_BYTES..PLAIN_BYTES].split_at_mut(payload.len());
    filled.copy_from_slice(payload);
    padding.fill(0);
    seal_in_place(key, block);
    Ok(())
}

/// Seals the payload that already lies at [`COMMITMENT_BYTES`]`..`[`PLAIN_BYTES`] of `block`, padding included; the
/// bytes around it are overwritten.
pub fn seal_in_place(key: &ContentKey, block: &mut [u8; SEALED_BYTES]) {
    let (text, tag) = block.split_at_mut(PLAIN_BYTES);
    text[..COMMITMENT_BYTES].fill(0);
    let sealed = key
        .cipher()
        .encrypt_inout_detached(&Nonce::default(), &[], text.into())
        .expect("a block is far below the limit of ChaCha20");
    tag.copy_from_slice(&sealed);
}

/// Opens a sealed block: its [`PAYLOAD_BYTES`] of payload, padding included.
///
/// # Errors
/// [`NotVerified`] if the block was not sealed under this key, or has another size.
pub fn open(key: &ContentKey, sealed: &[u8]) -> Result<Vec<u8>, NotVerified> {
    let mut block = sealed.to_vec();
    open_in_place(key, &mut block)?;
    block.truncate(PLAIN_BYTES);
    block.drain(..COMMITMENT_BYTES);
    Ok(block)
}

/// Like [`open`], where the bytes are: what is returned is the payload within `sealed`, and nothing is copied.
///
/// # Errors
/// [`NotVerified`] as in [`open`]; `sealed` then holds no text.
pub fn open_in_place<'a>(key: &ContentKey, sealed: &'a mut [u8]) -> Result<&'a mut [u8], NotVerified> {
    if sealed.len() != SEALED_BYTES {
        return Err(NotVerified);
    }
    let (text, tag) = sealed.split_at_mut(PLAIN_BYTES);
    let tag = Tag::try_from(&*tag).expect("what follows the text is a tag");
    key.cipher().decrypt_inout_detached(&Nonce::default(), &[], (&mut *text).into(), &tag).map_err(|_| NotVerified)?;
    if let Err(refusal) = commitment::check(text) {
        text.zeroize();
        return Err(refusal);
    }
    Ok(&mut text[COMMITMENT_BYTES..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collision::{forge, key_stream};

    /// One block for two keys: its first half reads `A` under the first, its second half `B` under the second.
    fn forged(zeros_under: Option<usize>) -> (Vec<u8>, [ContentKey; 2]) {
        let keys = [[1; 32], [2; 32]];
        let streams = keys.map(|key| key_stream(&key, 64 + PLAIN_BYTES));
        let (mut block, tag) = forge([&streams[0], &streams[1]], *b"AB", PLAIN_BYTES, zeros_under);
        block.extend(tag);
        (block, keys.map(ContentKey::from_bytes))
    }

    fn open_bare(key: &ContentKey, sealed: &[u8]) -> Result<Vec<u8>, NotVerified> {
        let (text, tag) = sealed.split_at(PLAIN_BYTES);
        let mut text = text.to_vec();
        key.cipher()
            .decrypt_inout_detached(&Nonce::default(), &[], text.as_mut_slice().into(), tag.try_into().expect("a tag"))
            .map(|()| text)
            .map_err(|_| NotVerified)
    }

    #[test]
    fn the_bare_cipher_opens_one_block_under_two_keys_to_two_texts() {
        for zeros_under in [None, Some(0), Some(1)] {
            let (block, keys) = forged(zeros_under);
            assert_eq!(block.len(), SEALED_BYTES);
            let texts = keys.each_ref().map(|key| open_bare(key, &block).expect("the forgery holds"));
            assert_eq!(texts[0][1_000..1_003], *b"AAA");
            assert_eq!(texts[1][32_000..32_003], *b"BBB");
            assert_ne!(texts[0], texts[1]);
        }
    }

    #[test]
    fn no_block_opens_under_two_keys() {
        let (block, keys) = forged(None);
        assert!(keys.iter().all(|key| open(key, &block) == Err(NotVerified)));
        for favoured in [0, 1] {
            let (mut block, keys) = forged(Some(favoured));
            assert!(open(&keys[favoured], &block).is_ok(), "the forgery serves the key it favours");
            assert_eq!(open(&keys[1 - favoured], &block), Err(NotVerified));
            assert_eq!(open_in_place(&keys[1 - favoured], &mut block), Err(NotVerified));
            assert!(block[..PLAIN_BYTES].iter().all(|byte| *byte == 0), "no text is left behind");
        }
    }
}
