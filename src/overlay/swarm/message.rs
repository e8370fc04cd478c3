//! What peers of a swarm say to each other, and to the tracker: the messages of BEP 3.
//!
//! A swarm is named by the first eight bytes of its document's key. What changes a peer's standing (choked, interested)
//! is numbered, because a link may let messages overtake each other.

use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::scheme::Claim;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;
use crate::message::fragment::Fragment;
use crate::overlay::mode::calls::CallId;

/// Names a swarm between its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag(pub u64);

/// A part of a piece that is asked for by itself: half a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which piece.
    pub piece: u16,
    /// Which part of it.
    pub part: u16,
}

/// What an announcement says of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It wants to know who is there, and is not to be named yet.
    Looking,
    /// It downloads.
    Leech,
    /// It has everything.
    Seed,
    /// It goes.
    Gone,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// To the tracker: here I am; who else is?
    Announce {
        /// Echoed in the answer.
        call: CallId,
        /// Of which document.
        key: RoutingKey,
        /// The sender.
        sender: Contact,
        /// How far it is.
        stage: Stage,
    },
    /// From the tracker: these are, drawn at random.
    Peers {
        /// Of the question.
        call: CallId,
        /// Who.
        contacts: Vec<Contact>,
    },
    /// To a peer: give me the metadata.
    Ask {
        /// Echoed in the answer.
        call: CallId,
        /// Of which document.
        key: RoutingKey,
    },
    /// From a peer: the block that names the document.
    Metadata {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// From a peer: it is here, and will come when there is room on the link.
    Taken {
        /// Of the question.
        call: CallId,
    },
    /// From a peer: not here.
    Missing {
        /// Of the question.
        call: CallId,
    },
    /// Let us trade: these pieces I have.
    Hello {
        /// In which swarm.
        tag: Tag,
        /// The pieces.
        bits: Bits,
    },
    /// We do not trade, or no longer.
    Bye {
        /// In which swarm.
        tag: Tag,
    },
    /// I have another piece.
    Have {
        /// In which swarm.
        tag: Tag,
        /// The piece.
        piece: u16,
    },
    /// What I say of myself, where the scheme asks for it.
    Claim {
        /// In which swarm.
        tag: Tag,
        /// What.
        claim: Claim,
    },
    /// Whether I answer your requests.
    Choking {
        /// In which swarm.
        tag: Tag,
        /// Grows with every such message.
        order: u32,
        /// Whether I do not.
        choked: bool,
    },
    /// Whether you have something that I lack.
    Interest {
        /// In which swarm.
        tag: Tag,
        /// Grows with every such message.
        order: u32,
        /// Whether you have.
        interested: bool,
    },
    /// Give me this part.
    Request {
        /// In which swarm.
        tag: Tag,
        /// The part.
        place: Place,
    },
    /// Do not: another was faster.
    Cancel {
        /// In which swarm.
        tag: Tag,
        /// The part.
        place: Place,
    },
    /// Here it is.
    Part {
        /// In which swarm.
        tag: Tag,
        /// The part.
        place: Place,
        /// Its bytes, unverified.
        fragment: Fragment,
    },
}

impl Tag {
    /// The swarm of a document.
    pub fn of(key: &RoutingKey) -> Self {
        Self(key.location().0)
    }
}

impl Message {
    /// Whether no list is longer than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        match self {
            Self::Peers { contacts, .. } => contacts.len() <= limits::SWARM_NAMED,
            Self::Hello { bits, .. } => bits.is_bounded(),
            _ => true,
        }
    }

    /// Bytes of the message in the wire format of BEP 3, which padded cells exceed.
    pub fn bare_bytes(&self) -> u64 {
        match self {
            Self::Announce { .. } => 200,
            Self::Peers { contacts, .. } => 100 + 6 * contacts.len() as u64,
            Self::Ask { .. } | Self::Taken { .. } | Self::Missing { .. } => 68,
            Self::Metadata { .. } => crypto::content::SEALED_BYTES as u64,
            Self::Hello { bits, .. } => 68 + 5 + bits.bytes(),
            Self::Bye { .. } | Self::Choking { .. } | Self::Interest { .. } => 5,
            Self::Have { .. } => 9,
            Self::Claim { .. } => 15,
            Self::Request { .. } | Self::Cancel { .. } => 17,
            Self::Part { .. } => 13 + PART_BYTES,
        }
    }
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            Self::Metadata { parcel, .. } => parcel.class(),
            Self::Part { .. } => Class::Block,
            Self::Peers { contacts, .. } if contacts.len() > limits::CALL_CONTACTS => Class::Block,
            _ => Class::Small,
        }
    }
}

/// Bytes of content in one part.
pub const PART_BYTES: u64 = 16_384;
