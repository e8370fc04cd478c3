//! The remote calls of Kademlia. Every question names its sender, so that whoever is asked learns it.

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
    /// Whom do you know near this?
    FindNode {
        /// Echoed in the answer.
        call: CallId,
        /// Who asks.
        sender: Contact,
        /// What the nodes are to be near to.
        target: RoutingKey,
    },
    /// Do you have this? If not: whom do you know near it?
    FindValue {
        /// Echoed in the answer.
        call: CallId,
        /// Who asks.
        sender: Contact,
        /// Its key.
        key: RoutingKey,
    },
    /// These, the nearest first.
    Nodes {
        /// Of the question.
        call: CallId,
        /// Whether a document is sought.
        value: bool,
        /// Who.
        contacts: Vec<Contact>,
    },
    /// Here it is.
    Value {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// Keep this.
    Store {
        /// Echoed in the answer.
        call: CallId,
        /// Who asks.
        sender: Contact,
        /// Its key.
        key: RoutingKey,
        /// The block, to be verified.
        parcel: Parcel,
        /// Whether it is a copy in passing, left where a lookup missed.
        passing: bool,
    },
    /// I have this: remember it.
    Provide {
        /// Echoed in the answer.
        call: CallId,
        /// Who asks, and has it.
        sender: Contact,
        /// Its key.
        key: RoutingKey,
    },
    /// These are said to have it.
    Providers {
        /// Of the question.
        call: CallId,
        /// Whoever said so last first.
        providers: Vec<Contact>,
    },
    /// What became of it.
    Stored {
        /// Of the question.
        call: CallId,
        /// Whether it is kept.
        durable: bool,
    },
}

impl Message {
    /// Whether no list is longer than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        let (Self::Nodes { contacts: named, .. } | Self::Providers { providers: named, .. }) = self else {
            return true;
        };
        named.len() <= limits::CALL_CONTACTS
    }

    /// Who asks, if this is a question.
    pub(super) const fn sender(&self) -> Option<&Contact> {
        match self {
            Self::FindNode { sender, .. }
            | Self::FindValue { sender, .. }
            | Self::Store { sender, .. }
            | Self::Provide { sender, .. } => Some(sender),
            _ => None,
        }
    }
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            // A signed block beside its key and the longest name fits one cell.
            Self::Value { parcel, .. } | Self::Store { parcel, .. } => parcel.class(),
            _ => Class::Small,
        }
    }
}
