//! Bounds of routed questions, the small ones that joining and vouching ask (protocol.md §5).
//!
//! A question beyond them is refused; a guest that asks on is closed. Blocks are asked for under `requests`.

use super::requests::ACCEPT_TIMEOUT;
use crate::time::Duration;

/// Hops to live of a routed question. It only ever comes closer and cannot loop; this bounds what a network without
/// long links makes of it.
pub const QUERY_HTL: u8 = 40;
/// What each hop adds to the patience with a question.
pub const QUERY_HOP_TIME: Duration = Duration::from_millis(250);
/// A question that takes longer than this is announced to its asker as passed on. Measured: a word for each that passes was a
/// fifth of what a join costs, and nearly all are answered before. Leaves a round trip of the slowest link before
/// `ACCEPT_TIMEOUT`.
pub const QUERY_ACCEPT_AFTER: Duration = Duration::from_millis(1_200);
/// Open questions at one node. Beyond it a question is refused.
pub const QUERIES: usize = 1_024;
/// Open questions from one neighbour. Beyond it a question is refused.
pub const QUERIES_PER_LINK: usize = 64;
/// Open questions from a link that is not accepted. An announcement asks three at once, and once more for each place
/// that coincides.
pub const QUERIES_PER_GUEST: usize = 8;
/// Questions in all from a link that is not accepted, before it is closed. An announcement needs some 20.
pub const QUESTIONS_OF_A_GUEST: u32 = 64;

const _: () = assert!(QUERY_ACCEPT_AFTER.as_millis() + 500 <= ACCEPT_TIMEOUT.as_millis());
