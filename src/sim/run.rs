//! A scenario of any overlay to its report: whichever driver its overlay has.

use crate::sim::report::Report;
use crate::sim::scenario::{ModeName, Scenario};
use crate::sim::{classic, freenet, overlays};

/// Runs a scenario that has passed its check. `progress` hears now and then how many steps of how many are done.
pub fn run(scenario: &Scenario, progress: &mut dyn FnMut(u64, u64)) -> Report {
    match scenario.mode {
        ModeName::Classic => classic::run(scenario, progress),
        ModeName::Freenet => freenet::run(scenario, progress),
        _ => overlays::run(scenario, progress).expect("every other overlay is one of those that are compared"),
    }
}
