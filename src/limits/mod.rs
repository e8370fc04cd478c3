//! Every bound, its reason, and what happens at it.
//!
//! Whatever a peer or a caller can make grow is listed here (protocol.md §9). A bound names its source: measured, taken
//! from a paper, or plainly chosen. Relations between bounds are checked when the crate is compiled.
//!
//! One file for each matter, one namespace for all: code says `limits::NAME` and a bound can move between files, or
//! be looked up, without anybody else knowing where it stands.

mod announcements;
mod calls;
mod can;
mod classic;
mod commands;
mod documents;
mod floods;
mod gateways;
mod inserts;
mod links;
mod neighbours;
mod networks;
mod onions;
mod questions;
mod requests;
mod store;
mod supernodes;
mod swarm;
mod wire;

pub use self::announcements::*;
pub use self::calls::*;
pub use self::can::*;
pub use self::classic::*;
pub use self::commands::*;
pub use self::documents::*;
pub use self::floods::*;
pub use self::gateways::*;
pub use self::inserts::*;
pub use self::links::*;
pub use self::neighbours::*;
pub use self::networks::*;
pub use self::onions::*;
pub use self::questions::*;
pub use self::requests::*;
pub use self::store::*;
pub use self::supernodes::*;
pub use self::swarm::*;
pub use self::wire::*;
