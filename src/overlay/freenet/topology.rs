//! Who the neighbours should be: a few nearest on either side of the ring, and long links drawn ∝ 1/distance.
//!
//! Near neighbours are found by asking who lies at this node's own place, and by what neighbours tell of theirs; a lost
//! one is sought again at once. Long links follow from places drawn, so that no peer can choose to be one
//! (docs/protocol.md §5). A settled neighbourhood is quiet: vain searches pause longer and longer. Whether a newcomer may
//! hold its place is not decided here.

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::acquaintances::Acquaintances;
use crate::overlay::freenet::admission::group_is_full;
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::{Core, Purpose};
use crate::overlay::freenet::greeting::Greetings;
use crate::overlay::freenet::harmonic::draw_long_target;
use crate::overlay::freenet::message::{Errand, Question, Reply};
use crate::overlay::freenet::missed::Missed;
use crate::overlay::freenet::query::Queries;
use crate::overlay::freenet::retries::Retries;
use crate::overlay::freenet::shape::{
    initiated, initiated_share, is_established, is_near, linked, near_members, unlinked_near_places, vicinity,
};
use crate::time::{Duration, Instant};

/// What a node knows about whom to link.
#[derive(Debug, Default)]
pub(super) struct Topology {
    acquaintances: Acquaintances,
    retries: Retries<NodeId>,
    /// Places that neighbours told of and that were asked for lately.
    asked_places: Retries<Location>,
    near_members: Vec<NodeId>,
    missed: Missed,
    near_due: Instant,
    near_pause: u32,
    look_due: Option<Instant>,
    long_due: Instant,
    long_pause: u32,
    long_open: usize,
}

