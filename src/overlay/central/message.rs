//! What clients and the index server say to each other, and clients among themselves.

use serde::{Deserialize, Serialize};

use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// To the server: I am here, reachable at this address.
    Login {
        /// Echoed in the answer.
        call: CallId,
        /// The sender.
        sender: Contact,
    },
    /// To the server: I share this.
    Share {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
        /// The sender.
        sender: Contact,
    },
    /// From the server: whether it took note.
    Noted {
        /// Of the question.
        call: CallId,
        /// False where there is no room.
        taken: bool,
    },
    /// To the server: who shares this?
    Search {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// From the server: these do, as far as it knows.
    Hits {
        /// Of the question.
        call: CallId,
        /// Who.
        holders: Vec<Contact>,
    },
    /// To a client: give me this.
    Get {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// From a client: here it is.
    Data {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// From a client: not here.
    Missing {
        /// Of the question.
        call: CallId,
    },
    /// From the server: are you still there?
    Ping {
        /// Echoed in the answer.
        call: CallId,
    },
    /// To the server: yes.
    Pong {
        /// Of the question.
        call: CallId,
    },
}

impl Message {
    /// Whether no list is longer than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        !matches!(self, Self::Hits { holders, .. } if holders.len() > limits::CALL_CONTACTS)
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
