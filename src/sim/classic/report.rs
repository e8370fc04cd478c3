//! What a `classic` network has come to, in the result fields that all overlays share.

use crate::overlay::classic::Classic;
use crate::sim::classic::network::Network;
use crate::sim::distribution::{Summary, Unevenness, power_law_exponent};
use crate::sim::lookups::{Lookups, violations};
use crate::sim::report::{Degree, Documents, Exposure, Report};
use crate::sim::scenario::Fidelity;

impl Network {
    /// The report after these lookups.
    pub fn report(&self, lookups: &Lookups) -> Report {
        let engine = &self.engine;
        let mut report = Report::of(&self.scenario, stand_ins(self.scenario.fidelity()));
        lookups.write(engine, &self.live, &mut report);
        let paths = lookups.paths();
        report.exposure = exposure(&paths);
        report.path_with_failures = Summary::of(paths);
        report.degree = self.degree();
        report.largest_component = Some(self.graph().largest_component());
        let held = |node: &u32| engine.depot.held(*node) as f64;
        let entries = |node: &u32| engine.mode(*node).map_or(0, Classic::entries) as f64;
        report.keys_per_node = Summary::of(self.live.iter().map(held).collect());
        report.state_per_node = Summary::of(self.live.iter().map(|node| held(node) + entries(node)).collect());
        report.state_bytes_per_node =
            Summary::of(self.live.iter().map(|node| held(node) * 32.0 + entries(node) * ENTRY_BYTES).collect());
        report.kept = Unevenness::of(self.live.iter().map(|node| engine.depot.held(*node) as u64).collect());
        let existing = engine.depot.existing();
        report.copies_per_document =
            Summary::of(existing.iter().map(|number| f64::from(engine.depot.copies(*number))).collect());
        let alive = existing.iter().filter(|number| engine.depot.live_copies(**number) > 0).count() as u64;
        report.documents = Some(Documents { published: engine.depot.len() as u64, existing: alive });
        report.failed_inserts = self.failed_inserts;
        report.violations = violations(engine);
        report.events = engine.events();
        report.virtual_seconds = engine.elapsed().as_secs_f64();
        report
    }

    /// How many entries the tables have.
    pub fn degree(&self) -> Option<Degree> {
        let degrees = self.entries();
        let share = |is: &dyn Fn(usize) -> bool| {
            degrees.iter().filter(|degree| is(**degree)).count() as f64 / degrees.len() as f64
        };
        let most = self.table.routing_entries;
        Some(Degree {
            summary: Summary::of(degrees.iter().map(|degree| *degree as f64).collect())?,
            exponent: power_law_exponent(&degrees, most),
            full: share(&|degree| degree >= most),
            below_ten: share(&|degree| degree < 10),
        })
    }
}

/// The place of a key, a node's id and address.
const ENTRY_BYTES: f64 = 58.0;

/// Every node visited learns the key; the first one also who asks, because plain hops to live stand at their maximum.
fn exposure(paths: &[f64]) -> Option<Exposure> {
    if paths.is_empty() {
        return None;
    }
    let count = paths.len() as f64;
    let forwarded = paths.iter().filter(|path| **path > 1.0).count() as f64 / count;
    let visited = paths.iter().map(|path| path - 1.0).sum::<f64>() / count;
    Some(Exposure { requester_and_key: forwarded, key_only: visited - forwarded, requester_only: 0.0 })
}

fn stand_ins(fidelity: Fidelity) -> Vec<&'static str> {
    match fidelity {
        Fidelity::Bytes => Vec::new(),
        Fidelity::Values => vec!["block contents and their hashes"],
    }
}
