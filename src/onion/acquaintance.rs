//! What a node remembers of relays over a restart: when it first heard of each, and since when it could connect to it.
//!
//! Ages count only if nobody can make them: they are this node's own observation, kept under its own secret. Bounded by the
//! size of the directory; a relay that has not been heard of for a month is forgotten and would be new.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::limits;
use crate::onion::descriptor::seconds;
use crate::time::{Duration, Instant};

/// What is remembered of all relays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acquaintances(BTreeMap<NodeId, Acquaintance>);

/// What is remembered of one; seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acquaintance {
    heard: u64,
    last_heard: u64,
    /// When a dial first reached it, if none has failed since.
    reached: Option<u64>,
}

impl Acquaintances {
    /// Nobody yet.
    pub(super) const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// What an earlier run remembered; bytes that are none are as good as nothing.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut all: Vec<(NodeId, Acquaintance)> = postcard::from_bytes(bytes).unwrap_or_default();
        all.truncate(limits::RELAYS);
        Self(all.into_iter().collect())
    }

    /// What a restart should find.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let all: Vec<(&NodeId, &Acquaintance)> = self.0.iter().collect();
        postcard::to_stdvec(&all).expect("plain values always encode")
    }

    /// A relay is heard of; when that was for the first time.
    pub(super) fn hear(&mut self, now: Instant, id: NodeId) -> Instant {
        let seconds = seconds(now);
        if !self.0.contains_key(&id) && self.0.len() >= limits::RELAYS {
            return now;
        }
        let new = Acquaintance { heard: seconds, last_heard: seconds, reached: None };
        let known = self.0.entry(id).or_insert(new);
        known.last_heard = known.last_heard.max(seconds);
        // A clock that was set back must not make a relay older.
        instant(known.heard).min(now)
    }

    /// A dial has reached a relay, or has not.
    pub(super) fn dialled(&mut self, now: Instant, id: &NodeId, is_reached: bool) {
        if let Some(known) = self.0.get_mut(id) {
            known.reached = if is_reached { known.reached.or(Some(seconds(now))) } else { None };
        }
    }

    /// Since when dials have reached a relay.
    pub(super) fn reached(&self, id: &NodeId) -> Option<Instant> {
        self.0.get(id)?.reached.map(instant)
    }

    /// Forgets relays that have not been heard of for long.
    pub(super) fn expire(&mut self, now: Instant) {
        self.0.retain(|_, known| instant(known.last_heard) + limits::ACQUAINTANCE_LIFE > now);
    }
}

fn instant(seconds: u64) -> Instant {
    Instant::EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onion::fixture::{START, at, id};

    const DAY: u64 = 86_400;

    #[test]
    fn a_relay_is_as_old_after_a_restart_as_before() {
        let mut known = Acquaintances::default();
        assert_eq!(known.hear(START, id(1)), START);
        known.dialled(at(5), &id(1), true);
        let mut again = Acquaintances::from_bytes(&known.to_bytes());
        assert_eq!(again, known);
        assert_eq!(again.hear(at(3 * DAY), id(1)), START);
        assert_eq!(again.reached(&id(1)), Some(at(5)));
        assert_eq!(Acquaintances::from_bytes(b"rubbish"), Acquaintances::default());
    }

    #[test]
    fn a_relay_that_cannot_be_reached_begins_anew_and_one_that_is_not_heard_of_is_forgotten() {
        let mut known = Acquaintances::default();
        known.hear(START, id(1));
        known.dialled(at(5), &id(1), true);
        known.dialled(at(9), &id(1), true);
        assert_eq!(known.reached(&id(1)), Some(at(5)));
        known.dialled(at(10), &id(1), false);
        assert_eq!(known.reached(&id(1)), None);
        known.dialled(at(11), &id(2), true);
        assert_eq!(known.reached(&id(2)), None, "nobody has heard of it");
        known.expire(at(29 * DAY));
        assert_eq!(known.hear(at(29 * DAY), id(1)), START);
        known.expire(at(60 * DAY));
        assert_eq!(known.hear(at(60 * DAY), id(1)), at(60 * DAY));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_older() {
        let mut known = Acquaintances::default();
        known.hear(at(1_000), id(1));
        assert_eq!(known.hear(at(500), id(1)), at(500));
    }
}
