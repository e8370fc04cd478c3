//! The driver of a real node: the event loop that owns a node, its links and its disk, and the jobs of local clients.
//!
//! Everything impure about a running node is here or in `link` and `disk`; every decision is in `node` below. Leaves
//! out arguments and prose (`cli`) and HTTP (`api`).

pub mod chance;
mod client_cache;
pub mod clock;
pub mod config;
pub mod data_dir;
mod dialler;
pub mod directory;
pub mod documents;
mod event_loop;
pub mod gateway;
pub mod handle;
pub mod job;
pub mod jobs;
pub mod joining;
pub mod keeper;
pub mod listen;
pub mod log;
mod memory;
pub mod network;
pub mod overlay;
mod pace;
pub mod published;
pub mod quantity;
pub mod report;
pub mod running;
pub mod served;
pub mod settings;
pub mod status;
pub mod subspaces;
pub mod threads;
pub mod unchanged;
pub mod window;
