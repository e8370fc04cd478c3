//! Whether a request with one hop to live ends at this node: decided by the node for each key, once and in secret.
//!
//! A probe with one hop to live that ends finds nothing if the node has not got the block, which tells that it has not. Most go
//! on, so that what is found may have come from further. Which keys end depends on no link: whoever probes could dial until he
//! has a link that ends everything; nor is it tossed for each request, for he could ask until one ends. Leaves out hops to live
//! above one (`neighbours`).

use rand::Rng;

use crate::key::RoutingKey;
use crate::limits;

/// The decisions of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastHops(u64);

impl LastHops {
    /// Those of a node that has just come up.
    pub(super) fn draw(random: &mut impl Rng) -> Self {
        Self(random.next_u64())
    }

    /// Whether a request for `key` with one hop to live ends here.
    pub(super) fn end(self, key: &RoutingKey) -> bool {
        mixed(self.0 ^ key.location().0).is_multiple_of(limits::LAST_HOP_ENDS)
    }
}

/// The finaliser of SplitMix64. Locations are outputs of a hash, and what one decision tells of the others is of no use: whoever
/// asks for a key learns how it ends anyway.
const fn mixed(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_node_ends_a_share_of_all_keys_always_the_same_and_others_than_another_node_does() {
        let mut random = ChaCha8Rng::from_seed([6; 32]);
        let (one, other) = (LastHops::draw(&mut random), LastHops::draw(&mut random));
        let mut key = |_| {
            let mut bytes = [0; 32];
            Rng::fill_bytes(&mut random, &mut bytes);
            RoutingKey(bytes)
        };
        let keys: Vec<RoutingKey> = (0..16_000).map(&mut key).collect();
        let ended = |node: LastHops| keys.iter().filter(|key| node.end(key)).count();
        let both = keys.iter().filter(|key| one.end(key) && other.end(key)).count();
        let expected = 16_000 / limits::LAST_HOP_ENDS as usize;
        assert!(ended(one).abs_diff(expected) < expected / 5, "{}", ended(one));
        assert!(both < expected / 4, "{both} of {expected}");
        assert!(keys.iter().all(|key| one.end(key) == one.end(key)));
    }
}
