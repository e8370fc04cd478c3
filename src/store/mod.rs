//! Which blocks stay and which leave next: a pure machine that asks for disk work and never does it.
//!
//! Two kinds of block, each in a shelf of fixed-size slots; on each shelf two regions, `cache` for what passes and
//! `kept` for what this node answers for (protocol.md §3.5). Guarantees: passing traffic never evicts what is kept;
//! new kept blocks displace only new ones until they have been asked for; the size limit holds to the block; a block
//! is stored once, whatever regions want it. Leaves out: files, sealing, syncs (`disk`), and whether a block may be
//! stored at all (`overlay`).

pub mod work;

use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::store::work::{DiskDone, DiskFault, DiskWork};

/// Names a piece of work in its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What can happen to the store.
#[derive(Clone, Debug)]
pub enum Input {
    /// Give me the block. Counts as use.
    Read {
        /// Echoed in the answer.
        token: Token,
        /// Which block.
        key: RoutingKey,
    },
    /// Is the block held? Does not count as use.
    Contains {
        /// Echoed in the answer.
        token: Token,
        /// Which block.
        key: RoutingKey,
    },
    /// Keep the block, and answer once it is durable.
    Keep {
        /// Echoed in the answer.
        token: Token,
        /// The block.
        block: Block,
    },
    /// Put the block into the cache; never answered.
    Cache {
        /// The block.
        block: Block,
    },
    /// The disk answers.
    Disk(DiskDone),
    /// Save the order of use now: the node is about to stop.
    Save,
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What the store wants done or known.
#[derive(Clone, Debug)]
pub enum Output {
    /// To [`Input::Read`].
    Read {
        /// Of the work.
        token: Token,
        /// The block, verified; absent if not held, damaged, or if too many reads wait.
        block: Option<Block>,
    },
    /// To [`Input::Contains`].
    Contains {
        /// Of the work.
        token: Token,
        /// Whether any region holds it.
        held: bool,
    },
    /// To [`Input::Keep`].
    Kept {
        /// Of the work.
        token: Token,
        /// Whether the block is durable; false if the disk failed or is behind, or no room may be made.
        durable: bool,
    },
    /// Work for the disk. It must be handed over in this order.
    Disk(DiskWork),
    /// Writing began to fail, or succeeds again.
    Health(Result<(), DiskFault>),
}
