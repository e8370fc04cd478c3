//! What two nodes with pre-routing say to each other in the simulator: messages of the overlay, onion packets, words about relays.
//!
//! The same three as `node::envelope`, handed over instead of written into cells: an onion packet is real bytes, opened and
//! sealed at every hop, and counts as the cells of its class. What the cells look like is the subject of the envelope's tests.

use bytes::Bytes;
use crypto::onion::layout;
use serde::{Deserialize, Serialize};

use crate::message::class::{Class, Message};
use crate::onion::Direction;
use crate::onion::gossip::Gossip;
use crate::overlay::freenet;
use crate::sim::tap::{Sight, SightKind};
use crate::sim::traffic::{Role, Roles};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// A message of the overlay.
    Overlay(freenet::Message),
    /// A packet on its way to an exit.
    Forward(Bytes),
    /// A packet on its way to a client.
    Reply(Bytes),
    /// A word about relays.
    Gossip(Gossip),
}

impl Word {
    /// A packet that goes that way.
    pub(super) const fn packet(direction: Direction, packet: Bytes) -> Self {
        match direction {
            Direction::Forward => Self::Forward(packet),
            Direction::Reply => Self::Reply(packet),
        }
    }
}

impl Message for Word {
    fn class(&self) -> Class {
        match self {
            Self::Overlay(message) => message.class(),
            Self::Forward(packet) | Self::Reply(packet) if packet.len() == layout::Class::Block.packet_bytes() => {
                Class::Block
            }
            Self::Forward(_) | Self::Reply(_) | Self::Gossip(_) => Class::Small,
        }
    }
}

impl Roles for Word {
    fn role(&self) -> Role {
        match (self, self.class()) {
            (Self::Overlay(message), _) => message.role(),
            (Self::Gossip(_), _) => Role::Maintenance,
            (_, Class::Block) => Role::Content,
            (Self::Forward(_), Class::Small) => Role::Query,
            (Self::Reply(_), Class::Small) => Role::Answer,
        }
    }

    fn sight(&self) -> Option<Sight> {
        let packet = |kind| Some(Sight { kind, id: 0, key: None, htl: 0, depth: None });
        match self {
            Self::Overlay(message) => message.sight(),
            Self::Forward(_) => packet(SightKind::Forward),
            Self::Reply(_) => packet(SightKind::Reply),
            Self::Gossip(_) => None,
        }
    }
}
