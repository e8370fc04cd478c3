//! What a relay says of itself, signed: who it is, where it listens, its onion key of this epoch and the next.
//!
//! A descriptor proves who wrote it and nothing else: neither that the relay is reachable nor that it is honest. A node
//! that stops signs one that says so, which replaces the others until they have expired.

use std::net::SocketAddr;

use crypto::hash::{Label, hash};
use serde::{Deserialize, Serialize};

use crate::id::{AddressGroup, NetworkId, NodeId};
use crate::limits;
use crate::message::credentials::Credentials;
use crate::message::reference::Signature;
use crate::time::Instant;

/// A relay's signed word: at most [`limits::DESCRIPTOR_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// What it says.
    pub words: Words,
    signature: Signature,
}

/// What a descriptor says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The relay.
    pub id: NodeId,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its X25519 key until `key_until`.
    pub key: [u8; 32],
    /// Its key from then on.
    pub next_key: [u8; 32],
    /// When the keys change, in seconds since the Unix epoch.
    pub key_until: u64,
    /// Whether it relays: not if it is about to stop.
    pub relays: bool,
    /// When this ends, in seconds since the Unix epoch.
    pub expires: u64,
    /// Later descriptors replace earlier ones: milliseconds since the Unix epoch at signing.
    pub sequence: u64,
}

impl Descriptor {
    /// Signs `words` for the relay that holds `key`.
    pub fn sign(key: &dyn Credentials, network: &NetworkId, words: Words) -> Self {
        let signature = Signature(key.sign(Label::RelayDescriptor, &text(network, &words)));
        Self { words, signature }
    }

    /// Whether the relay signed this for `network`.
    pub fn verifies(&self, judge: &dyn Credentials, network: &NetworkId) -> bool {
        judge.verifies(&self.words.id, Label::RelayDescriptor, &text(network, &self.words), &self.signature.0)
    }

    /// The onion key that a packet sent now is for.
    pub const fn key_at(&self, now: Instant) -> [u8; 32] {
        if seconds(now) < self.words.key_until { self.words.key } else { self.words.next_key }
    }

    /// The group of addresses the relay counts to.
    pub fn group(&self) -> AddressGroup {
        AddressGroup::of(&self.words.address)
    }

    /// Whether it still holds.
    pub const fn holds(&self, now: Instant) -> bool {
        seconds(now) < self.words.expires
    }

    /// A number that follows from relay and sequence: how directories are compared without being sent.
    pub fn print(&self) -> u64 {
        let digest = hash(Label::RelayDescriptor, &[&self.words.id.0, &self.words.sequence.to_be_bytes()]);
        u64::from_be_bytes(*digest.first_chunk().expect("a digest is longer than eight bytes"))
    }

    /// Whether it claims to hold for longer than any descriptor does, clocks that differ allowed for.
    pub fn is_from_the_future(&self, now: Instant) -> bool {
        self.words.expires > seconds(now + limits::DESCRIPTOR_LIFE + limits::CLOCK_SKEW)
    }
}

/// Whole seconds since the Unix epoch.
pub const fn seconds(now: Instant) -> u64 {
    now.as_micros() / 1_000_000
}

fn text(network: &NetworkId, words: &Words) -> Vec<u8> {
    postcard::to_stdvec(&(network, words)).expect("plain values always encode")
}

#[cfg(test)]
mod tests {
    use crypto::identity::NodeKey;
    use crypto::secret::Secret;

    use super::*;

    #[test]
    fn a_descriptor_is_its_relays_own_word_for_one_network() {
        let key = NodeKey::from_seed(Secret::from_bytes([1; 32]));
        let (network, other) = (NetworkId([1; 32]), NetworkId([2; 32]));
        let words = Words {
            id: NodeId(key.id()),
            address: "[2001:db8::1]:65535".parse().expect("a literal address"),
            key: [255; 32],
            next_key: [255; 32],
            key_until: u64::from(u32::MAX),
            relays: true,
            expires: u64::from(u32::MAX),
            sequence: u64::from(u32::MAX) * 1_000,
        };
        let descriptor = Descriptor::sign(&key, &network, words);
        assert!(descriptor.verifies(&key, &network) && !descriptor.verifies(&key, &other));
        assert!(postcard::to_stdvec(&descriptor).expect("encodes").len() <= limits::DESCRIPTOR_BYTES);
        let mut moved = descriptor.clone();
        moved.words.address = "127.9.0.1:1".parse().expect("a literal address");
        assert!(!moved.verifies(&key, &network));
        let mut stolen = descriptor;
        stolen.words.id = NodeId(NodeKey::from_seed(Secret::from_bytes([2; 32])).id());
        assert!(!stolen.verifies(&key, &network));
    }
}
