//! Why a fetch fails.

use crate::document::header::Malformed;

/// Why a document could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The network does not have the first block.
    #[error("the document was not found")]
    NotFound,
    /// All copies of a part of the manifest are missing.
    #[error("a part of the manifest was not found")]
    ManifestLost,
    /// Too many blocks of a segment are missing.
    #[error("segment {segment} is lost: {reachable} of its blocks can be found, {needed} are needed")]
    SegmentLost {
        /// Which segment.
        segment: u64,
        /// Blocks that were found or may still be.
        reachable: u32,
        /// Blocks that are needed.
        needed: u32,
    },
    /// A block has the right hash and does not open: the URI has a wrong key, or the manifest lies.
    #[error("a block does not open with the key of this document")]
    NotVerified,
    /// None of the reader's keys opens the envelope.
    #[error("the document is sealed to readers, and no key of this node is one of theirs")]
    SealedToOthers,
    /// What readers would open leads to another envelope, without end.
    #[error("the document is malformed: an envelope holds another one")]
    EnvelopeInEnvelope,
    /// A block makes no sense.
    #[error("the document is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// Blocks rebuilt from others are not those that the manifest lists.
    #[error("the document contradicts itself: rebuilt blocks are not those it lists")]
    Inconsistent,
    /// The bytes are not those of the digest.
    #[error("the bytes do not match the document's digest")]
    Digest,
    /// No byte of the range lies in the document.
    #[error("the document has {length} bytes, and the range begins beyond them")]
    OutOfRange {
        /// The length of the document.
        length: u64,
    },
}
