//! Links: QUIC connections between nodes that prove their keys, carrying messages in cells (protocol.md §6).
//!
//! Guarantees: one link per peer; every datagram has one length; what a peer can make grow is bounded in `limits`; a peer
//! that breaks a rule is cut off with a reason. Leaves out whom to link to and what messages mean: that is the overlay's,
//! and the daemon carries values between the two.

pub mod backoff;
pub mod bucket;
mod code;
pub mod config;
mod connection;
pub mod count;
pub mod datagram;
pub mod event;
mod flight;
pub mod genesis;
pub mod kind;
pub mod links;
mod peers;
mod queue;
mod receiver;
mod rhythm;
mod sender;
pub mod socket;
pub mod tempo;
mod tls;
mod transport;
