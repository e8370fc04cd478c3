//! A whole comparison as a value: what was asked, what every overlay came to.

use serde::Serialize;

use crate::lab::comparison::base::Base;
use crate::lab::comparison::claims::{self, Judged};
use crate::lab::comparison::compared::Compared;
use crate::lab::comparison::variation::Variation;

/// A whole comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The workload.
    pub workload: Base,
    /// Variations that were run.
    pub variations: Vec<Variation>,
    /// The overlays, in the order of the simulator's list.
    pub modes: Vec<Compared>,
    /// What the textbooks claim of them, and what became of it.
    pub claims: Vec<Judged>,
}

impl Comparison {
    /// What these overlays come to together.
    pub fn new(workload: Base, variations: Vec<Variation>, modes: Vec<Compared>) -> Self {
        let nodes = f64::from(workload.nodes);
        let claims = claims::judge(&modes, nodes, nodes * f64::from(workload.documents_per_node));
        Self { workload, variations, modes, claims }
    }

    /// The seeds of all trials.
    pub fn seeds(&self) -> String {
        let all = self.modes.iter().flat_map(|mode| mode.trials.0.clone()).collect();
        crate::lab::experiment::Outcomes(all).seeds()
    }
}
