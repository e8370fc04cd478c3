//! A second onion, written down as naively as the specification reads, with switches for the mistakes it warns of.
//!
//! Without a mistake it makes the same bytes as the real one; with one, the attack that the mistake invites succeeds,
//! which shows that the test of the attack can fail.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use crypto::onion::layout::Class;

use super::{Draws, Relay};

pub(crate) type Keys = [u8; 264];

/// The specification with some mistakes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Model {
    /// Unused records are zeros.
    pub(crate) zero_padding: bool,
    /// The layer's public key is not part of its keys.
    pub(crate) derive_without_key: bool,
    /// Fillers are computed with the key stream that belongs to Poly1305.
    pub(crate) stream_from_block_0: bool,
    /// The whole packet moves up, not only the header.
    pub(crate) shift_everything: bool,
    /// The last relay is told to relay to the first.
    pub(crate) never_deliver: bool,
}

impl Model {
    pub(crate) fn keys(self, exchange: &[u8; 32], ephemeral: &[u8], relay: &Relay, class: Class) -> Keys {
        let mut keys = [0; 264];
        let ephemeral = if self.derive_without_key { &[0; 32] } else { ephemeral };
        let material = [
            exchange,
            ephemeral,
            &relay.key.public(),
            &relay.id,
            &u32::try_from(class.packet_bytes()).expect("small").to_le_bytes(),
        ]
        .concat();
        blake3::Hasher::new_derive_key("onion v1 2026-11-22 forward layer")
            .update(&material)
            .finalize_xof()
            .fill(&mut keys);
        keys
    }

    /// Bytes that move up when a relay takes its record.
    fn moving(self, class: Class) -> usize {
        if self.shift_everything { class.packet_bytes() } else { 416 }
    }

    fn mask_tail(self, keys: &Keys, class: Class, bytes: &[u8]) -> Vec<u8> {
        let skipped = if self.stream_from_block_0 { 0 } else { 64 };
        let mut stream = vec![0; skipped + self.moving(class) - 48];
        ChaCha20::new(keys[..32].try_into().expect("32"), &[0; 12].into()).apply_keystream(&mut stream);
        let tail = &stream[stream.len() - bytes.len()..];
        bytes.iter().zip(tail).map(|(byte, mask)| byte ^ mask).collect()
    }

    pub(crate) fn build(self, relays: &[Relay], class: Class, body: &[u8], draws: &mut Draws) -> Vec<u8> {
        let layers: Vec<([u8; 32], Keys)> = relays
            .iter()
            .map(|relay| {
                let secret = draws.array();
                let ephemeral = x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES);
                let exchange = x25519_dalek::x25519(secret, relay.key.public());
                (ephemeral, self.keys(&exchange, &ephemeral, relay, class))
            })
            .collect();
        let client_tag: [u8; 16] = draws.array();
        let moving = self.moving(class);
        let mut fillers = Vec::new();
        for (_, keys) in &layers[..layers.len() - 1] {
            fillers = self.mask_tail(keys, class, &fillers);
            fillers.extend(&keys[160..264]);
        }
        let mut packet = Vec::new();
        for place in (0..relays.len()).rev() {
            let (ephemeral, keys) = &layers[place];
            let reply_tag = if place == 0 { &client_tag[..] } else { &layers[place - 1].1[48..64] };
            let last = place + 1 == relays.len();
            let next = match (last, self.never_deliver) {
                (true, false) => None,
                (true, true) => Some(relays[0].id),
                (false, _) => Some(relays[place + 1].id),
            };
            let mut text = slot(next, class, reply_tag);
            if last {
                let mut unused = draws.bytes(moving - 104);
                if self.zero_padding {
                    unused.fill(0);
                }
                unused.truncate(moving - 104 - fillers.len());
                text.extend(unused);
                text.extend(self.mask_tail(keys, class, &fillers));
                text.extend(body);
                text.resize(class.packet_bytes() - 48, 0);
            } else {
                text.extend(&packet[..moving - 104]);
                text.extend(&packet[moving..]);
            }
            packet = seal(ephemeral, keys, text);
        }
        packet
    }

    /// The packet for the next relay, or `None` if this one refuses.
    pub(crate) fn pass_on(self, relay: &Relay, packet: &[u8]) -> Option<Vec<u8>> {
        let class = Class::of_length(packet.len())?;
        let (keys, text) = self.open(relay, packet)?;
        let moving = self.moving(class);
        Some([&text[56..moving - 48], &keys[160..], &text[moving - 48..]].concat())
    }

    /// Keys and text of the packet, or `None` if the relay refuses.
    pub(crate) fn open(self, relay: &Relay, packet: &[u8]) -> Option<(Keys, Vec<u8>)> {
        let ephemeral = packet[..32].try_into().expect("32");
        let exchange = x25519_dalek::x25519(relay.secret, ephemeral);
        let keys = self.keys(&exchange, &packet[..32], relay, Class::of_length(packet.len())?);
        let mut text = packet[48..].to_vec();
        ChaCha20Poly1305::new(keys[..32].try_into().expect("32"))
            .decrypt_inout_detached(
                &[0; 12].into(),
                &[],
                text.as_mut_slice().into(),
                packet[32..48].try_into().expect("16"),
            )
            .ok()?;
        Some((keys, text))
    }
}

pub(crate) fn slot(next: Option<[u8; 32]>, class: Class, reply_tag: &[u8]) -> Vec<u8> {
    let command = if next.is_some() { 1 } else { 2 };
    let flags = if class == Class::Block { 3 } else { 1 };
    let head = [command, flags, 90, 0, 0, 0, 0, 0];
    [&head[..], &next.unwrap_or([0; 32]), reply_tag].concat()
}

pub(crate) fn seal(ephemeral: &[u8; 32], keys: &Keys, mut text: Vec<u8>) -> Vec<u8> {
    let tag = ChaCha20Poly1305::new(keys[..32].try_into().expect("32"))
        .encrypt_inout_detached(&[0; 12].into(), &[], text.as_mut_slice().into())
        .expect("short");
    [&ephemeral[..], &tag, &text].concat()
}
