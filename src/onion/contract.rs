//! What pre-routing is told and what it wants done: plain values.
//!
//! The contract of every machine: after each input the driver drains the outputs and asks when to come back. A broken rule
//! becomes an output that names the peer.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::id::{NetworkId, NodeId};
use crate::onion::gossip::Gossip;
use crate::onion::instruction::{Instruction, Outcome};
use crate::time::Instant;

/// Names a command of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// What a node chooses about pre-routing.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Its network.
    pub network: NetworkId,
    /// Where others reach it.
    pub address: SocketAddr,
    /// Whether this is a test network, whose nodes live for minutes.
    pub local: bool,
    /// Whether loops are sent now and then: where the link to the guard keeps a rhythm.
    pub loops: bool,
}

/// How paths are drawn. All but the first are controls, for simulations only: they give away what the first keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// A pinned guard, a middle of a pinned set, an exit for each packet.
    #[default]
    Pinned,
    /// The first relay is drawn for each packet as well.
    Roaming,
    /// One relay, drawn for each packet.
    Single,
    /// As the first, with so many pinned middles.
    Middles(u8),
}

/// A packet that is out for a command of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The command.
    pub request: RequestId,
    /// When it was sent.
    pub sent: Instant,
    /// Guard, middle and exit; one relay three times where there is but one.
    pub relays: [NodeId; 3],
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    Forward,
    /// To the client.
    Reply,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// A link is open.
    LinkUp(NodeId),
    /// A link is gone.
    LinkDown(NodeId),
    /// A dial that was asked for did not succeed.
    DialFailed(NodeId),
    /// The overlay uses a link from now on: the peer counts as a neighbour.
    Shared(NodeId),
    /// A packet arrived.
    Packet(NodeId, Direction, Bytes),
    /// A word about relays arrived.
    Gossip(NodeId, Gossip),
    /// A local client wants something.
    Request(RequestId, Instruction),
    /// Nobody waits for a command any more.
    Cancel(RequestId),
    /// What an exit was to do has ended.
    Executed(u64, Outcome),
    /// The node is about to stop.
    Stop,
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a packet over an open link.
    Packet(NodeId, Direction, Bytes),
    /// Say something about relays over an open link.
    Gossip(NodeId, Gossip),
    /// Open a link.
    Dial(NodeId, SocketAddr),
    /// Close a link, unless the overlay uses it.
    Close(NodeId),
    /// Run a command of the overlay as if it were this node's own; [`Input::Executed`] answers.
    Execute(u64, Instruction),
    /// A command of a local client has ended.
    Answer(RequestId, Outcome),
    /// A peer said what no honest node says.
    Offence(NodeId, Wrong),
    /// State that a restart should find; replaces what was kept before.
    Remember(Vec<u8>),
    /// The same: since when relays are known.
    RememberRelays(Vec<u8>),
}

/// What no honest node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A word beyond its bounds.
    Unsound,
    /// A descriptor that its relay did not sign.
    Forged,
}

/// What has become of loops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopTally {
    /// Sent.
    pub sent: u64,
    /// Come round.
    pub came: u64,
    /// Given up, after three attempts.
    pub lost: u64,
}

/// How a node stands with pre-routing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Relays it knows, itself apart.
    pub relays: usize,
    /// The guard it uses, and whether the link to it is open.
    pub guard: Option<(NodeId, bool)>,
    /// Whether rules yield because the network is small or young.
    pub relaxed: bool,
    /// Relays that have been known for long enough to be a guard, a middle and an exit.
    pub fit: [usize; 3],
    /// Own commands under way.
    pub open: usize,
    /// What has become of loops, where they are sent.
    pub loops: Option<LoopTally>,
}
