//! What the links of a node look like from the ring: how many, which are near, how long the others are.
//!
//! Counts and compares what stands in `core`; keeps nothing and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::Errand;

/// How many links a peer is or may soon be at the other end of.
pub(super) fn linked(core: &Core) -> usize {
    core.neighbours.all().filter(|(_, neighbour)| neighbour.may_ask() && !neighbour.leaving).count()
}

/// How many long links this node has initiated.
pub(super) fn initiated(core: &Core) -> usize {
    let is_one = |errand| matches!(errand, Errand::Long | Errand::Fold);
    core.neighbours.all().filter(|(_, neighbour)| !neighbour.inbound && is_one(neighbour.errand)).count()
}

/// Half of the long links are for this node to initiate; the other half comes from others' draws. A seventh of the
/// room beside the near ones stays free, because what comes varies.
pub(super) const fn initiated_share(degree: usize) -> usize {
    degree.saturating_sub(2 * limits::NEAR_PER_SIDE) * 3 / 7
}

/// Whether a node at `place` is, or would be, among the nearest on either side.
pub(super) fn is_near(core: &Core, place: Location, id: &NodeId) -> bool {
    if *id == core.me.id || !core.me.placed {
        return false;
    }
    let own = core.location();
    let others = || core.neighbours.members().filter(|(other, _, _)| *other != id).map(|(_, _, other)| other);
    let clockwise = others().filter(|other| own.clockwise_to(*other) < own.clockwise_to(place)).count();
    let counter = others().filter(|other| other.clockwise_to(own) < place.clockwise_to(own)).count();
    clockwise.min(counter) < limits::NEAR_PER_SIDE
}

pub(super) fn near_members(core: &Core) -> BTreeSet<NodeId> {
    core.neighbours.members().filter(|(id, _, place)| is_near(core, *place, id)).map(|(id, _, _)| *id).collect()
}

/// Places that would be near and are not linked, each with a neighbour that tells of it.
pub(super) fn unlinked_near_places(core: &Core) -> Vec<(Location, NodeId)> {
    let own = core.location();
    let linked: BTreeSet<Location> = core.neighbours.members().map(|(_, _, place)| place).collect();
    let told: BTreeMap<Location, NodeId> = core
        .neighbours
        .members()
        .flat_map(|(teller, neighbour, _)| neighbour.ahead.as_slice().iter().map(|place| (*place, *teller)))
        .filter(|(place, _)| *place != own && !linked.contains(place))
        .collect();
    let mut near: Vec<_> = told.into_iter().filter(|(place, _)| is_near(core, *place, &NodeId([0; 32]))).collect();
    near.sort_by_key(|(place, _)| own.distance(*place));
    near.truncate(2 * limits::NEAR_PER_SIDE);
    near
}

pub(super) fn octaves(core: &Core) -> [usize; 65] {
    let mut crowds = [0; 65];
    for (_, _, place) in core.neighbours.members() {
        crowds[octave(core.location(), place)] += 1;
    }
    crowds
}

pub(super) const fn octave(own: Location, place: Location) -> usize {
    64 - own.distance(place).0.leading_zeros() as usize
}
