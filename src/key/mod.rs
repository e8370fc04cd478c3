//! Names of things in the network: places in key space, and what people write.
//!
//! Composes its children and re-exports the values of `place`; leaves out who is who (`id`).

pub mod place;
pub mod recipient;
pub mod uri;

pub use place::{Distance, Location, RoutingKey};
