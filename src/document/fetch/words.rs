//! What a fetch is told, what it hears, and what it says.
//!
//! A closed vocabulary: a driver that answers every output with one of these inputs, or not at all, drives a fetch to
//! its end. What follows from what is in the file above.

use std::ops::Range;

use bytes::Bytes;
use crypto::content::Root;

use crate::document::fetch::why::Why;
use crate::document::handle::Handle;
use crate::document::layout::Geometry;
use crate::document::mime::Mime;
use crate::document::signed::Reader;
use crate::key::RoutingKey;
use crate::message::block::Block;

/// Where a document begins.
#[derive(Debug)]
pub enum Start {
    /// At a top block.
    Content {
        /// Where it is.
        routing: RoutingKey,
        /// What the document's blocks are derived from.
        root: Root,
    },
    /// At a signed block.
    Signed(Reader),
}

/// How a document is fetched.
#[derive(Clone, Debug)]
pub struct Options {
    /// Blocks that may be asked at once, until [`crate::document::fetch::Fetcher::set_window`] says otherwise.
    pub window: usize,
    /// Blocks asked in each segment beyond those needed, so that the slowest need not be waited for.
    pub race: u32,
    /// What the order follows from in which the blocks of a segment are asked for. Nobody else may foresee it.
    pub order: u64,
    /// The bytes wanted; the whole document if none. What lies beyond its end is left out.
    pub range: Option<Range<u64>>,
    /// How large segments and manifest blocks are.
    pub geometry: Geometry,
}

/// What can happen to a fetch.
#[derive(Clone, Debug)]
pub enum Input {
    /// A block that was asked for.
    BlockFound {
        /// Which.
        handle: Handle,
        /// The block.
        block: Block,
    },
    /// The network does not have the block.
    BlockMissing {
        /// Which.
        handle: Handle,
    },
    /// The network could not be asked, or not to the end; the block may be there.
    BlockFailed {
        /// Which.
        handle: Handle,
    },
    /// The consumer has taken so many of the bytes delivered.
    Delivered {
        /// How many.
        bytes: usize,
    },
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What a fetch wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Find this block.
    Fetch {
        /// Names it in the answer.
        handle: Handle,
        /// Which block.
        key: RoutingKey,
    },
    /// A block is not needed any more; it need not be answered.
    Cancel {
        /// Which.
        handle: Handle,
    },
    /// What the document says of itself. Comes before the first byte.
    Opened {
        /// What it is.
        mime: Mime,
        /// The length of the whole document.
        length: u64,
        /// The digest of the whole document.
        digest: [u8; 32],
    },
    /// The next bytes.
    Deliver(Bytes),
    /// Store this block: the network does not have it, and it was rebuilt.
    Repair {
        /// The block.
        block: Block,
    },
    /// Everything was delivered. Nothing follows.
    Done(Summary),
    /// The document could not be fetched. Nothing follows.
    Failed(Why),
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Bytes delivered.
    pub bytes: u64,
    /// What the document is.
    pub mime: Mime,
    /// Blocks that came from the network.
    pub blocks_fetched: u64,
    /// Blocks that were missing and have been rebuilt.
    pub blocks_repaired: u64,
}
