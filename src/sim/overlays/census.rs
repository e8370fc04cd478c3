//! What a network of the comparison has come to, in the result fields that all overlays share.

use super::kind::{KEY_BYTES, Kind};
use super::network::Network;
use super::workload::Measured;
use crate::sim::distribution::{Summary, Unevenness, power_law_exponent};
use crate::sim::documents::Shape;
use crate::sim::lookups::violations;
use crate::sim::popularity::least_popular;
use crate::sim::report::{Degree, Documents, Exposure, Presence, Report};
use crate::sim::scenario::Fidelity;

/// What the nodes of a network hold.
#[derive(Debug)]
pub(super) struct Holdings {
    degree: Option<Degree>,
    keys: Option<Summary>,
    state: Option<Summary>,
    state_bytes: Option<Summary>,
    kept: Option<Unevenness>,
}

/// What the live nodes of a network hold now.
pub(super) fn holdings<K: Kind>(network: &Network<K>) -> Holdings {
    let engine = &network.engine;
    let everybody = network.servers.iter().chain(&network.live);
    let modes: Vec<(u32, &K::Mode)> =
        everybody.filter_map(|node| engine.mode(*node).map(|mode| (*node, mode))).collect();
    let degrees: Vec<usize> = modes.iter().map(|(_, mode)| K::degree(mode)).collect();
    let keys = |(node, mode): &(u32, &K::Mode)| match K::references(mode) {
        0 => engine.depot.held(*node),
        references => references,
    };
    let bytes = |(node, mode): &(u32, &K::Mode)| {
        let tables = K::entries(mode) * K::ENTRY_BYTES + K::references(mode) * K::REFERENCE_BYTES;
        (tables + engine.depot.held(*node) * KEY_BYTES) as f64
    };
    let state =
        |(node, mode): &(u32, &K::Mode)| (K::entries(mode) + K::references(mode) + engine.depot.held(*node)) as f64;
    Holdings {
        degree: degree_of(&degrees),
        keys: Summary::of(modes.iter().map(|node| keys(node) as f64).collect()),
        kept: Unevenness::of(modes.iter().map(|node| keys(node) as u64).collect()),
        state_bytes: Summary::of(modes.iter().map(bytes).collect()),
        state: Summary::of(modes.iter().map(state).collect()),
    }
}

impl Holdings {
    pub(super) fn write(self, report: &mut Report) {
        report.degree = self.degree;
        report.keys_per_node = self.keys;
        report.state_per_node = self.state;
        report.state_bytes_per_node = self.state_bytes;
        report.kept = self.kept;
    }
}

/// The report of a network that has been measured; documents are those of the workload.
pub(super) fn report<K: Kind>(network: &mut Network<K>, measured: &Measured, shape: &Shape) -> Report {
    let everybody: Vec<u32> = network.servers.iter().chain(&network.live).copied().collect();
    report_on(network, measured, shape, &everybody)
}

/// The same; the load is that of `bearers`.
pub(super) fn report_on<K: Kind>(
    network: &mut Network<K>,
    measured: &Measured,
    shape: &Shape,
    bearers: &[u32],
) -> Report {
    let mut report = Report::of(&network.scenario, stand_ins(network.scenario.fidelity()));
    holdings(network).write(&mut report);
    let engine = &network.engine;
    measured.lookups.write(engine, bearers, &mut report);
    let count = measured.lookups.len().max(1) as f64;
    let queries = report.query_messages_per_lookup.unwrap_or(0.0);
    if !measured.lookups.is_empty() {
        let (both, key_only) = (measured.costs.both as f64 / count, measured.costs.key_only as f64 / count);
        report.exposure = Some(match measured.witnessed {
            // Holders that are asked for the document had learned the key alone before.
            Some(told) => Exposure {
                requester_and_key: told.named as f64 / count + both,
                key_only: (told.reached as f64 - told.named as f64) / count - both,
                requester_only: 0.0,
            },
            None => network.kind.exposure(both, key_only, queries),
        });
        report.duplicates_per_lookup = measured.witnessed.map(|told| told.duplicates as f64 / count);
        report.completion_seconds = Summary::of(measured.giver_seconds.clone());
        report.rider_completion_seconds = Summary::of(measured.rider_seconds.clone());
        report.timeouts_per_lookup = Summary::of(measured.costs.timeouts.clone());
    }
    report.blocks = measured.blocks;
    let counts: Vec<f64> = shape.all(&engine.depot).map(|number| f64::from(engine.depot.live_copies(number))).collect();
    let existing: Vec<f64> = counts.iter().copied().filter(|copies| *copies > 0.0).collect();
    let published = shape.documents(&engine.depot);
    let whole = (0..published).filter(|document| shape.exists(&engine.depot, *document)).count() as u64;
    report.documents = Some(Documents { published: published.into(), existing: whole });
    // Copies of a document of several blocks are those of its first.
    let counts: Vec<f64> = counts.into_iter().step_by(shape.blocks() as usize).collect();
    if let Some(unpopular) = &mut report.unpopular {
        let rare = counts.iter().skip(least_popular(published) as usize);
        unpopular.copies = Some(rare.clone().sum::<f64>() / rare.count() as f64);
    }
    report.copies_exponent = copies_exponent(&counts, network.scenario.workload.zipf);
    report.copies_per_document = Summary::of(existing);
    report.violations = violations(engine);
    report.events = engine.events();
    report.virtual_seconds = engine.elapsed().as_secs_f64();
    let (now, live) = (engine.now(), network.live.len());
    report.presence = network.churn.as_mut().map(|churn| Presence {
        online: churn.online(now, live),
        departures: churn.departures,
        arrivals: churn.arrivals,
        abandoned_lookups: measured.abandoned,
    });
    report
}

fn degree_of(degrees: &[usize]) -> Option<Degree> {
    let few = degrees.iter().filter(|degree| **degree < 10).count();
    Some(Degree {
        summary: Summary::of(degrees.iter().map(|degree| *degree as f64).collect())?,
        exponent: power_law_exponent(degrees, usize::MAX),
        // No table of these overlays has one size at which it is full.
        full: 0.0,
        below_ten: few as f64 / degrees.len() as f64,
    })
}

/// The exponent of copies over popularity: the slope of one logarithm over the other by least squares. `counts` are in the
/// order of popularity, which falls as the `zipf`-th power of the rank.
fn copies_exponent(counts: &[f64], zipf: f64) -> Option<f64> {
    let ranked = counts.iter().enumerate().filter(|(_, copies)| **copies > 0.0);
    let points: Vec<(f64, f64)> =
        ranked.map(|(place, copies)| (-zipf * libm::log(place as f64 + 1.0), libm::log(*copies))).collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x) * (point.0 - x)).sum();
    let common: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| common / spread)
}

fn stand_ins(fidelity: Fidelity) -> Vec<&'static str> {
    match fidelity {
        Fidelity::Bytes => Vec::new(),
        Fidelity::Values => vec!["block contents and their hashes"],
    }
}
