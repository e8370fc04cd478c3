//! Bounds of the overlay `swarm`: pieces, peers, requests, what a tracker remembers.
//!
//! Figures that are marked so are those of BEP 3 and of the first implementation; beyond a bound a peer is refused,
//! ignored or forgotten, as each says.

use crate::limits::calls::{CALL_CONTACTS, CALL_LINKS};
use crate::limits::wire::{BLOCK_PAYLOAD_BYTES, CELL_PAYLOAD_BYTES};
use crate::time::Duration;

/// Pieces of one document: their digests and a header fill one block. A longer document is refused.
pub const SWARM_PIECES: usize = 1_023;
/// Blocks of one piece, 4 MiB. A listing with longer pieces is no listing.
pub const SWARM_PIECE_BLOCKS: usize = 128;
/// Requests under way to one peer (BEP 3). A peer that asks for more than [`SWARM_ASKED`] at once floods.
pub const SWARM_PIPELINE: usize = 5;
/// Requests of one peer that wait here. Chosen: choking and unchoking can let two pipelines meet.
pub const SWARM_ASKED: usize = 4 * SWARM_PIPELINE;
/// Peers of one document at one node (first implementation). A further one is refused.
pub const SWARM_PEERS: usize = 80;
/// Peers that a node dials of itself (first implementation): beyond it, it waits to be dialled.
pub const SWARM_DIALS: usize = 40;
/// With fewer peers than this a node asks the tracker for more (first implementation).
pub const SWARM_FEW_PEERS: usize = 20;
/// Peers that a tracker names at once (first implementation). A longer list is a flood.
pub const SWARM_NAMED: usize = 50;
/// Between two announcements of a node that has enough peers (first implementation).
pub const SWARM_ANNOUNCE: Duration = Duration::from_secs(30 * 60);
/// Between two announcements of a node that has few. Chosen.
pub const SWARM_ASK_AGAIN: Duration = Duration::from_secs(60);
/// A tracker forgets who has not announced itself for so long. Chosen: one announcement may fail.
pub const SWARM_FORGOTTEN: Duration = Duration::from_secs(75 * 60);
/// Entries of one tracker, over all documents. A further one is not taken in.
pub const SWARM_TRACKED: usize = 1 << 21;
/// A download that gains nothing for so long is given up. Chosen: the paper's clients wait for their users' patience.
pub const SWARM_PATIENCE: Duration = Duration::from_secs(60 * 60);
/// Keys of blocks inserted here for which no listing has come. Beyond it the oldest can no longer be listed.
pub const SWARM_LOOSE: usize = SWARM_PIECES * SWARM_PIECE_BLOCKS;
/// Names whose credit one node books for one document, in the scheme that books it. What a further one gives is forgotten.
pub const SWARM_ACCOUNTS: usize = 4_096;

const _: () = assert!(SWARM_NAMED > CALL_CONTACTS && SWARM_NAMED * 53 + 40 <= BLOCK_PAYLOAD_BYTES);
const _: () = assert!(SWARM_PIECES.div_ceil(64) * 10 + 40 <= CELL_PAYLOAD_BYTES);
const _: () = assert!(SWARM_PEERS < CALL_LINKS);
const _: () = assert!(32 + SWARM_PIECES * 32 <= crypto::content::SEALED_BYTES);
const _: () = assert!(SWARM_FORGOTTEN.as_secs() > 2 * SWARM_ANNOUNCE.as_secs());
