//! What an insert is told, what it hears, and what it says.
//!
//! A closed vocabulary: a driver that answers every output with one of these inputs, or not at all, drives an insert
//! to its end. What follows from what is in the file above.

use bytes::Bytes;
use crypto::secret::Secret;

use crate::document::handle::Handle;
use crate::document::layout::{Copies, Geometry, Redundancy};
use crate::document::mime::Mime;
use crate::document::signed::Writer;
use crate::key::uri::Uri;
use crate::limits::DOCUMENT_BYTES;
use crate::message::block::Block;

/// What is inserted, and how.
#[derive(Debug)]
pub struct Options {
    /// What the document is.
    pub mime: Mime,
    /// How its segments are protected.
    pub redundancy: Redundancy,
    /// In how many copies its manifest is stored.
    pub copies: Copies,
    /// Its length, if it is known beforehand.
    pub length: Option<u64>,
    /// Where its keys come from.
    pub keys: Keys,
    /// The name it shall have; its content's if none.
    pub writer: Option<Writer>,
    /// Blocks that may be out at once, until [`crate::document::insert::Inserter::set_window`] says otherwise.
    pub window: usize,
    /// How large segments and manifest blocks are.
    pub geometry: Geometry,
}

/// Where the keys of a document come from.
#[derive(Debug)]
pub enum Keys {
    /// A random root: nobody can tell that two inserts are of one document.
    Random,
    /// A root from the document itself: equal inserts coalesce, and who has the document can tell that it was inserted.
    Convergent {
        /// The digest of the document, computed in a pass before this one ([`crate::document::root::digester`]).
        digest: [u8; 32],
        /// Limits coalescing to those who share it.
        secret: Option<Secret<32>>,
    },
}

/// What can happen to an insert.
#[derive(Debug)]
pub enum Input {
    /// The next bytes: not more than were wanted.
    Data(Bytes),
    /// There are no more bytes.
    EndOfData,
    /// A block is stored.
    BlockStored {
        /// Which.
        handle: Handle,
        /// Distinct stores that keep it.
        stores: u32,
    },
    /// A block could not be stored; it will be handed out again, a bounded number of times.
    BlockFailed {
        /// Which.
        handle: Handle,
    },
    /// Another block stands where this one was to go.
    BlockCollided {
        /// Which.
        handle: Handle,
        /// What stands there.
        existing: Block,
    },
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What an insert wants done.
#[derive(Debug)]
pub enum Output {
    /// Hand in at most so many bytes, in one piece or several.
    WantData {
        /// How many.
        bytes: usize,
    },
    /// Store this block.
    Insert {
        /// Names it in the answer.
        handle: Handle,
        /// The block.
        block: Block,
    },
    /// Something was stored.
    Progress {
        /// Bytes read so far.
        bytes: u64,
        /// Blocks stored.
        stored: u64,
        /// Blocks made so far; those to come are not in it.
        made: u64,
    },
    /// The document is stored. Nothing follows.
    Done(Receipt),
    /// The document is not stored. Nothing follows; answers to blocks that are out are ignored.
    Failed(Why),
}

/// What was stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The name of the document.
    pub uri: Uri,
    /// Its length.
    pub bytes: u64,
    /// Blocks stored, of all kinds.
    pub blocks: u64,
    /// Check blocks among them.
    pub check_blocks: u64,
    /// Every block is in at least so many stores.
    pub stored_at_least: u32,
}

/// Why a document could not be inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A block was refused too often.
    #[error("a block could not be stored after {attempts} attempts: the nodes asked have no room, or too much to do")]
    NotStored {
        /// How often it was tried.
        attempts: u32,
    },
    /// Something else stands under the name.
    #[error("something else stands under this name")]
    NameTaken,
    /// The document has another length, or other bytes, than were announced.
    #[error("the document changed while it was being inserted")]
    Changed,
    /// The document is longer than any may be.
    #[error("a document has at most {DOCUMENT_BYTES} bytes")]
    TooLong,
    /// More data than was wanted.
    #[error("more data was handed in than was asked for")]
    Unwanted,
}
