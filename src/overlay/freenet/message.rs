//! What nodes of a `freenet` network say to each other.
//!
//! Every exchange id is random and lives on one link only: nothing here names an origin or survives a hop
//! (protocol.md §3). Answers carry the id of the question as the asker chose it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{AddressGroup, NodeId};
use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::message::block::{BlockKind, Parcel};
use crate::message::certificate::{Claim, Shown, Testimony};
use crate::message::class::{Class, Message as Classed};
use crate::message::reference::NodeRef;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Opens a link: who I am, why my location is mine, what the link is for.
    Hello(Box<Hello>),
    /// The link is accepted for the errand it was opened for.
    Accept,
    /// The locations of all my neighbours; replaces the last list.
    Locations(LocationList),

    /// Find a block.
    Request {
        /// Names the exchange on this link.
        id: ExchangeId,
        /// What is sought.
        key: RoutingKey,
        /// Hops to live.
        htl: u8,
        /// Hops that may still lead no closer.
        detours: u8,
    },
    /// The search goes on beyond me: be patient.
    Accepted {
        /// Of the request.
        id: ExchangeId,
    },
    /// Try another.
    Refused {
        /// Of the request, insert or offer.
        id: ExchangeId,
        /// Why.
        refusal: Refusal,
    },
    /// The block, to a request; or what stands under that key already, to an insert.
    Found {
        /// Of the request or insert.
        id: ExchangeId,
        /// The block, to be verified.
        parcel: Parcel,
        /// Who is said to have had it. Any node on the way may have put itself here.
        source: Option<NodeRef>,
        /// Forwards made below, as far as the nodes below tell.
        hops: u8,
    },
    /// Hops to live or detours are used up: final.
    NotFound {
        /// Of the request.
        id: ExchangeId,
    },
    /// A dead end: what remains may be spent elsewhere.
    RouteNotFound {
        /// Of the request.
        id: ExchangeId,
        /// Hops to live that remain.
        htl: u8,
        /// Detours that remain.
        detours: u8,
    },

    /// May a block be stored under this key?
    Insert {
        /// Names the exchange on this link.
        id: ExchangeId,
        /// The key of the block.
        key: RoutingKey,
        /// Its kind.
        kind: BlockKind,
        /// Hops to live.
        htl: u8,
    },
    /// Nothing stands in the way: send the block.
    AllClear {
        /// Of the insert.
        id: ExchangeId,
    },
    /// The block.
    InsertData {
        /// Of the insert.
        id: ExchangeId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// The block is durable.
    Stored {
        /// Of the insert.
        id: ExchangeId,
        /// In how many distinct stores.
        copies: u8,
    },

    /// Will the node at `location` keep this block? Never routed further than one neighbour.
    Offer {
        /// Names the exchange on this link.
        id: ExchangeId,
        /// The key of the block.
        key: RoutingKey,
        /// Its kind.
        kind: BlockKind,
        /// The place of the node meant: the receiver, or a neighbour of it.
        location: Location,
    },
    /// Yes: send the block.
    Want {
        /// Of the offer.
        id: ExchangeId,
    },
    /// The block offered.
    OfferData {
        /// Of the offer.
        id: ExchangeId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// The block offered is durable there.
    Kept {
        /// Of the offer.
        id: ExchangeId,
    },

    /// A small question routed to the node nearest a location.
    Query(Box<Query>),
    /// The answer to a query, passed back along its path.
    Reply {
        /// Of the query.
        id: ExchangeId,
        /// The answer.
        reply: Box<Reply>,
    },

    /// Have you examined this certificate, and found it good?
    VouchFor {
        /// Digest of the certificate.
        certificate: [u8; 32],
    },
    /// The answer.
    VouchedFor {
        /// Digest of the certificate.
        certificate: [u8; 32],
        /// Through how many nodes that is known, 0 at first hand; none if it is not known.
        hearsay: Option<u8>,
    },
    /// The witnesses of your certificate could not be confirmed here.
    Unconfirmed,
}

/// Names an exchange on one link; drawn at random by the asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExchangeId(pub u64);

/// Why a request is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The key is pending here already: a loop, or a crowd. Never reaches the origin's load control.
    Pending,
    /// Too much to do.
    Overload,
}

/// The first message of each side of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Who and where I am.
    pub reference: NodeRef,
    /// Why the location in the reference is mine; absent for founders, trusted links and newcomers.
    pub certificate: Option<Shown>,
    /// What the link is for.
    pub errand: Errand,
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Errand {
    /// A newcomer without a location wants to announce itself: routes nothing, is asked nothing.
    Join,
    /// A neighbour on the ring.
    Near,
    /// A neighbour far away, drawn ∝ 1/distance.
    Long,
    /// The source of an answer, offered as a neighbour.
    Fold,
    /// Named by the operator.
    Trusted,
}

