//! Onion packets, version 1: of one size at every hop, opened by one relay after the other, answered along the same way
//! (`protocol.md` §7).
//!
//! Guarantees: a relay learns the hop before it, the hop after it, and neither its position nor the length of the path;
//! a bit that was flipped anywhere dies at the next honest relay; an answer that was altered on its way is never
//! accepted. Every function is pure: the relay's replay set, its reply table, its delays and its directory are the
//! caller's, and the order of the types ([`process::Arrival`], [`process::Opened`], [`process::Step`]) is the order in
//! which it must consult them. Leaves out which relays to take.

pub mod build;
pub mod layout;
pub mod process;
pub mod reply;

mod keys;
