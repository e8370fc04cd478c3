//! What the store asks of the disk, and what the disk answers.
//!
//! The store decides which slot a block goes to and which block leaves; the disk only performs. Work on one slot is
//! performed in the order in which it was asked, writes and marks of one group are made durable by one sync. Nothing
//! here knows how a slot is laid out or sealed.

use crate::key::RoutingKey;
use crate::message::block::{Block, BlockKind};

/// A slot: which file, and which place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Slots of one kind of block share one file.
    pub kind: BlockKind,
    /// Counted from zero.
    pub slot: u32,
}

/// Where in the store a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Passed by; leaves when passing traffic needs the room.
    Cache,
    /// Kept, but not asked for since; leaves when newer kept blocks need the room.
    Fresh,
    /// Kept, and asked for since.
    Established,
}

/// What the store wants done on disk.
#[derive(Clone, Debug)]
pub enum DiskWork {
    /// Read a slot. Answered by [`DiskDone::Read`].
    Read {
        /// Which slot.
        place: Place,
        /// The block it must hold.
        key: RoutingKey,
    },
    /// Write a block into a slot. Answered by [`DiskDone::Written`].
    Write {
        /// Which slot; what it held is given up.
        place: Place,
        /// The block.
        block: Block,
        /// The area that is noted beside it.
        area: Area,
        /// Whether the answer waits for a sync.
        durable: bool,
    },
    /// Note another area beside a block that stands; the answer waits for a sync. Answered by [`DiskDone::Marked`].
    Mark {
        /// Which slot.
        place: Place,
        /// The block it must hold.
        key: RoutingKey,
        /// The area to note.
        area: Area,
    },
    /// Forget what a damaged slot held. Not answered.
    Erase {
        /// Which slot.
        place: Place,
    },
    /// Save which blocks were used since the order was last saved, least recently used first. Not answered.
    Order {
        /// The slots, each with whether its block is established.
        used: Vec<(Place, bool)>,
    },
}

/// What the disk answers.
#[derive(Clone, Debug)]
pub enum DiskDone {
    /// To [`DiskWork::Read`].
    Read {
        /// Of the work.
        place: Place,
        /// Of the work.
        key: RoutingKey,
        /// The block, verified; absent if the slot is damaged or cannot be read.
        block: Option<Block>,
    },
    /// To [`DiskWork::Write`].
    Written {
        /// Of the work.
        place: Place,
        /// Of the work.
        key: RoutingKey,
        /// Whether it stands; durably, if that was asked.
        result: Result<(), DiskFault>,
    },
    /// To [`DiskWork::Mark`].
    Marked {
        /// Of the work.
        place: Place,
        /// Of the work.
        key: RoutingKey,
        /// Whether it stands durably.
        result: Result<(), DiskFault>,
    },
}

/// Why work on the disk did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskFault {
    /// No space is left on the device (or a quota is used up).
    #[error("the disk is full")]
    Full,
    /// The device or the file system failed, or the slot no longer holds the block.
    #[error("the disk failed")]
    Failed,
}

/// A block that stood on disk when the store was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Its slot.
    pub place: Place,
    /// Its key.
    pub key: RoutingKey,
    /// The area that was last noted.
    pub area: Area,
}
