//! What nodes of a ring say to each other: the remote calls of Chord, and what its store needs.

use serde::{Deserialize, Serialize};

use super::peer::Peer;
use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::overlay::mode::calls::CallId;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Whom do you know around this place?
    Around {
        /// Echoed in the answer.
        call: CallId,
        /// Which place of the receiver is meant.
        member: u8,
        /// The place.
        key: Location,
        /// Whether the question keeps the ring together.
        upkeep: bool,
    },
    /// Those known just before the place, nearest first, and those at or after it.
    Nodes {
        /// Of the question.
        call: CallId,
        /// Whether the question kept the ring together.
        upkeep: bool,
        /// Before.
        preceding: Vec<Peer>,
        /// At it or after it, from the successor list.
        following: Vec<Peer>,
    },
    /// Who stands next to you?
    Neighbours {
        /// Echoed in the answer.
        call: CallId,
        /// Which place of the receiver is meant.
        member: u8,
    },
    /// These do.
    NeighboursAre {
        /// Of the question.
        call: CallId,
        /// Before.
        predecessor: Option<Peer>,
        /// After, in their order.
        successors: Vec<Peer>,
    },
    /// I may be your predecessor.
    Notify {
        /// Which place of the receiver is meant.
        member: u8,
        /// The sender.
        sender: Peer,
    },
    /// I go.
    Leaving {
        /// The sender.
        sender: Peer,
        /// Before it.
        predecessor: Option<Peer>,
        /// After it.
        successors: Vec<Peer>,
    },
    /// Pass this on to the owner of a key.
    Seek {
        /// Echoed in the answers.
        call: CallId,
        /// Which place of the receiver is meant.
        member: u8,
        /// The key's place.
        key: Location,
        /// The way so far.
        way: Way,
    },
    /// It is passed on; more follows.
    Taken {
        /// Of the question.
        call: CallId,
    },
    /// The owner of the key, and those after it.
    Owners {
        /// Of the question.
        call: CallId,
        /// In their order, from the successor list of the key's predecessor.
        owners: Vec<Peer>,
        /// The whole way.
        way: Way,
    },
    /// From here no way leads on.
    Stuck {
        /// Of the question.
        call: CallId,
        /// The way so far.
        way: Way,
    },
    /// Keep this.
    Put {
        /// Echoed in the answer.
        call: CallId,
        /// Its key.
        key: RoutingKey,
        /// The block, to be verified.
        parcel: Parcel,
        /// Further nodes that the receiver shall have it kept by.
        replicas: u8,
    },
    /// Remember who has this.
    Refer {
        /// Echoed in the answer.
        call: CallId,
        /// The key.
        key: RoutingKey,
        /// Who has the block.
        holder: Peer,
        /// Further nodes that the receiver shall have it remembered by.
        replicas: u8,
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
        holder: Peer,
    },
    /// Not here.
    Missing {
        /// Of the question.
        call: CallId,
    },
}

/// The way of a question that is passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Nodes that passed it on or knew the owner.
    pub hops: u16,
    /// Nodes that did not answer.
    pub timeouts: u16,
}

impl Message {
    /// Whether no list is longer than an honest node's.
    pub(super) fn is_bounded(&self) -> bool {
        match self {
            Self::Nodes { preceding, following, .. } => preceding.len() + following.len() <= limits::CALL_CONTACTS,
            Self::Owners { owners, .. } => owners.len() <= limits::CALL_CONTACTS,
            Self::NeighboursAre { successors, .. } | Self::Leaving { successors, .. } => {
                successors.len() < limits::CALL_CONTACTS
            }
            _ => true,
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
