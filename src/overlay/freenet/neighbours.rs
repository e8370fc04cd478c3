//! The links of a node and what it knows of each neighbour.
//!
//! Decides nothing about requests; keeps the facts that routing ranks by: locations, look-ahead lists, congestion. A
//! link is a *guest* until both sides have accepted it; guests route nothing. The accepted ones stand in the order of the
//! ring, so that who is near is a look and no search.

mod nearby;
mod ring;

use std::net::SocketAddr;

use rand::{Rng, RngExt};

use self::nearby::Nearby;
pub(super) use self::nearby::Vicinity;
use self::ring::Ring;
use crate::id::{AddressGroup, NodeId};
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
    /// The group of the address that its packets come from, and whether that is a loopback address.
    pub(super) group: AddressGroup,
    pub(super) is_loopback: bool,
    /// Whether its signatures give it the place it claims.
    pub(super) rightful: bool,
    /// What is known of its certificate beyond the signatures.
    pub(super) standing: Standing,
    /// Where this node looked for somebody and was told of this peer, if it was.
    sought: Location,
    was_sought: bool,
    /// Whether this node has accepted the peer.
    accepted: bool,
    /// Whether the peer has accepted this node.
    welcome: bool,
    /// Its place was given to another and the link is being closed: it is asked nothing any more.
    leaving: bool,
    /// The locations of its neighbours.
    ahead: LocationList,
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
    pub(super) open_requests: u16,
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

/// The coin of one link, tossed once: tossing per request would let an observer average it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coins {
    /// Whether hops to live at the maximum are lowered.
    lower_at_maximum: bool,
}

/// All links.
#[derive(Clone, Debug)]
pub(super) struct Neighbours {
    /// The beginnings of the ids, in the order of `links`: looked through in one go.
    heads: Vec<u64>,
    links: Vec<(NodeId, Neighbour)>,
    nearby: Nearby,
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
            group: AddressGroup::of(&address),
            is_loopback: address.ip().is_loopback(),
            rightful: false,
            standing: Standing::Entered,
            sought: Location(0),
            was_sought: false,
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

    /// This node looked for somebody at `place`, if anywhere, and was told of this peer.
    pub(super) const fn seek_at(&mut self, place: Option<Location>) {
        self.was_sought = place.is_some();
        if let Some(place) = place {
            self.sought = place;
        }
    }

    /// Whether a search for somebody at `place` found this peer.
    pub(super) fn was_sought_at(&self, place: Location) -> bool {
        self.was_sought && self.sought == place
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

    /// The locations of its neighbours.
    pub(super) const fn ahead(&self) -> &LocationList {
        &self.ahead
    }

    /// Whether it may be asked now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.is_member() && !self.behind && self.rest_until <= now
    }

    /// Whether load alone keeps it from being asked now.
    pub(super) fn is_busy(&self, now: Instant) -> bool {
        self.is_member() && (self.behind || self.busy_until > now)
    }

    /// Hops to live after a request from this link has been taken; `None` if it ends here, as one with its last hop does if
    /// `ends`.
    pub(super) const fn lower(&self, htl: u8, maximum: u8, ends: bool) -> Option<u8> {
        self.coins.lower(htl, maximum, ends)
    }
}

impl Coins {
    pub(super) fn toss(random: &mut impl Rng) -> Self {
        // As Hyphanet ships it.
        Self { lower_at_maximum: random.random_ratio(1, 2) }
    }

    pub(super) const fn lower(self, htl: u8, maximum: u8, ends: bool) -> Option<u8> {
        if htl >= maximum {
            Some(if self.lower_at_maximum { maximum - 1 } else { maximum })
        } else if htl > 1 {
            Some(htl - 1)
        } else if htl == 1 && !ends {
            Some(1)
        } else {
            None
        }
    }
}

impl Neighbours {
    /// No links yet, of a node at `home`.
    pub(super) fn new(home: Location) -> Self {
        Self { heads: Vec::new(), links: Vec::new(), ring: Ring::default(), nearby: Nearby::new(home) }
    }

    pub(super) fn get(&self, id: &NodeId) -> Option<&Neighbour> {
        self.slot(id).map(|slot| &self.links[slot].1)
    }

    /// For facts that do not decide who is a neighbour.
    pub(super) fn get_mut(&mut self, id: &NodeId) -> Option<&mut Neighbour> {
        self.slot(id).map(|slot| &mut self.links[slot].1)
    }

    pub(super) fn insert(&mut self, id: NodeId, neighbour: Neighbour) {
        let slot = match self.slot(&id) {
            Some(slot) => {
                self.links[slot].1 = neighbour;
                self.nearby.forget();
                slot
            }
            None => {
                // Few links more at a time: most nodes keep as many as they have.
                if self.links.len() == self.links.capacity() {
                    self.links.reserve_exact(GROWTH);
                    self.heads.reserve_exact(GROWTH);
                }
                self.heads.push(id.head());
                self.links.push((id, neighbour));
                self.links.len() - 1
            }
        };
        self.place(slot);
    }

