//! The contract of every overlay: a pure state machine, values in, values out.
//!
//! After each `handle_input` the driver drains `poll_output` until it is empty and then asks `poll_timeout` when to
//! call again with [`Input::Timeout`]. Nothing here knows a socket, a clock, a thread or a disk, and input from the
//! network cannot fail the caller: a broken rule becomes an [`Output::Offence`].

use std::net::SocketAddr;

use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::message::block::Block;
use crate::message::class::Message;
use crate::time::Instant;

/// One overlay, driven by QUIC, the simulator or the fuzzer.
pub trait Mode {
    /// What nodes of this overlay say to each other.
    type Message: Message;

    /// Something happened. Drain `poll_output` afterwards.
    fn handle_input(&mut self, now: Instant, input: Input<Self::Message>);

    /// The next thing to do, if any.
    fn poll_output(&mut self) -> Option<Output<Self::Message>>;

    /// When to call `handle_input` with [`Input::Timeout`], if nothing happens before. A driver does so once at the start in
    /// any case.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What can happen to an overlay.
#[derive(Clone, Debug)]
pub enum Input<M> {
    /// A link to `peer` is open; its identity is proven, its address seen.
    LinkUp {
        /// Who is at the other end.
        peer: NodeId,
        /// The address the packets come from.
        address: SocketAddr,
        /// Whether the peer dialled.
        inbound: bool,
    },
    /// The link to `peer` is gone.
    LinkDown {
        /// Who was at the other end.
        peer: NodeId,
    },
    /// A dial that was asked for did not succeed.
    DialFailed {
        /// Who could not be reached.
        peer: NodeId,
    },
    /// A message arrived, well formed but not otherwise checked.
    Message {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: M,
    },
    /// What waits to be sent to a peer has passed its bound, or is well below it again.
    Congestion {
        /// Whose link.
        peer: NodeId,
        /// Whether the link is behind.
        behind: bool,
    },
    /// A local client wants something.
    Command {
        /// Names the command in its answer.
        ticket: Ticket,
        /// What is wanted.
        command: Command,
    },
    /// The store answers.
    Store(StoreAnswer),
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What an overlay wants done.
#[derive(Clone, Debug)]
pub enum Output<M> {
    /// Send a message over the open link to a peer. Dropped without a word if the link is gone.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: M,
    },
    /// Open a link. Answered by [`Input::LinkUp`] or [`Input::DialFailed`].
    Dial {
        /// Who must answer: anyone else at that address is refused.
        peer: NodeId,
        /// Where.
        address: SocketAddr,
    },
    /// Close the link to a peer, after what was sent has left. Answered by [`Input::LinkDown`].
    Close {
        /// Whose link.
        peer: NodeId,
        /// Why, for the peer and the log.
        reason: CloseReason,
    },
    /// Work for the store.
    Store(StoreWork),
    /// A command has ended.
    Answer {
        /// Which command.
        ticket: Ticket,
        /// How.
        answer: Answer,
    },
    /// A peer broke a rule. The link is closed by a [`Output::Close`] of its own where that is the penalty.
    Offence {
        /// Who.
        peer: NodeId,
        /// Which rule.
        offence: Offence,
    },
    /// State worth keeping across a restart, in the overlay's own encoding. Replaces what was kept before.
    Remember(Vec<u8>),
}

/// Names a local command. Clients count from 0; whoever stands between them and the overlay and has commands of its own marks
/// them with [`OF_WRAPPER`] or [`OF_NODE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a local client can want of an overlay that stores blocks.
#[derive(Clone, Debug)]
pub enum Command {
    /// Find a block.
    Fetch {
        /// Its key.
        key: RoutingKey,
        /// Whether this node's own store may answer before the network is asked.
        own_store: bool,
    },
    /// Store a block in the network.
    Insert {
        /// The block.
        block: Block,
    },
    /// Give up a command; it is not answered any more.
    Cancel,
}

/// How a command ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The block was found.
    Found {
        /// The block, verified.
        block: Block,
        /// Forwards made on the way, as answers report them; 0 from this node's own store.
        hops: u32,
        /// Whether this node's own store had it.
        own_store: bool,
    },
    /// The search ended without the block.
    NotFound,
    /// The network is too busy, or no peer is linked; try again later.
    Unavailable,
    /// The block was stored.
    Inserted {
        /// Distinct stores other than this node's that keep it; where publishing is sharing, the places at which it is listed,
        /// or this node's own store.
        stores: u32,
        /// How many would have been enough here: min(3, other nodes reachable).
        wanted: u32,
    },
    /// Another block stands under that key.
    Collision {
        /// The block that stands there.
        existing: Block,
    },
}

