//! What nodes of a content-addressable network say to each other: ways to a place, zones, documents.

use serde::{Deserialize, Serialize};

use super::zone::Zone;
use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Pass this on towards a place.
    Route {
        /// Echoed in the answers.
        call: CallId,
        /// Names the way at all nodes that it touches; drawn by whoever began it.
        route: u64,
        /// Where to.
        goal: Goal,
        /// Whether a newcomer looks for its place.
        upkeep: bool,
        /// The way so far.
        trail: Trail,
    },
    /// It is passed on; more follows.
    Taken {
        /// Of the question.
        call: CallId,
        /// As in the question.
        upkeep: bool,
    },
    /// The place is held by that node.
    Arrived {
        /// Of the question.
        call: CallId,
        /// As in the question.
        upkeep: bool,
        /// Which.
        owner: Contact,
        /// The whole way.
        trail: Trail,
    },
    /// From here no way leads on.
    Stuck {
        /// Of the question.
        call: CallId,
        /// As in the question.
        upkeep: bool,
        /// The way so far.
        trail: Trail,
    },
    /// Give me a part of the zone that holds this place.
    Join {
        /// Echoed in the answer.
        call: CallId,
        /// Who asks.
        sender: Contact,
        /// In which reality.
        reality: u8,
        /// The place.
        place: Location,
    },
    /// This is yours.
    Given {
        /// Of the question.
        call: CallId,
        /// The zone.
        zone: Zone,
        /// Who has the zones around it, the giver included. More may follow in its updates.
        neighbours: Vec<(Contact, Zone)>,
    },
    /// It is not mine to give.
    Elsewhere {
        /// Of the question.
        call: CallId,
    },
    /// I am here and hold these zones: to neighbours, now and then and whenever that changes.
    Update {
        /// Who.
        sender: Contact,
        /// In which reality.
        reality: u8,
        /// When the zones last changed, by the sender's clock; an older word than the last is void.
        version: u64,
        /// All its zones.
        zones: Vec<Zone>,
        /// 0 of the first update of several, which together name all neighbours.
        page: u8,
        /// Some of its neighbours, by zones.
        neighbours: Vec<(Contact, Zone)>,
    },
    /// I go; my zones are yours.
    Leave {
        /// In which reality.
        reality: u8,
    },
    /// Keep this.
    Put {
        /// Echoed in the answer.
        call: CallId,
        /// Its key.
        key: RoutingKey,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// Remember who has this.
    Refer {
        /// Echoed in the answer.
        call: CallId,
        /// The key.
        key: RoutingKey,
        /// Who has the block.
        holder: Contact,
    },
    /// What became of it.
    Stored {
        /// Of the question.
        call: CallId,
        /// Whether it is kept.
        durable: bool,
    },
    /// Give me this.
    Get {
        /// Echoed in the answer.
        call: CallId,
        /// Its key.
        key: RoutingKey,
    },
    /// Here it is.
    Data {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// That node has it.
    Held {
        /// Of the question.
        call: CallId,
        /// Which.
        holder: Contact,
    },
    /// Not here.
    Missing {
        /// Of the question.
        call: CallId,
    },
}

/// Where a way leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The place.
    pub place: Location,
    /// In which reality; in whichever is nearest if absent.
    pub reality: Option<u8>,
}

/// A way as it was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// Borders crossed, those that were crossed back again included.
    pub hops: u16,
    /// Nodes that did not answer.
    pub timeouts: u16,
    /// Steps away from the place that it may still take.
    pub detours: u8,
}

impl Trail {
    /// A way that has not begun.
    pub const START: Self = Self { hops: 0, timeouts: 0, detours: limits::CAN_DETOURS };
}

impl Message {
    /// Whether no list is longer than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        match self {
            Self::Given { neighbours, .. } => neighbours.len() <= limits::CAN_NAMED,
            Self::Update { zones, neighbours, .. } => {
                zones.len() <= limits::CAN_ZONES && neighbours.len() <= limits::CAN_NAMED
            }
            _ => true,
        }
    }

    /// Who says to be speaking, where a message tells.
    pub(super) const fn sender(&self) -> Option<&Contact> {
        match self {
            Self::Join { sender, .. } | Self::Update { sender, .. } => Some(sender),
            _ => None,
        }
    }
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            Self::Put { parcel, .. } | Self::Data { parcel, .. } => parcel.class(),
            _ => Class::Small,
        }
    }
}