    pub(super) fn remove(&mut self, id: &NodeId) -> Option<Neighbour> {
        let slot = self.slot(id)?;
        let last = self.links.len() - 1;
        if let Some(place) = self.ring.place_of(slot) {
            self.nearby.on_left(&self.ring, slot, place);
        }
        self.nearby.on_moved(last, slot);
        self.ring.remove(slot, last);
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

    /// The peer tells where its neighbours are.
    pub(super) fn tell(&mut self, id: &NodeId, list: LocationList) {
        let Some(slot) = self.slot(id) else { return };
        let neighbour = &mut self.links[slot].1;
        neighbour.ahead = list;
        if neighbour.is_member() {
            self.nearby.on_told(&self.ring, slot, &neighbour.ahead);
        }
    }

    /// This node lies at `home` from now on.
    pub(super) fn settle(&mut self, home: Location) {
        self.nearby = Nearby::new(home);
    }

    /// Places nearer to this node than its near neighbours that are not linked, each with an accepted link that tells of it.
    pub(super) fn unlinked_near(&mut self) -> Vec<(Location, NodeId)> {
        let lists = self.ring.spots().iter().map(|spot| (spot.slot(), &self.links[spot.slot()].1.ahead));
        let told = self.nearby.unlinked(&self.ring, lists);
        told.into_iter().map(|(place, slot)| (place, self.links[slot].0)).collect()
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
        let neighbour = &self.links[slot].1;
        let (before, now) = (self.ring.place_of(slot), neighbour.location());
        if before == now {
            return;
        }
        if let Some(place) = before {
            self.nearby.on_left(&self.ring, slot, place);
        }
        self.ring.set(slot, now);
        if now.is_some() {
            self.nearby.on_told(&self.ring, slot, &neighbour.ahead);
        }
    }

    fn slot(&self, id: &NodeId) -> Option<usize> {
        let head = id.head();
        let is_it = |(slot, other): &(usize, &u64)| **other == head && self.links[*slot].0 == *id;
        self.heads.iter().enumerate().find(is_it).map(|(slot, _)| slot)
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

    /// How far the near links reach on either side.
    pub(super) fn vicinity(&self) -> Vicinity {
        self.nearby.vicinity(&self.ring)
    }

    /// How many accepted links but that of `id` lie between `own` and `place`: clockwise, and the other way round.
    fn between(&self, own: Location, place: Location, id: &NodeId) -> (usize, usize) {
        let (clockwise, counter) = self.ring.between(own, place);
        let its = self.get(id).and_then(Neighbour::location).filter(|its| *its != place);
        let is_within =
            |from: Location, to: Location| its.is_some_and(|its| from.clockwise_to(its) < from.clockwise_to(to));
        let is_clockwise = usize::from(is_within(own, place));
        let is_counter = usize::from(its.is_some_and(|its| its.clockwise_to(own) < place.clockwise_to(own)));
        (clockwise - is_clockwise, counter - is_counter)
    }

    /// Whether fewer than `most` accepted links but that of `id` lie between `own` and `place` on either way.
    pub(super) fn are_fewer_between(&self, most: usize, own: Location, place: Location, id: &NodeId) -> bool {
        let (clockwise, counter) = self.ring.between(own, place);
        match clockwise.min(counter) {
            // One link more or less decides only here.
            count if count == most => {
                let (clockwise, counter) = self.between(own, place, id);
                clockwise.min(counter) < most
            }
            count => count < most,
        }
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
        // They stand in order, so that those at one place stand together.
        let (mut linked, mut last) = (0, None);
        for place in self.places().filter(|place| *place != own) {
            linked += usize::from(last != Some(place));
            last = Some(place);
            if linked >= most {
                return most;
            }
        }
        // Nearly always a few places that are not linked are enough, so that few lists are read.
        let mut others: Vec<Location> = Vec::new();
        let told = self.members().flat_map(|(_, neighbour, _)| neighbour.ahead.as_slice());
        for place in told.filter(|place| **place != own && !self.ring.is_linked(**place)) {
            if linked + others.len() >= most {
                break;
            }
            if let Err(at) = others.binary_search(place) {
                others.insert(at, *place);
            }
        }
        most.min(linked + others.len())
    }
}

/// Links that the list grows by.
const GROWTH: usize = 4;

// A node has up to fifty of them, and a simulation a million nodes.
const _: () = assert!(size_of::<Neighbour>() <= 96);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_to_live_fall_by_a_coin_tossed_once_per_link_and_end_by_one_of_the_key() {
        let coins = |lower_at_maximum| Coins { lower_at_maximum };
        assert_eq!(coins(true).lower(18, 18, true), Some(17));
        assert_eq!(coins(false).lower(18, 18, true), Some(18));
        assert_eq!(coins(true).lower(200, 18, true), Some(17), "a peer cannot raise the maximum");
        assert_eq!(coins(true).lower(9, 18, true), Some(8));
        assert_eq!(coins(true).lower(1, 18, true), None);
        assert_eq!(coins(true).lower(1, 18, false), Some(1));
        assert_eq!(coins(true).lower(0, 18, false), None);
    }
}
