//! The properties that the field claims of Freenet, each measured on the overlay that ships and on the one of 2001.
//!
//! Similar keys gather at one node, the network is a small world, copies move towards demand, what is popular is cheap to
//! find, what nobody wants vanishes, and who is known is asked. An experiment has two variants, one for each overlay; but for
//! `pressure`, which compares two ways of replacement in the one that ships.

pub mod clusters;
pub mod migration;
pub mod popularity;
pub mod pressure;
pub mod renown;
mod town;
pub mod vanishing;
pub mod world;