impl Topology {
    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self, core: &Core) -> Option<Instant> {
        let seeks = core.me.placed && core.config.profile != Profile::Trusted;
        let due = self.near_due.min(self.long_due);
        seeks.then(|| self.look_due.map_or(due, |look| due.min(look)))
    }

    /// A deadline has come.
    pub(super) fn handle_timeout(
        &mut self,
        core: &mut Core,
        greetings: &mut Greetings,
        queries: &mut Queries,
        now: Instant,
    ) {
        if self.deadline(core).is_none_or(|due| due > now) {
            return;
        }
        if self.look_due.is_some_and(|due| due <= now) {
            self.look_due = None;
            self.look(core, greetings, queries, now);
        }
        if self.near_due <= now {
            self.seek_near(core, greetings, queries, now);
        }
        if self.long_due <= now {
            self.seek_long(core, greetings, queries, now);
        }
    }

    /// This node has a place, or a new one: its neighbourhood is to be found.
    pub(super) fn begin(&mut self, now: Instant) {
        self.near_pause = 0;
        self.near_due = now;
        self.long_due = now;
    }

    // -- what happened --------------------------------------------------------------------------------------------------

    /// The neighbourhood has changed, as seen from here or as neighbours tell it.
    pub(super) fn on_change(&mut self, now: Instant) {
        let settled = now + limits::NEIGHBOURHOOD_SETTLES;
        self.look_due = Some(self.look_due.map_or(settled, |due| due.min(settled)));
    }

    /// A peer has become a neighbour.
    pub(super) fn on_member(&mut self, core: &Core, now: Instant, peer: NodeId) {
        self.retries.remove(&peer);
        self.acquaintances.remove(&peer);
        self.missed.forget(&peer);
        // Not as soon as somebody is found: in a settled network that is one who has no room.
        if core.neighbours.get(&peer).is_some_and(|neighbour| !neighbour.inbound && neighbour.errand() == Errand::Long)
        {
            self.long_pause = 0;
        }
        self.near_members = near_members(core);
        if core.neighbours.count() == 2 * limits::NEAR_PER_SIDE {
            self.long_due = self.long_due.min(now + limits::NEIGHBOURHOOD_SETTLES);
        }
        self.on_change(now);
    }

    /// A neighbour is about to count as lost, although this node would have kept it.
    pub(super) fn on_missed(&mut self, now: Instant, reference: NodeRef) {
        if self.near_members.contains(&reference.id) {
            self.missed.remember(now, reference);
        }
    }

    /// A neighbour is gone: one of the near ones is replaced at once.
    pub(super) fn on_member_lost(&mut self, core: &Core, now: Instant, peer: NodeId) {
        if self.near_members.contains(&peer) {
            self.near_pause = 0;
            self.near_due = self.near_due.min(now + limits::NEIGHBOURHOOD_SETTLES);
        }
        self.near_members = near_members(core);
        self.long_due = self.long_due.min(now + core.config.upkeep);
        self.on_change(now);
    }

    /// A peer could not be reached, or did not want the link.
    pub(super) fn on_rejected(&mut self, core: &Core, now: Instant, peer: NodeId, errand: Errand) {
        self.acquaintances.remove(&peer);
        if errand == Errand::Long {
            self.pause_long();
        }
        self.retries.delay(peer, core.config.upkeep / 2, now);
    }

    /// A node announced itself this way.
    pub(super) fn on_announced(&mut self, core: &Core, now: Instant, reference: NodeRef) {
        self.acquaintances.remember(core, now, reference);
        self.on_change(now);
    }

    /// A question asked by this machine has ended.
    pub(super) fn handle_reply(
        &mut self,
        core: &mut Core,
        greetings: &mut Greetings,
        now: Instant,
        purpose: Purpose,
        reply: Option<Reply>,
    ) {
        let references = match reply {
            Some(Reply::Seen { references }) => references,
            _ => Vec::new(),
        };
        if let Purpose::Long { target } = purpose {
            self.long_open = self.long_open.saturating_sub(1);
            // Questions come ever closer, so whoever lies further off than a neighbour is no honest answer.
            let reach = core.neighbours.nearest_to(target).next().map(|(_, _, place)| place.distance(target));
            let is_reached =
                |reference: &NodeRef| reach.is_none_or(|reach| reference.location.distance(target) < reach);
            let found = references.into_iter().next().filter(is_reached);
            let is_hit = found.is_some_and(|reference| self.dial(core, greetings, now, &reference, Errand::Long));
            if !is_hit {
                self.pause_long();
            }
            return;
        }
        for reference in references {
            if is_near(core, reference.location, &reference.id)
                && self.dial(core, greetings, now, &reference, Errand::Near)
            {
                self.near_pause = 0;
            } else {
                self.acquaintances.remember(core, now, reference);
            }
        }
    }

    /// Whether `peer` rests after vain dials.
    pub(super) fn rests(&self, now: Instant, peer: &NodeId) -> bool {
        self.retries.rests(now, peer)
    }

    /// Dials a node that may become a neighbour. Returns whether a dial began.
    pub(super) fn dial(
        &mut self,
        core: &mut Core,
        greetings: &mut Greetings,
        now: Instant,
        reference: &NodeRef,
        errand: Errand,
    ) -> bool {
        let may_replace = matches!(errand, Errand::Near | Errand::Fold);
        let has_room = may_replace || linked(core) + greetings.dialling() < core.config.degree;
        let is_open = has_room && !self.rests(now, &reference.id);
        if !is_open || (errand != Errand::Near && group_is_full(core, reference)) {
            return false;
        }
        let sought = (errand == Errand::Long).then_some(reference.location);
        let peer = (reference.id, reference.address);
        core.me.has_signed(reference) && greetings.dial(core, now, peer, errand, sought)
    }

    // -- near neighbours --------------------------------------------------------------------------------------------------

    /// Asks who lies at this node's own place, and calls those who lay there.
    fn seek_near(&mut self, core: &mut Core, greetings: &mut Greetings, queries: &mut Queries, now: Instant) {
        self.near_due = now + self.pause(core, self.near_pause);
        self.near_pause = (self.near_pause + 1).min(limits::PAUSE_DOUBLINGS);
        if core.neighbours.count() > 0 {
            let question = Question::Seek { announced: Some(core.me.reference.clone()) };
            queries.ask(core, now, Purpose::Near, core.location(), question, None);
        }
        for reference in self.missed.due(now) {
            if is_near(core, reference.location, &reference.id) {
                self.dial(core, greetings, now, &reference, Errand::Near);
            }
        }
    }

    /// Looks for near neighbours among those who passed by, and asks for places that neighbours tell of.
    fn look(&mut self, core: &mut Core, greetings: &mut Greetings, queries: &mut Queries, now: Instant) {
        let vicinity = vicinity(core);
        let is_near = |reference: &&NodeRef| is_near(core, reference.location, &reference.id);
        let around = self.acquaintances.at(|place| vicinity.contains(place));
        let near: Vec<NodeRef> = around.filter(is_near).cloned().collect();
        for reference in near {
            self.dial(core, greetings, now, &reference, Errand::Near);
        }
        self.asked_places.forget_after(limits::DIAL_TIMEOUT, now);
        for (place, teller) in unlinked_near_places(core) {
            if !self.asked_places.rests(now, &place) {
                self.asked_places.delay(place, core.config.upkeep, now);
                // By way of who told: the place may lie where no neighbour of this node is closer.
                let question = Question::Seek { announced: None };
                queries.ask(core, now, Purpose::Gap, place, question, Some(teller));
            }
        }
    }

    // -- long links ---------------------------------------------------------------------------------------------------------

    /// Asks who lies at places drawn ∝ 1/distance, while this node has initiated fewer long links than is its share.
    fn seek_long(&mut self, core: &mut Core, greetings: &Greetings, queries: &mut Queries, now: Instant) {
        self.long_due = now + self.pause(core, self.long_pause) / 4;
        let members = core.neighbours.count();
        if !is_established(core) || core.neighbours.reachable(core.location(), members + 1) <= members {
            // Whoever lies at the far end asks near this node's place whether it is known there, so those that lie near come
            // first; and where nobody is known who is not linked there is nothing to draw from.
            self.long_due = now + core.config.upkeep;
            return;
        }
        let wanted = initiated_share(core.config.degree);
        let open = initiated(core) + greetings.dialling() + self.long_open;
        let room = core.config.degree.saturating_sub(linked(core) + greetings.dialling() + self.long_open);
        for _ in 0..wanted.saturating_sub(open).min(room).min(limits::LONG_SEEKS.saturating_sub(self.long_open)) {
            let target = draw_long_target(core);
            self.long_open += 1;
            queries.ask(core, now, Purpose::Long { target }, target, Question::Seek { announced: None }, None);
        }
    }

    /// A search for a long link was vain.
    fn pause_long(&mut self) {
        self.long_pause = (self.long_pause + 1).min(limits::PAUSE_DOUBLINGS + 2);
    }

    fn pause(&self, core: &Core, doublings: u32) -> Duration {
        core.config.upkeep * (1 << doublings.min(limits::PAUSE_DOUBLINGS + 2))
    }
}

/// The node nearest the target answers who is there: itself and its neighbours nearest the target.
pub(super) fn seen(core: &Core, target: Location) -> Reply {
    if !core.me.placed {
        return Reply::Declined;
    }
    let others = core.neighbours.nearest_to(target).filter_map(|(_, neighbour, _)| neighbour.reference().cloned());
    let references = std::iter::once(core.me.reference.clone()).chain(others);
    Reply::Seen { references: references.take(limits::REFERENCES_PER_REPLY).collect() }
}
