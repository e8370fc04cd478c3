//! When neighbours are told that the neighbours of this node have become others (docs/protocol.md §3).
//!
//! The near ones hear at the next upkeep: they find each other, and vouch, by it. The others look ahead by it, where a place that is
//! a little out of date costs a hop, and hear of many changes at once. A list that has not changed is not sent.

use crate::id::NodeId;
use crate::limits;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::Message;
use crate::overlay::freenet::shape::near_members;
use crate::time::Instant;

/// What has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Bulletin {
    near_stale: bool,
    /// When all are told, if there is something to tell.
    due: Option<Instant>,
}

impl Bulletin {
    /// A neighbour has come or gone.
    pub(super) fn on_change(&mut self, core: &Core, now: Instant) {
        self.near_stale = true;
        self.due.get_or_insert(now + core.config.upkeep * limits::LOCATIONS_EVERY);
    }

    /// The topology is looked after.
    pub(super) fn on_upkeep(&mut self, core: &mut Core, now: Instant) {
        let all = self.due.is_some_and(|due| due <= now);
        if !std::mem::take(&mut self.near_stale) && !all {
            return;
        }
        let list = core.neighbours.locations();
        let told: Vec<NodeId> =
            if all { core.neighbours.members().map(|(id, _, _)| *id).collect() } else { near_members(core) };
        self.due = self.due.filter(|_| !all);
        for peer in told {
            core.send(peer, Message::Locations(list.clone()));
        }
    }
}
