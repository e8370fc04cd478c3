//! Bolthole: an anonymous, encrypted document store in the tradition of Freenet.
//!
//! One pure protocol core, three drivers: QUIC (`daemon`), the simulator and the fuzzer. `docs/architecture.md` has the
//! layers; a module imports only from layers below its own.

#[cfg(feature = "daemon")]
pub mod api;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod disk;
pub mod document;
pub mod fuzzing;
pub mod id;
pub mod key;
pub mod lab;
pub mod limits;
#[cfg(feature = "daemon")]
pub mod link;
pub mod message;
pub mod node;
pub mod overlay;
pub mod sim;
pub mod store;
pub mod time;
pub mod wire;
