//! How a link becomes a neighbour: each side says hello, each side accepts.
//!
//! Checks who may call itself what; whether there is room is asked of the topology, whether the witnesses of a
//! certificate were the right ones is asked of them.

use std::net::SocketAddr;

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::overlay::freenet::core::{Core, Event};
use crate::overlay::freenet::message::{Errand, Hello, LocationList, Message};
use crate::overlay::freenet::neighbours::{Neighbour, Standing};
use crate::overlay::freenet::shape::is_settling;
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::{CloseReason, Offence, Output};
use crate::time::Instant;

/// The links being opened.
#[derive(Debug, Default)]
pub(super) struct Greetings {
    dialled: Sparse<NodeId, Dial>,
}

#[derive(Clone, Copy, Debug)]
struct Dial {
    errand: Errand,
    /// Where this node looked for somebody and was told of the peer.
    sought: Option<Location>,
    since: Instant,
}

/// What a hello means for the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeted {
    /// Nothing yet: a newcomer's errand, or a broken rule.
    Guest,
    /// The peer may be considered as a neighbour.
    Candidate,
    /// This node's own errand: the peer that it wants to enter the network by has answered.
    Entry,
    /// A neighbour has shown another certificate.
    Moved,
}

impl Greetings {
    /// Dials a node, unless it is linked or being dialled already; `sought` is the place where it was looked for. Returns
    /// whether a dial began.
    pub(super) fn dial(
        &mut self,
        core: &mut Core,
        now: Instant,
        (peer, address): (NodeId, SocketAddr),
        errand: Errand,
        sought: Option<Location>,
    ) -> bool {
        let is_known = peer == core.me.id || core.neighbours.get(&peer).is_some() || self.dialled.contains_key(&peer);
        if !is_known {
            self.dialled.insert(peer, Dial { errand, sought, since: now });
            core.push(Output::Dial { peer, address });
        }
        !is_known
    }

    /// How many links are being opened.
    pub(super) fn dialling(&self) -> usize {
        self.dialled.len()
    }

    /// A link is open: who dialled says hello first.
    pub(super) fn handle_link_up(
        &mut self,
        core: &mut Core,
        now: Instant,
        peer: NodeId,
        address: SocketAddr,
        inbound: bool,
    ) {
        let dial = self.dialled.remove(&peer);
        // Who has lost its place since it dialled is a newcomer again, and no neighbour for anybody.
        let errand = dial.filter(|_| core.me.placed).map_or(Errand::Join, |dial| dial.errand);
        let guests = core.neighbours.all().filter(|(_, neighbour)| !neighbour.is_member()).count();
        if inbound && guests >= limits::GUESTS {
            return core.close(peer, CloseReason::Full);
        }
        let mut neighbour = Neighbour::new(now, errand, inbound, address, &mut core.random);
        neighbour.seek_at(dial.filter(|_| !inbound).and_then(|dial| dial.sought));
        core.neighbours.insert(peer, neighbour);
        if !inbound {
            say_hello(core, peer, errand);
        }
    }

    /// A dial has failed.
    pub(super) fn handle_dial_failed(&mut self, peer: &NodeId) -> Option<Errand> {
        self.dialled.remove(peer).map(|dial| dial.errand)
    }

    /// Forgets dials without an outcome, closes links that nobody has accepted for too long.
    pub(super) fn expire(&mut self, core: &mut Core, now: Instant) {
        self.dialled.retain(|_, dial| now.since(dial.since) < limits::DIAL_TIMEOUT);
        let is_stale =
            |neighbour: &Neighbour| !neighbour.is_member() && now.since(neighbour.since) >= limits::GUEST_LIFE;
        let stale: Vec<NodeId> =
            core.neighbours.all().filter(|(_, neighbour)| is_stale(neighbour)).map(|(peer, _)| *peer).collect();
        for peer in stale {
            core.close(peer, CloseReason::Done);
        }
    }

