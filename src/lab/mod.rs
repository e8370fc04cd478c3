//! The laboratory: named experiments on simulated networks, and their reports as values.
//!
//! An experiment is data and two functions: which trials it takes, and what their samples come to. Trials are independent
//! of each other, so whoever has threads may run them at once. Pure: no file, no clock, no thread; `cli` has those.

pub mod attacks;
pub mod axis;
pub mod bars;
mod canvas;
pub mod classic;
pub mod comparison;
pub mod experiment;
pub mod figure;
pub mod markdown;
pub mod properties;
pub mod report;
pub mod row;
pub mod statistics;
pub mod svg;

use self::experiment::Experiment;

/// The experiments of `bolthole lab freenet`, in the order of the report.
pub const FREENET: &[Experiment] = &[
    classic::convergence::EXPERIMENT,
    classic::growth::EXPERIMENT,
    classic::failures::THOUSAND,
    classic::failures::TEN_THOUSAND,
    classic::links::EXPERIMENT,
    classic::removal::EXPERIMENT,
    classic::load::EXPERIMENT,
    properties::clusters::EXPERIMENT,
    properties::world::EXPERIMENT,
    properties::migration::EXPERIMENT,
    properties::popularity::EXPERIMENT,
    properties::vanishing::EXPERIMENT,
    properties::renown::EXPERIMENT,
    properties::pressure::EXPERIMENT,
];
