//! Which search an answer of a neighbour belongs to, if to any.

use crate::id::NodeId;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::ExchangeId;
use crate::overlay::freenet::pending::{Forward, Pending, Search, SearchId};
use crate::time::Instant;

/// The open forward that an answer belongs to. An answer nobody waits for is counted against its sender.
pub(super) fn take(
    pending: &mut Pending,
    core: &mut Core,
    now: Instant,
    from: NodeId,
    id: ExchangeId,
) -> Option<(SearchId, Forward)> {
    let taken = pending.take_forward(from, id);
    if taken.is_none() {
        core.on_unasked(now, from, id);
    }
    taken
}

/// The same for an answer in vain. A late one is nothing to act on while the search is at another neighbour.
pub(super) fn take_vain(
    pending: &mut Pending,
    core: &mut Core,
    now: Instant,
    from: NodeId,
    id: ExchangeId,
) -> Option<(SearchId, Forward)> {
    let taken = take(pending, core, now, from, id)?;
    let is_elsewhere = pending.get(taken.0).is_some_and(Search::is_at_a_neighbour);
    (!is_elsewhere).then_some(taken)
}
