//! Blocks: the only things the network stores.
//!
//! A `Block` that exists is correct: its bytes match its routing key. A `Parcel` is what a peer claims to be one.
//! Neither holds, or can be turned into, a decryption key.

use std::fmt;

use bytes::Bytes;
use crypto::{content, signed};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::RoutingKey;
use crate::message::class::Class;

/// A block whose bytes match its routing key.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    key: RoutingKey,
    body: Bytes,
}

/// Which of the two kinds of block; told apart by length alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlockKind {
    /// 32,784 sealed bytes, keyed by their own hash: content, manifest and check blocks alike.
    Content,
    /// 640 bytes, keyed by who signed them under which hidden name.
    Signed,
}

/// Bytes that a peer sent as a block and that nobody has verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel(Bytes);

/// The bytes are no block, or not the block they were sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlock {
    /// Neither 32,784 nor 640 bytes.
    #[error("no block has {0} bytes")]
    Length(usize),
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// A correct block, but of another routing key.
    #[error("the block has another routing key")]
    OtherKey,
}

impl Block {
    /// Verifies `body` and derives its routing key.
    ///
    /// # Errors
    /// When the length fits neither kind or the signature does not verify.
    pub fn new(body: Bytes) -> Result<Self, BadBlock> {
        let key = match BlockKind::of_length(body.len())? {
            BlockKind::Content => RoutingKey(content::routing_key(&body)),
            BlockKind::Signed => RoutingKey(signed::verify_block(&body).map_err(|_| BadBlock::Signature)?),
        };
        Ok(Self { key, body })
    }

    /// A block without content, correct by decree: in large simulations it stands for the block of that key. It never
    /// crosses a wire, because decoding refuses its length.
    pub fn stand_in(key: RoutingKey) -> Self {
        Self { key, body: Bytes::copy_from_slice(&key.0) }
    }

    /// The key under which the network stores this block.
    pub const fn key(&self) -> RoutingKey {
        self.key
    }

    /// The sealed or signed bytes.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Content or signed.
    pub const fn kind(&self) -> BlockKind {
        if self.body.len() == signed::SIGNED_BYTES { BlockKind::Signed } else { BlockKind::Content }
    }

    /// The block as it is handed to a peer.
    pub fn parcel(&self) -> Parcel {
        Parcel(self.body.clone())
    }
}

impl BlockKind {
    /// The kind of a block of `bytes` bytes.
    ///
    /// # Errors
    /// When no kind has that length.
    pub const fn of_length(bytes: usize) -> Result<Self, BadBlock> {
        match bytes {
            content::SEALED_BYTES => Ok(Self::Content),
            signed::SIGNED_BYTES => Ok(Self::Signed),
            other => Err(BadBlock::Length(other)),
        }
    }

    /// The class of a message that carries such a block.
    pub const fn class(self) -> Class {
        match self {
            Self::Content => Class::Block,
            Self::Signed => Class::Small,
        }
    }
}

impl Parcel {
    /// Wraps bytes of either block length.
    ///
    /// # Errors
    /// When no kind of block has that length.
    pub fn new(body: Bytes) -> Result<Self, BadBlock> {
        BlockKind::of_length(body.len()).map(|_| Self(body))
    }

    /// Verifies the parcel as the block of `key`.
    ///
    /// # Errors
    /// When the bytes do not verify, or verify under another key.
    pub fn open(self, key: &RoutingKey) -> Result<Block, BadBlock> {
        // Only what this process made itself can have that length.
        let block = if self.0.len() == STAND_IN_BYTES { stood_for(self.0) } else { Block::new(self.0)? };
        if block.key == *key { Ok(block) } else { Err(BadBlock::OtherKey) }
    }

    /// The class of a message that carries this parcel.
    pub const fn class(&self) -> Class {
        if self.0.len() == signed::SIGNED_BYTES { Class::Small } else { Class::Block }
    }
}

/// The block that a stand-in names.
fn stood_for(body: Bytes) -> Block {
    let mut key = [0; STAND_IN_BYTES];
    key.copy_from_slice(&body);
    Block { key: RoutingKey(key), body }
}

impl fmt::Debug for Block {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Block({:?}, {} bytes)", self.key, self.body.len())
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Parcel({} bytes)", self.0.len())
    }
}

impl Serialize for Parcel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Parcel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(ParcelVisitor)
    }
}

struct ParcelVisitor;

impl Visitor<'_> for ParcelVisitor {
    type Value = Parcel;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the bytes of one block")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Parcel, E> {
        BlockKind::of_length(bytes.len()).map_err(E::custom)?;
        Ok(Parcel(Bytes::copy_from_slice(bytes)))
    }
}

/// A stand-in holds its key and nothing else. No block has that length.
const STAND_IN_BYTES: usize = 32;

const _: () = assert!(STAND_IN_BYTES != content::SEALED_BYTES && STAND_IN_BYTES != signed::SIGNED_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_opens_as_its_own_key_only_and_crosses_no_wire() {
        let (key, other) = (RoutingKey([1; 32]), RoutingKey([2; 32]));
        let parcel = Block::stand_in(key).parcel();
        assert_eq!(parcel.clone().open(&key).map(|block| block.key()), Ok(key));
        assert_eq!(parcel.clone().open(&other), Err(BadBlock::OtherKey));
        let bytes = postcard::to_stdvec(&parcel).expect("encodes");
        assert!(postcard::from_bytes::<Parcel>(&bytes).is_err());
        assert_eq!(Parcel::new(Bytes::from_static(&[1; 32])), Err(BadBlock::Length(32)));
    }
}
