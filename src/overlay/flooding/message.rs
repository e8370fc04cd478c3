//! What neighbours say to each other, and whoever downloads to whoever has the document.

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
    /// Shall we be neighbours?
    Connect {
        /// Echoed in the answer.
        call: CallId,
        /// The sender.
        sender: Contact,
    },
    /// Whether we are.
    Connected {
        /// Of the question.
        call: CallId,
        /// False where there is no room.
        taken: bool,
        /// Others that may have some.
        others: Vec<Contact>,
    },
    /// We are not, or no longer.
    Bye,
    /// Who is there? Passed on to all neighbours.
    Ping {
        /// Its id.
        id: Guid,
        /// Hops it may still make, this one included.
        ttl: u8,
        /// Hops it has made before.
        hops: u8,
    },
    /// I am. Goes back the way of the ping.
    Pong {
        /// Of the ping.
        id: Guid,
        /// Who.
        sender: Contact,
    },
    /// Who has this? Passed on to all neighbours.
    Query {
        /// Its id.
        id: Guid,
        /// Which flood of the same search this is.
        round: u8,
        /// Hops it may still make, this one included.
        ttl: u8,
        /// Hops it has made before.
        hops: u8,
        /// What.
        key: RoutingKey,
    },
    /// Who has this? Passed on to one neighbour. Apart, as are copies: of queries there are thousands for one of these, and all
    /// take as much room as the largest.
    Walk(Box<Walker>),
    /// I have it. Goes back the way of the query.
    Hit {
        /// Of the query.
        id: Guid,
        /// Hops that the query had made.
        hops: u16,
        /// Who.
        holder: Contact,
    },
    /// To where a walker began: I have it. Answered, because it is said but once.
    Found {
        /// Echoed in the answer.
        call: CallId,
        /// Of the search.
        id: Guid,
        /// Steps that the walker had made.
        hops: u16,
        /// The sender.
        holder: Contact,
    },
    /// To where a walker began: shall it go on?
    Check {
        /// Echoed in the answer.
        call: CallId,
        /// Of the search.
        id: Guid,
    },
    /// Whether it shall.
    Wanted {
        /// Of the question.
        call: CallId,
        /// True as long as the search goes on.
        wanted: bool,
    },
    /// Give me this.
    Get {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
        /// The search along whose way copies are to be left, if there are to be any.
        along: Option<Guid>,
    },
    /// Here it is.
    Data {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// Keep a copy in passing. Goes back the way of the search.
    Copy {
        /// Of the search.
        id: Guid,
        /// What.
        copy: Box<Copied>,
    },
    /// Keep a copy in passing at every fourth step. Goes from one node to one other.
    Scatter {
        /// Steps it may still make, this one included.
        left: u16,
        /// What.
        copy: Box<Copied>,
    },
    /// Not here.
    Missing {
        /// Of the question.
        call: CallId,
    },
}

/// A block and what it is said to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Its key.
    pub key: RoutingKey,
    /// The block, to be verified.
    pub parcel: Parcel,
}

/// A search that goes from one node to one other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walker {
    /// Of the search.
    pub id: Guid,
    /// Steps it may still make, this one included.
    pub left: u16,
    /// Steps it has made before.
    pub hops: u16,
    /// What is sought.
    pub key: RoutingKey,
    /// Where it began.
    pub origin: Contact,
}

impl Message {
    /// Whether no list is longer, and no way farther, than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        match self {
            Self::Connected { others, .. } => others.len() <= limits::CALL_CONTACTS,
            Self::Ping { ttl, hops, .. } | Self::Query { ttl, hops, .. } => {
                *ttl > 0 && *ttl as u16 + *hops as u16 <= limits::FLOOD_HOPS as u16
            }
            Self::Walk(walker) => {
                walker.left > 0 && walker.left as u32 + walker.hops as u32 <= limits::WALK_STEPS as u32
            }
            Self::Scatter { left, .. } => {
                *left > 0 && *left as u32 <= limits::WALK_STEPS as u32 * limits::SCATTER_STEPS as u32
            }
            _ => true,
        }
    }
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            Self::Data { parcel, .. } => parcel.class(),
            Self::Copy { copy, .. } | Self::Scatter { copy, .. } => copy.parcel.class(),
            _ => Class::Small,
        }
    }
}

const _: () = assert!(size_of::<Message>() <= 64);
