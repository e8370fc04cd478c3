//! Whether a peer may become a neighbour, and who goes for it (docs/protocol.md §5.4).
//!
//! Near ones are always taken; others while there is room, and beyond that only if the lengths of the links become more
//! even. Judges by what stands in `core`, keeps nothing. Whether the peer holds its place rightly is not asked here.

use rand::RngExt;

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::Errand;
use crate::overlay::freenet::shape::{is_near, is_small_network, linked, near_among_members, octave, octaves};
use crate::time::Instant;

/// Whether a peer may become a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// There is room.
    Welcome,
    /// There is room once this neighbour has left.
    Instead(NodeId),
    /// There is no room.
    Full,
}

/// Whether `peer` may become a neighbour.
pub(super) fn admit(core: &mut Core, now: Instant, peer: &NodeId, errand: Errand) -> Admission {
    let Some(reference) = core.neighbours.get(peer).and_then(|neighbour| neighbour.reference().cloned()) else {
        return Admission::Full;
    };
    if core.config.profile == Profile::Trusted {
        let is_named = core.config.bootstrap.iter().any(|(named, _)| named == peer);
        return if is_named { Admission::Welcome } else { Admission::Full };
    }
    if !core.me.placed {
        return Admission::Full;
    }
    let is_near = is_near(core, reference.location, peer);
    if !is_near && group_is_full(core, &reference) {
        return Admission::Full;
    }
    if linked(core) < core.config.degree {
        return Admission::Welcome;
    }
    let victim = least_useful(core);
    match victim {
        Some(victim) if is_near || (errand != Errand::Near && improves(core, now, &reference, &victim)) => {
            Admission::Instead(victim)
        }
        _ => Admission::Full,
    }
}

/// The member to give up for a better one: of the most crowded octave of link lengths, the one that has not been useful
/// for longest (Zhang, Goel, Govindan 2004: what is kept is clustered, not merely recent). Near ones are never given up.
fn least_useful(core: &Core) -> Option<NodeId> {
    let own = core.location();
    let crowds = octaves(core);
    let is_near = near_among_members(core);
    core.neighbours
        .members()
        .filter(|(id, _, place)| !is_near(*place, id))
        .max_by_key(|(id, neighbour, place)| {
            let crowd = crowds[octave(own, *place)];
            (crowd, std::cmp::Reverse(neighbour.useful), **id)
        })
        .map(|(id, _, _)| *id)
}

/// Whether a link to `reference` in the place of one to `victim` makes the lengths more even over the octaves; and once
/// in a while it may even so, lest the table freeze.
fn improves(core: &mut Core, now: Instant, reference: &NodeRef, victim: &NodeId) -> bool {
    let own = core.location();
    let crowds = octaves(core);
    let Some((lost, useful)) = core.neighbours.get(victim).and_then(|old| Some((old.location()?, old.useful))) else {
        return false;
    };
    crowds[octave(own, reference.location)] + 1 < crowds[octave(own, lost)]
        || now.since(useful) >= limits::USELESS_AFTER
        || core.random.random_ratio(1, limits::LIGHT_RANDOMNESS)
}

/// Whether a link to `place` is worth a folding offer: with room, if its octave of lengths is not crowded; without, if the
/// link that would go is in a more crowded one or of no use.
pub(super) fn is_worth_folding(core: &Core, now: Instant, place: Location) -> bool {
    let own = core.location();
    let crowds = octaves(core);
    let crowd = crowds[octave(own, place)];
    if linked(core) < core.config.degree {
        return crowds.iter().any(|other| *other > crowd) || crowd == 0;
    }
    let victim = least_useful(core).and_then(|id| core.neighbours.get(&id));
    victim.is_some_and(|victim| {
        let is_useless = now.since(victim.useful) >= limits::USELESS_AFTER;
        is_useless || victim.location().is_some_and(|lost| crowd + 1 < crowds[octave(own, lost)])
    })
}

/// Whether the peer's address group has its share of links already. Small networks do not ration.
pub(super) fn group_is_full(core: &Core, reference: &NodeRef) -> bool {
    let group = reference.group();
    let members = core.neighbours.members();
    let of_group = members
        .filter(|(id, neighbour, _)| {
            **id != reference.id && neighbour.reference().is_some_and(|other| other.group() == group)
        })
        .count();
    of_group >= limits::NEIGHBOURS_PER_GROUP && !is_small_network(core)
}
