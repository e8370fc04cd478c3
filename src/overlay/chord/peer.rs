//! A member of the ring as others name it: a node, and which of its places is meant.
//!
//! The place follows from both, so nobody can claim another's. One immutable value is shared by all tables that name it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::NodeId;
use crate::key::Location;
use crate::message::contact::Contact;
use crate::overlay::mode::dice::Dice;

/// A member of the ring.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    contact: Contact,
    member: u8,
    place: Location,
}

impl Peer {
    /// The place number `member` of a node.
    pub fn new(contact: Contact, member: u8) -> Self {
        let place = place_of(&contact.id(), member);
        Self(Arc::new(Inner { contact, member, place }))
    }

    /// Which node.
    pub fn contact(&self) -> &Contact {
        &self.0.contact
    }

    /// Who.
    pub fn id(&self) -> NodeId {
        self.0.contact.id()
    }

    /// Which of the node's places.
    pub fn member(&self) -> u8 {
        self.0.member
    }

    /// Where on the ring.
    pub fn place(&self) -> Location {
        self.0.place
    }
}

/// A node id is random, so its first bytes are a place; further places are drawn from it.
fn place_of(id: &NodeId, member: u8) -> Location {
    let mut first = [0; 8];
    first.copy_from_slice(&id.0[..8]);
    let mut dice = Dice::new(&id.0);
    Location((0..member).fold(u64::from_be_bytes(first), |_, _| dice.draw()))
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        // The place tells nearly all apart at the cost of one word.
        let is_alike = self.0.place == other.0.place && self.0.member == other.0.member;
        Arc::ptr_eq(&self.0, &other.0) || (is_alike && self.id() == other.id())
    }
}

impl Eq for Peer {}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Peer({} of {:?})", self.0.place, self.0.contact)
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.0.contact, self.0.member).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(Contact, u8)>::deserialize(deserializer).map(|(contact, member)| Self::new(contact, member))
    }
}
