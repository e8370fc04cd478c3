//! One line of the reproduction table: what was published, what we measure, and whether the one is the other.

use serde::Serialize;

use crate::lab::statistics::Estimate;

/// One line of the reproduction table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was measured, where.
    pub what: String,
    /// What the papers say, as they say it.
    pub published: String,
    /// What we measure.
    pub ours: Option<Estimate>,
    /// From where to where our value counts as theirs.
    pub tolerance: (f64, f64),
    /// Whether it does.
    pub inside: bool,
    /// The scenario that stands for it, under `docs/scenarios`, if there is one.
    pub scenario: Option<&'static str>,
    /// The seeds of the trials behind it, where they are not all of the experiment.
    pub seeds: Option<String>,
}

impl Row {
    /// A line: inside if the estimate lies in the tolerance, ends included. Without an estimate it is not.
    pub fn new(
        what: impl Into<String>,
        published: impl Into<String>,
        ours: Option<Estimate>,
        tolerance: (f64, f64),
    ) -> Self {
        let inside = ours.is_some_and(|ours| tolerance.0 <= ours.value && ours.value <= tolerance.1);
        Self { what: what.into(), published: published.into(), ours, tolerance, inside, scenario: None, seeds: None }
    }

    /// The same line, with a scenario that stands for it.
    #[must_use]
    pub fn standing(self, scenario: &'static str) -> Self {
        Self { scenario: Some(scenario), ..self }
    }
}
