//! Bounds of what a node asks and inserts for itself (protocol.md §6).
//!
//! The window opens and halves by refusals for load. What neighbours may ask is under `requests` and `inserts`.

/// Blocks that a node asks or inserts for itself at once, at the start.
pub const WINDOW_START: u32 = 32;
/// The least and the most it ever does at once.
pub const WINDOW_MIN: u32 = 4;
/// See [`WINDOW_MIN`].
pub const WINDOW_MAX: u32 = 256;
/// Local commands that may wait for their turn. The driver is told "unavailable" beyond it.
pub const COMMANDS_QUEUED: usize = 4_096;
