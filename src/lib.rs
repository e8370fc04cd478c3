//! Bolthole: an anonymous, encrypted document store in the tradition of Freenet.
//!
//! One pure protocol core, three drivers: QUIC (`daemon`), the simulator and the fuzzer. `docs/architecture.md` has the
//! layers; a module imports only from layers below its own. The fuzzer builds without the simulator, which no target uses.

#[cfg(feature = "daemon")]
pub mod api;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "files")]
pub mod disk;
pub mod document;
pub mod fuzzing;
pub mod gateway;
pub mod id;
pub mod key;
#[cfg(not(fuzzing))]
pub mod lab;
pub mod limits;
#[cfg(feature = "daemon")]
pub mod link;
pub mod message;
pub mod node;
pub mod onion;
pub mod overlay;
#[cfg(not(fuzzing))]
pub mod sim;
pub mod store;
pub mod time;
pub mod wire;
