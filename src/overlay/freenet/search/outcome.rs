//! How a search ends, and how its asker hears of it (docs/protocol.md §3).
//!
//! A peer is answered under the id it chose, a client by its ticket. What a node remembers of an end is not decided here.

use crate::message::block::Block;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::{ExchangeId, Message, Refusal};
use crate::overlay::freenet::pending::{Asker, Wanted};
use crate::overlay::mode::Answer;

/// How a search ends with the block.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) block: &'a Block,
    pub(super) source: Option<NodeRef>,
    pub(super) hops: u8,
    /// Whether this node's own store had it.
    pub(super) from_store: bool,
}

/// How a search ends without the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Hops to live or detours are used up.
    Final,
    /// The asker's patience is at its end.
    Late,
    /// There is nobody else to ask.
    DeadEnd { htl: u8, detours: u8 },
    /// There is somebody else, but too busy.
    Overload,
    /// A client asks, and there is nobody to ask at all.
    NoPeers,
}

impl Found<'_> {
    pub(super) fn message(&self, id: ExchangeId) -> Message {
        Message::Found { id, parcel: self.block.parcel(), source: self.source.clone(), hops: self.hops }
    }

    pub(super) fn to_client(&self) -> Answer {
        Answer::Found { block: self.block.clone(), hops: u32::from(self.hops), own_store: self.from_store }
    }
}

/// Tells an asker that the search has ended in vain.
pub(super) fn end(core: &mut Core, wanted: &Wanted, failure: Failure) {
    match (wanted.asker, failure) {
        (Asker::Local { ticket, .. }, Failure::NoPeers | Failure::Overload) => core.answer(ticket, Answer::Unavailable),
        (Asker::Local { ticket, .. }, _) => core.answer(ticket, Answer::NotFound),
        (Asker::Peer { .. }, Failure::DeadEnd { htl, detours }) => {
            respond(core, wanted, |id| Message::RouteNotFound { id, htl, detours });
        }
        (Asker::Peer { .. }, Failure::Overload) => {
            respond(core, wanted, |id| Message::Refused { id, refusal: Refusal::Overload });
        }
        (Asker::Peer { .. }, _) => respond(core, wanted, |id| Message::NotFound { id }),
    }
}

/// Answers a peer for good.
pub(super) fn respond(core: &mut Core, wanted: &Wanted, message: impl FnOnce(ExchangeId) -> Message) {
    respond_keeping(core, wanted, message);
    release(core, wanted);
}

/// Tells a peer something about a search that goes on.
pub(super) fn respond_keeping(core: &mut Core, wanted: &Wanted, message: impl FnOnce(ExchangeId) -> Message) {
    if let Asker::Peer { peer, id } = wanted.asker {
        core.send(peer, message(id));
    }
}

/// A peer asks for nothing here any more.
pub(super) fn release(core: &mut Core, wanted: &Wanted) {
    if let Some(neighbour) = wanted.peer().and_then(|peer| core.neighbours.get_mut(&peer)) {
        neighbour.open_requests = neighbour.open_requests.saturating_sub(1);
    }
}
