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
pub mod curve;
pub mod eclipse_key;
pub mod field;
pub mod finding;
pub mod first_spy;
pub mod goals;
pub mod guess;
pub mod hops;
pub mod levine;
pub mod link_tap;
pub mod logistic;
pub mod map;
pub mod mobile_tracing;
pub mod part;
pub mod predecessor;
pub mod scores;
pub mod seizure;
pub mod summary;
pub mod trace;
pub mod traceback;
pub mod visits;

use self::attack::Attack;

/// The attacks that can be run, in the order of the report.
pub const ATTACKS: &[Attack] = &[
    first_spy::ATTACK,
    predecessor::ATTACK,
    levine::ATTACK,
    traceback::ATTACK,
    cache_probe::ATTACK,
    mobile_tracing::ATTACK,
    eclipse_key::ATTACK,
    seizure::ATTACK,
    link_tap::ATTACK,
];

/// Attacks on what is not built yet, and what they wait for.
pub const AWAITED: &[(&str, &str)] = &[
    ("guard-churn", "pre-routing, which has guards, is not in the simulator yet"),
    ("directory-sybil", "pre-routing, which has a directory of relays, is not in the simulator yet"),
    ("cost", "pre-routing, whose cost it is, is not in the simulator yet"),
];
