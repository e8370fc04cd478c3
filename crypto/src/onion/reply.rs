//! Answers, back along the path: sealed by the exit, transformed by every relay, opened by the client.
//!
//! | offset | length | reply packet |
//! |---|---|---|
//! | 0 | 16 | tag of this link |
//! | 16 | 32 | left part of the body |
//! | 48 | to the end | right part of the body |
//!
//! As the exit makes it, the body is a Poly1305 tag of 16 bytes, then the ciphertext of length (u32, little-endian),
//! message and zeros. Guarantees: no two links carry equal bytes; whatever an exit and a guard agree to change, the
//! client refuses, since a relay's two passes (stream keyed by the left part, then left part hashed from the right)
//! garble all of it. Each state answers once: it is consumed. Leaves out the table of states, and their expiry.

use std::fmt;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};

use super::keys::ReplyKeys;
use super::layout::{Class, REPLY_TAG_BYTES};
use crate::error::{NotVerified, TooLong};
use crate::secret::Secret;

/// Where the right part begins.
const RIGHT_START: usize = REPLY_TAG_BYTES + LEFT_BYTES;
const LEFT_BYTES: usize = 32;
/// Where the exit's ciphertext begins, after the link's tag and its own.
const TEXT_START: usize = REPLY_TAG_BYTES + 16;
const LENGTH_BYTES: usize = 4;

/// What a relay keeps of a packet, to pass its answer back.
pub struct RelayReply {
    pub(super) tag_in: [u8; REPLY_TAG_BYTES],
    pub(super) tag_out: [u8; REPLY_TAG_BYTES],
    pub(super) keys: ReplyKeys,
    pub(super) class: Class,
    pub(super) lifetime_s: u16,
}

impl RelayReply {
    /// The tag that the answer will bear when it comes from the next hop.
    #[must_use]
    pub const fn tag_in(&self) -> [u8; REPLY_TAG_BYTES] {
        self.tag_in
    }

    /// How long to keep this.
    #[must_use]
    pub const fn lifetime_s(&self) -> u16 {
        self.lifetime_s
    }

    /// Transforms the answer where it is, ready for the link that the packet came from.
    ///
    /// # Errors
    /// [`NotVerified`] if the answer bears another tag or is of another class. The state is spent all the same.
    pub fn pass_back(self, packet: &mut [u8]) -> Result<(), NotVerified> {
        expect(packet, self.class, &self.tag_in)?;
        let (left, right) = halves(packet);
        mask_right(&self.keys, left, right);
        mask_left(&self.keys, left, right);
        packet[..REPLY_TAG_BYTES].copy_from_slice(&self.tag_out);
        Ok(())
    }
}

impl fmt::Debug for RelayReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RelayReply(..)")
    }
}

/// What the exit keeps of a packet, to answer it.
pub struct ExitReply {
    pub(super) tag_out: [u8; REPLY_TAG_BYTES],
    pub(super) end_to_end: Secret<32>,
    pub(super) class: Class,
    pub(super) lifetime_s: u16,
}

impl ExitReply {
    /// The class that the client asked for; a "not found" is padded to it like any answer.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// How long to keep this.
    #[must_use]
    pub const fn lifetime_s(&self) -> u16 {
        self.lifetime_s
    }

    /// Seals `message` for the link that the packet came from.
    ///
    /// # Errors
    /// [`TooLong`] beyond [`Class::reply_bytes`].
    pub fn seal(self, message: &[u8]) -> Result<Vec<u8>, TooLong> {
        TooLong::check(message.len(), self.class.reply_bytes())?;
        let length = u32::try_from(message.len()).expect("messages are small");
        let mut packet = vec![0; self.class.packet_bytes()];
        let (head, text) = packet.split_at_mut(TEXT_START);
        text[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        text[LENGTH_BYTES..][..message.len()].copy_from_slice(message);
        let tag = cipher(&self.end_to_end)
            .encrypt_inout_detached(&Nonce::default(), &[], text.into())
            .expect("a packet is far below the limit of ChaCha20");
        head[..REPLY_TAG_BYTES].copy_from_slice(&self.tag_out);
        head[REPLY_TAG_BYTES..].copy_from_slice(&tag);
        Ok(packet)
    }
}

impl fmt::Debug for ExitReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ExitReply(..)")
    }
}

/// What the client keeps of a packet, to open its answer.
pub struct ReplyOpener {
    pub(super) tag: [u8; REPLY_TAG_BYTES],
    pub(super) class: Class,
    pub(super) relays: Vec<ReplyKeys>,
    pub(super) end_to_end: Secret<32>,
}

impl ReplyOpener {
    /// The tag that the answer will bear when it comes from the first hop.
    #[must_use]
    pub const fn tag(&self) -> [u8; REPLY_TAG_BYTES] {
        self.tag
    }

    /// Opens the answer where it is; what is returned is the message within `packet`.
    ///
    /// # Errors
    /// [`NotVerified`] if it was altered, or answers another packet. The caller treats this exactly as if no answer had
    /// come: same timer, same retry.
    pub fn open(self, packet: &mut [u8]) -> Result<&[u8], NotVerified> {
        expect(packet, self.class, &self.tag)?;
        for keys in &self.relays {
            let (left, right) = halves(packet);
            mask_left(keys, left, right);
            mask_right(keys, left, right);
        }
        let (head, text) = packet.split_at_mut(TEXT_START);
        let tag = Tag::try_from(&head[REPLY_TAG_BYTES..]).map_err(|_| NotVerified)?;
        cipher(&self.end_to_end)
            .decrypt_inout_detached(&Nonce::default(), &[], (&mut *text).into(), &tag)
            .map_err(|_| NotVerified)?;
        let (length, message) = text.split_first_chunk().ok_or(NotVerified)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| NotVerified)?;
        message.get(..length).ok_or(NotVerified)
    }
}

impl fmt::Debug for ReplyOpener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ReplyOpener(..)")
    }
}

fn expect(packet: &[u8], class: Class, tag: &[u8; REPLY_TAG_BYTES]) -> Result<(), NotVerified> {
    if Class::of_length(packet.len()) == Some(class) && packet.starts_with(tag) { Ok(()) } else { Err(NotVerified) }
}

fn halves(packet: &mut [u8]) -> (&mut [u8], &mut [u8]) {
    let (head, right) = packet.split_at_mut(RIGHT_START);
    (&mut head[REPLY_TAG_BYTES..], right)
}

/// The right part under a stream that the left part keys.
fn mask_right(keys: &ReplyKeys, left: &[u8], right: &mut [u8]) {
    let key = Secret::from_bytes(blake3::keyed_hash(keys.stream.expose(), left).into());
    ChaCha20::new(key.expose().into(), &[0; 12].into()).apply_keystream(right);
}

/// The left part under a hash of the right part.
fn mask_left(keys: &ReplyKeys, left: &mut [u8], right: &[u8]) {
    let mask = blake3::keyed_hash(keys.hash.expose(), right);
    left.iter_mut().zip(mask.as_bytes()).for_each(|(byte, mask)| *byte ^= mask);
}

fn cipher(key: &Secret<32>) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.expose().into())
}
