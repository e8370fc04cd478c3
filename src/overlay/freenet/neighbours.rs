//! The links of a node and what it knows of each neighbour.
//!
//! Decides nothing about requests; keeps the facts that routing ranks by: locations, look-ahead lists, congestion. A
//! link is a *guest* until both sides have accepted it; guests route nothing. The accepted ones stand in the order of the
//! ring, so that who is near is a look and no search.

mod ring;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use rand::{Rng, RngExt};

use self::ring::Ring;
use crate::id::NodeId;
use crate::key::Location;
use crate::message::certificate::Shown;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::message::{Errand, LocationList};
use crate::time::Instant;

/// One link.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    /// Its reference, once it has said hello.
    reference: Option<NodeRef>,
    /// Its certificate, if it showed one.
    pub(super) certificate: Option<Shown>,
    /// What the link is for.
    errand: Errand,
    /// Whether the peer dialled.
    pub(super) inbound: bool,
    /// The address its packets come from.
    pub(super) address: SocketAddr,
    /// Whether its signatures give it the place it claims.
    pub(super) rightful: bool,
    /// What is known of its certificate beyond the signatures.
    pub(super) standing: Standing,
    /// Where this node looked for somebody and was told of this peer.
    pub(super) sought: Option<Location>,
    /// Whether this node has accepted the peer.
    accepted: bool,
    /// Whether the peer has accepted this node.
    welcome: bool,
    /// Its place was given to another and the link is being closed: it is asked nothing any more.
    leaving: bool,
    /// The locations of its neighbours.
    pub(super) ahead: LocationList,
    /// What is queued towards it has passed its bound.
    pub(super) behind: bool,
    /// Not to be asked before this instant: it refused, stayed silent or sent bad data.
    pub(super) rest_until: Instant,
    /// Until when it rests because of load, and not for any fault of its own.
    pub(super) busy_until: Instant,
    /// When the link came up.
    pub(super) since: Instant,
    /// When it last gave an answer that counted.
    pub(super) useful: Instant,
    /// Requests it has open at this node.
    pub(super) open_requests: usize,
    /// Faults counted against it: silence, bad data, unasked answers.
    pub(super) faults: u32,
    coins: Coins,
}

/// How well it is known that a neighbour holds its place (docs/protocol.md §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not looked into yet: taken on the word of the node by which this one entered.
    Entered,
    /// It has shown another certificate since it was taken.
    Moved,
    /// Found by routing to its place, or known there. Good for a long link: it is no witness and does not vouch.
    Known,
    /// Examined, or in no need of it.
    Examined,
}

/// The coins of one link, tossed once: tossing per request would let an observer average them out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coins {
    /// Whether hops to live at the maximum are lowered.
    lower_at_maximum: bool,
    /// Whether a request at one hop to live ends here.
    end_at_one: bool,
}

/// All links.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    /// The beginnings of the ids, in the order of `links`: looked through in one go.
    heads: Vec<u64>,
    links: Vec<(NodeId, Neighbour)>,
    /// The accepted ones.
    ring: Ring,
}

impl Neighbour {
    pub(super) fn new(now: Instant, errand: Errand, inbound: bool, address: SocketAddr, random: &mut impl Rng) -> Self {
        Self {
            reference: None,
            certificate: None,
            errand,
            inbound,
            address,
            rightful: false,
            standing: Standing::Entered,
            sought: None,
            accepted: false,
            welcome: false,
            leaving: false,
            ahead: LocationList::default(),
            behind: false,
            rest_until: Instant::EPOCH,
            busy_until: Instant::EPOCH,
            since: now,
            useful: now,
            open_requests: 0,
            faults: 0,
            coins: Coins::toss(random),
        }
    }

    /// Whether both sides have accepted the link for routing.
    pub(super) const fn is_member(&self) -> bool {
        self.accepted
            && self.welcome
            && !self.leaving
            && self.reference.is_some()
            && !matches!(self.errand, Errand::Join)
    }

    /// Its reference, once it has said hello.
    pub(super) const fn reference(&self) -> Option<&NodeRef> {
        self.reference.as_ref()
    }

    /// What the link is for.
    pub(super) const fn errand(&self) -> Errand {
        self.errand
    }

    /// Whether this node has accepted the peer.
    pub(super) const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// Whether its place was given to another.
    pub(super) const fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Whether it may take itself for a neighbour: each message has a stream of its own, so that its first request can
    /// overtake its acceptance.
    pub(super) const fn may_ask(&self) -> bool {
        self.accepted && !matches!(self.errand, Errand::Join)
    }

    /// Its place on the ring, once accepted.
    pub(super) fn location(&self) -> Option<Location> {
        self.reference.as_ref().filter(|_| self.is_member()).map(|reference| reference.location)
    }

