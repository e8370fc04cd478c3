//! The comparison: one workload over every overlay of the simulator, and what it comes to side by side.
//!
//! A trial is an overlay, a variation and a seed. Overlays are those that the simulator lists; one more there is one more
//! here. Pure, as all of the laboratory: `cli` has the threads, the clock and the files.

pub mod base;
pub mod claims;
pub mod compared;
pub mod evidence;
mod measures;
pub mod plots;
pub mod report;
pub mod table;
mod tables;
pub mod text;
pub mod variation;

use std::collections::BTreeMap;

use self::base::Base;
use self::variation::VARIATIONS;
use crate::lab::experiment::Trial;
use crate::sim::scenario::ModeName;

/// What there is to be run of one overlay.
#[derive(Debug)]
pub struct Plan {
    /// Which overlay.
    pub mode: ModeName,
    /// Its trials.
    pub trials: Vec<Trial>,
    /// Variations that it cannot go through, and why.
    pub refused: BTreeMap<String, String>,
}

/// The trials of one overlay: without what takes longest, unless it is to be `thorough`.
pub fn plan(base: &Base, mode: ModeName, thorough: bool, seeds: impl Iterator<Item = u64> + Clone) -> Plan {
    let mut plan = Plan { mode, trials: Vec::new(), refused: BTreeMap::new() };
    for variation in VARIATIONS.iter().filter(|variation| thorough || variation.usual) {
        if let Some(reason) = variation.dear(mode).filter(|_| !thorough) {
            plan.refused.insert(variation.name.into(), reason.into());
            continue;
        }
        // Whether a scenario makes sense does not depend on its seed; memory is somebody else's to check.
        if let Err(sentence) = variation.scenario(base, mode, 1).check(u64::MAX) {
            plan.refused.insert(variation.name.into(), sentence.to_string());
            continue;
        }
        plan.trials.extend(seeds.clone().map(|seed| {
            let scenario = variation.scenario(base, mode, seed);
            let work = &scenario.workload;
            let steps =
                scenario.operations() + u64::from(scenario.nodes) + u64::from(work.documents) + u64::from(work.lookups);
            Trial { variant: variation.name, scenario, steps, course: measures::course }
        }));
    }
    plan
}
