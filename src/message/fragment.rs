//! Half a block, as overlays trade it that send documents in small parts: 16,392 bytes, unverified.
//!
//! Two fragments make a block, which is verified where it is made; a fragment alone proves nothing. A stand-in's
//! fragments are halves of its name and never cross a wire.

use std::fmt;

use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use serde::{Deserialize, Serialize};

use crate::key::RoutingKey;
use crate::message::block::{BadBlock, Block};

/// Half the bytes of a content block.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bytes", into = "Bytes")]
pub struct Fragment(Bytes);

impl Fragment {
    /// The first or second half of a block.
    pub fn of(block: &Block, second: bool) -> Self {
        let body = block.body();
        let middle = body.len() / 2;
        Self(if second { body.slice(middle..) } else { body.slice(..middle) })
    }

    /// The block whose halves these are.
    ///
    /// # Errors
    /// When together they are no block.
    pub fn join(first: &Self, second: &Self) -> Result<Block, BadBlock> {
        let body = [&first.0[..], &second.0[..]].concat();
        // Only what this process made itself can have that length.
        match <[u8; 2 * STAND_IN_HALF]>::try_from(&body[..]) {
            Ok(name) => Ok(Block::stand_in(RoutingKey(name))),
            Err(_) => Block::new(body.into()),
        }
    }
}

impl TryFrom<Bytes> for Fragment {
    type Error = BadBlock;

    fn try_from(bytes: Bytes) -> Result<Self, BadBlock> {
        if bytes.len() == SEALED_BYTES / 2 { Ok(Self(bytes)) } else { Err(BadBlock::Length(bytes.len())) }
    }
}

impl From<Fragment> for Bytes {
    fn from(fragment: Fragment) -> Self {
        fragment.0
    }
}

impl fmt::Debug for Fragment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Fragment({} bytes)", self.0.len())
    }
}

/// Half of a stand-in's name.
const STAND_IN_HALF: usize = 16;

const _: () = assert!(SEALED_BYTES.is_multiple_of(2) && SEALED_BYTES / 2 != STAND_IN_HALF);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_halves_make_the_block_again_and_a_stand_in_crosses_no_wire() {
        let real = Block::new(vec![7; SEALED_BYTES].into()).expect("any bytes of that length are a content block");
        let ideal = Block::stand_in(RoutingKey([3; 32]));
        for block in [&real, &ideal] {
            let (first, second) = (Fragment::of(block, false), Fragment::of(block, true));
            assert_eq!(Fragment::join(&first, &second).as_ref(), Ok(block));
        }
        let read = |fragment: &Fragment| {
            postcard::from_bytes::<Fragment>(&postcard::to_stdvec(fragment).expect("plain values encode"))
        };
        assert_eq!(read(&Fragment::of(&real, true)), Ok(Fragment::of(&real, true)));
        assert!(read(&Fragment::of(&ideal, true)).is_err());
    }
}
