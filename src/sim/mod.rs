//! Many nodes in one process under one seed: virtual time, virtual links, chosen faults.
//!
//! Nodes run the production machines and their messages pass through real cells. Small on purpose: a mesh for tests of
//! claims; scenarios, workloads and large networks come on top of it.

pub mod fault;
pub mod mesh;
pub mod shelf;
