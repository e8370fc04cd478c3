//! What leaves and supernodes say to each other, supernodes among themselves, and whoever downloads to whoever shares.

use serde::{Deserialize, Serialize};

use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::routes::Guid;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Be my parent, or my neighbour.
    Connect {
        /// Echoed in the answer.
        call: CallId,
        /// The sender.
        sender: Contact,
        /// How much the sender could carry if it is a leaf.
        leaf: Option<u8>,
    },
    /// Whether the sender is.
    Connected {
        /// Of the question.
        call: CallId,
        /// False where there is no room, and from a leaf.
        taken: bool,
        /// Supernodes that the sender knows.
        others: Vec<Contact>,
    },
    /// We are not linked, or no longer.
    Bye,
    /// To a parent: I share these.
    Share {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        keys: Vec<RoutingKey>,
    },
    /// From a parent: whether all of them are listed.
    Noted {
        /// Of the question.
        call: CallId,
        /// False where there is no room.
        taken: bool,
    },
    /// To a parent: who shares this?
    Search {
        /// Of the search.
        id: Guid,
        /// What.
        key: RoutingKey,
    },
    /// From a parent: nobody else will be found.
    Over {
        /// Of the search.
        id: Guid,
    },
    /// Among supernodes: who shares this? Passed on to all neighbours.
    Query {
        /// Of the search.
        id: Guid,
        /// Hops it may still make, this one included.
        ttl: u8,
        /// Hops it has made before.
        hops: u8,
        /// What.
        key: RoutingKey,
    },
    /// These share it. Goes back the way of the query, and on to the leaf.
    Hit {
        /// Of the search.
        id: Guid,
        /// Hops from whoever leads the search.
        hops: u8,
        /// Who.
        holders: Vec<Contact>,
    },
    /// Give me this.
    Get {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// Here it is.
    Data {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// Not here.
    Missing {
        /// Of the question.
        call: CallId,
    },
    /// To a leaf: be a supernode, as these are.
    Rise {
        /// Neighbours of the sender.
        others: Vec<Contact>,
    },
}

impl Message {
    /// Whether no list is longer, and no way farther, than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        match self {
            Self::Connected { others: contacts, .. }
            | Self::Hit { holders: contacts, .. }
            | Self::Rise { others: contacts } => contacts.len() <= limits::CALL_CONTACTS,
            Self::Share { keys, .. } => keys.len() <= limits::KEYS_PER_SHARE,
            Self::Query { ttl, hops, .. } => *ttl > 0 && *ttl as u16 + *hops as u16 <= limits::SUPERNODE_HOPS as u16,
            _ => true,
        }
    }
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            Self::Data { parcel, .. } => parcel.class(),
            _ => Class::Small,
        }
    }
}
