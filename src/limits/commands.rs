//! Bounds of what a node asks and inserts for itself (protocol.md §6).
//!
//! The window opens and halves by refusals for load. What neighbours may ask is under `requests` and `inserts`.

use crate::time::Duration;

/// Blocks that a node asks or inserts for itself at once, at the start.
pub const WINDOW_START: u32 = 32;
/// The least and the most it ever does at once.
pub const WINDOW_MIN: u32 = 4;
/// See [`WINDOW_MIN`].
pub const WINDOW_MAX: u32 = 256;
/// Local commands that may wait for their turn. The driver is told "unavailable" beyond it.
pub const COMMANDS_QUEUED: usize = 4_096;
/// The mean delay of a job's first block by pre-routing, and the mean gap to the next one while no answer has come. Chosen:
/// a person does not notice it.
pub const PACE_START: Duration = Duration::from_millis(50);
/// What an answer by pre-routing is taken to need before any has come, for the pace of a job. Measured: on one machine with
/// idle relays, twice over.
pub const PACE_TYPICAL: Duration = Duration::from_millis(200);
/// The longest mean gap between two blocks of a job: what is asked for one by one must not wait for as long again as its
/// answers take. Chosen: 25 blocks a second in a network whose window is closed.
pub const PACE_GAP_MOST: Duration = Duration::from_millis(40);
/// Blocks in the cache of a node's own clients: 64 MiB. Chosen: a site and its pictures. At it the block used longest ago
/// makes room.
pub const CLIENT_CACHE_BLOCKS: usize = 2_048;
/// Blocks that wait to be written into it: 4 MiB. Chosen. At it a block is not cached.
pub const CLIENT_CACHE_QUEUE: usize = 128;