    /// A peer introduces itself, for the first time or anew.
    pub(super) fn handle_hello(&mut self, core: &mut Core, now: Instant, from: NodeId, hello: Hello) -> Greeted {
        let Hello { reference, certificate, errand } = hello;
        let is_own = reference.id == from;
        let is_rightful = is_own && core.me.is_rightful(&core.config, &reference, certificate.as_deref(), now.day());
        let may_come_without = errand == Errand::Join && is_own && core.me.has_signed(&reference);
        if !is_rightful && !may_come_without {
            core.offence(now, from, Offence::BadCredential);
            return Greeted::Guest;
        }
        if !is_rightful && is_settling(core, now) {
            core.close(from, CloseReason::Full);
            return Greeted::Guest;
        }
        let Some(neighbour) = core.neighbours.get_mut(&from) else { return Greeted::Guest };
        let is_first = neighbour.reference().is_none();
        let replies = neighbour.inbound && is_first;
        let is_entry = is_rightful && is_first && !neighbour.inbound && neighbour.errand() == Errand::Join;
        let (was_member, has_moved) = (neighbour.is_member(), neighbour.certificate != certificate);
        neighbour.certificate = certificate;
        neighbour.rightful = is_rightful;
        let trip = (is_first && !neighbour.inbound).then(|| now.since(neighbour.since));
        if was_member && has_moved {
            neighbour.standing = Standing::Moved;
        }
        let kept_errand = if was_member { neighbour.errand() } else { errand };
        core.events.extend(trip.map(Event::Greeted));
        core.neighbours.introduce(&from, reference, kept_errand);
        if replies {
            say_hello(core, from, errand);
        }
        match (is_rightful && errand != Errand::Join, was_member) {
            _ if is_entry => Greeted::Entry,
            (true, false) => Greeted::Candidate,
            (true, true) if has_moved => Greeted::Moved,
            _ => Greeted::Guest,
        }
    }

    /// This node, which has a place now, asks a peer that it met without one to be its neighbour.
    pub(super) fn court(&mut self, core: &mut Core, peer: NodeId, errand: Errand) {
        if core.neighbours.get(&peer).is_some() {
            core.neighbours.set_errand(&peer, errand);
            say_hello(core, peer, errand);
        }
    }

    /// This node accepts the peer as a neighbour.
    pub(super) fn accept(&mut self, core: &mut Core, peer: NodeId) {
        if core.neighbours.get(&peer).is_some_and(|neighbour| !neighbour.is_accepted()) {
            core.neighbours.accept(&peer);
            core.send(peer, Message::Accept);
            self.on_accepted(core, peer);
        }
    }

    /// The peer accepts this node as a neighbour.
    pub(super) fn handle_accept(&mut self, core: &mut Core, now: Instant, from: NodeId) {
        // It may come before the hello: messages have streams of their own and overtake each other.
        if !core.neighbours.welcome(&from) {
            return core.offence(now, from, Offence::OutOfTurn);
        }
        if let Some(neighbour) = core.neighbours.get(&from).filter(|neighbour| neighbour.inbound) {
            core.events.push_back(Event::Greeted(now.since(neighbour.since)));
        }
        self.on_accepted(core, from);
    }

    /// The peer tells where its neighbours are.
    pub(super) fn handle_locations(&mut self, core: &mut Core, from: NodeId, list: LocationList) {
        core.neighbours.tell(&from, list);
    }

    fn on_accepted(&mut self, core: &mut Core, peer: NodeId) {
        if core.neighbours.is_member(&peer) {
            core.events.push_back(Event::MemberUp(peer));
        }
    }
}

/// Introduces this node, for the first time or anew. Without a place it comes as a newcomer, whatever the peer wants of it.
pub(super) fn say_hello(core: &mut Core, peer: NodeId, errand: Errand) {
    let errand = if core.me.placed { errand } else { Errand::Join };
    let (reference, certificate) = (core.me.reference.clone(), core.me.certificate.clone());
    core.send(peer, Message::Hello(Box::new(Hello { reference, certificate, errand })));
}
