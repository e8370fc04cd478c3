//! How a search meets load: whom it may still ask, when it waits, and whether its end says that load was the reason.
//!
//! Works on the open searches and the neighbours; begins and ends no search itself (docs/protocol.md §9).

use crate::id::NodeId;
use crate::limits;
use crate::overlay::freenet::core::{Core, Event};
use crate::overlay::freenet::pending::{Pending, Search, SearchId};
use crate::overlay::freenet::routing::{self, Excluded, LearnedSources, NextHop};
use crate::overlay::freenet::search::outcome::Failure;
use crate::time::Instant;

/// The best neighbour that takes another request from this asker. Those whose share is used up are passed over.
pub(super) fn next(
    pending: &mut Pending,
    learned: &mut LearnedSources,
    core: &mut Core,
    now: Instant,
    id: SearchId,
) -> Option<NextHop> {
    let search = pending.get(id)?;
    let (asker, key, mut passed) = (search.wanted.peer(), search.wanted.key, search.tried.clone());
    let own = core.me.reference.location;
    loop {
        let excluded = Excluded { asker, tried: &passed };
        let next = routing::next_for_request(&core.neighbours, learned, own, &key, excluded, now)?;
        if pending.has_quota(next.peer, asker) {
            return Some(next);
        }
        note(pending, core, id);
        passed.push(next.peer);
    }
}

/// Waits for load to pass, and asks once more those who refused for it.
pub(super) fn rest(pending: &mut Pending, now: Instant, id: SearchId) {
    pending.with(id, |search| {
        search.rests += 1;
        let refused = std::mem::take(&mut search.refused);
        search.tried.retain(|peer| !refused.contains(peer));
    });
    pending.set_due(id, now + limits::REST_AFTER_OVERLOAD);
}

/// Somebody could not be asked for load: a client hears of it, and asks less at once.
pub(super) fn note(pending: &mut Pending, core: &mut Core, id: SearchId) {
    pending.with(id, |search| {
        search.overloaded = true;
        search.starved |= !search.explored;
    });
    if pending.get(id).is_some_and(|search| search.wanted.peer().is_none()) {
        core.events.push_back(Event::Overload);
    }
}

/// How a search ends that has nobody left to ask.
pub(super) fn dead_end(core: &Core, now: Instant, search: &Search) -> Failure {
    let asker = search.wanted.peer();
    let is_open = |peer: &NodeId| Some(*peer) != asker && !search.tried.contains(peer);
    let has_busy = core.neighbours.all().any(|(peer, neighbour)| is_open(peer) && neighbour.is_busy(now));
    // A client should know that not all ways were tried; a neighbour, which then lets this node rest, only if not the best.
    let is_starved = search.starved || (has_busy && !search.explored);
    if is_starved || (asker.is_none() && (search.overloaded || has_busy)) {
        Failure::Overload
    } else if search.tried.is_empty() && asker.is_none() {
        Failure::NoPeers
    } else {
        Failure::DeadEnd { htl: search.htl, detours: search.detours }
    }
}
