//! Which blocks stay and which leave next: a pure machine that asks for disk work and never does it.
//!
//! `machine` answers and asks, `shelf` decides who stays, `geometry` turns a size limit into slots, `work` is what goes
//! to the disk and comes back, `model` is the naive model beside which all of it is checked. Leaves out: files,
//! sealing, syncs (`disk`), and whether a block may be stored at all (`overlay`).

pub mod geometry;
pub mod machine;
pub mod model;
mod shelf;
pub mod work;

pub use geometry::Capacity;
pub use machine::{Counts, Held, Input, Output, Store, Token};
