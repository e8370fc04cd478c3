//! One line of the table of goals: what plain routing gives away, what is left with pre-routing, the bound, and the floor.
//!
//! The floor is what the best defence of this kind could reach against that adversary, so that a goal that is missed can be
//! seen to be out of reach, or not.

use serde::Serialize;

use crate::lab::attacks::control::Control;

/// One goal at one colluding fraction.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The goal: G1 to G12.
    pub goal: &'static str,
    /// What is measured.
    pub what: String,
    /// The fraction that colluded; 0 where none does.
    pub colluders: f64,
    /// Of the build without the defence.
    pub before: Option<f64>,
    /// Of the build that ships.
    pub after: Option<f64>,
    /// The upper 95 % limit of that.
    pub upper95: Option<f64>,
    /// What it must not exceed; a lower bound where `is_least`.
    pub bound: f64,
    /// Whether the bound is a lower one.
    pub is_least: bool,
    /// What the best of its kind could reach.
    pub floor: Option<f64>,
    /// Whether the limit keeps the bound.
    pub met: Option<bool>,
    /// Trials behind `after`.
    pub samples: usize,
    /// The build that had to fall.
    pub control: Control,
}

impl Line {
    /// A line with an upper bound; `after` is a value, its limit and the trials behind it.
    pub fn at_most(
        goal: &'static str,
        what: impl Into<String>,
        colluders: f64,
        (before, after): (Option<f64>, Option<(f64, f64, usize)>),
        (bound, floor): (f64, Option<f64>),
        control: &Control,
    ) -> Self {
        Self {
            goal,
            what: what.into(),
            colluders,
            before,
            after: after.map(|(value, ..)| value),
            upper95: after.map(|(_, upper, _)| upper),
            bound,
            is_least: false,
            floor,
            met: after.map(|(_, upper, _)| upper <= bound),
            samples: after.map_or(0, |(.., samples)| samples),
            control: control.clone(),
        }
    }
}
