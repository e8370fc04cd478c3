//! The founding document of a network: its name, its parameters and its first members.
//!
//! The hash of its bytes is the network id, which is part of every handshake: two networks can never merge by
//! accident (protocol.md §5).

use crypto::hash::{self, Label};
use serde::{Deserialize, Serialize};

use crate::id::{NetworkId, NodeId};
use crate::key::Location;
use crate::limits;

/// What a network is founded on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// Version of the protocol this network speaks.
    pub protocol: u16,
    /// A name for people: 1 to 64 bytes.
    pub name: String,
    /// Random bytes, so that two networks of one name and one founder differ.
    pub nonce: [u8; 16],
    /// Leading zero bits of the proof of work that joining costs; 0 in test networks.
    pub work_bits: u8,
    /// Whether ages, uptimes and rate limits are relaxed for tests (profile `local`).
    pub local: bool,
    /// The founding members, 1 to 16, who need no witnesses.
    pub members: Vec<NodeId>,
}

/// Why bytes are no genesis.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGenesis {
    /// Not the binary form of a genesis.
    #[error("not a genesis file")]
    Malformed,
    /// A field breaks its bound.
    #[error("the genesis breaks a rule: {0}")]
    Rule(&'static str),
    /// Founded under another version of the protocol.
    #[error("the network speaks protocol {0}, this node speaks {PROTOCOL_VERSION}")]
    Protocol(u16),
}

impl Genesis {
    /// The network id: the hash of the binary form.
    pub fn network(&self) -> NetworkId {
        NetworkId(hash::hash(Label::NetworkId, &[&self.to_bytes()]))
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a genesis holds only plain values, which always encode")
    }

    /// Reads the binary form and checks every rule.
    ///
    /// # Errors
    /// When the bytes are malformed or a rule is broken.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadGenesis> {
        let genesis: Self = postcard::from_bytes(bytes).map_err(|_| BadGenesis::Malformed)?;
        genesis.check()?;
        // One network, one spelling: a second encoding of the same values would be a second network id.
        if genesis.to_bytes() == bytes { Ok(genesis) } else { Err(BadGenesis::Malformed) }
    }

    /// The place of a founding member, which no witness vouches for: a hash of the network and its id.
    pub fn founder_location(&self, member: &NodeId) -> Option<Location> {
        self.members.contains(member).then(|| named_location(&self.network(), member))
    }

    fn check(&self) -> Result<(), BadGenesis> {
        if self.protocol != PROTOCOL_VERSION {
            return Err(BadGenesis::Protocol(self.protocol));
        }
        if self.name.is_empty() || self.name.len() > limits::GENESIS_NAME_BYTES {
            return Err(BadGenesis::Rule("the name has 1 to 64 bytes"));
        }
        if self.members.is_empty() || self.members.len() > limits::GENESIS_MEMBERS {
            return Err(BadGenesis::Rule("there are 1 to 16 founding members"));
        }
        Ok(())
    }
}

/// The place that follows from a node's id alone: founding members, and members of a network of trusted links.
pub fn named_location(network: &NetworkId, node: &NodeId) -> Location {
    let digest = hash::hash(Label::NamedLocation, &[&network.0, &node.0]);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    Location(u64::from_be_bytes(first))
}

/// The version of the protocol that this code speaks.
pub const PROTOCOL_VERSION: u16 = 1;
