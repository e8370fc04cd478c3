//! The properties that the field claims of Freenet, each measured on the overlay that ships and on the one of 2001.
//!
//! Similar keys gather at one node, and the network is a small world. An experiment has two variants, one for each overlay.

pub mod clusters;
mod town;
pub mod world;
