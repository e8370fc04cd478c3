//! Any message, and any onion packet, to equal-sized cells and back.
//!
//! Guarantees: a message has one spelling, a size that depends on its class alone, and decoding arbitrary bytes ends in a
//! value or in a named cause, with memory bounded by the class. Leaves out every decision: `wire` knows no overlay, no
//! peer and no link, and never says what a malformed message costs its sender. `docs/wire.md` has the byte tables.

pub mod cell;
pub mod codec;
pub mod frame;
pub mod joiner;
pub mod malformed;
mod payload;
pub mod rhythm;
pub mod spelling;
