//! Performs the store's disk work: every slot sealed again under the node secret, one sync for each group.
//!
//! `directory` opens the files, `worker` runs the threads, `engine` performs groups, `slots` knows the slot file, `order`
//! the order of use, `header` and `label` the bytes, `medium` the file beneath.
//! Guarantees (protocol.md §8): what was answered as durable survives a crash at any instant; nothing but sizes and a
//! file name is in clear; a damaged byte costs at most the slot it hits. Decides nothing: that is `store`.
#![allow(clippy::disallowed_methods, reason = "the only randomness here seeds the nonces of one run")]

mod directory;
pub mod engine;
mod header;
mod label;
pub mod medium;
mod order;
mod slots;
mod worker;

pub use directory::{Disk, OpenError};
pub use engine::OpenReport;
pub use worker::Handle;
