//! The overlays that the daemon can run over its links, each with the choices of a live node.
//!
//! Leaves out how they find anything (`overlay`). All but `freenet` are there to be compared: they hide nobody.

mod bridged;
mod can;
mod central;
mod chord;
mod contract;
mod flooding;
mod freenet;
mod kademlia;
mod last_links;
mod name;
mod supernode;
mod swarm;

pub use self::contract::{Beginning, NoWayIn, Overlay};
pub use self::last_links::to_bytes as last_links;
pub use self::name::{NoSuchOverlay, OverlayName};
