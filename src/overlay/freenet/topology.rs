//! Who the neighbours should be: a few nearest on either side of the ring, and long links drawn ∝ 1/distance.
//!
//! Near neighbours are found by asking who lies at this node's own place, and by what neighbours tell of theirs; a lost
//! one is sought again at once. Long links follow from places drawn, so that no peer can choose to be one
//! (docs/protocol.md §5). A settled neighbourhood is quiet: vain searches pause longer and longer. Whether a newcomer may
//! hold its place is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, RngExt};

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::{Core, Purpose};
use crate::overlay::freenet::greeting::Greetings;
use crate::overlay::freenet::message::{Errand, Question, Reply};
use crate::overlay::freenet::query::Queries;
use crate::time::{Duration, Instant};

/// What a node knows about whom to link.
#[derive(Debug, Default)]
pub(super) struct Topology {
    acquaintances: BTreeMap<NodeId, (Instant, NodeRef)>,
    retries: BTreeMap<NodeId, Retry>,
    /// Places that neighbours told of and that were asked for lately.
    asked_places: BTreeMap<Location, Retry>,
    near_members: BTreeSet<NodeId>,
    near_due: Instant,
    near_pause: u32,
    look_due: Option<Instant>,
    long_due: Instant,
    long_pause: u32,
    long_open: usize,
}

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

