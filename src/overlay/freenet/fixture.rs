//! A node with neighbours at given distances, for tests of what follows from them.

use crypto::identity::NodeKey;
use crypto::secret::Secret;

use crate::id::NodeId;
use crate::key::Location;
use crate::message::genesis::{Genesis, PROTOCOL_VERSION};
use crate::message::reference::NodeRef;
use crate::overlay::freenet::config::{Config, Profile};
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::Errand;
use crate::overlay::freenet::neighbours::Neighbour;
use crate::time::Instant;

/// When it is.
pub(super) const NOON: Instant = Instant::from_micros(1_795_348_800_000_000);

fn key(number: u8) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([number; 32]))
}

/// The reference of the node with this number, so far clockwise from the founder.
pub(super) fn reference(core: &Core, number: u8, distance: u64) -> NodeRef {
    let address = format!("10.{number}.0.1:1").parse().expect("a literal address");
    let location = Location(core.location().0.wrapping_add(distance));
    NodeRef::sign(&key(number), &core.me.network, address, location, 1)
}

/// A founder with neighbours at these distances, numbered from 2 on.
pub(super) fn node(profile: Profile, distances: &[u64]) -> Core {
    let members = vec![NodeId(key(1).id())];
    let (name, nonce, local) = ("test".to_owned(), [0; 16], false);
    let genesis = Genesis { protocol: PROTOCOL_VERSION, name, nonce, work_bits: 0, local, members };
    let address = "10.1.0.1:1".parse().expect("a literal address");
    let mut core = Core::new(Config::new(genesis, profile, address), Box::new(key(1)), [1; 32]);
    for (number, distance) in (2..).zip(distances) {
        let reference = reference(&core, number, *distance);
        let neighbour = Neighbour::new(NOON, Errand::Long, false, reference.address, &mut core.random);
        let id = reference.id;
        core.neighbours.insert(id, neighbour);
        core.neighbours.introduce(&id, reference, Errand::Long);
        core.neighbours.accept(&id);
        core.neighbours.welcome(&id);
    }
    core
}
