//! What a claim is judged by: the numbers of its overlay, of the others, and the size of the network.

use serde::Serialize;

use crate::lab::axis::number;
use crate::lab::comparison::compared::{Compared, DERIVED};
use crate::lab::comparison::table::percent;
use crate::lab::comparison::variation::BASE;

/// One claim.
pub(super) struct Claim {
    /// The overlay that it is about.
    pub(super) mode: &'static str,
    /// Whether it speaks for the overlay.
    pub(super) side: Side,
    /// What is claimed.
    pub(super) text: &'static str,
    /// What was measured, and whether that is what is claimed; `None` if what it needs was not measured.
    pub(super) judge: fn(&Evidence<'_>) -> Option<Verdict>,
}

/// Whether a claim speaks for or against an overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// An advantage.
    Advantage,
    /// A drawback.
    Drawback,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The numbers, as a clause.
    pub measured: String,
    /// Whether they confirm it; `None` where no number can.
    pub holds: Option<bool>,
}

/// The numbers of one overlay beside those of the others.
pub(super) struct Evidence<'a> {
    pub(super) mode: &'a Compared,
    pub(super) all: &'a [Compared],
    pub(super) nodes: f64,
    pub(super) documents: f64,
}

impl Evidence<'_> {
    /// A measure of the base run.
    pub(super) fn base(&self, measure: &str) -> Option<f64> {
        self.mode.value(BASE, measure)
    }

    /// A measure under a variation.
    pub(super) fn under(&self, variation: &str, measure: &str) -> Option<f64> {
        self.mode.value(variation, measure)
    }

    /// A number that takes several variations.
    pub(super) fn derived(&self, name: &str) -> Option<f64> {
        self.mode.value(DERIVED, name)
    }

    /// A measure of another overlay's base run.
    pub(super) fn of(&self, mode: &str, measure: &str) -> Option<f64> {
        self.all.iter().find(|other| other.mode.to_string() == mode)?.value(BASE, measure)
    }
}

impl Verdict {
    /// Judged by numbers.
    pub(super) const fn judged(measured: String, holds: bool) -> Option<Self> {
        Some(Self { measured, holds: Some(holds) })
    }
}

/// `value` grows as N^exponent: at most like a logarithm.
pub(super) fn logarithmic(evidence: &Evidence<'_>, what: &str, value: f64, exponent: f64) -> Option<Verdict> {
    let (value, log) = (number(value), number(libm::log2(evidence.nodes)));
    Verdict::judged(format!("{value} {what} at log₂ N = {log}; grows as N^{}", number(exponent)), exponent <= LOGARITHM)
}

/// Found although all is well: the share of the lookups whose document exists.
pub(super) fn finds_all(evidence: &Evidence<'_>) -> Option<Verdict> {
    let share = evidence.base("success_of_existing")?;
    Verdict::judged(format!("{} % of existing documents found", percent(share)), share >= 1.0)
}

/// The opposite: some are not.
pub(super) fn misses_some(evidence: &Evidence<'_>) -> Option<Verdict> {
    let found = finds_all(evidence)?;
    Some(Verdict { holds: found.holds.map(|holds| !holds), ..found })
}

/// Of documents that exist, how many are found right after 30 % died.
pub(super) fn survives(evidence: &Evidence<'_>) -> Option<Verdict> {
    let share = evidence.under("random-30", "success_of_existing")?;
    Verdict::judged(format!("{} % of existing documents found right after 30 % died", percent(share)), share >= ROBUST)
}

/// From 250 to 1,000 nodes a logarithm has 0.16, that of the square 0.32, a square root 0.5.
const LOGARITHM: f64 = 0.3;
/// Chosen: what a user would call working.
const ROBUST: f64 = 0.95;
