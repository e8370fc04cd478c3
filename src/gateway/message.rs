//! What nodes of an overlay say to gateways and of them, beside what the overlay itself says.
//!
//! A node knows nothing of what lies behind a gateway: it names keys and gets blocks, which it verifies.

use serde::{Deserialize, Serialize};

use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;

/// One message between two nodes of an overlay that can have gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word<M> {
    /// The overlay's own.
    Mode(M),
    /// Of gateways.
    Gateway(Letter),
}

/// What is said to gateways and of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Letter {
    /// These are gateways; one that names itself is one.
    Here {
        /// Who.
        gateways: Vec<Contact>,
    },
    /// To a gateway: the overlay does not find this.
    Ask {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// From a gateway: it is being sought.
    Taken {
        /// Of the question.
        call: CallId,
    },
    /// From a gateway: here it is.
    Given {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// From a gateway: it has nothing to give for this key.
    Missing {
        /// Of the question.
        call: CallId,
    },
    /// From a gateway: too much to do, come again.
    Busy {
        /// Of the question.
        call: CallId,
    },
    /// This node is no gateway.
    Closed {
        /// Of the question.
        call: CallId,
    },
    /// To a gateway: this is published here.
    Published {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// From a gateway: whether it will be carried.
    Noted {
        /// Of the question.
        call: CallId,
        /// False where it may not, or there is no room.
        taken: bool,
    },
}

impl Letter {
    /// Whether no list is longer than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        !matches!(self, Self::Here { gateways } if gateways.len() > limits::GATEWAYS_KNOWN)
    }
}

impl<M: Classed> Classed for Word<M> {
    fn class(&self) -> Class {
        match self {
            Self::Mode(message) => message.class(),
            Self::Gateway(Letter::Given { parcel, .. }) => parcel.class(),
            Self::Gateway(_) => Class::Small,
        }
    }
}
