//! What the links of a node look like from the ring: how many, which are near, how long the others are.
//!
//! Counts and compares what stands in `core`; keeps nothing and decides nothing.

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::Errand;
use crate::overlay::freenet::neighbours::Vicinity;
use crate::time::Instant;

/// How many links a peer is or may soon be at the other end of.
pub(super) fn linked(core: &Core) -> usize {
    core.neighbours.all().filter(|(_, neighbour)| neighbour.may_ask() && !neighbour.is_leaving()).count()
}

/// How many long links this node has initiated.
pub(super) fn initiated(core: &Core) -> usize {
    let is_one = |errand| matches!(errand, Errand::Long | Errand::Fold);
    core.neighbours.all().filter(|(_, neighbour)| !neighbour.inbound && is_one(neighbour.errand())).count()
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
    core.neighbours.are_fewer_between(limits::NEAR_PER_SIDE, core.location(), place, id)
}

/// The same of accepted links, for those who ask of many: what lies beyond the vicinity is near under no count.
pub(super) fn near_among_members(core: &Core) -> impl Fn(Location, &NodeId) -> bool {
    let vicinity = vicinity(core);
    move |place, id| vicinity.contains(place) && is_near(core, place, id)
}

/// Whether fewer nodes are known than a network needs that is not small.
pub(super) fn is_small_network(core: &Core) -> bool {
    core.neighbours.reachable(core.location(), limits::SMALL_NETWORK) + 1 < limits::SMALL_NETWORK
}

/// Whether this node is linked well enough to reach the places it would ask: to its near neighbours, or to all it knows.
pub(super) fn is_established(core: &Core) -> bool {
    let members = core.neighbours.count();
    members > 0 && members >= core.neighbours.reachable(core.location(), 2 * limits::NEAR_PER_SIDE)
}

/// Whether this node has just got its place and its near neighbours are still to come: it takes itself for the nearest to
/// much that others lie nearer to. Not for long, or two that are left of a network could not begin anew.
pub(super) fn is_settling(core: &Core, now: Instant) -> bool {
    let is_fresh = core.me.certificate.is_some() && now.since(core.me.settled) < limits::SETTLING;
    is_fresh && !is_established(core)
}

/// How far the near links reach on either side; nowhere for a node without a place.
pub(super) fn vicinity(core: &Core) -> Vicinity {
    if core.me.placed { core.neighbours.vicinity() } else { Vicinity::none(core.location()) }
}

/// The near neighbours, in the order of their ids.
pub(super) fn near_members(core: &Core) -> Vec<NodeId> {
    let vicinity = vicinity(core);
    let near = core.neighbours.members().filter(|(_, _, place)| vicinity.contains(*place));
    let mut near: Vec<NodeId> = near.map(|(id, _, _)| *id).collect();
    near.sort_unstable();
    near.shrink_to_fit();
    near
}

/// Places that would be near and are not linked, each with a neighbour that tells of it.
pub(super) fn unlinked_near_places(core: &mut Core) -> Vec<(Location, NodeId)> {
    if !core.me.placed {
        return Vec::new();
    }
    let own = core.location();
    let mut near = core.neighbours.unlinked_near();
    near.sort_by_key(|(place, _)| own.distance(*place));
    near.truncate(2 * limits::NEAR_PER_SIDE);
    near
}

pub(super) fn octaves(core: &Core) -> [usize; 65] {
    let mut crowds = [0; 65];
    for place in core.neighbours.places() {
        crowds[octave(core.location(), place)] += 1;
    }
    crowds
}

pub(super) const fn octave(own: Location, place: Location) -> usize {
    64 - own.distance(place).0.leading_zeros() as usize
}
