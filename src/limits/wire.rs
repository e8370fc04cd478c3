//! Sizes on the wire: cells, the two classes of message, and the room for onions (protocol.md §6).
//!
//! Frozen: a change is another network. The relations between them are checked here. How much may be under way on a
//! link is in `links`.

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
/// Header of an onion packet with room for four layers, bytes.
pub const ONION_HEADER_BYTES: usize = 416;

const _: () = assert!(CELL_BYTES == 1_136);
const _: () = assert!(BLOCK_PAYLOAD_BYTES == 33_600);
const _: () = assert!(BLOCK_PAYLOAD_BYTES - ONION_HEADER_BYTES == crypto::content::SEALED_BYTES + 400);
const _: () = assert!(CELL_PAYLOAD_BYTES - ONION_HEADER_BYTES == crypto::signed::SIGNED_BYTES + 64);
