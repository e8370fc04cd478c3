//! The report of a laboratory run: what was published, what was measured, and whether the one is the other.

use serde::Serialize;

use crate::lab::experiment::{Experiment, Outcomes};
use crate::lab::figure::Figure;
use crate::lab::row::Row;

/// What several experiments came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each experiment.
    pub sections: Vec<Section>,
    /// Lines of the reproduction table.
    pub lines: usize,
    /// Those of them inside their tolerance.
    pub inside: usize,
}

/// What one experiment came to.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The command that runs it again, to the same numbers.
    pub command: String,
    /// Its part of the reproduction table.
    pub rows: Vec<Row>,
    /// Its plots.
    pub figures: Vec<Figure>,
    /// Everything that was measured.
    pub trials: Outcomes,
}

impl Report {
    /// The report of these sections.
    pub fn new(sections: Vec<Section>) -> Self {
        let rows = || sections.iter().flat_map(|section| &section.rows);
        let (lines, inside) = (rows().count(), rows().filter(|row| row.inside).count());
        Self { sections, lines, inside }
    }
}

impl Section {
    /// What the trials of an experiment come to. `command` runs them again.
    pub fn new(experiment: &Experiment, trials: Outcomes, command: String) -> Self {
        let mut findings = (experiment.findings)(&trials);
        // A quick run does not come to every point.
        findings.rows.retain(|row| row.ours.is_some());
        let Experiment { name, title, about, .. } = *experiment;
        Self { name, title, about, command, rows: findings.rows, figures: findings.figures, trials }
    }
}
