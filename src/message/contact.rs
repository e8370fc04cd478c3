//! A node as others name it: its id and its address.
//!
//! One immutable value shared by all tables that name it, so that an entry costs a pointer.

use std::cmp::Ordering;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::NodeId;

/// A node and where it listens.
#[derive(Clone)]
pub struct Contact(Arc<(NodeId, SocketAddr)>);

impl Contact {
    /// The node `id` at `address`.
    pub fn new(id: NodeId, address: SocketAddr) -> Self {
        Self(Arc::new((id, address)))
    }

    /// Who.
    pub fn id(&self) -> NodeId {
        self.0.0
    }

    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.0.1
    }
}

// A contact is the node it names: two addresses of one node are the same node.
impl PartialEq for Contact {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.0 == other.0.0
    }
}

impl Eq for Contact {}

impl PartialOrd for Contact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Contact {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.0.cmp(&other.0.0) }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Contact({} at {})", self.0.0.short(), self.0.1)
    }
}

impl Serialize for Contact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(NodeId, SocketAddr)>::deserialize(deserializer).map(|pair| Self(Arc::new(pair)))
    }
}
