//! Bounds of documents: segments, manifests, windows of memory, and tries for one block (protocol.md §2).
//!
//! A manifest beyond them is refused as malformed before anything is held for it. Who asks for blocks how often at once
//! is in `commands`.

use crate::time::Duration;

/// Data blocks of a full segment: 4 MiB. protocol.md §2. More would lose less, and need more memory on both ends.
pub const SEGMENT_BLOCKS: u32 = 128;
/// Most check blocks, in per cent of the data blocks. Chosen: beyond it a second insert serves better. Refused.
pub const REDUNDANCY_MAX_PERCENT: u16 = 200;
/// Least check blocks of a segment, or as many as it has data blocks if those are fewer. Chosen so that a document of two
/// blocks is lost about as rarely as one of twelve when each block is lost with probability 0.1 (0.4 %).
pub const CHECK_FLOOR: u32 = 4;
/// Keys in a manifest block: 1,023 × 32 bytes fill its payload to the byte.
pub const MANIFEST_NODE_KEYS: u32 = 1_023;
/// Most keys in a top block: what the longest header leaves.
pub const MANIFEST_TOP_KEYS: u32 = 1_017;
/// Most copies of a manifest block; four are made. A document that wants more is refused as malformed.
pub const MANIFEST_COPIES: u8 = 8;
/// Standbys of the top block of a document that has other blocks too. Chosen: a top block alone would be the weakest part
/// of a document whose other blocks bear the loss of a third. A document without its top and all of them is not found.
pub const STANDBYS: u8 = 2;
/// Longest document, bytes. Chosen: 16 TiB, far beyond any disk of today, and every count of blocks stays below 2^32. An
/// insert fails at it; a header beyond it is refused as malformed.
pub const DOCUMENT_BYTES: u64 = 1 << 44;
/// Longest media type, bytes. Chosen: the registry's longest has 84. A longer one is refused.
pub const MIME_BYTES: usize = 128;
/// Segments that a fetch works on at once. Chosen: their blocks come in a random order, so nothing of a segment is delivered
/// before nearly all of it is there; the next ones keep the window full meanwhile, which is one and a half segments wide.
pub const FETCH_SEGMENTS: usize = 4;
/// Segments ahead of those for which manifest blocks are asked, so that no segment waits for its keys.
pub const FETCH_LEAD: u64 = 6;
/// Bytes delivered by a fetch that the consumer has not taken yet. Chosen: 1 MiB. At it nothing more is delivered.
pub const DELIVERY_BYTES: usize = 1 << 20;
/// Data blocks that an insert asks for at once. Chosen: sealing them takes a fifth of a millisecond.
pub const INSERT_CHUNK_BLOCKS: u32 = 16;
/// Blocks that must wait before one leaves while an insert is being read: the order of leaving is drawn among them. Chosen:
/// a megabyte, two chunks; more would keep a slow reader waiting for longer.
pub const INSERT_CROWD: usize = 32;
/// How often a block that the network could not take, or search for, is tried before it counts as failed: 21 s of rests.
pub const BLOCK_ATTEMPTS: u32 = 10;
/// How often a block that was not found is searched for, in all: later tries go out through other exits.
pub const BLOCK_SEARCHES: u32 = 3;
/// First rest before such a block is tried again; doubled each time.
pub const BLOCK_RETRY_FIRST: Duration = Duration::from_millis(100);
/// Longest rest.
pub const BLOCK_RETRY_LONGEST: Duration = Duration::from_secs(5);
/// Editions of a site, or periods of a name, that are looked for at once. Chosen: what the window of one document would ask
/// for too. With 12 the newest of a thousand editions is found in four rounds.
pub const EDITIONS_ASKED: usize = 12;
/// Editions that an insert finds taken by another publisher of its site before it gives up. Chosen: as many publishers at
/// once as one site may have.
pub const EDITIONS_TAKEN: u8 = 16;
/// Periods before the current one that are tried when a name is fetched by date and the client names no number. Chosen: a
/// month of days, more than half a year of weeks, more than two years of months.
pub const PERIODS_BACK: u16 = 31;
/// Most periods that a client may have tried. Chosen: ten years of days.
pub const PERIODS_BACK_MOST: u16 = 3_660;
/// Most files of a site. Chosen: ten times what a large site has; a list beyond it is refused.
pub const SITE_FILES: usize = 100_000;
/// Longest list of a site's files, bytes. Chosen: a hundred thousand files with paths of 200 bytes. A longer one is refused
/// before it is read.
pub const SITE_INDEX_BYTES: usize = 32 << 20;
/// Longest file that is put into a pack, bytes. Chosen: beyond it a block of its own wastes less than half.
pub const SITE_PACKED_BYTES: u64 = 16 << 10;
/// Longest pack, bytes. Chosen: a quarter of a segment, so that a page needs few blocks that it does not show.
pub const SITE_PACK_BYTES: u64 = 1 << 20;
