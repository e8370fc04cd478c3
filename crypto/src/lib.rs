//! Sealing, signing and verifying for Bolthole: everything that touches a key, and nothing else.
//!
//! Guarantees: secrets wipe themselves, compare in constant time and print as `Secret(..)`; every hash and every
//! signature is bound to one purpose; whatever is opened commits to its key; a failed check says one thing, that it
//! did not verify. Leaves out: sockets, files, clocks, threads and global randomness. Whoever needs random bytes is
//! handed them, so that one seed replays a whole network.

pub mod content;
pub mod envelope;
pub mod error;
pub mod hash;
pub mod identity;
pub mod keyword;
pub mod onion;
pub mod reader;
pub mod secret;
pub mod signed;
pub mod slot;
pub mod standby;
pub mod vault;
pub mod work;

#[cfg(test)]
mod collision;
mod commitment;
mod signature;
mod stretch;

pub use error::{NotVerified, TooLong};
