//! One overlay under all variations: its trials, and the estimates drawn from them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::lab::comparison::variation::{BASE, JOINS, QUARTER, REST};
use crate::lab::experiment::Outcomes;
use crate::lab::statistics::{self, Estimate};
use crate::sim::scenario::ModeName;

/// What one overlay has come to.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Which.
    pub mode: ModeName,
    /// Estimates by variation and measure.
    pub measures: BTreeMap<String, BTreeMap<String, Estimate>>,
    /// Variations that it cannot go through, and why.
    pub refused: BTreeMap<String, String>,
    /// Everything that was measured.
    pub trials: Outcomes,
    /// Nodes of the base.
    #[serde(skip)]
    nodes: u32,
}

impl Compared {
    /// What these trials come to.
    pub fn new(mode: ModeName, nodes: u32, mut trials: Outcomes, mut refused: BTreeMap<String, String>) -> Self {
        refused.retain(|name, _| trials.0.iter().all(|outcome| outcome.variant != *name));
        trials.0.sort_by(|one, other| (&one.variant, one.seed).cmp(&(&other.variant, other.seed)));
        let mut all = Self { mode, measures: BTreeMap::new(), refused, trials, nodes };
        all.measures = all.estimates();
        for (name, values) in all.derived() {
            if let Some(estimate) = statistics::mean_estimate(&values) {
                all.measures.entry(DERIVED.into()).or_default().insert(name.into(), estimate);
            }
        }
        all
    }

    /// The estimate of a measure under a variation.
    pub fn estimate(&self, variation: &str, measure: &str) -> Option<Estimate> {
        self.measures.get(variation)?.get(measure).copied()
    }

    /// Its value alone.
    pub fn value(&self, variation: &str, measure: &str) -> Option<f64> {
        self.estimate(variation, measure).map(|estimate| estimate.value)
    }

    fn estimates(&self) -> BTreeMap<String, BTreeMap<String, Estimate>> {
        let mut values: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
        for outcome in &self.trials.0 {
            let of_variation = values.entry(outcome.variant.clone().into()).or_default();
            for sample in &outcome.samples {
                of_variation.entry(sample.name.clone().into()).or_default().push(sample.value);
            }
        }
        let estimate = |(name, values): (String, Vec<f64>)| Some((name, statistics::mean_estimate(&values)?));
        let of_variation =
            |(name, all): (String, BTreeMap<String, Vec<f64>>)| (name, all.into_iter().filter_map(estimate).collect());
        values.into_iter().map(of_variation).collect()
    }

    /// Numbers that take several variations of one seed, one value for each seed that has them.
    fn derived(&self) -> Vec<(&'static str, Vec<f64>)> {
        let mut seeds: Vec<u64> = self.trials.0.iter().map(|outcome| outcome.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let over_seeds = |of: &dyn Fn(u64) -> Option<f64>| seeds.iter().filter_map(|seed| of(*seed)).collect();
        vec![
            ("join.messages", over_seeds(&|seed| self.join_cost(seed, "rest.messages"))),
            ("join.bytes", over_seeds(&|seed| self.join_cost(seed, "rest.bytes"))),
            (
                "speed",
                over_seeds(&|seed| Some(self.sample(BASE, seed, "events")? / self.sample(BASE, seed, "wall_seconds")?)),
            ),
            ("growth.hops", over_seeds(&|seed| self.growth(seed, "hops.mean"))),
            ("growth.median_hops", over_seeds(&|seed| self.growth(seed, "hops.p50"))),
            ("growth.messages", over_seeds(&|seed| self.growth(seed, "messages"))),
            ("growth.queries", over_seeds(&|seed| self.growth(seed, "queries"))),
            ("growth.degree", over_seeds(&|seed| self.growth(seed, "degree.mean"))),
            ("growth.fullest", over_seeds(&|seed| self.growth(seed, "state.max"))),
        ]
    }

    fn sample(&self, variation: &str, seed: u64, measure: &str) -> Option<f64> {
        let is_it = |outcome: &&crate::lab::experiment::Outcome| outcome.variant == variation && outcome.seed == seed;
        let samples = &self.trials.0.iter().find(is_it)?.samples;
        samples.iter().find(|sample| sample.name == measure).map(|sample| sample.value)
    }

    /// What upkeep is more in an hour with joins than in one without, for each join.
    fn join_cost(&self, seed: u64, what: &str) -> Option<f64> {
        let node_seconds = |variation| {
            Some(self.sample(variation, seed, "rest.nodes")? * self.sample(variation, seed, "rest.seconds")?)
        };
        let rate = |variation| Some(self.sample(variation, seed, what)? / node_seconds(variation)?);
        let arrivals = self.sample(JOINS, seed, "rest.arrivals").filter(|count| *count > 0.0)?;
        Some((rate(JOINS)? - rate(REST)?) * node_seconds(JOINS)? / arrivals)
    }

    /// The exponent b of N^b from a quarter of the nodes to all: 0 does not grow, 1 grows with the network.
    fn growth(&self, seed: u64, measure: &str) -> Option<f64> {
        let at = |variation| self.sample(variation, seed, measure).filter(|value| *value > 0.0);
        let exponent = libm::log(at(BASE)? / at(QUARTER)?) / libm::log(4.0);
        (self.nodes >= LEAST_NODES).then_some(exponent)
    }
}

/// Where estimates stand that take several variations.
pub const DERIVED: &str = "derived";
/// Below this a quarter is no network.
const LEAST_NODES: u32 = 160;