/// A small question routed to the node nearest `target`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Names the exchange on this link.
    pub id: ExchangeId,
    /// Where on the ring to ask.
    pub target: Location,
    /// Hops to live.
    pub htl: u8,
    /// What to ask there.
    pub question: Question,
}

/// What can be asked of the node nearest a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Who is there? Answered by [`Reply::Seen`]. The nodes on the way learn of `announced`.
    Seek {
        /// The asker's own reference, when it announces itself.
        announced: Option<NodeRef>,
    },
    /// Add a seed to my commitment. Answered by [`Reply::Committed`].
    Commit(Commit),
    /// Here is my seed and everybody's commitment: reveal yours. Answered by [`Reply::Revealed`].
    Reveal(Reveal),
    /// Here are all seeds: sign. Answered by [`Reply::Signed`].
    Certify(Certify),
    /// Is this witness you, or a neighbour of yours? Answered by [`Reply::Vouched`].
    Vouch {
        /// The witness named in a certificate.
        witness: NodeId,
    },
    /// Is the holder of this certificate a neighbour of yours, and have you examined it? Asked at the place that the
    /// certificate gives, never of the holder. Answered by [`Reply::Vouched`].
    Known {
        /// The holder.
        holder: NodeId,
        /// Digest of the certificate.
        certificate: [u8; 32],
    },
}

/// The first step of an announcement, to each witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The newcomer.
    pub node: NodeId,
    /// The address group it announces from.
    pub group: AddressGroup,
    /// Hash of its seed.
    pub commitment: [u8; 32],
    /// Proof of work over node and commitment.
    pub work: u64,
}

/// The second step: the newcomer reveals first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reveal {
    /// The witness meant.
    pub witness: NodeId,
    /// The newcomer.
    pub node: NodeId,
    /// Its seed.
    pub seed: [u8; 32],
    /// The witnesses and their commitments, in order.
    pub commitments: Vec<(NodeId, [u8; 32])>,
}

/// The third step: all seeds are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certify {
    /// The witness meant.
    pub witness: NodeId,
    /// The witnesses and their seeds, in the order of the commitments.
    pub seeds: Vec<(NodeId, [u8; 32])>,
    /// What follows from them.
    pub claim: Claim,
}

/// Answers to queries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The node nearest the target, and its neighbours nearest the target.
    Seen {
        /// At most [`limits::REFERENCES_PER_REPLY`], the answering node first.
        references: Vec<NodeRef>,
    },
    /// A witness has added its seed.
    Committed {
        /// The witness.
        witness: NodeId,
        /// Where it lies.
        location: Location,
        /// Hash of its seed.
        commitment: [u8; 32],
    },
    /// A witness reveals.
    Revealed {
        /// Its seed.
        seed: [u8; 32],
    },
    /// A witness signs.
    Signed {
        /// Its word.
        testimony: Testimony,
    },
    /// Whether the node asked is, or is linked to, the witness or holder asked for; with that node's own reference if so.
    Vouched {
        /// Its reference.
        reference: Option<NodeRef>,
    },
    /// The question could not be answered here: malformed, unknown, out of turn or too busy.
    Declined,
}

/// A sorted, immutable list of locations, shared by all who hold it.
#[derive(Clone, PartialEq, Eq)]
pub struct LocationList(Arc<[Location]>);

impl LocationList {
    /// Sorts `locations` and removes duplicates.
    pub fn new(mut locations: Vec<Location>) -> Self {
        locations.sort_unstable();
        locations.dedup();
        Self(locations.into())
    }

    /// The locations in ascending order.
    pub fn as_slice(&self) -> &[Location] {
        &self.0
    }
}

impl Default for LocationList {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl fmt::Debug for LocationList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LocationList({})", self.0.len())
    }
}

impl Serialize for LocationList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|location| location.0.to_be_bytes()).collect();
        bytes.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LocationList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        let (chunks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || chunks.len() > limits::DEGREE_MAX {
            return Err(D::Error::custom("not a list of locations"));
        }
        let locations: Vec<Location> = chunks.iter().map(|chunk| Location(u64::from_be_bytes(*chunk))).collect();
        if locations.is_sorted_by(|a, b| a < b) {
            Ok(Self(locations.into()))
        } else {
            Err(D::Error::custom("the locations are out of order"))
        }
    }
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            Self::Found { parcel, .. } | Self::InsertData { parcel, .. } | Self::OfferData { parcel, .. } => {
                parcel.class()
            }
            _ => Class::Small,
        }
    }
}