#[derive(Clone, Copy, Debug)]
struct Retry {
    failures: u32,
    until: Instant,
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
            self.seek_near(core, queries, now);
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
        self.near_members = near_members(core);
        self.on_change(now);
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
            self.long_pause = (self.long_pause + 1).min(limits::PAUSE_DOUBLINGS);
        }
        delay(&mut self.retries, peer, core.config.upkeep / 2, now);
    }

    /// A node announced itself this way.
    pub(super) fn on_announced(&mut self, core: &Core, now: Instant, reference: NodeRef) {
        self.remember(core, now, reference);
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
        if purpose == Purpose::Long {
            self.long_open = self.long_open.saturating_sub(1);
            let found = references.into_iter().next();
            let is_hit = found.is_some_and(|reference| self.dial(core, greetings, now, &reference, Errand::Long));
            self.long_pause = if is_hit { 0 } else { (self.long_pause + 1).min(limits::PAUSE_DOUBLINGS + 2) };
            return;
        }
        for reference in references {
            if is_near(core, reference.location, &reference.id)
                && self.dial(core, greetings, now, &reference, Errand::Near)
            {
                self.near_pause = 0;
            } else {
                self.remember(core, now, reference);
            }
        }
    }

    /// Whether `peer` may become a neighbour.
    pub(super) fn admit(&self, core: &mut Core, now: Instant, peer: &NodeId, errand: Errand) -> Admission {
        let Some(reference) = core.neighbours.get(peer).and_then(|neighbour| neighbour.reference.clone()) else {
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

    /// Whether `peer` rests after vain dials.
    pub(super) fn rests(&self, now: Instant, peer: &NodeId) -> bool {
        self.retries.get(peer).is_some_and(|retry| retry.until > now)
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
        reference.verifies(&core.me.network) && greetings.dial(core, now, reference.id, reference.address, errand)
    }

    // -- near neighbours --------------------------------------------------------------------------------------------------

    /// Asks who lies at this node's own place.
    fn seek_near(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        self.near_due = now + self.pause(core, self.near_pause);
        self.near_pause = (self.near_pause + 1).min(limits::PAUSE_DOUBLINGS);
        if core.neighbours.members().next().is_some() {
            let question = Question::Seek { announced: Some(core.me.reference.clone()) };
            queries.ask(core, now, Purpose::Near, core.location(), question, None);
        }
    }

    /// Looks for near neighbours among those who passed by, and asks for places that neighbours tell of.
    fn look(&mut self, core: &mut Core, greetings: &mut Greetings, queries: &mut Queries, now: Instant) {
        let near: Vec<NodeRef> = self
            .acquaintances
            .values()
            .filter(|(_, reference)| is_near(core, reference.location, &reference.id))
            .map(|(_, reference)| reference.clone())
            .collect();
        for reference in near {
            self.dial(core, greetings, now, &reference, Errand::Near);
        }
        self.asked_places.retain(|_, retry| retry.until + limits::DIAL_TIMEOUT > now);
        for (place, teller) in unlinked_near_places(core) {
            let rests = self.asked_places.get(&place).is_some_and(|retry| retry.until > now);
            if !rests {
                delay(&mut self.asked_places, place, core.config.upkeep, now);
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
        let members = core.neighbours.members().count();
        if members == 0 || core.neighbours.reachable(core.location()) <= members {
            // Nobody is known who is not linked: there is nothing to draw from.
            self.long_due = now + core.config.upkeep;
            return;
        }
        let wanted = initiated_share(core.config.degree);
        let open = initiated(core) + greetings.dialling() + self.long_open;
        let room = core.config.degree.saturating_sub(linked(core) + greetings.dialling() + self.long_open);
        for _ in 0..wanted.saturating_sub(open).min(room).min(limits::LONG_SEEKS.saturating_sub(self.long_open)) {
            let target = draw_long_target(core);
            self.long_open += 1;
            queries.ask(core, now, Purpose::Long, target, Question::Seek { announced: None }, None);
        }
    }

    // -- memory ---------------------------------------------------------------------------------------------------------------

    fn remember(&mut self, core: &Core, now: Instant, reference: NodeRef) {
        if reference.id == core.me.id || core.neighbours.get(&reference.id).is_some() {
            return;
        }
        if self.acquaintances.len() >= limits::ACQUAINTANCES && !self.acquaintances.contains_key(&reference.id) {
            let oldest = self.acquaintances.iter().min_by_key(|(_, (since, _))| *since).map(|(id, _)| *id);
            oldest.map(|id| self.acquaintances.remove(&id));
        }
        self.acquaintances.insert(reference.id, (now, reference));
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
    let mut others: Vec<_> = core
        .neighbours
        .members()
        .filter_map(|(_, neighbour, place)| Some((place.distance(target), neighbour.reference.clone()?)))
        .collect();
    others.sort_by_key(|(distance, reference)| (*distance, reference.id));
    let others = others.into_iter().map(|(_, reference)| reference);
    let references = std::iter::once(core.me.reference.clone()).chain(others);
    Reply::Seen { references: references.take(limits::REFERENCES_PER_REPLY).collect() }
}

/// How many links a peer is or may soon be at the other end of.
fn linked(core: &Core) -> usize {
    core.neighbours.all().filter(|(_, neighbour)| neighbour.may_ask() && !neighbour.leaving).count()
}

/// How many long links this node has initiated.
fn initiated(core: &Core) -> usize {
    let is_one = |errand| matches!(errand, Errand::Long | Errand::Fold);
    core.neighbours.all().filter(|(_, neighbour)| !neighbour.inbound && is_one(neighbour.errand)).count()
}

/// Half of the long links are for this node to initiate; the other half comes from others' draws. A seventh of the
/// room beside the near ones stays free, because what comes varies.
const fn initiated_share(degree: usize) -> usize {
    degree.saturating_sub(2 * limits::NEAR_PER_SIDE) * 3 / 7
}

/// Whether a node at `place` is, or would be, among the nearest on either side.
pub(super) fn is_near(core: &Core, place: Location, id: &NodeId) -> bool {
    if *id == core.me.id || !core.me.placed {
        return false;
    }
    let own = core.location();
    let others = || core.neighbours.members().filter(|(other, _, _)| *other != id).map(|(_, _, other)| other);
    let clockwise = others().filter(|other| own.clockwise_to(*other) < own.clockwise_to(place)).count();
    let counter = others().filter(|other| other.clockwise_to(own) < place.clockwise_to(own)).count();
    clockwise.min(counter) < limits::NEAR_PER_SIDE
}

fn near_members(core: &Core) -> BTreeSet<NodeId> {
    core.neighbours.members().filter(|(id, _, place)| is_near(core, *place, id)).map(|(id, _, _)| *id).collect()
}

/// Places that would be near and are not linked, each with a neighbour that tells of it.
fn unlinked_near_places(core: &Core) -> Vec<(Location, NodeId)> {
    let own = core.location();
    let linked: BTreeSet<Location> = core.neighbours.members().map(|(_, _, place)| place).collect();
    let told: BTreeMap<Location, NodeId> = core
        .neighbours
        .members()
        .flat_map(|(teller, neighbour, _)| neighbour.ahead.as_slice().iter().map(|place| (*place, *teller)))
        .filter(|(place, _)| *place != own && !linked.contains(place))
        .collect();
    let mut near: Vec<_> = told.into_iter().filter(|(place, _)| is_near(core, *place, &NodeId([0; 32]))).collect();
    near.sort_by_key(|(place, _)| own.distance(*place));
    near.truncate(2 * limits::NEAR_PER_SIDE);
    near
}

/// Whether the peer's address group has its share of links already. Small networks do not ration.
fn group_is_full(core: &Core, reference: &NodeRef) -> bool {
    let group = reference.group();
    let members = core.neighbours.members();
    let of_group = members
        .filter(|(id, neighbour, _)| {
            **id != reference.id && neighbour.reference.as_ref().is_some_and(|other| other.group() == group)
        })
        .count();
    of_group >= limits::NEIGHBOURS_PER_GROUP && core.neighbours.reachable(core.location()) + 1 >= limits::SMALL_NETWORK
}

/// The member to give up for a better one: of the most crowded octave of link lengths, the one that has not been useful
/// for longest (Zhang, Goel, Govindan 2004: what is kept is clustered, not merely recent). Near ones are never given up.
fn least_useful(core: &Core) -> Option<NodeId> {
    let own = core.location();
    let crowds = octaves(core);
    core.neighbours
        .members()
        .filter(|(id, _, place)| !is_near(core, *place, id))
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

fn octaves(core: &Core) -> [usize; 65] {
    let mut crowds = [0; 65];
    for (_, _, place) in core.neighbours.members() {
        crowds[octave(core.location(), place)] += 1;
    }
    crowds
}

const fn octave(own: Location, place: Location) -> usize {
    64 - own.distance(place).0.leading_zeros() as usize
}

/// A place for a long link: at a distance between the near neighbours' and half the ring.
fn draw_long_target(core: &mut Core) -> Location {
    let own = core.location();
    let is_clockwise = core.random.random_ratio(1, 2);
    let mut gaps: Vec<u64> = core
        .neighbours
        .members()
        .map(|(_, _, place)| if is_clockwise { own.clockwise_to(place) } else { place.clockwise_to(own) })
        .collect();
    gaps.sort_unstable();
    let gap = gaps.get(limits::NEAR_PER_SIDE - 1).or(gaps.last()).copied().unwrap_or(1);
    let distance = draw_harmonic(gap.clamp(1, 1 << 62), &mut core.random);
    Location(if is_clockwise { own.0.wrapping_add(distance) } else { own.0.wrapping_sub(distance) })
}

/// A distance from `least` to half the ring with density ∝ 1/distance, in integers alone: an octave drawn evenly, a
/// distance within it kept with probability start/distance, and all drawn anew beyond half the ring.
fn draw_harmonic(least: u64, random: &mut impl Rng) -> u64 {
    let half = 1u128 << 63;
    let octaves = (0..).take_while(|octave| u128::from(least) << octave <= half).count();
    loop {
        let start = u128::from(least) << random.random_range(0..octaves);
        let distance = random.random_range(start..2 * start);
        let is_kept = random.random_range(0..distance) < start;
        if is_kept && distance <= half {
            return distance as u64;
        }
    }
}

fn delay<K: Ord + Copy>(retries: &mut BTreeMap<K, Retry>, key: K, base: Duration, now: Instant) {
    if retries.len() >= limits::RETRIES && !retries.contains_key(&key) {
        let soonest = retries.iter().min_by_key(|(_, retry)| retry.until).map(|(key, _)| *key);
        soonest.map(|key| retries.remove(&key));
    }
    let retry = retries.entry(key).or_insert(Retry { failures: 0, until: now });
    retry.until = now + base * (1 << retry.failures.min(limits::PAUSE_DOUBLINGS));
    retry.failures += 1;
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn drawn_distances_have_density_one_over_distance() {
        // 40,000 draws over 39 octaves: each octave expects 1,025.6, standard deviation 31.6; six of them either way fail
        // once in 10^7 tests.
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut octaves = [0u32; 64];
        for _ in 0..40_000 {
            let distance = draw_harmonic(1 << 24, &mut random);
            assert!((1 << 24..=1 << 63).contains(&distance));
            octaves[distance.min((1 << 63) - 1).ilog2() as usize] += 1;
        }
        for (octave, drawn) in octaves.iter().enumerate().skip(24).take(39) {
            assert!((836..=1_216).contains(drawn), "octave {octave}: {drawn}");
        }
    }

    #[test]
    fn a_range_that_is_no_power_of_two_is_drawn_to_its_end_and_not_beyond() {
        // ln(8/6) / ln(8/1.5) of the draws lie in the last third: 20,000 draws expect 3,437, standard deviation 53.
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let least = 3 << 59;
        let draws: Vec<u64> = (0..20_000).map(|_| draw_harmonic(least, &mut random)).collect();
        assert!(draws.iter().all(|distance| (least..=1 << 63).contains(distance)));
        let last = draws.iter().filter(|distance| **distance >= 3 << 61).count();
        assert!((3_100..=3_780).contains(&last), "{last}");
    }
}
