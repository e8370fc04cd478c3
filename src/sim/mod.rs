//! Many nodes in one process under one seed: virtual time, virtual links, chosen faults.
//!
//! Nodes run the production machines. `mesh` is a small one for tests of claims, every message through real cells;
//! `engine` carries the scenarios, with a timing wheel and compact nodes.

pub mod access;
pub mod betrayal;
pub mod churn;
pub mod classic;
pub mod content;
pub mod demand;
pub mod depot;
pub mod distribution;
pub mod documents;
pub mod engine;
pub mod fault;
pub mod freenet;
pub mod ideal;
pub mod latency;
pub mod lookups;
pub mod mesh;
pub mod overlays;
pub mod popularity;
pub mod prerouting;
pub mod report;
pub mod roles;
pub mod run;
pub mod scenario;
pub mod searches;
pub mod shelf;
pub mod tap;
pub mod topology;
pub mod traffic;
pub mod watch;
pub mod wheel;
