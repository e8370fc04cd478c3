//! The architectures of the field, side by side behind one contract.
//!
//! `mode` is the contract; each other child is one architecture and knows none of its siblings.

pub mod can;
pub mod central;
pub mod chord;
pub mod classic;
pub mod flooding;
pub mod freenet;
pub mod kademlia;
pub mod mode;
pub mod supernode;
pub mod swarm;
