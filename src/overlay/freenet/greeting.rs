//! How a link becomes a neighbour: each side says hello, each side accepts.
//!
//! Checks who may call itself what; whether there is room is asked of the topology, whether the witnesses of a
//! certificate were the right ones is asked of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::id::NodeId;
use crate::limits;
use crate::overlay::freenet::core::{Core, Event};
use crate::overlay::freenet::message::{Errand, Hello, LocationList, Message};
use crate::overlay::freenet::neighbours::Neighbour;
use crate::overlay::mode::{CloseReason, Offence, Output};
use crate::time::Instant;

/// The links being opened.
#[derive(Debug, Default)]
pub(super) struct Greetings {
    dialled: BTreeMap<NodeId, Errand>,
}

impl Greetings {
    /// Dials a node, unless it is linked or being dialled already.
    pub(super) fn dial(&mut self, core: &mut Core, peer: NodeId, address: SocketAddr, errand: Errand) {
        let is_known = peer == core.me.id || core.neighbours.get(&peer).is_some() || self.dialled.contains_key(&peer);
        if !is_known {
            self.dialled.insert(peer, errand);
            core.push(Output::Dial { peer, address });
        }
    }

    /// Whether a link to `peer` is being opened.
    pub(super) fn is_dialling(&self, peer: &NodeId) -> bool {
        self.dialled.contains_key(peer)
    }

    /// How many links are being opened.
    pub(super) fn dialling(&self) -> usize {
        self.dialled.len()
    }

    /// A link is open: who dialled says hello first.
    pub(super) fn handle_link_up(&mut self, core: &mut Core, now: Instant, peer: NodeId, inbound: bool) {
        let errand = self.dialled.remove(&peer).unwrap_or(Errand::Join);
        let guests = core.neighbours.all().filter(|(_, neighbour)| !neighbour.is_member()).count();
        if inbound && guests >= limits::GUESTS {
            return core.close(peer, CloseReason::Full);
        }
        let neighbour = Neighbour::new(now, errand, inbound, &mut core.random);
        core.neighbours.insert(peer, neighbour);
        if !inbound {
            say_hello(core, peer, errand);
        }
    }

    /// A dial has failed.
    pub(super) fn handle_dial_failed(&mut self, peer: &NodeId) -> Option<Errand> {
        self.dialled.remove(peer)
    }

    /// A peer introduces itself, for the first time or anew. Returns whether it may be considered as a neighbour.
    pub(super) fn handle_hello(&mut self, core: &mut Core, now: Instant, from: NodeId, hello: Hello) -> bool {
        let Hello { reference, certificate, errand } = hello;
        let is_own = reference.id == from;
        let is_rightful = is_own && core.me.is_rightful(&core.config, &reference, certificate.as_ref(), now.day());
        let may_come_without = errand == Errand::Join && is_own && reference.verifies(&core.me.network);
        if !is_rightful && !may_come_without {
            core.offence(now, from, Offence::BadCredential);
            return false;
        }
        let Some(neighbour) = core.neighbours.get_mut(&from) else { return false };
        let is_first = neighbour.reference.is_none();
        let replies = neighbour.inbound && is_first;
        let was_member = neighbour.is_member();
        neighbour.reference = Some(reference);
        neighbour.certificate = certificate;
        if !was_member {
            neighbour.errand = errand;
        }
        if replies {
            say_hello(core, from, errand);
        }
        is_rightful && errand != Errand::Join && !was_member
    }

    /// This node accepts the peer as a neighbour.
    pub(super) fn accept(&mut self, core: &mut Core, peer: NodeId) {
        let Some(neighbour) = core.neighbours.get_mut(&peer) else { return };
        if !neighbour.accepted {
            neighbour.accepted = true;
            core.send(peer, Message::Accept);
            self.on_accepted(core, peer);
        }
    }

    /// The peer accepts this node as a neighbour.
    pub(super) fn handle_accept(&mut self, core: &mut Core, now: Instant, from: NodeId) {
        let Some(neighbour) = core.neighbours.get_mut(&from) else { return };
        if neighbour.welcome {
            return core.offence(now, from, Offence::OutOfTurn);
        }
        // It may come before the hello: messages have streams of their own and overtake each other.
        neighbour.welcome = true;
        self.on_accepted(core, from);
    }

    /// The peer tells where its neighbours are.
    pub(super) fn handle_locations(&mut self, core: &mut Core, from: NodeId, list: LocationList) {
        if let Some(neighbour) = core.neighbours.get_mut(&from) {
            neighbour.ahead = list;
        }
    }

    fn on_accepted(&mut self, core: &mut Core, peer: NodeId) {
        if core.neighbours.is_member(&peer) {
            core.events.push_back(Event::MemberUp(peer));
        }
    }
}

/// Introduces this node, for the first time or anew.
pub(super) fn say_hello(core: &mut Core, peer: NodeId, errand: Errand) {
    let (reference, certificate) = (core.me.reference.clone(), core.me.certificate.clone());
    core.send(peer, Message::Hello(Box::new(Hello { reference, certificate, errand })));
}
