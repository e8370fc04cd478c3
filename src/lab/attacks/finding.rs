//! What an attack came to: the headline, the goal, the control, and every rule apart.

use serde::Serialize;

use crate::lab::attacks::build::Build;
use crate::lab::attacks::control::Control;
use crate::lab::attacks::guess::{Identified, identified};
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan};
use crate::lab::attacks::scores::Scores;
use crate::lab::figure::Figure;
use crate::lab::statistics;

/// What an attack came to.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its name.
    pub attack: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The build that was attacked.
    pub build: &'static str,
    /// The fraction that colluded.
    pub colluders: f64,
    /// Nodes of each network.
    pub nodes: u32,
    /// The seed of the first network.
    pub seed: u64,
    /// Networks.
    pub networks: usize,
    /// The headline; absent where only the control was run.
    #[serde(flatten)]
    pub headline: Headline,
    /// The positive control.
    pub control: Control,
    /// Controls of other parts of it.
    pub controls: Vec<Control>,
    /// The lines of the table of goals.
    pub lines: Vec<Line>,
    /// What else was measured: every rule, inserts apart, other fractions.
    pub parts: Vec<Row>,
    /// Its plots.
    #[serde(skip)]
    pub figures: Vec<Figure>,
}

/// The figures that stand for an attack.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Headline {
    /// What `recall` is.
    pub measure: String,
    /// Trials behind it.
    pub samples: usize,
    /// Bayes success of the best estimator, or what `measure` says.
    pub recall: Option<f64>,
    /// The upper 95 % limit of it; of the failure rate where the goal is a lower bound.
    pub upper95: Option<f64>,
    /// The share of accusations that is right.
    pub precision: Option<f64>,
    /// The area under the curve.
    pub auc: Option<f64>,
    /// True positives at a false positive rate of 0.001.
    pub tpr_at_fpr: Option<f64>,
    /// Bits that observation takes from the anonymity set, on average.
    pub entropy_loss_bits: Option<f64>,
    /// The 5th percentile over users of the bits left against the best guess.
    pub min_entropy_p5_bits: Option<f64>,
    /// The share of trials in which a colluder saw the key.
    pub visibility: Option<f64>,
    /// The goal.
    pub goal: Option<f64>,
    /// Whether the upper limit keeps it, for every part that has a goal.
    pub met: Option<bool>,
}

/// One measure of an attack.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The build it was measured of.
    pub build: &'static str,
    /// What, by which rule, with which colluders.
    pub what: String,
    /// The fraction that colluded.
    pub colluders: f64,
    /// The value.
    pub value: Option<f64>,
    /// Its upper 95 % limit.
    pub upper95: Option<f64>,
    /// The goal, where there is one.
    pub goal: Option<f64>,
    /// Whether it is kept.
    pub met: Option<bool>,
    /// Trials behind it.
    pub samples: usize,
}

impl Finding {
    /// A finding without anything measured but its control.
    pub fn new(attack: (&'static str, &'static str), build: &'static str, plan: &Plan, control: Control) -> Self {
        Self {
            attack: attack.0,
            title: attack.1,
            build,
            colluders: plan.fraction,
            nodes: plan.nodes,
            seed: plan.seed,
            networks: 0,
            headline: Headline::default(),
            control,
            controls: Vec::new(),
            lines: Vec::new(),
            parts: Vec::new(),
            figures: Vec::new(),
        }
    }
}

impl Headline {
    /// That of guesses, held against a goal.
    pub fn identified(measure: String, found: &Identified, goal: f64) -> Self {
        Self {
            measure,
            samples: found.samples,
            recall: Some(found.recall),
            upper95: Some(found.upper95),
            precision: found.precision,
            auc: found.auc,
            tpr_at_fpr: found.tpr_at_fpr,
            entropy_loss_bits: Some(found.entropy_loss_bits),
            min_entropy_p5_bits: Some(found.min_entropy_p5_bits),
            visibility: None,
            goal: Some(goal),
            met: Some(found.upper95 <= goal),
        }
    }

    /// That of a share, with its limit and the trials behind it, held against a goal.
    pub fn share(measure: impl Into<String>, (share, upper, samples): (f64, f64, usize), goal: f64) -> Self {
        Self {
            measure: measure.into(),
            samples,
            recall: Some(share),
            upper95: Some(upper),
            goal: Some(goal),
            met: Some(upper <= goal),
            ..Self::default()
        }
    }

