//! A directory of relays as it would be after long gossip: real descriptors, admitted by the real rules.
//!
//! For questions about the choice of relays, which need no packets. Signatures are ideal.

use std::net::{Ipv4Addr, SocketAddr};

use crate::id::{NetworkId, NodeId};
use crate::limits;
use crate::onion::descriptor::{Descriptor, Words, seconds};
use crate::onion::directory::{Admitted, Directory};
use crate::sim::content;
use crate::sim::ideal::Ideal;
use crate::time::{Duration, Instant};

/// A relay by number.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    /// Its number, which names it.
    pub number: u32,
    /// Its address group.
    pub group: u16,
}

/// An empty directory of nobody in particular.
pub fn empty() -> Directory {
    Directory::new(NodeId([0; 32]), limits::DESCRIPTOR_PAUSE)
}

impl Relay {
    /// Its id.
    pub fn id(self, seed: u64) -> NodeId {
        content::node_id(seed, self.number)
    }

    /// Tells the directory that it relays, or that it stops; what became of that.
    pub fn announce(self, directory: &mut Directory, now: Instant, seed: u64, relays: bool) -> Admitted {
        let id = self.id(seed);
        let [high, low] = self.group.to_be_bytes();
        let [.., third, fourth] = self.number.to_be_bytes();
        let words = Words {
            id,
            address: SocketAddr::from((Ipv4Addr::new(high, low, third, fourth), 4_000)),
            key: [1; 32],
            next_key: [2; 32],
            key_until: seconds(now + limits::ONION_KEY_LIFE),
            relays,
            expires: seconds(now + limits::DESCRIPTOR_LIFE),
            sequence: now.as_micros() / 1_000,
        };
        directory.admit(now, Descriptor::sign(&Ideal(id), &NETWORK, words), &Ideal(id), &NETWORK)
    }
}

/// Longer ago than any age that is asked of a relay.
pub const LONG_KNOWN: Duration = Duration::from_secs(30 * 86_400);
/// Noon of 2026-11-22, UTC.
pub const START: Instant = Instant::from_micros(1_795_348_800_000_000);
const NETWORK: NetworkId = NetworkId([0x72; 32]);
