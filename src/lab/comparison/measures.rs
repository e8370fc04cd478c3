//! What is measured in every trial, by name: the numbers of a simulator's report that go into a comparison.
//!
//! A distribution goes in as its mean, least, median, 95th and 99th percentile and greatest: `hops.mean`, `hops.p50`, ….

use crate::lab::experiment::{Progress, Sample};
use crate::sim::distribution::Summary;
use crate::sim::report::Report;
use crate::sim::run::run;
use crate::sim::scenario::Scenario;

/// Numbers of a report, if they apply.
enum Measure {
    One(&'static str, fn(&Report) -> Option<f64>),
    Spread(&'static str, fn(&Report) -> Option<Summary>),
}

/// The course of a trial: the scenario is run, and its report becomes samples.
pub(super) fn course(scenario: &Scenario, progress: &mut Progress<'_>) -> Vec<Sample> {
    samples(&run(scenario, progress))
}

/// A report as samples.
fn samples(report: &Report) -> Vec<Sample> {
    MEASURES.iter().flat_map(|measure| measure.samples(report)).collect()
}

impl Measure {
    fn samples(&self, report: &Report) -> Vec<Sample> {
        match self {
            Self::One(name, value) => value(report).map(|value| Sample::new(name, 0.0, value)).into_iter().collect(),
            Self::Spread(name, summary) => summary(report).map(|summary| spread(name, &summary)).unwrap_or_default(),
        }
    }
}

fn spread(name: &str, summary: &Summary) -> Vec<Sample> {
    let Summary { mean, min, p50, p95, p99, max, .. } = *summary;
    let parts = [("mean", mean), ("min", min), ("p50", p50), ("p95", p95), ("p99", p99), ("max", max)];
    parts.map(|(part, value)| Sample { name: format!("{name}.{part}").into(), at: 0.0, value }).into()
}

/// Lookups over those that failed for one reason.
fn missed(report: &Report, reason: fn(&Report) -> u64) -> Option<f64> {
    let all = report.misses.lost + report.misses.not_found + report.misses.timed_out;
    let failed = 1.0 - report.success?;
    Some(if all == 0 { 0.0 } else { failed * reason(report) as f64 / all as f64 })
}

/// What a join costs in a network that grows by its own joins, upkeep of the others included.
fn grown(report: &Report) -> Option<f64> {
    report.growth.as_ref().map(|growth| growth.messages_per_join.values().sum())
}

const MEASURES: &[Measure] = &[
    Measure::One("success", |report| report.success),
    Measure::One("success_of_existing", |report| report.success_of_existing),
    Measure::One("misses.lost", |report| missed(report, |report| report.misses.lost)),
    Measure::One("misses.not_found", |report| missed(report, |report| report.misses.not_found)),
    Measure::One("misses.timed_out", |report| missed(report, |report| report.misses.timed_out)),
    Measure::Spread("hops", |report| report.hops),
    Measure::One("messages", |report| report.messages_per_lookup),
    Measure::One("queries", |report| report.query_messages_per_lookup),
    Measure::One("duplicates", |report| report.duplicates_per_lookup),
    Measure::One("bytes.control", |report| report.bytes_per_lookup.map(|bytes| bytes.control)),
    Measure::One("bytes.content", |report| report.bytes_per_lookup.map(|bytes| bytes.content)),
    Measure::Spread("timeouts", |report| report.timeouts_per_lookup),
    Measure::Spread("latency_ms", |report| report.latency_ms),
    Measure::Spread("completion_seconds", |report| report.completion_seconds),
    Measure::Spread("rider_completion_seconds", |report| report.rider_completion_seconds),
    Measure::One("uplink_utilisation", |report| report.uplink_utilisation),
    Measure::Spread("state", |report| report.state_per_node),
    Measure::Spread("state_bytes", |report| report.state_bytes_per_node),
    Measure::Spread("keys", |report| report.keys_per_node),
    Measure::Spread("degree", |report| report.degree.as_ref().map(|degree| degree.summary)),
    Measure::One("load.gini", |report| report.load_gini),
    Measure::One("load.max_over_mean", |report| report.load_max_over_mean),
    Measure::One("served.gini", |report| report.served.map(|served| served.gini)),
    Measure::One("served.max_over_mean", |report| report.served.map(|served| served.max_over_mean)),
    Measure::One("kept.gini", |report| report.kept.map(|kept| kept.gini)),
    Measure::One("kept.max_over_mean", |report| report.kept.map(|kept| kept.max_over_mean)),
    Measure::One("unpopular.success", |report| report.unpopular.map(|rare| rare.success)),
    Measure::One("unpopular.success_of_existing", |report| report.unpopular?.success_of_existing),
    Measure::One("unpopular.copies", |report| report.unpopular?.copies),
    Measure::One("linkage.told", |report| report.linkage.map(|linkage| linkage.told_nodes)),
    Measure::One("linkage.one_percent", |report| report.linkage.map(|linkage| linkage.one_percent)),
    Measure::One("linkage.ten_percent", |report| report.linkage.map(|linkage| linkage.ten_percent)),
    Measure::One("linkage.best_placed", |report| report.linkage.map(|linkage| linkage.best_placed)),
    Measure::One("upkeep", |report| report.maintenance_bytes_per_node_second),
    Measure::Spread("copies", |report| report.copies_per_document),
    Measure::One("exposure.both", |report| report.exposure.map(|exposure| exposure.requester_and_key)),
    Measure::One("exposure.key", |report| report.exposure.map(|exposure| exposure.key_only)),
    Measure::One("exposure.requester", |report| report.exposure.map(|exposure| exposure.requester_only)),
    Measure::One("publication.messages", |report| report.publication.map(|cost| cost.messages_per_document)),
    Measure::One("publication.bytes", |report| report.publication.map(|cost| cost.bytes_per_document)),
    Measure::One("publication.upkeep", |report| report.publication.map(|cost| cost.upkeep_messages_per_document)),
    Measure::One("failed_inserts", |report| Some(report.failed_inserts as f64)),
    Measure::One("rest.seconds", |report| report.idle.map(|idle| idle.seconds)),
    Measure::One("rest.nodes", |report| report.idle.map(|idle| idle.nodes)),
    Measure::One("rest.arrivals", |report| report.idle.map(|idle| idle.arrivals as f64)),
    Measure::One("rest.messages", |report| report.idle.map(|idle| idle.messages as f64)),
    Measure::One("rest.bytes", |report| report.idle.map(|idle| idle.bytes as f64)),
    Measure::One("growth.messages_per_join", grown),
    Measure::One("online", |report| report.presence.map(|presence| presence.online)),
    Measure::One("violations", |report| {
        let all = report.violations;
        Some((all.altered + all.answered_twice + all.offences + all.unanswered) as f64)
    }),
    Measure::One("virtual_seconds", |report| Some(report.virtual_seconds)),
    Measure::One("events", |report| Some(report.events as f64)),
];