    /// Whether it may be asked now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.is_member() && !self.behind && self.rest_until <= now
    }

    /// Whether load alone keeps it from being asked now.
    pub(super) fn is_busy(&self, now: Instant) -> bool {
        self.is_member() && (self.behind || self.busy_until > now)
    }

    /// Hops to live after a request from this link has been taken; `None` if it ends here.
    pub(super) const fn lower(&self, htl: u8, maximum: u8) -> Option<u8> {
        self.coins.lower(htl, maximum)
    }
}

impl Coins {
    pub(super) fn toss(random: &mut impl Rng) -> Self {
        // One in two at the maximum and one in four at one, as Hyphanet ships them.
        Self { lower_at_maximum: random.random_ratio(1, 2), end_at_one: random.random_ratio(1, 4) }
    }

    pub(super) const fn lower(self, htl: u8, maximum: u8) -> Option<u8> {
        if htl >= maximum {
            Some(if self.lower_at_maximum { maximum - 1 } else { maximum })
        } else if htl > 1 {
            Some(htl - 1)
        } else if htl == 1 && !self.end_at_one {
            Some(1)
        } else {
            None
        }
    }
}

impl Neighbours {
    pub(super) fn get(&self, id: &NodeId) -> Option<&Neighbour> {
        self.slot(id).map(|slot| &self.links[slot].1)
    }

    /// For facts that do not decide who is a neighbour.
    pub(super) fn get_mut(&mut self, id: &NodeId) -> Option<&mut Neighbour> {
        self.slot(id).map(|slot| &mut self.links[slot].1)
    }

    pub(super) fn insert(&mut self, id: NodeId, neighbour: Neighbour) {
        let slot = self.slot(&id).unwrap_or_else(|| {
            self.heads.push(head(&id));
            self.links.push((id, neighbour.clone()));
            self.links.len() - 1
        });
        self.links[slot].1 = neighbour;
        self.place(slot);
    }

    pub(super) fn remove(&mut self, id: &NodeId) -> Option<Neighbour> {
        let slot = self.slot(id)?;
        self.ring.remove(slot, self.links.len() - 1);
        self.heads.swap_remove(slot);
        Some(self.links.swap_remove(slot).1)
    }

    /// The peer has introduced itself.
    pub(super) fn introduce(&mut self, id: &NodeId, reference: NodeRef, errand: Errand) {
        self.change(id, |neighbour| (neighbour.reference, neighbour.errand) = (Some(reference), errand));
    }

    /// The link has another errand now.
    pub(super) fn set_errand(&mut self, id: &NodeId, errand: Errand) {
        self.change(id, |neighbour| neighbour.errand = errand);
    }

    /// This node accepts the peer.
    pub(super) fn accept(&mut self, id: &NodeId) {
        self.change(id, |neighbour| neighbour.accepted = true);
    }

    /// The peer accepts this node. Returns false if it had before.
    pub(super) fn welcome(&mut self, id: &NodeId) -> bool {
        let is_news = self.get(id).is_some_and(|neighbour| !neighbour.welcome);
        self.change(id, |neighbour| neighbour.welcome = true);
        is_news
    }

    /// The peer's place is given to another.
    pub(super) fn leave(&mut self, id: &NodeId) {
        self.change(id, |neighbour| neighbour.leaving = true);
    }

    fn change(&mut self, id: &NodeId, change: impl FnOnce(&mut Neighbour)) {
        if let Some(slot) = self.slot(id) {
            change(&mut self.links[slot].1);
            self.place(slot);
        }
    }

    /// Brings the ring up to date with a link.
    fn place(&mut self, slot: usize) {
        self.ring.set(slot, self.links[slot].1.location());
    }

    fn slot(&self, id: &NodeId) -> Option<usize> {
        let head = head(id);
        let is_it = |slot: &usize| self.heads[*slot] == head && self.links[*slot].0 == *id;
        (0..self.heads.len()).find(is_it)
    }

    /// All links, guests included.
    pub(super) fn all(&self) -> impl Iterator<Item = (&NodeId, &Neighbour)> {
        self.links.iter().map(|(id, neighbour)| (id, neighbour))
    }

    /// The accepted links with their locations, in the order of the ring.
    pub(super) fn members(&self) -> impl Iterator<Item = (&NodeId, &Neighbour, Location)> {
        self.ring.spots().iter().map(|spot| {
            let (id, neighbour) = &self.links[spot.slot()];
            (id, neighbour, spot.location)
        })
    }

    /// Their locations alone, in the same order.
    pub(super) fn places(&self) -> impl ExactSizeIterator<Item = Location> + DoubleEndedIterator {
        self.ring.spots().iter().map(|spot| spot.location)
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.ring.spots().len()
    }

