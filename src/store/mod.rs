//! Which blocks stay and which leave next: a pure machine that asks for disk work and never does it.
//!
//! `contract` has the words, `machine` answers and asks, `shelf` decides who stays, `geometry` turns a size limit into slots, `work` is what goes
//! to the disk and comes back, `model` is the naive model beside which all of it is checked. Leaves out: files,
//! sealing, syncs (`disk`), and whether a block may be stored at all (`overlay`).

pub mod contract;
pub mod geometry;
pub mod machine;
pub mod model;
mod shelf;
pub mod work;

pub use contract::{Counts, Input, Output, Token};
pub use geometry::Capacity;
pub use machine::Store;
pub use shelf::Held;
