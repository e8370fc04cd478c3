//! The key schedule: everything that a layer needs, from one Diffie-Hellman exchange and one call of BLAKE3.
//!
//! | bytes | use |
//! |---|---|
//! | 0..32 | key of ChaCha20-Poly1305; the nonce is zero, the key used once |
//! | 32..48 | replay tag |
//! | 48..64 | tag on the answer that arrives from the next hop |
//! | 64..96, 96..128 | stream key and hash key of the answer's layer |
//! | 128..160 | end-to-end key of the answer, where this hop is the exit |
//! | 160..264 | filler: the record that this hop appends |
//!
//! Guarantees: bound to the public key of the layer as it was sent (X25519 ignores bits of it, so other encodings would
//! give the same exchange and escape the replay set), to the relay's onion key and id, and to the class.

use blake3::Hasher;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use x25519_dalek::SharedSecret;

use super::layout::{Class, RECORD_BYTES, REPLAY_TAG_BYTES, REPLY_TAG_BYTES, SLOT_START, TAG_START};
use crate::error::NotVerified;
use crate::secret::Secret;

/// Part of the format: the vectors hold for this string alone.
const CONTEXT: &str = "onion v1 2026-11-22 forward layer";

const REPLAY_TAG: usize = 32;
const REPLY_TAG: usize = REPLAY_TAG + REPLAY_TAG_BYTES;
const STREAM: usize = REPLY_TAG + REPLY_TAG_BYTES;
const HASH: usize = STREAM + 32;
const END_TO_END: usize = HASH + 32;
const FILLER: usize = END_TO_END + 32;
const TOTAL: usize = FILLER + RECORD_BYTES;

const _: () = assert!(REPLY_TAG == 48 && STREAM == 64 && END_TO_END == 128 && TOTAL == 264);

/// All keys of one layer of one packet.
pub(super) struct LayerKeys(Secret<TOTAL>);

impl LayerKeys {
    /// From the exchange between `ephemeral`, the layer's public key as sent, and the relay's `onion_key`.
    pub(super) fn derive(
        exchange: &SharedSecret,
        ephemeral: &[u8; 32],
        onion_key: &[u8; 32],
        id: &[u8; 32],
        class: Class,
    ) -> Result<Self, NotVerified> {
        if !exchange.was_contributory() {
            return Err(NotVerified);
        }
        let size = u32::try_from(class.packet_bytes()).expect("packets are small");
        let mut keys = Secret::from_bytes([0; TOTAL]);
        Hasher::new_derive_key(CONTEXT)
            .update(exchange.as_bytes())
            .update(ephemeral)
            .update(onion_key)
            .update(id)
            .update(&size.to_le_bytes())
            .finalize_xof()
            .fill(keys.expose_mut());
        Ok(Self(keys))
    }

    pub(super) fn replay_tag(&self) -> [u8; REPLAY_TAG_BYTES] {
        *self.at(REPLAY_TAG)
    }

    pub(super) fn reply_tag(&self) -> [u8; REPLY_TAG_BYTES] {
        *self.at(REPLY_TAG)
    }

    pub(super) fn reply_keys(&self) -> ReplyKeys {
        ReplyKeys { stream: Secret::from_bytes(*self.at(STREAM)), hash: Secret::from_bytes(*self.at(HASH)) }
    }

    pub(super) fn end_to_end(&self) -> Secret<32> {
        Secret::from_bytes(*self.at(END_TO_END))
    }

    pub(super) fn filler(&self) -> &[u8; RECORD_BYTES] {
        self.at(FILLER)
    }

    /// The key that seals the layer; also the key of its key stream.
    pub(super) fn cipher_key(&self) -> &[u8; 32] {
        self.at(0)
    }

    /// Seals slot, records and body where they are, and writes the tag before them.
    pub(super) fn seal(&self, packet: &mut [u8]) {
        let (head, text) = packet.split_at_mut(SLOT_START);
        let tag = self
            .cipher()
            .encrypt_inout_detached(&Nonce::default(), &[], text.into())
            .expect("a packet is far below the limit of ChaCha20");
        head[TAG_START..].copy_from_slice(&tag);
    }

    /// Opens slot, records and body where they are; they stay as they were if the tag is wrong.
    pub(super) fn open(&self, packet: &mut [u8]) -> Result<(), NotVerified> {
        let (head, text) = packet.split_at_mut(SLOT_START);
        let tag = Tag::try_from(&head[TAG_START..]).map_err(|_| NotVerified)?;
        self.cipher().decrypt_inout_detached(&Nonce::default(), &[], text.into(), &tag).map_err(|_| NotVerified)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(self.cipher_key().into())
    }

    fn at<const N: usize>(&self, start: usize) -> &[u8; N] {
        self.0.expose()[start..].first_chunk().expect("the table adds up")
    }
}

/// The two keys with which a relay transforms one answer on its way back.
pub(super) struct ReplyKeys {
    pub(super) stream: Secret<32>,
    pub(super) hash: Secret<32>,
}
