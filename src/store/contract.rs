//! What goes into the store and what comes out: the words between it and the node that owns it.
//!
//! Leaves out what the store makes of them (`machine`) and the words between store and disk (`work`).

use crate::key::{Location, RoutingKey};
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
    /// Give me the block for another node to keep: read without being used. Answered as a read.
    Copy {
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
    /// The node lies here from now on. Counts where the cache is clustered.
    Around {
        /// The place.
        place: Location,
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

/// What happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads that were answered with the block.
    pub hits: u64,
    /// Reads of blocks that are not held.
    pub misses: u64,
    /// Reads that were answered as absent because too many waited.
    pub reads_refused: u64,
    /// Blocks that were damaged on disk, and dropped.
    pub damaged: u64,
    /// Blocks that the cache did not take because the disk was behind.
    pub cache_dropped: u64,
    /// Blocks that were not kept: the disk behind or failing, or no room.
    pub keep_refused: u64,
    /// Writes that the disk could not perform.
    pub write_faults: u64,
}
