//! A plot as a value: axes and series. How it is drawn is another matter.

use serde::Serialize;

/// One plot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its file's name without ending.
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, the later over the earlier.
    pub series: Vec<Series>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: &'static str,
    /// How values are laid out.
    pub scale: Scale,
    /// From where to where.
    pub range: (f64, f64),
}

/// How values are laid out on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal differences are equally wide.
    Linear,
    /// Equal ratios are equally wide.
    Log,
}

/// One set of points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// What the legend calls it.
    pub label: String,
    /// Whose values they are: decides the colour.
    pub tone: Tone,
    /// How they are drawn.
    pub style: Style,
    /// The points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// From where to where the band around them reaches: (x, low, high).
    pub band: Vec<(f64, f64, f64)>,
    /// Whether the points of a line are marked: where they are few and far apart.
    pub marked: bool,
}

/// Whose values a series holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Ours.
    Ours,
    /// Ours, another way.
    Second,
    /// Ours, a third way.
    Third,
    /// As published.
    Published,
    /// One of many that stand side by side, by its number.
    Nth(u8),
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Joined.
    Line,
    /// Joined by dashes.
    Dashed,
    /// Joined by a thin line of dots: what surrounds the main line.
    Faint,
    /// Single dots.
    Dots,
}

impl Axis {
    /// Equal differences equally wide.
    pub const fn linear(label: &'static str, low: f64, high: f64) -> Self {
        Self { label, scale: Scale::Linear, range: (low, high) }
    }

    /// Equal ratios equally wide.
    pub const fn log(label: &'static str, low: f64, high: f64) -> Self {
        Self { label, scale: Scale::Log, range: (low, high) }
    }
}

impl Series {
    /// Points without a band.
    pub fn new(label: impl Into<String>, tone: Tone, style: Style, points: Vec<(f64, f64)>) -> Self {
        Self { label: label.into(), tone, style, points, band: Vec::new(), marked: false }
    }

    /// The same with a band between two curves over the same points.
    #[must_use]
    pub fn between(self, low: &[(f64, f64)], high: &[(f64, f64)]) -> Self {
        let band = low.iter().zip(high).map(|((x, low), (_, high))| (*x, *low, *high)).collect();
        Self { band, ..self }
    }

    /// The same with its points marked.
    #[must_use]
    pub fn marked(self) -> Self {
        Self { marked: true, ..self }
    }
}
