//! Holders re-offer what they keep to neighbours that lie closer: newcomers, and nodes that come back (protocol.md §2,
//! §4).
//!
//! One neighbour at a time and few blocks at once, so that a join never floods anybody. Only the nearest holders offer,
//! or every newcomer would be told the same seven times.

use std::collections::{BTreeSet, VecDeque};

use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::limits;
use crate::message::block::Block;
use crate::overlay::freenet::core::Core;
use crate::overlay::mode::{StoreToken, StoreWork};

/// The neighbours still to be offered to, and the round under way.
#[derive(Debug, Default)]
pub(super) struct Reoffers {
    queue: VecDeque<NodeId>,
    round: Option<Box<Round>>,
    kept: Kept,
    /// The survey that asks whether there is anything at all.
    look: Option<StoreToken>,
}

/// Whether this node keeps any blocks at all: most that join are told of by many who keep none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kept {
    /// The store has not been asked.
    #[default]
    Unknown,
    Nothing,
    Something,
}

#[derive(Debug)]
struct Round {
    peer: NodeId,
    /// The survey that has not been answered yet.
    survey: Option<StoreToken>,
    /// Keys still to be offered.
    keys: VecDeque<RoutingKey>,
    /// The last key surveyed, if there may be more.
    after: Option<RoutingKey>,
    /// Copies asked of the store.
    reads: BTreeSet<StoreToken>,
    /// Offers that have not been answered.
    open: usize,
}

impl Reoffers {
    /// A neighbour is new here.
    pub(super) fn on_member_up(&mut self, core: &mut Core, peer: NodeId) {
        if self.queue.len() < limits::DEGREE_MAX && !self.queue.contains(&peer) {
            self.queue.push_back(peer);
        }
        self.advance(core);
    }

    /// The store tells which blocks lie near the neighbour.
    pub(super) fn handle_survey(&mut self, core: &mut Core, token: StoreToken, keys: Vec<RoutingKey>) {
        let Some(round) = self.round.as_mut().filter(|round| round.survey == Some(token)) else { return };
        if self.look.take() == Some(token) {
            if self.kept == Kept::Unknown {
                self.kept = if keys.is_empty() { Kept::Nothing } else { Kept::Something };
            }
            return self.survey(core, None);
        }
        round.survey = None;
        round.after = keys.last().copied().filter(|_| keys.len() == limits::REOFFER_KEYS);
        let peer = round.peer;
        let wanted: VecDeque<RoutingKey> = keys.into_iter().filter(|key| is_mine_to_offer(core, &peer, key)).collect();
        round.keys = wanted;
        self.advance(core);
    }

    /// The store hands out a copy. Returns it with the neighbour to offer it to.
    pub(super) fn handle_copy(
        &mut self,
        core: &mut Core,
        token: StoreToken,
        block: Option<Block>,
    ) -> Option<(Block, NodeId)> {
        let round = self.round.as_mut().filter(|round| round.reads.contains(&token))?;
        round.reads.remove(&token);
        match block {
            Some(block) => {
                round.open += 1;
                Some((block, round.peer))
            }
            None => {
                self.advance(core);
                None
            }
        }
    }

    /// A block is kept here from now on.
    pub(super) const fn on_kept(&mut self) {
        self.kept = Kept::Something;
    }

    /// An offer has ended, one way or the other.
    pub(super) fn handle_placed(&mut self, core: &mut Core) {
        if let Some(round) = &mut self.round {
            round.open = round.open.saturating_sub(1);
        }
        self.advance(core);
    }

    fn advance(&mut self, core: &mut Core) {
        if let Some(round) = &mut self.round {
            while round.reads.len() + round.open < limits::REOFFERS_AT_ONCE {
                let Some(key) = round.keys.pop_front() else { break };
                let token = core.token();
                round.reads.insert(token);
                core.store(StoreWork::Copy { token, key });
            }
            let is_done = round.survey.is_none() && round.keys.is_empty() && round.reads.is_empty() && round.open == 0;
            match (is_done, round.after) {
                (false, _) => return,
                (true, Some(after)) => return self.survey(core, Some(after)),
                (true, None) => self.round = None,
            }
        }
        while let Some(peer) = self.queue.pop_front() {
            if self.kept != Kept::Nothing && core.neighbours.is_member(&peer) {
                let (keys, reads) = (VecDeque::new(), BTreeSet::new());
                self.round = Some(Box::new(Round { peer, survey: None, keys, after: None, reads, open: 0 }));
                return self.survey(core, None);
            }
        }
        self.queue = VecDeque::new();
    }

    fn survey(&mut self, core: &mut Core, after: Option<RoutingKey>) {
        if self.kept == Kept::Nothing {
            self.round = None;
            return self.advance(core);
        }
        let Some(round) = &mut self.round else { return };
        let Some(around) = core.neighbours.get(&round.peer).and_then(|neighbour| neighbour.location()) else {
            self.round = None;
            return;
        };
        let token = core.token();
        round.survey = Some(token);
        round.after = None;
        self.look = (self.kept == Kept::Unknown).then_some(token);
        let (within, most) = match self.look {
            Some(_) => (Distance::MAX, 1),
            None => (reach(core, around), limits::REOFFER_KEYS),
        };
        core.store(StoreWork::Survey { token, around, within, after, most });
    }
}

/// Keys for which the node at `place` may be among the nearest lie no further from it than this.
///
/// The nodes closer to a key at distance d lie within 2d of `place` on the key's side; so on either side half the way to
/// the last that may be closer is enough.
fn reach(core: &Core, place: Location) -> Distance {
    let half_way = |turn: fn(Location, Location) -> u64| {
        let way = core.neighbours.way_to_nth(place, limits::OFFERS, turn);
        way.map_or(Distance::MAX, |way| Distance(way / 2))
    };
    half_way(Location::clockwise_to).max(half_way(|from, to| to.clockwise_to(from)))
}

/// Whether the neighbour is among the nodes that should keep the key, and this node among the nearest two that do.
fn is_mine_to_offer(core: &Core, peer: &NodeId, key: &RoutingKey) -> bool {
    let target = key.location();
    let Some(place) = core.neighbours.get(peer).and_then(|neighbour| neighbour.location()) else { return false };
    let own = core.location().distance(target);
    let places = core.neighbours.known_places();
    let closer_than = |distance: Distance| places.iter().filter(|other| other.distance(target) < distance).count();
    let nearer_holders = places.iter().filter(|other| **other != place && other.distance(target) < own).count();
    closer_than(place.distance(target)) <= limits::OFFERS && nearer_holders < 2
}
