//! What an operator or a scenario chooses of a `freenet` node.
//!
//! Holds choices only; bounds that nobody may change are in `limits`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::id::NodeId;
use crate::limits;
use crate::message::genesis::Genesis;

/// The choices.
#[derive(Clone, Debug)]
pub struct Config {
    /// The network to take part in.
    pub genesis: Arc<Genesis>,
    /// Who may be linked, and how strictly.
    pub profile: Profile,
    /// The address other nodes dial.
    pub address: SocketAddr,
    /// Nodes to announce through. Empty for a founding member.
    pub bootstrap: Vec<(NodeId, SocketAddr)>,
    /// Most neighbours. Default [`limits::DEGREE_MAX`]. Raising it costs keepalives and memory, lowering it costs hops.
    pub degree: usize,
    /// Entries of the table of learned sources. Default [`limits::ROUTING_ENTRIES`].
    pub routing_entries: usize,
    /// Hops to live of own requests. Default [`limits::MAX_HTL`]. Lowering it below about twice the mean path loses
    /// documents.
    pub htl: u8,
    /// Whether the node conceals what it holds and what it asks for itself. A block from its store goes over a link as late as one
    /// from further, the first time; and who asks for a key that it seeks itself is answered as if it did not. Without, a probe
    /// tells both; with it, each block of a fetch takes up to [`limits::HIT_DELAY_MOST`] longer, and a request that comes back
    /// to its origin goes on from there.
    pub discreet: bool,
    /// How often the topology is looked after.
    pub upkeep: Duration,
}

/// How strictly strangers are met (protocol.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// The public network: certificates, proof of work, ages and rates all count.
    Open,
    /// Test networks: proof of work, ages and rates are relaxed; certificates and address groups still count.
    Local,
    /// Links only to nodes that the operator names; no announcement, no folding.
    Trusted,
}

impl Config {
    /// Whether rates and waits are relaxed for tests.
    pub fn is_lenient(&self) -> bool {
        self.profile == Profile::Local
    }

    /// Defaults for a node of `genesis` at `address`.
    pub fn new(genesis: impl Into<Arc<Genesis>>, profile: Profile, address: SocketAddr) -> Self {
        Self {
            genesis: genesis.into(),
            profile,
            address,
            bootstrap: Vec::new(),
            degree: limits::DEGREE_MAX,
            routing_entries: limits::ROUTING_ENTRIES,
            htl: limits::MAX_HTL,
            discreet: true,
            upkeep: match profile {
                Profile::Local => limits::UPKEEP_LOCAL,
                Profile::Open | Profile::Trusted => limits::UPKEEP,
            },
        }
    }
}