    /// That of an area under the curve, held against a goal. Its limit is that of Hanley and McNeil.
    pub fn area(measure: String, scores: &Scores, goal: f64) -> Self {
        let (auc, upper95) = (scores.auc(), area_upper(scores));
        let (positives, negatives) = scores.totals();
        Self {
            measure,
            samples: (positives + negatives) as usize,
            recall: auc,
            upper95,
            auc,
            tpr_at_fpr: scores.tpr_at(0.001),
            goal: Some(goal),
            met: upper95.map(|upper| upper <= goal),
            ..Self::default()
        }
    }
}

impl Row {
    /// A row of guesses.
    pub fn identified(measure: &Measure, found: &Identified, goal: Option<f64>) -> Self {
        Self {
            build: "",
            what: measure.text(),
            colluders: f64::from(measure.permille) / 1_000.0,
            value: Some(found.recall),
            upper95: Some(found.upper95),
            goal,
            met: goal.map(|goal| found.upper95 <= goal),
            samples: found.samples,
        }
    }
}

impl Row {
    /// The same, said of a build.
    #[must_use]
    pub fn of(self, build: Build) -> Self {
        Self { build: build.name(), ..self }
    }

    /// A row that repeats a line of the goals.
    pub fn of_line(line: &Line) -> Self {
        Self {
            build: "",
            what: line.what.clone(),
            colluders: line.colluders,
            value: line.after,
            upper95: line.upper95,
            goal: Some(line.bound),
            met: line.met,
            samples: line.samples,
        }
    }

    /// A row of plain values, without a goal.
    pub fn mean(measure: &Measure, values: &[f64]) -> Self {
        Self {
            build: "",
            what: measure.text(),
            colluders: f64::from(measure.permille) / 1_000.0,
            value: statistics::mean(values),
            upper95: None,
            goal: None,
            met: None,
            samples: values.len(),
        }
    }

    /// A row of an area under the curve.
    pub fn area(what: &str, colluders: f64, found: &Headline) -> Self {
        let Headline { recall: value, upper95, goal, met, samples, .. } = found;
        Self {
            build: "",
            what: what.into(),
            colluders,
            value: *value,
            upper95: *upper95,
            goal: *goal,
            met: *met,
            samples: *samples,
        }
    }
}

impl Measure {
    /// In words.
    pub fn text(&self) -> String {
        let parts = [self.what, self.rule, self.placement];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// The best estimator of a course for `what` at a fraction: the one with most Bayes success.
pub fn best(part: &Part, what: &str, permille: u32) -> Option<(Measure, Identified)> {
    let fits = |measure: &&Measure| measure.what == what && measure.permille == permille;
    let all = part.guesses.keys().filter(fits);
    let found = all.filter_map(|measure| Some((*measure, identified(part.guesses.get(measure)?)?)));
    found.max_by(|one, other| one.1.recall.total_cmp(&other.1.recall))
}

/// The same of colluders placed in one way.
pub fn best_placed(part: &Part, what: &str, permille: u32, placement: &str) -> Option<(Measure, Identified)> {
    let placed = part.guesses.iter().filter(|(measure, _)| measure.placement == placement);
    let guesses = placed.map(|(measure, guesses)| (*measure, guesses.clone())).collect();
    best(&Part { guesses, ..Part::default() }, what, permille)
}

/// The upper 95 % limit of an area under the curve (Hanley and McNeil 1982).
pub fn area_upper(scores: &Scores) -> Option<f64> {
    let auc = scores.auc()?;
    let (positives, negatives) = scores.totals();
    let (q1, q2) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
    let square = auc * auc;
    let sum = auc * (1.0 - auc) + (positives - 1.0) * (q1 - square) + (negatives - 1.0) * (q2 - square);
    Some((auc + ONE_SIDED * libm::sqrt(sum.max(0.0) / (positives * negatives))).min(1.0))
}

/// The 95 % quantile of the normal distribution.
const ONE_SIDED: f64 = 1.645;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_near_a_half_have_the_limit_of_the_simple_formula() {
        let mut scores = Scores::default();
        scores.add(1.0, 1_000.0, 1_000.0);
        scores.add(0.0, 1_000.0, 1_000.0);
        // √((1/m + 1/n) / 12) = 0.0091, and 1.645 of that.
        assert!((area_upper(&scores).expect("both") - 0.515).abs() < 0.001);
    }
}
