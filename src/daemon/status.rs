//! What a node says of itself to its owner: plain values, the same on both sides of the local interface.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A node's state at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The node's id.
    pub node: String,
    /// The line that other nodes join with.
    pub node_ref: String,
    /// The network's id.
    pub network: String,
    /// The network's name.
    pub network_name: String,
    /// The overlay that it runs.
    #[serde(default)]
    pub mode: String,
    /// The node's place on the ring, once it has one.
    pub location: Option<String>,
    /// How long the node has been running.
    pub uptime_seconds: f64,
    /// Linked nodes.
    pub peers: u64,
    /// What the store holds.
    pub store: StoreStatus,
    /// Gateways to the store that the node knows, in overlays that can have them.
    #[serde(default)]
    pub gateways: u64,
    /// What the node has done as a gateway, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayStatus>,
    /// Relays that pre-routing knows, this node apart.
    pub relays: u64,
    /// The guard that pre-routing uses, if it has one.
    pub guard: Option<String>,
    /// The rhythm of the link to the guard, if one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<CoverStatus>,
    /// Commands and jobs at work.
    pub requests: Requests,
    /// What stands between an observer and the user's requests.
    pub anonymity: Anonymity,
    /// Whether the disk tells what it holds to whoever seizes it.
    pub disk: DiskProtection,
    /// The distinct payload lengths of UDP packets that carried cells; one is expected.
    pub packet_sizes: Vec<u64>,
    /// How many packets of each length carried cells.
    pub cell_packets: BTreeMap<u64, u64>,
    /// How many packets of each length did not, by kind: handshake, ack, probe, close.
    pub other_packets: BTreeMap<String, BTreeMap<u64, u64>>,
}

/// What the store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Blocks in the region `cache`.
    pub cache_blocks: u64,
    /// Blocks in the region `kept`.
    pub kept_blocks: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Bytes the store may hold.
    pub limit_bytes: u64,
    /// Why nothing can be written at present, if so: what is there is still given out.
    pub fault: Option<String>,
}

/// What a gateway has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// Blocks given to nodes of the overlay.
    pub given: u64,
    /// Lookups that it had nothing for.
    pub missed: u64,
    /// Blocks carried into the store.
    pub carried: u64,
}

/// The rhythm of the link to the guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverStatus {
    /// Cells a second, in each direction.
    pub cells_per_second: u64,
    /// Whether the guard keeps it as well.
    pub returned: bool,
    /// Cells sent.
    pub cells: u64,
    /// Those of them that were padding.
    pub padding: u64,
    /// Beats that this node was too late for.
    pub missed: u64,
    /// Packets sent to itself by way of guard, middle and exit.
    pub loops_sent: u64,
    /// Those that came back.
    pub loops_came: u64,
    /// Those that were given up.
    pub loops_lost: u64,
}

/// What the node is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Jobs of local clients.
    pub jobs: u64,
    /// Blocks being fetched or inserted for them.
    pub commands: u64,
    /// Blocks fetched and inserted for them since the node started, counting every attempt.
    #[serde(default)]
    pub made: Made,
}

/// What was asked of the network for local clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Blocks that were looked for.
    pub fetches: u64,
    /// Blocks that were to be stored.
    pub inserts: u64,
}

/// What stands between an observer and the user's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anonymity {
    /// Whether pre-routing is ready.
    pub ready: bool,
    /// What that means, for people.
    pub note: String,
}

/// Whether the disk tells what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskProtection {
    /// Whether the node secret is sealed under a passphrase.
    pub protected: bool,
    /// What that means, for people.
    pub note: String,
}

/// A linked node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// Its id.
    pub node: String,
    /// Where its packets come from.
    pub address: String,
    /// Whether it dialled.
    pub inbound: bool,
    /// How long the link has been open.
    pub seconds: f64,
    /// Its place on the ring, if it is a neighbour in an overlay that has places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Messages sent to it since the link opened.
    #[serde(default)]
    pub sent: u64,
    /// Messages received from it since then.
    #[serde(default)]
    pub received: u64,
    /// The round trip in milliseconds, as QUIC estimates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
}

/// A relay that pre-routing knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Relay {
    /// Its id.
    pub node: String,
    /// Where it listens.
    pub address: String,
    /// How long this node has known it.
    pub known_seconds: f64,
    /// Whether it is this node's guard.
    pub guard: bool,
}

/// How a node stands with pre-routing, for whoever is about to ask something of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prerouting {
    /// The overlay has none: every command is direct.
    NotHere,
    /// The node links only to nodes that its operator named.
    NotAmongFriends,
    /// It knows too few other nodes.
    TooFew {
        /// How many.
        relays: usize,
    },
    /// A path can be built.
    Ready,
}

impl Default for Anonymity {
    fn default() -> Self {
        Self { ready: false, note: NO_PREROUTING.to_owned() }
    }
}

/// What a user must know where there is no pre-routing.
pub const NO_PREROUTING: &str =
    "no pre-routing here: every operation is direct, and neighbours may guess what is yours";
