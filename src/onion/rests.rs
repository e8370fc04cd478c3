//! Relays that are passed over for a while: those that could not be dialled, and those through which nothing came back.
//!
//! Who could not be dialled is passed over whatever it would be. Who was the exit or the middle of packets that were lost is
//! passed over as exit and middle, and as a guard it is not: all exits behind a guard that drops packets look bad, and if none
//! of them could become a guard for that, it would never be left, or one backup after another would be spent. Bounded each;
//! leaves out for how long.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::limits;
use crate::time::Instant;

/// Who is passed over, and until when.
#[derive(Debug, Default)]
pub(super) struct Rests {
    unreachable: BTreeMap<NodeId, Instant>,
    lossy: BTreeMap<NodeId, Instant>,
}

impl Rests {
    /// It cannot be reached.
    pub(super) fn on_unreachable(&mut self, id: NodeId, until: Instant) {
        note(&mut self.unreachable, id, until);
    }

    /// Packets were lost with it as the exit, or too many with it as the middle.
    pub(super) fn on_lossy(&mut self, id: NodeId, until: Instant) {
        note(&mut self.lossy, id, until);
    }

    /// It has said something new, or an answer came from it: whatever was wrong may be over.
    pub(super) fn end(&mut self, id: &NodeId) {
        self.unreachable.remove(id);
        self.lossy.remove(id);
    }

    /// Forgets those whose time is over.
    pub(super) fn expire(&mut self, now: Instant) {
        self.unreachable.retain(|_, until| *until > now);
        self.lossy.retain(|_, until| *until > now);
    }

    /// Whether it may be a guard.
    pub(super) fn may_guard(&self, now: Instant, id: &NodeId) -> bool {
        self.unreachable.get(id).is_none_or(|until| *until <= now)
    }

    /// Whether it may be a middle or an exit.
    pub(super) fn may_follow(&self, now: Instant, id: &NodeId) -> bool {
        self.may_guard(now, id) && self.lossy.get(id).is_none_or(|until| *until <= now)
    }
}

fn note(all: &mut BTreeMap<NodeId, Instant>, id: NodeId, until: Instant) {
    if all.len() < limits::RESTING_RELAYS || all.contains_key(&id) {
        all.insert(id, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onion::fixture::{at, id};

    #[test]
    fn a_relay_that_lost_packets_may_guard_and_one_that_is_not_there_may_not() {
        let mut rests = Rests::default();
        rests.on_lossy(id(1), at(10));
        rests.on_unreachable(id(2), at(10));
        let may = |rests: &Rests, number| (rests.may_guard(at(5), &id(number)), rests.may_follow(at(5), &id(number)));
        assert_eq!((may(&rests, 1), may(&rests, 2), may(&rests, 3)), ((true, false), (false, false), (true, true)));
        assert!(rests.may_follow(at(10), &id(1)) && rests.may_guard(at(10), &id(2)), "until then, and no longer");
        rests.end(&id(1));
        rests.end(&id(2));
        assert_eq!((may(&rests, 1), may(&rests, 2)), ((true, true), (true, true)));
    }

    #[test]
    fn so_many_rest_and_no_more_and_losses_take_no_room_from_others() {
        let mut rests = Rests::default();
        for number in 0..limits::RESTING_RELAYS as u16 + 9 {
            rests.on_lossy(id(number), at(10));
        }
        assert_eq!(rests.lossy.len(), limits::RESTING_RELAYS);
        rests.on_unreachable(id(2), at(10));
        assert!(!rests.may_guard(at(5), &id(2)));
        rests.expire(at(10));
        assert!(rests.lossy.is_empty() && rests.unreachable.is_empty());
    }
}
