//! What a node says of itself, signed: where it can be reached and where it lies on the ring.
//!
//! A reference proves who wrote it, not that the location is rightly held; that is the certificate's work.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use crypto::hash::Label;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::id::{AddressGroup, NetworkId, NodeId};
use crate::key::Location;
use crate::message::credentials::{Credentials, is_signed};

/// A node's own signed word on where it is: at most 140 bytes encoded. Many hold it, so it is shared, not copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRef(Arc<Words>);

/// What a reference says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Whose reference this is.
    pub id: NodeId,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its place on the ring.
    pub location: Location,
    /// Later references replace earlier ones: seconds since the Unix epoch at signing.
    pub sequence: u64,
    signature: Signature,
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// How people pass a node on: its network and its reference, as one line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// The network the node belongs to.
    pub network: NetworkId,
    /// The node.
    pub id: NodeId,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Why a text is no node reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIntroduction {
    /// Does not begin with `bolthole-node:`.
    #[error("a node reference begins with \"{PREFIX}\"")]
    Prefix,
    /// A character outside base64url, counted from the start of the text.
    #[error("the node reference is damaged at character {0}")]
    Character(usize),
    /// Too short, too long, or not what a node prints.
    #[error("the node reference is cut short or damaged")]
    Malformed,
}

impl NodeRef {
    /// Signs a reference for the node that holds `key`.
    pub fn sign(
        key: &dyn Credentials,
        network: &NetworkId,
        address: SocketAddr,
        location: Location,
        sequence: u64,
    ) -> Self {
        let id = key.id();
        let text = signed_text(network, &id, &address, location, sequence);
        let signature = Signature(key.sign(Label::NodeReference, &text));
        Self(Arc::new(Words { id, address, location, sequence, signature }))
    }

    /// Whether the node named in the reference signed it for `network` with its Ed25519 key.
    pub fn verifies(&self, network: &NetworkId) -> bool {
        is_signed(&self.id, Label::NodeReference, &self.text(network), &self.signature.0)
    }

    /// The same, as `judge` verifies signatures.
    pub fn verifies_by(&self, judge: &dyn Credentials, network: &NetworkId) -> bool {
        judge.verifies(&self.id, Label::NodeReference, &self.text(network), &self.signature.0)
    }

    fn text(&self, network: &NetworkId) -> Vec<u8> {
        signed_text(network, &self.id, &self.address, self.location, self.sequence)
    }

    /// The group of addresses the node counts to.
    pub fn group(&self) -> AddressGroup {
        AddressGroup::of(&self.address)
    }
}

impl Deref for NodeRef {
    type Target = Words;

    fn deref(&self) -> &Words {
        &self.0
    }
}

impl From<Words> for NodeRef {
    /// A reference that says so, whether or not its signature holds.
    fn from(words: Words) -> Self {
        Self(Arc::new(words))
    }
}

fn signed_text(network: &NetworkId, id: &NodeId, address: &SocketAddr, location: Location, sequence: u64) -> Vec<u8> {
    postcard::to_stdvec(&(network, id, address, location, sequence)).expect("plain values always encode")
}

impl fmt::Display for Introduction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = (&self.network, &self.id, &self.address);
        let bytes = postcard::to_stdvec(&fields).expect("plain values always encode");
        write!(formatter, "{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Introduction {
    type Err = BadIntroduction;

    fn from_str(text: &str) -> Result<Self, BadIntroduction> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(BadIntroduction::Prefix)?;
        let bytes = BASE64URL_NOPAD
            .decode(encoded.as_bytes())
            .map_err(|error| BadIntroduction::Character(PREFIX.len() + error.position))?;
        let (fields, rest) = postcard::take_from_bytes(&bytes).map_err(|_| BadIntroduction::Malformed)?;
        let (network, id, address) = fields;
        let read = Self { network, id, address };
        if rest.is_empty() && read.to_string() == text.trim() { Ok(read) } else { Err(BadIntroduction::Malformed) }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signature({}…)", BASE64URL_NOPAD.encode(&self.0[..6]))
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (left, right) = self.0.split_at(32);
        let left: [u8; 32] = left.try_into().expect("64 bytes split in half");
        let right: [u8; 32] = right.try_into().expect("64 bytes split in half");
        (left, right).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (left, right) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&left);
        bytes[32..].copy_from_slice(&right);
        Ok(Self(bytes))
    }
}

const PREFIX: &str = "bolthole-node:";
