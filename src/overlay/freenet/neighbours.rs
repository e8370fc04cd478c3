//! The links of a node and what it knows of each neighbour.
//!
//! Decides nothing about requests; keeps the facts that routing ranks by: locations, look-ahead lists, congestion. A
//! link is a *guest* until both sides have accepted it; guests route nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rand::{Rng, RngExt};

use crate::id::NodeId;
use crate::key::Location;
use crate::message::certificate::Certificate;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::message::{Errand, LocationList};
use crate::time::Instant;

/// One link.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    /// Its reference, once it has said hello.
    pub(super) reference: Option<NodeRef>,
    /// Its certificate, if it showed one.
    pub(super) certificate: Option<Certificate>,
    /// What the link is for.
    pub(super) errand: Errand,
    /// Whether the peer dialled.
    pub(super) inbound: bool,
    /// The address its packets come from.
    pub(super) address: SocketAddr,
    /// Whether its signatures give it the place it claims.
    pub(super) rightful: bool,
    /// Whether this node has accepted the peer.
    pub(super) accepted: bool,
    /// Whether the peer has accepted this node.
    pub(super) welcome: bool,
    /// Its place was given to another and the link is being closed: it is asked nothing any more.
    pub(super) leaving: bool,
    /// The locations of its neighbours.
    pub(super) ahead: LocationList,
    /// What is queued towards it has passed its bound.
    pub(super) behind: bool,
    /// Not to be asked before this instant: it refused, stayed silent or sent bad data.
    pub(super) rest_until: Instant,
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
    by_id: BTreeMap<NodeId, Neighbour>,
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
            accepted: false,
            welcome: false,
            leaving: false,
            ahead: LocationList::default(),
            behind: false,
            rest_until: Instant::EPOCH,
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
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &NodeId) -> Option<&mut Neighbour> {
        self.by_id.get_mut(id)
    }

    pub(super) fn insert(&mut self, id: NodeId, neighbour: Neighbour) {
        self.by_id.insert(id, neighbour);
    }

    pub(super) fn remove(&mut self, id: &NodeId) -> Option<Neighbour> {
        self.by_id.remove(id)
    }

    /// All links, guests included.
    pub(super) fn all(&self) -> impl Iterator<Item = (&NodeId, &Neighbour)> {
        self.by_id.iter()
    }

    /// The accepted links with their locations.
    pub(super) fn members(&self) -> impl Iterator<Item = (&NodeId, &Neighbour, Location)> {
        self.by_id.iter().filter_map(|(id, neighbour)| neighbour.location().map(|location| (id, neighbour, location)))
    }

    /// Whether `id` is an accepted link.
    pub(super) fn is_member(&self, id: &NodeId) -> bool {
        self.by_id.get(id).is_some_and(Neighbour::is_member)
    }

    /// The list that this node shows its neighbours.
    pub(super) fn locations(&self) -> LocationList {
        LocationList::new(self.members().map(|(_, _, location)| location).collect())
    }

    /// The places of all nodes known: neighbours and their neighbours, this node's own among them if it is known there.
    pub(super) fn known_places(&self) -> Vec<Location> {
        let ahead = self.members().flat_map(|(_, neighbour, _)| neighbour.ahead.as_slice().iter().copied());
        let mut places: Vec<Location> = self.members().map(|(_, _, location)| location).chain(ahead).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// How many other nodes are known to be reachable.
    pub(super) fn reachable(&self, own: Location) -> usize {
        self.known_places().iter().filter(|place| **place != own).count()
    }
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
