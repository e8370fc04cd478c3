//! The documents of a simulation, generated from the seed, and the ids of its nodes.
//!
//! In `bytes` every block is real: sealed, hashed, 32 KiB. In `values` a stand-in with a random key takes its place.

use crypto::content::{self, BlockKind, Root};
use crypto::identity::NodeKey;
use crypto::secret::Secret;

use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::message::block::Block;
use crate::sim::latency::mix;
use crate::sim::scenario::Fidelity;

/// The block with this number under this seed.
pub fn block(seed: u64, number: u32, fidelity: Fidelity) -> Block {
    match fidelity {
        Fidelity::Values => Block::stand_in(RoutingKey(numbered(seed ^ KEYS, number))),
        Fidelity::Bytes => {
            let mut root = [0; 32];
            root[..8].copy_from_slice(&seed.to_be_bytes());
            let key = content::block_key(&Root::from_bytes(root), BlockKind::Data, 0, number);
            let sealed = content::seal(&key, &number.to_be_bytes()).expect("four bytes fit a block");
            Block::new(sealed.into()).expect("a sealed block is a block")
        }
    }
}

/// The block with this number as [`block`] gives it in `bytes`, in name only.
pub fn namesake(seed: u64, number: u32) -> Block {
    Block::stand_in(block(seed, number, Fidelity::Bytes).key())
}

/// The key of the node with this number, where signatures are real.
pub fn node_key(seed: u64, number: u32) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes(numbered(seed ^ IDENTITIES, number)))
}

/// The id of a node where no signature has to come from it.
pub fn node_id(seed: u64, number: u32) -> NodeId {
    NodeId(numbered(seed ^ NODES, number))
}

/// A node's place as a hash of its id: random, and the same in every run.
pub fn place(seed: u64, number: u32) -> Location {
    Location(mix(mix(seed ^ PLACES) ^ u64::from(number)))
}

/// A random seed for the machine with this number, different each time it starts.
pub fn machine_seed(seed: u64, number: u32, start: u32) -> [u8; 32] {
    numbered(mix(seed ^ MACHINES ^ (u64::from(start) << 32)), number)
}

/// 28 random bytes and the number itself.
fn numbered(seed: u64, number: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&mix(mix(seed ^ word as u64) ^ u64::from(number)).to_be_bytes());
    }
    bytes[28..].copy_from_slice(&number.to_be_bytes());
    bytes
}

const KEYS: u64 = 0x6b65_7973;
const NODES: u64 = 0x6e6f_6465;
const PLACES: u64 = 0x706c_6163;
const IDENTITIES: u64 = 0x6964_656e;
const MACHINES: u64 = 0x6d61_6368;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_give_distinct_and_evenly_spread_names() {
        let mut keys: Vec<u64> =
            (0..10_000).map(|number| block(5, number, Fidelity::Values).key().location().0).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 10_000);
        // The lower half of the ring holds 5,000 ± 200 (four standard deviations).
        assert!(keys.partition_point(|key| *key < 1 << 63).abs_diff(5_000) < 200);
    }
}
