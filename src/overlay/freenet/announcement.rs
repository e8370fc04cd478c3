//! The arithmetic of an announcement: where its witnesses lie, what a commitment binds, which location the seeds give.
//!
//! Newcomer, witness and verifier compute the same values from the same text (docs/protocol.md §5). No state.

use crypto::hash::{self, Label};

use crate::id::{AddressGroup, NetworkId, NodeId};
use crate::key::Location;
use crate::overlay::freenet::message::Commit;
use crate::time::Day;

/// A seed, and a commitment to one.
pub(super) type Digest = [u8; 32];

/// Where the `index`th witness of `node` lies on `day`, counted from 1: a place that the node cannot choose.
pub(super) fn witness_place(network: &NetworkId, node: &NodeId, day: Day, index: u8) -> Location {
    let digest = hash::hash(Label::WitnessPlace, &[&network.0, &node.0, &day.0.to_be_bytes(), &[index]]);
    first_eight(&digest)
}

/// What `owner` commits to when it adds `seed` to the announcement of `newcomer`, made from `group`.
pub(super) fn commitment(
    network: &NetworkId,
    owner: &NodeId,
    newcomer: &NodeId,
    group: AddressGroup,
    seed: &Digest,
) -> Digest {
    let group = postcard::to_stdvec(&group).expect("plain values always encode");
    hash::hash(Label::LocationCommitment, &[&network.0, &owner.0, &newcomer.0, &group, seed])
}

/// The location that follows from the seeds of all parties.
pub(super) fn location<'a>(seeds: impl IntoIterator<Item = &'a Digest>) -> Location {
    Location(seeds.into_iter().map(|seed| first_eight(seed).0).fold(0, |sum, part| sum ^ part))
}

/// What the proof of work of an announcement is over.
pub(super) fn challenge(network: &NetworkId, commit: &Commit) -> Vec<u8> {
    [&network.0[..], &commit.node.0[..], &commit.commitment[..]].concat()
}

fn first_eight(digest: &Digest) -> Location {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    Location(u64::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_binds_network_parties_group_and_seed() {
        let (network, owner, newcomer) = (NetworkId([1; 32]), NodeId([2; 32]), NodeId([3; 32]));
        let group = AddressGroup::V4([10, 1]);
        let made = commitment(&network, &owner, &newcomer, group, &[4; 32]);
        assert_ne!(made, commitment(&NetworkId([9; 32]), &owner, &newcomer, group, &[4; 32]));
        assert_ne!(made, commitment(&network, &newcomer, &newcomer, group, &[4; 32]));
        assert_ne!(made, commitment(&network, &owner, &owner, group, &[4; 32]));
        assert_ne!(made, commitment(&network, &owner, &newcomer, AddressGroup::V4([10, 2]), &[4; 32]));
        assert_ne!(made, commitment(&network, &owner, &newcomer, group, &[5; 32]));
    }

    #[test]
    fn one_unknown_seed_leaves_every_location_possible() {
        let known = [[7; 32], [8; 32]];
        for wanted in [0, 1, u64::MAX] {
            let rest = location(&known).0 ^ wanted;
            let mut last = [0; 32];
            last[..8].copy_from_slice(&rest.to_be_bytes());
            assert_eq!(location(known.iter().chain([&last])), Location(wanted));
        }
    }

    #[test]
    fn witness_places_follow_from_node_day_and_index_alone() {
        let place = |node, day, index| witness_place(&NetworkId([1; 32]), &NodeId([node; 32]), Day(day), index);
        assert_eq!(place(1, 2, 3), place(1, 2, 3));
        assert!(
            place(1, 2, 3) != place(2, 2, 3) && place(1, 2, 3) != place(1, 3, 3) && place(1, 2, 3) != place(1, 2, 4)
        );
    }
}
