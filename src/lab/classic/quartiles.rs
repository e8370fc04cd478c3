//! Quartiles of path lengths: how snapshots become samples, samples lines of the table, and lines a plot.

use crate::lab::experiment::{Outcomes, Sample};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::row::Row;
use crate::lab::statistics;
use crate::sim::lookups::{Lookups, Outcome};
use crate::sim::report::Summary;

/// A published snapshot: where, and the quartiles of path length there.
pub(super) type Published = (f64, [f64; 3]);

/// The samples of one snapshot.
pub(super) fn samples(lookups: &Lookups, at: f64) -> Vec<Sample> {
    let Some(path) = Summary::of(lookups.paths()) else { return Vec::new() };
    let failed = lookups.all().iter().filter(|lookup| lookup.outcome != Outcome::Found).count();
    let sample = |name, value| Sample::new(name, at, value);
    let failed = sample(FAILED, failed as f64 / lookups.len() as f64);
    vec![sample(Q1, path.p25), sample(MEDIAN, path.p50), sample(Q3, path.p75), failed]
}

/// The line for one quartile at one point: the mean over trials, as the papers average.
pub(super) fn row(
    outcomes: &Outcomes,
    quartile: &str,
    at: f64,
    what: &str,
    published: f64,
    tolerance: (f64, f64),
) -> Row {
    let ours = statistics::mean_estimate(&outcomes.values(quartile, at));
    let text = crate::lab::axis::number(published);
    Row::new(format!("{what}, {}", spoken(quartile)), text, ours, tolerance)
}

/// What counts as the published value where nothing else is agreed: a fifth more or less, or one node.
pub(super) fn near(published: f64) -> (f64, f64) {
    let width = (published * 0.2).max(1.0);
    (published - width, published + width)
}

/// Our quartiles as a line in a band, the published ones dashed.
pub(super) fn figure(outcomes: &Outcomes, title: &str, x: Axis, published: &[Published]) -> Figure {
    let ours = Series::new("ours: median and quartiles", Tone::Ours, Style::Line, outcomes.means(MEDIAN))
        .between(&outcomes.means(Q1), &outcomes.means(Q3));
    let curve = |quartile: usize| published.iter().map(|(at, values)| (*at, values[quartile])).collect();
    let theirs = |label: &str, quartile, style| Series::new(label, Tone::Published, style, curve(quartile));
    let series = vec![
        ours,
        theirs("published: median", 1, Style::Dashed),
        theirs("quartiles", 0, Style::Faint),
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
