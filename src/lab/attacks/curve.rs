//! The plot of an attack: success against the fraction that colludes, before and after, beside goal and the bound of plain text.

use crate::lab::attacks::attack::Parts;
use crate::lab::attacks::build::Build;
use crate::lab::attacks::finding::best;
use crate::lab::attacks::part::{Part, Plan, permille};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};

/// Success in `what` against the colluding fraction; `goal` at each.
pub fn figures(
    plan: &Plan,
    parts: &Parts,
    what: &str,
    label: &'static str,
    goal: impl Fn(f64) -> Option<f64>,
) -> Vec<Figure> {
    let of = |part: &Part| -> Vec<(f64, f64)> {
        let at = |fraction: f64| Some((fraction, best(part, what, permille(fraction))?.1.recall));
        plan.fractions().into_iter().filter_map(at).collect()
    };
    let goals = plan.fractions().into_iter().filter_map(|fraction| Some((fraction, goal(fraction)?))).collect();
    let diagonal = plan.fractions().into_iter().map(|fraction| (fraction, fraction)).collect();
    let (low, high) = (LEAST.min(plan.fraction), MOST.max(plan.fraction));
    let figure = Figure {
        name: "success",
        title: "Success against the fraction that colludes".into(),
        x: Axis::log("fraction that colludes", low, high),
        y: Axis::linear(label, 0.0, 1.0),
        series: vec![
            Series::new("the fraction itself", Tone::Third, Style::Faint, diagonal),
            Series::new("goal", Tone::Published, Style::Dashed, goals),
            Series::new("plain freenet", Tone::Second, Style::Line, of(parts.part(Build::Plain))).marked(),
            Series::new("pre-routed freenet", Tone::Ours, Style::Line, of(parts.part(Build::Prerouted))).marked(),
        ],
    };
    vec![figure]
}

const LEAST: f64 = 0.01;
const MOST: f64 = 0.20;
