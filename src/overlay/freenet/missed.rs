//! Near neighbours that are gone and were not given up by this node: they may come back, or have been cut off.
//!
//! They are called again, each time when they have been missed for twice as long as at the last call; or two parts of a
//! network that could not reach each other for longer than a link lives would stay two for ever, because neither hears of
//! the other. Bounded: beyond [`limits::MISSED`] the one missed longest is forgotten, and so is whoever has been missed for
//! [`limits::MISSED_LIFE`].

use std::collections::VecDeque;

use crate::id::NodeId;
use crate::limits;
use crate::message::reference::NodeRef;
use crate::time::Instant;

/// Who is missed.
#[derive(Debug, Default)]
pub(super) struct Missed(VecDeque<Absence>);

#[derive(Debug)]
struct Absence {
    reference: NodeRef,
    since: Instant,
    due: Instant,
}

impl Missed {
    /// A near neighbour is gone.
    pub(super) fn remember(&mut self, now: Instant, reference: NodeRef) {
        self.forget(&reference.id);
        if self.0.len() >= limits::MISSED {
            self.0.pop_front();
        }
        self.0.push_back(Absence { reference, since: now, due: now });
    }

    /// The node is linked again.
    pub(super) fn forget(&mut self, id: &NodeId) {
        self.0.retain(|absence| absence.reference.id != *id);
    }

    /// Whom to call now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<NodeRef> {
        self.0.retain(|absence| now.since(absence.since) < limits::MISSED_LIFE);
        let mut due = Vec::new();
        for absence in self.0.iter_mut().filter(|absence| absence.due <= now) {
            absence.due = now + now.since(absence.since);
            due.push(absence.reference.clone());
        }
        due
    }
}