/// Names a piece of store work in its answer. Overlays count from 0; what others ask of the same store is marked, as for
/// [`Ticket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreToken(pub u64);

/// Marks what an overlay that wraps another has begun itself.
pub const OF_WRAPPER: u64 = 1 << 63;
/// Marks what the node that an overlay is part of has begun itself.
pub const OF_NODE: u64 = 1 << 62;

/// What an overlay asks of the store.
#[derive(Clone, Debug)]
pub enum StoreWork {
    /// Give me the block.
    Read {
        /// Echoed in the answer.
        token: StoreToken,
        /// Which block.
        key: RoutingKey,
    },
    /// Give me the block for another node that shall keep it: no use that keeps it alive here. Answered as a read.
    Copy {
        /// Echoed in the answer.
        token: StoreToken,
        /// Which block.
        key: RoutingKey,
    },
    /// Do we hold the block? Cheaper than reading, and no use that keeps it alive.
    Contains {
        /// Echoed in the answer.
        token: StoreToken,
        /// Which block.
        key: RoutingKey,
    },
    /// Which blocks are kept that lie near a place?
    Survey {
        /// Echoed in the answer.
        token: StoreToken,
        /// The place.
        around: Location,
        /// How near.
        within: Distance,
        /// Only keys after this one, in the order of keys.
        after: Option<RoutingKey>,
        /// At most so many.
        most: usize,
    },
    /// Keep the block in the region `kept` and answer once it is durable.
    Keep {
        /// Echoed in the answer.
        token: StoreToken,
        /// The block.
        block: Block,
    },
    /// Put the block into the region `cache`; never answered.
    Cache {
        /// The block.
        block: Block,
    },
    /// This node lies here from now on: a cache that is to be clustered gathers around it. Never answered.
    Around {
        /// The place.
        place: Location,
    },
}

/// What the store answers.
#[derive(Clone, Debug)]
pub enum StoreAnswer {
    /// To [`StoreWork::Read`] and [`StoreWork::Copy`].
    Read {
        /// Of the work.
        token: StoreToken,
        /// The block, verified; absent if not held or damaged.
        block: Option<Block>,
    },
    /// To [`StoreWork::Contains`].
    Contains {
        /// Of the work.
        token: StoreToken,
        /// Whether and how it is held.
        holding: Holding,
    },
    /// To [`StoreWork::Survey`].
    Survey {
        /// Of the work.
        token: StoreToken,
        /// The first keys, in their order.
        keys: Vec<RoutingKey>,
    },
    /// To [`StoreWork::Keep`].
    Kept {
        /// Of the work.
        token: StoreToken,
        /// Whether the block is durable; false if the disk failed or the region is full of protected blocks.
        durable: bool,
    },
}

/// How a store holds a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Not at all.
    Nothing,
    /// In the region `cache`.
    Passing,
    /// In the region `kept`.
    Kept,
}

/// Why a link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// This node stops.
    Shutdown,
    /// No room for another neighbour.
    Full,
    /// A better neighbour took the place.
    Replaced,
    /// The errand the link was opened for is done.
    Done,
    /// The peer broke a rule.
    Offence(Offence),
}

/// Rules that a peer can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offence {
    /// A message that its place in the exchange does not allow.
    OutOfTurn,
    /// A block that does not match its key.
    BadBlock,
    /// A reference or certificate that does not verify.
    BadCredential,
    /// An answer to a question nobody asked.
    Unasked,
    /// More at once than the limits allow.
    Flood,
    /// Bytes that are no message.
    Malformed,
}
