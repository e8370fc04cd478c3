//! One suite that every overlay of the comparison passes, and what each claims beyond it.

#[path = "overlays/suite.rs"]
mod suite;
mod support;

#[path = "overlays/can.rs"]
mod can;
#[path = "overlays/central.rs"]
mod central;
#[path = "overlays/chord.rs"]
mod chord;
#[path = "overlays/flooding.rs"]
mod flooding;
#[path = "overlays/kademlia.rs"]
mod kademlia;
#[path = "overlays/supernode.rs"]
mod supernode;
#[path = "overlays/swarm.rs"]
mod swarm;
