//! The positive control of an attack: a build that has to fall, or the attack has shown nothing.

use serde::Serialize;

/// The positive control: a build that has to fall.
#[derive(Clone, Debug, Serialize)]
pub struct Control {
    /// Which build.
    pub build: &'static str,
    /// What was measured of it.
    pub measure: String,
    /// The value.
    pub value: Option<f64>,
    /// The level it has to reach.
    pub level: f64,
    /// Whether it did.
    pub reached: bool,
    /// Trials behind it.
    pub samples: usize,
}

impl Control {
    /// A control that has to reach a level.
    pub fn at_least(build: &'static str, measure: String, value: Option<f64>, level: f64, samples: usize) -> Self {
        Self { build, measure, value, level, reached: value.is_some_and(|value| value >= level), samples }
    }
}
