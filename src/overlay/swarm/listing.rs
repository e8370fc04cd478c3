//! The metadata of a document that is traded in pieces: how long it is, how it is cut, the digest of every piece.
//!
//! A listing is the content of one ordinary block, which names it and vouches for it; it is not secret. The pieces
//! are runs of blocks, and a piece's digest is over their routing keys: whoever has the blocks can tell. Leaves out
//! what the blocks mean. Any other block is a document of itself alone.

use crypto::content::SEALED_BYTES;
use crypto::hash::{Label, hash};

use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;

/// A document's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    blocks: u32,
    piece_blocks: u16,
    digests: Vec<[u8; 32]>,
}

impl Listing {
    /// The block that lists a document of these blocks, in pieces of `piece_blocks`; `None` if it has none, or too many
    /// pieces, or the pieces have a length that no listing allows.
    pub fn block(keys: &[RoutingKey], piece_blocks: u16) -> Option<Block> {
        let blocks = u32::try_from(keys.len()).ok()?;
        if piece_blocks == 0 || usize::from(piece_blocks) > limits::SWARM_PIECE_BLOCKS || keys.is_empty() {
            return None;
        }
        let digests: Vec<[u8; 32]> = keys.chunks(piece_blocks.into()).map(digest).collect();
        if digests.len() > limits::SWARM_PIECES {
            return None;
        }
        let mut body = Vec::with_capacity(SEALED_BYTES);
        body.extend_from_slice(MAGIC);
        body.extend_from_slice(&blocks.to_le_bytes());
        body.extend_from_slice(&piece_blocks.to_le_bytes());
        body.resize(HEADER, 0);
        digests.iter().for_each(|digest| body.extend_from_slice(digest));
        body.resize(SEALED_BYTES, 0);
        Block::new(body.into()).ok()
    }

    /// What a block lists; `None` if it is no listing.
    pub fn read(block: &Block) -> Option<Self> {
        let rest = block.body().strip_prefix(MAGIC)?;
        let blocks = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
        let piece_blocks = u16::from_le_bytes(rest.get(4..6)?.try_into().ok()?);
        if blocks == 0 || piece_blocks == 0 || usize::from(piece_blocks) > limits::SWARM_PIECE_BLOCKS {
            return None;
        }
        let count = blocks.div_ceil(piece_blocks.into()) as usize;
        if count > limits::SWARM_PIECES {
            return None;
        }
        let (digests, _) = block.body().get(HEADER..HEADER + count * 32)?.as_chunks::<32>();
        Some(Self { blocks, piece_blocks, digests: digests.to_vec() })
    }

    /// How many pieces there are.
    pub const fn pieces(&self) -> u16 {
        self.digests.len() as u16
    }

    /// How many blocks the document has.
    pub const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// How many blocks a piece has; the last may have fewer.
    pub fn blocks_of(&self, piece: u16) -> u16 {
        let before = u32::from(piece) * u32::from(self.piece_blocks);
        self.blocks.saturating_sub(before).min(self.piece_blocks.into()) as u16
    }

    /// Whether these are the blocks of a piece.
    pub fn matches(&self, piece: u16, keys: &[RoutingKey]) -> bool {
        self.digests.get(usize::from(piece)).is_some_and(|expected| *expected == digest(keys))
    }

    /// The blocks of every piece, if these are the blocks of the document.
    pub fn cut(&self, keys: &[RoutingKey]) -> Option<Vec<Box<[RoutingKey]>>> {
        let pieces: Vec<Box<[RoutingKey]>> = keys.chunks(self.piece_blocks.into()).map(Into::into).collect();
        let fits =
            pieces.len() == self.digests.len() && pieces.iter().zip(0..).all(|(keys, at)| self.matches(at, keys));
        fits.then_some(pieces)
    }
}

fn digest(keys: &[RoutingKey]) -> [u8; 32] {
    let keys: Vec<u8> = keys.iter().flat_map(|key| key.0).collect();
    hash(Label::PieceDigest, &[&keys])
}

/// Sealed blocks look random: none begins like this by chance.
const MAGIC: &[u8; 16] = b"bolthole listing";
/// Magic, blocks (4), blocks of a piece (2), zeros.
const HEADER: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u32) -> Vec<RoutingKey> {
        let key = |number: u32| RoutingKey(std::array::from_fn(|at| number.to_be_bytes()[at % 4]));
        (1..=count).map(key).collect()
    }

    #[test]
    fn a_listing_comes_back_as_it_was_and_knows_its_pieces() {
        let keys = keys(19);
        let block = Listing::block(&keys, 8).expect("three pieces");
        let listing = Listing::read(&block).expect("a listing");
        assert_eq!((listing.pieces(), listing.blocks(), listing.blocks_of(1), listing.blocks_of(2)), (3, 19, 8, 3));
        assert!(listing.matches(0, &keys[..8]) && listing.matches(2, &keys[16..]));
        assert!(!listing.matches(0, &keys[8..16]) && !listing.matches(3, &keys[16..]));
        assert_eq!(listing.cut(&keys).map(|pieces| pieces.concat()), Some(keys.clone()));
        assert_eq!(listing.cut(&keys[1..]), None);
    }

    #[test]
    fn what_no_listing_allows_is_refused() {
        assert_eq!(Listing::block(&[], 8), None);
        assert_eq!(Listing::block(&keys(3), 0), None);
        assert_eq!(Listing::block(&keys(3), 129), None);
        assert_eq!(Listing::block(&keys(1_024), 1), None);
        assert!(Listing::block(&keys(1_023), 1).is_some_and(|block| Listing::read(&block).is_some()));
        let plain = Block::new(vec![9; SEALED_BYTES].into()).expect("a block");
        assert_eq!(Listing::read(&plain), None);
        let mut body = MAGIC.to_vec();
        body.resize(SEALED_BYTES, 0xff);
        assert_eq!(Listing::read(&Block::new(body.into()).expect("a block")), None);
    }
}