    /// The accepted links whose word on places counts, in the order of their distance from `target`, the nearest first.
    pub(super) fn trusted_nearest_to(&self, target: Location) -> impl Iterator<Item = (&NodeId, &Neighbour, Location)> {
        let counts = |neighbour: &Neighbour| matches!(neighbour.standing, Standing::Entered | Standing::Examined);
        self.nearest_to(target).filter(move |(_, neighbour, _)| counts(neighbour))
    }

    /// The accepted links in the order of their distance from `target`, the nearest first.
    pub(super) fn nearest_to(&self, target: Location) -> impl Iterator<Item = (&NodeId, &Neighbour, Location)> {
        self.ring.nearest_to(target).map(|spot| {
            let (id, neighbour) = &self.links[spot.slot()];
            (id, neighbour, spot.location)
        })
    }

    /// How many accepted links but that of `id` lie between `own` and `place`: clockwise, and the other way round.
    pub(super) fn between(&self, own: Location, place: Location, id: &NodeId) -> (usize, usize) {
        let (clockwise, counter) = self.ring.between(own, place);
        let its = self.get(id).and_then(Neighbour::location).filter(|its| *its != place);
        let is_within =
            |from: Location, to: Location| its.is_some_and(|its| from.clockwise_to(its) < from.clockwise_to(to));
        let is_clockwise = usize::from(is_within(own, place));
        let is_counter = usize::from(its.is_some_and(|its| its.clockwise_to(own) < place.clockwise_to(own)));
        (clockwise - is_clockwise, counter - is_counter)
    }

    /// Whether `id` is an accepted link.
    pub(super) fn is_member(&self, id: &NodeId) -> bool {
        self.get(id).is_some_and(Neighbour::is_member)
    }

    /// The list that this node shows its neighbours.
    pub(super) fn locations(&self) -> LocationList {
        LocationList::new(self.places().collect())
    }

    /// The places of all nodes known: neighbours and their neighbours, this node's own among them if it is known there.
    pub(super) fn known_places(&self) -> Vec<Location> {
        let ahead = self.members().flat_map(|(_, neighbour, _)| neighbour.ahead.as_slice().iter().copied());
        let mut places: Vec<Location> = self.places().chain(ahead).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// How far it is from `place`, as `turn` measures it on one side, to the known place number `nth`, counted from 0.
    pub(super) fn way_to_nth(&self, place: Location, nth: usize, turn: fn(Location, Location) -> u64) -> Option<u64> {
        let mut nearest: Vec<u64> = Vec::with_capacity(nth + 2);
        let mut see = |other: Location| {
            let way = turn(place, other);
            let rank = nearest.partition_point(|known| *known < way);
            if way > 0 && rank <= nth && nearest.get(rank) != Some(&way) {
                nearest.insert(rank, way);
                nearest.truncate(nth + 1);
            }
            rank <= nth
        };
        for own in self.places() {
            see(own);
        }
        for (_, neighbour, _) in self.members() {
            let ahead = neighbour.ahead.as_slice();
            let count = ahead.len();
            let start = ahead.partition_point(|other| *other < place);
            let is_upward = turn(place, Location(place.0.wrapping_add(1))) == 1;
            let at = |step: usize| ahead[(start + if is_upward { step } else { count - 1 - step }) % count];
            // The list goes round the ring: from the first that is too far on, all are. `place` itself is no way at all.
            (0..count).map(at).take_while(|other| see(*other) || *other == place).for_each(drop);
        }
        nearest.get(nth).copied()
    }

    /// How many other nodes are known to be reachable, counted up to `most`.
    pub(super) fn reachable(&self, own: Location, most: usize) -> usize {
        let mut known: BTreeSet<Location> = self.places().filter(|place| *place != own).collect();
        for (_, neighbour, _) in self.members() {
            if known.len() >= most {
                break;
            }
            known.extend(neighbour.ahead.as_slice().iter().filter(|place| **place != own));
        }
        known.len().min(most)
    }
}

/// The first eight bytes of an id.
fn head(id: &NodeId) -> u64 {
    id.0.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_to_live_end_by_a_coin_tossed_once_per_link() {
        let coins = |lower_at_maximum, end_at_one| Coins { lower_at_maximum, end_at_one };
        assert_eq!(coins(true, true).lower(18, 18), Some(17));
        assert_eq!(coins(false, true).lower(18, 18), Some(18));
        assert_eq!(coins(true, true).lower(200, 18), Some(17), "a peer cannot raise the maximum");
        assert_eq!(coins(true, true).lower(9, 18), Some(8));
        assert_eq!(coins(true, true).lower(1, 18), None);
        assert_eq!(coins(true, false).lower(1, 18), Some(1));
        assert_eq!(coins(true, false).lower(0, 18), None);
    }
}
