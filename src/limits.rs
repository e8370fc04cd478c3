//! Every bound, its reason, and what happens at it.
//!
//! Whatever a peer or a caller can make grow is listed here (protocol.md §9). A bound names its source: measured, taken
//! from a paper, or plainly chosen. Relations between bounds are checked when the crate is compiled.

use crate::time::Duration;

// ---- networks and nodes -------------------------------------------------------------------------------------------

/// Longest name of a network, bytes. Chosen: a line of text. A longer one is refused.
pub const GENESIS_NAME_BYTES: usize = 64;
/// Most founding members. Chosen: a genesis (16 × 32 bytes and its parameters) fits one small message.
pub const GENESIS_MEMBERS: usize = 16;
/// Witnesses of a location. protocol.md §5: three, so that one colluder cannot decide it.
pub const WITNESSES: usize = 3;
/// Life of a certificate, days. protocol.md §5. An older one counts as none.
pub const CERTIFICATE_DAYS: u32 = 30;
/// Largest encoded certificate, bytes. protocol.md §5; a test encodes the largest.
pub const CERTIFICATE_BYTES: usize = 400;
/// Largest encoded node reference, bytes; a test encodes the largest. A signed block (640) and a reference share one
/// small message.
pub const NODE_REF_BYTES: usize = 160;

// ---- wire -----------------------------------------------------------------------------------------------------------

/// Payload of a small message and of each cell, bytes: one onion packet of the small class.
pub const CELL_PAYLOAD_BYTES: usize = 1_120;
/// Link header of a cell, bytes.
pub const CELL_HEADER_BYTES: usize = 16;
/// A cell as it travels, bytes (protocol.md §6).
pub const CELL_BYTES: usize = CELL_HEADER_BYTES + CELL_PAYLOAD_BYTES;
/// Cells of a message that carries a block.
pub const BLOCK_CELLS: usize = 30;
/// Payload of a block-class message, bytes.
pub const BLOCK_PAYLOAD_BYTES: usize = BLOCK_CELLS * CELL_PAYLOAD_BYTES;
/// Header of an onion packet with room for four layers, bytes. Onions come later; the room is reserved now.
pub const ONION_HEADER_BYTES: usize = 416;
/// Block-class messages of one link that may be begun and not finished. Chosen: 64 hold 2 MiB. The peer that begins one
/// more is malformed.
pub const ASSEMBLIES: usize = 64;

const _: () = assert!(CELL_BYTES == 1_136);
const _: () = assert!(BLOCK_PAYLOAD_BYTES == 33_600);
const _: () = assert!(BLOCK_PAYLOAD_BYTES - ONION_HEADER_BYTES == crypto::content::SEALED_BYTES + 400);
const _: () = assert!(CELL_PAYLOAD_BYTES - ONION_HEADER_BYTES == crypto::signed::SIGNED_BYTES + 64);

// ---- requests -------------------------------------------------------------------------------------------------------

/// Hops to live of a fresh request. Hyphanet ships 18; an ideal ring of 10^6 nodes needs 5.4 hops, so the rest is for
/// backtracking.
pub const MAX_HTL: u8 = 18;
/// Hops of one request that may lead no closer. protocol.md §3: a miss ends in bounded time.
pub const MAX_DETOURS: u8 = 4;
/// Open searches at one node. Chosen: 4,096 blocks are 128 MiB, what a node can pass on in a minute at 2 MiB/s. A
/// request beyond it is refused as overload.
pub const SEARCHES: usize = 4_096;
/// Open requests one peer may have at this node. Chosen: a document window of 128 blocks twice over. A request beyond
/// it is refused as overload.
pub const REQUESTS_PER_LINK: usize = 256;
/// Waiters on one pending key. Chosen. A further asker is refused and goes on elsewhere.
pub const WAITERS_PER_KEY: usize = 32;

// ---- store ----------------------------------------------------------------------------------------------------------

/// Smallest size limit of a store that is accepted, bytes. Chosen: 64 blocks and their index.
pub const STORE_MIN_BYTES: u64 = 4 << 20;

// ---- time -----------------------------------------------------------------------------------------------------------

/// A peer that says nothing for this long, not even a keepalive, is gone.
pub const LINK_IDLE: Duration = Duration::from_secs(12);
/// How often an idle link is kept alive.
pub const LINK_KEEPALIVE: Duration = Duration::from_secs(4);

const _: () = assert!(LINK_IDLE.as_secs() >= 3 * LINK_KEEPALIVE.as_secs());
