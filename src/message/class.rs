//! The two sizes a message can have on a link, and what a type needs to travel.
//!
//! There is no third size: whatever does not fit the small class is a block (protocol.md §6).

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many cells a message fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// One cell: 1,120 bytes of payload.
    Small,
    /// Thirty cells: 33,600 bytes of payload, room for one sealed block.
    Block,
}

/// A value that can travel in cells: an overlay's message type.
pub trait Message: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + 'static {
    /// The class this value is sent in. Decoding refuses a value that arrives in the other class.
    fn class(&self) -> Class;
}

impl Class {
    /// How many cells a message of this class fills.
    pub const fn cells(self) -> usize {
        match self {
            Self::Small => 1,
            Self::Block => 30,
        }
    }
}
