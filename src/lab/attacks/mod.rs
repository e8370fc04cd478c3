//! Attacks from the literature against our own machines, each with a positive control that has to fall.
//!
//! `field` is a network under attack and `trace` a recorded course of one; `guess`, `scores` and `confidence` turn what an
//! attacker concludes into figures. An attack is a value: jobs, and what they come to. It names the `build` it is run
//! against, so the same attack is run on whatever defence is built next.

pub mod attack;
pub mod build;
pub mod cache_probe;
mod circle;
pub mod colluders;
pub mod confidence;
pub mod control;
pub mod cost;
pub mod curve;
pub mod directory_sybil;
pub mod directory_views;
pub mod eclipse_key;
pub mod field;
pub mod finding;
pub mod first_spy;
pub mod goals;
pub mod guard_churn;
pub mod guess;
pub mod hops;
pub mod levine;
pub mod line;
pub mod link_tap;
pub mod logistic;
pub mod map;
pub mod mapping;
pub mod middles;
pub mod mobile_tracing;
pub mod part;
pub mod paths;
pub mod predecessor;
pub mod relays;
pub mod scores;
pub mod seizure;
pub mod selective_denial;
pub mod summary;
mod timeline;
pub mod trace;
pub mod traceback;
pub mod visits;

use self::attack::Attack;

/// The attacks that can be run, in the order of the report.
pub const ATTACKS: &[Attack] = &[
    first_spy::ATTACK,
    predecessor::ATTACK,
    middles::ATTACK,
    guard_churn::ATTACK,
    levine::ATTACK,
    traceback::ATTACK,
    cache_probe::ATTACK,
    mobile_tracing::ATTACK,
    directory_sybil::ATTACK,
    directory_views::ATTACK,
    selective_denial::ATTACK,
    eclipse_key::ATTACK,
    seizure::ATTACK,
    link_tap::ATTACK,
    cost::ATTACK,
];
