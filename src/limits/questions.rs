//! Bounds of routed questions, the small ones that joining and vouching ask (protocol.md §5).
//!
//! A question beyond them is refused; a guest that asks on is closed. Blocks are asked for under `requests`.

use crate::time::Duration;

/// Hops to live of a routed question. It only ever comes closer and cannot loop; this bounds what a network without
/// long links makes of it.
pub const QUERY_HTL: u8 = 40;
/// What each hop adds to the patience with a question.
pub const QUERY_HOP_TIME: Duration = Duration::from_millis(250);
/// Open questions at one node. Beyond it a question is refused.
pub const QUERIES: usize = 1_024;
/// Open questions from one neighbour. Beyond it a question is refused.
pub const QUERIES_PER_LINK: usize = 64;
/// Open questions from a link that is not accepted. An announcement asks three at once, and once more for each place
/// that coincides.
pub const QUERIES_PER_GUEST: usize = 8;
/// Questions in all from a link that is not accepted, before it is closed. An announcement needs some 20.
pub const QUESTIONS_OF_A_GUEST: u32 = 64;
