//! The values that all overlays speak of: blocks, node references, certificates, the genesis of a network, and the
//! two classes every message belongs to.
//!
//! An overlay's own messages live beside its machine; how values become cells is in `wire`.

pub mod block;
pub mod certificate;
pub mod class;
pub mod contact;
pub mod credentials;
pub mod fragment;
pub mod genesis;
pub mod reference;
