//! What nodes of 2001 say to each other.
//!
//! Every exchange has one random id that is the same on all links, and plain counts of hops to live and depth: this is
//! what tells observers so much, and why `freenet` has neither. Names follow the paper's.

use serde::{Deserialize, Serialize};

use crate::key::{Location, RoutingKey};
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Request.Data: find the key.
    Request {
        /// The same on all links.
        id: TransactionId,
        /// Nodes that may still be visited, the receiver included.
        htl: u16,
        /// Forwards so far.
        depth: u16,
        /// What is sought.
        key: RoutingKey,
    },
    /// Send.Data: here it is. Answers a request, and an insert whose key exists.
    Data {
        /// Of the request.
        id: TransactionId,
        /// Hops to live that were left at the source.
        htl: u16,
        /// Who is said to have it.
        source: Contact,
        /// The data, to be verified.
        parcel: Parcel,
    },
    /// Reply.NotFound: hops to live are used up. Final.
    NotFound {
        /// Of the request.
        id: TransactionId,
    },
    /// Request.Continue: a dead end with hops to live left; with all of them left, a node that has seen the id before.
    Continue {
        /// Of the request.
        id: TransactionId,
        /// Hops to live that are left.
        htl: u16,
    },
    /// Reply.Restart: still at work, extend your timer.
    Restart {
        /// Of the request.
        id: TransactionId,
    },
    /// Request.Insert: may this key be inserted?
    Insert {
        /// The same on all links.
        id: TransactionId,
        /// Nodes that may still be visited, the receiver included.
        htl: u16,
        /// Forwards so far.
        depth: u16,
        /// Of what shall be inserted.
        key: RoutingKey,
    },
    /// Reply.Insert: all clear, hops to live are used up and nobody has the key.
    AllClear {
        /// Of the insert.
        id: TransactionId,
        /// Forwards from the originator to the last node.
        depth: u16,
    },
    /// Send.Insert: store this and pass it on.
    InsertData {
        /// Of the insert.
        id: TransactionId,
        /// Whom to name as its source.
        source: Contact,
        /// Whether every node visited stores it, because the network ran out before the hops to live.
        everywhere: bool,
        /// The data, to be verified.
        parcel: Parcel,
    },
    /// A newcomer announces itself with a commitment to a random seed.
    Announce {
        /// The same on all links.
        id: TransactionId,
        /// Nodes that may still be visited, the receiver included.
        htl: u16,
        /// Who.
        newcomer: Contact,
        /// Hash of the seeds so far.
        commitment: [u8; 32],
    },
    /// Seeds and names of the nodes visited, in the order of the walk.
    Reveal {
        /// Of the announcement.
        id: TransactionId,
        /// The nodes from the sender to the end of the walk.
        parties: Vec<Party>,
    },
    /// All seeds: the exclusive or of them is the newcomer's key.
    Assign {
        /// Of the announcement.
        id: TransactionId,
        /// The newcomer's seed and those of the nodes visited, in the order of the walk.
        seeds: Vec<[u8; 32]>,
    },
}

/// Names an exchange from its origin to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransactionId(pub u64);

/// A node that took part in an announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Who.
    pub contact: Contact,
    /// Its key.
    pub key: Location,
    /// Its seed.
    pub seed: [u8; 32],
}

impl Classed for Message {
    fn class(&self) -> Class {
        match self {
            Self::Data { parcel, .. } | Self::InsertData { parcel, .. } => {
                // A signed block with its names and counts fits one cell, as it does in the other overlays.
                parcel.class()
            }
            _ => Class::Small,
        }
    }
}
