//! Quartiles of path lengths: how snapshots become samples, samples lines of the table, and lines a plot.

use crate::lab::axis::number;
use crate::lab::experiment::{Outcomes, Sample};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::distribution::Summary;
use crate::sim::lookups::{Lookups, Outcome};

/// A published snapshot: where, and the quartiles of path length there; NaN where the figure cannot be read.
pub(super) type Published = (f64, [f64; 3]);

/// One line of the reproduction table: which quartile where, and what was published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    at: f64,
    quartile: &'static str,
    published: f64,
    tolerance: Option<(f64, f64)>,
    scenario: Option<&'static str>,
    typical: bool,
}

/// A line that counts as the published value within a fifth, or one node.
pub(super) const fn line(at: f64, quartile: &'static str, published: f64) -> Line {
    Line { at, quartile, published, tolerance: None, scenario: None, typical: false }
}

impl Line {
    /// The same with a tolerance of its own.
    pub(super) const fn within(self, low: f64, high: f64) -> Self {
        Self { tolerance: Some((low, high)), ..self }
    }

    /// The same with the scenario that stands for it.
    pub(super) const fn standing(self, scenario: &'static str) -> Self {
        Self { scenario: Some(scenario), ..self }
    }

    /// The same for the median over trials, where a few trials carry the mean.
    pub(super) const fn typical(self) -> Self {
        Self { typical: true, ..self }
    }

    /// The line filled in: the mean over trials, as the papers average. `place` says in words where it is.
    pub(super) fn row(&self, outcomes: &Outcomes, place: &str) -> Row {
        let values = outcomes.values(self.quartile, self.at);
        let (ours, over) = if self.typical {
            (statistics::median_estimate(&values), " (median over trials)")
        } else {
            (statistics::mean_estimate(&values), "")
        };
        let width = (self.published * 0.2).max(1.0);
        let tolerance = self.tolerance.unwrap_or((self.published - width, self.published + width));
        let what = format!("{place}, {}{over}", spoken(self.quartile));
        let seeds = Some(outcomes.seeds_at(self.quartile, self.at));
        Row { scenario: self.scenario, seeds, ..Row::new(what, number(self.published), ours, tolerance) }
    }
}

/// All lines filled in.
pub(super) fn rows(outcomes: &Outcomes, lines: &[Line], place: fn(&str) -> String) -> Vec<Row> {
    lines.iter().map(|line| line.row(outcomes, &place(&number(line.at)))).collect()
}

/// The samples of one snapshot.
pub(super) fn samples(lookups: &Lookups, at: f64) -> Vec<Sample> {
    let Some(path) = Summary::of(lookups.paths()) else { return Vec::new() };
    let failed = lookups.all().iter().filter(|lookup| lookup.outcome != Outcome::Found).count();
    let sample = |name, value| Sample::new(name, at, value);
    let failed = sample(FAILED, failed as f64 / lookups.len() as f64);
    vec![sample(Q1, path.p25), sample(MEDIAN, path.p50), sample(Q3, path.p75), failed]
}

/// Our quartiles as a line in a band, the published ones dashed.
pub(super) fn figure(outcomes: &Outcomes, title: &str, x: Axis, published: &[Published]) -> Figure {
    let ours = Series::new("ours: median and quartiles", Tone::Ours, Style::Line, outcomes.means(MEDIAN))
        .between(&outcomes.means(Q1), &outcomes.means(Q3));
    let curve = |quartile: usize| {
        let points = published.iter().map(|(at, values)| (*at, values[quartile]));
        points.filter(|(_, value)| !value.is_nan()).collect()
    };
    let theirs = |label: &str, quartile, style| Series::new(label, Tone::Published, style, curve(quartile));
    let series = vec![
        ours,
        theirs("published: median", 1, Style::Dashed),
        theirs("its quartiles", 0, Style::Faint),
        theirs("", 2, Style::Faint),
    ];
    let y = Axis::log("nodes contacted (failure = 500)", 1.0, 500.0);
    Figure { name: "paths", title: title.into(), x, y, series }
}

fn spoken(quartile: &str) -> &str {
    match quartile {
        Q1 => "first quartile",
        Q3 => "third quartile",
        other => other,
    }
}

/// The first quartile.
pub(super) const Q1: &str = "q1";
/// The median.
pub(super) const MEDIAN: &str = "median";
/// The third quartile.
pub(super) const Q3: &str = "q3";
/// The share of probes that failed.
pub(super) const FAILED: &str = "failed";
