//! What a node is told and what it wants done: plain values.

use std::net::SocketAddr;

use crate::id::NodeId;
use crate::node::envelope::Envelope;
use crate::overlay::mode::{Answer, CloseReason, Command, Offence, Ticket};
use crate::store::work::{DiskDone, DiskFault, DiskWork};

/// What can happen to a node.
#[derive(Clone, Debug)]
pub enum Input<M> {
    /// A link is open; the peer's identity is proven.
    LinkUp {
        /// Who is at the other end.
        peer: NodeId,
        /// The address the packets come from.
        address: SocketAddr,
        /// Whether the peer dialled.
        inbound: bool,
    },
    /// A link is gone.
    LinkDown {
        /// Who was at the other end.
        peer: NodeId,
    },
    /// A dial that was asked for did not succeed.
    DialFailed {
        /// Who could not be reached.
        peer: NodeId,
    },
    /// A message arrived.
    Message {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: Envelope<M>,
    },
    /// What waits for a peer has passed its bound, or is below it again.
    Congestion {
        /// Whose link.
        peer: NodeId,
        /// Whether the link is behind.
        behind: bool,
    },
    /// A local client wants something, directly of the overlay.
    Command {
        /// Names the command in its answer.
        ticket: Ticket,
        /// What is wanted.
        command: Command,
    },
    /// A local client wants something by pre-routing; answered as unavailable where there is none.
    Routed {
        /// Names the command in its answer.
        ticket: Ticket,
        /// What is wanted.
        command: Command,
    },
    /// The disk answers.
    Disk(DiskDone),
    /// The node is about to stop: save what a restart should find.
    Stop,
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What a node wants done.
#[derive(Clone, Debug)]
pub enum Output<M> {
    /// Send a message over an open link.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Envelope<M>,
    },
    /// Open a link.
    Dial {
        /// Who must answer.
        peer: NodeId,
        /// Where.
        address: SocketAddr,
    },
    /// Close a link after what was sent has left.
    Close {
        /// Whose.
        peer: NodeId,
        /// Why.
        reason: CloseReason,
    },
    /// Work for the disk, to be performed in this order.
    Disk(DiskWork),
    /// A command has ended.
    Answer {
        /// Which command.
        ticket: Ticket,
        /// How.
        answer: Answer,
    },
    /// A peer broke a rule.
    Offence {
        /// Who.
        peer: NodeId,
        /// Which rule.
        offence: Offence,
    },
    /// Writing to the disk began to fail, or succeeds again.
    Health(Result<(), DiskFault>),
    /// State of the overlay that a restart should find; replaces what was kept before.
    Remember(Vec<u8>),
    /// The same of pre-routing.
    RememberGuards(Vec<u8>),
    /// The same of the relays that pre-routing knows.
    RememberRelays(Vec<u8>),
}
