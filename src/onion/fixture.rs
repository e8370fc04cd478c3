//! Relays by number, for the unit tests of this folder.

use std::net::SocketAddr;

use crypto::identity::NodeKey;
use crypto::secret::Secret;

use crate::id::{NetworkId, NodeId};
use crate::onion::descriptor::{Descriptor, Words, seconds};
use crate::time::{Duration, Instant};

/// The network of all tests.
pub(super) const NETWORK: NetworkId = NetworkId([3; 32]);
/// When they begin.
pub(super) const START: Instant = Instant::from_micros(1_795_348_800_000_000);

/// The key of the node with this number.
pub(super) fn key(number: u16) -> NodeKey {
    let mut seed = [9; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    NodeKey::from_seed(Secret::from_bytes(seed))
}

/// The id of the node with this number.
pub(super) fn id(number: u16) -> NodeId {
    NodeId(key(number).id())
}

/// An address of the group with this number.
pub(super) fn address(group: u8) -> SocketAddr {
    SocketAddr::from(([127, group, 0, 1], 4_000))
}

/// The start and so many seconds.
pub(super) fn at(seconds: u64) -> Instant {
    START + Duration::from_secs(seconds)
}

/// What the relay with this number says at `now`.
pub(super) fn words(number: u16, group: u8, now: Instant) -> Words {
    Words {
        id: id(number),
        address: address(group),
        key: [1; 32],
        next_key: [2; 32],
        key_until: seconds(now) + 6 * 3_600,
        relays: true,
        expires: seconds(now) + 12 * 3_600,
        sequence: now.as_micros() / 1_000,
    }
}

/// That, signed.
pub(super) fn descriptor(number: u16, group: u8, now: Instant) -> Descriptor {
    Descriptor::sign(&key(number), &NETWORK, words(number, group, now))
}
