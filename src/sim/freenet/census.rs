//! What a `freenet` network looks like from outside: links, stores, and the report over all of it.
//!
//! Reads only. The small world is judged by who is whose neighbour, as both sides have accepted it.

use super::network::Network;
use crate::overlay::freenet::{Freenet, Occupancy};
use crate::sim::distribution::{Summary, Unevenness, power_law_exponent};
use crate::sim::documents::Shape;
use crate::sim::lookups::{Lookups, violations};
use crate::sim::report::{Degree, Documents, Exposure, Report};
use crate::sim::scenario::Fidelity;

/// The report of a network that has been measured; documents are those of the workload.
pub(super) fn report(network: &Network, lookups: &Lookups, shape: &Shape) -> Report {
    let (engine, live) = (&network.engine, &network.live);
    let mut report = Report::of(&network.scenario, stand_ins(network.scenario.fidelity()));
    lookups.write(engine, live, &mut report);
    // Whoever is asked learns the key; nobody is told who asks.
    report.exposure = report.query_messages_per_lookup.map(|asked| Exposure {
        requester_and_key: 0.0,
        key_only: asked,
        requester_only: 0.0,
    });
    let degrees: Vec<usize> = live.iter().map(|node| degree(network, *node)).collect();
    report.degree = degree_of(&degrees, network.scenario.freenet.map_or(0, |table| table.neighbours));
    report.largest_component = Some(largest_component(network));
    let held = |node: &u32| engine.depot.held(*node) as f64;
    let state = |node: &u32| engine.mode(*node).map_or(0, |mode| entries(&mode.occupancy())) as f64;
    report.keys_per_node = Summary::of(live.iter().map(held).collect());
    report.state_per_node = Summary::of(live.iter().map(|node| held(node) + state(node)).collect());
    report.state_bytes_per_node =
        Summary::of(live.iter().map(|node| held(node) * 32.0 + state(node) * ENTRY_BYTES).collect());
    report.kept = Unevenness::of(live.iter().map(|node| engine.depot.held(*node) as u64).collect());
    let published = shape.documents(&engine.depot);
    let existing_documents = (0..published).filter(|number| shape.exists(&engine.depot, *number)).count() as u64;
    let copies = shape.all(&engine.depot).map(|number| f64::from(engine.depot.live_copies(number)));
    let existing: Vec<f64> = copies.filter(|copies| *copies > 0.0).collect();
    report.documents = Some(Documents { published: published.into(), existing: existing_documents });
    report.copies_per_document = Summary::of(existing);
    report.violations = violations(engine);
    report.events = engine.events();
    report.virtual_seconds = engine.elapsed().as_secs_f64();
    report
}

/// A node's id, address and place.
const ENTRY_BYTES: f64 = 58.0;

const fn entries(used: &Occupancy) -> usize {
    used.links + used.told + used.learned
}

fn degree(network: &Network, node: u32) -> usize {
    network.engine.mode(node).map_or(0, |mode| mode.neighbours().len())
}

fn degree_of(degrees: &[usize], most: usize) -> Option<Degree> {
    let share = |count: usize| count as f64 / degrees.len() as f64;
    Some(Degree {
        summary: Summary::of(degrees.iter().map(|degree| *degree as f64).collect())?,
        exponent: power_law_exponent(degrees, most),
        full: share(degrees.iter().filter(|degree| **degree >= most).count()),
        below_ten: share(degrees.iter().filter(|degree| **degree < 10).count()),
    })
}

/// The share of live nodes in the largest part connected by accepted links.
fn largest_component(network: &Network) -> f64 {
    let engine = &network.engine;
    let mut parents: Vec<u32> = (0..engine.len() as u32).collect();
    for node in &network.live {
        let linked = engine.mode(*node).map(Freenet::neighbours).unwrap_or_default();
        for other in linked.iter().filter_map(|(id, _)| engine.number_of(id)) {
            if engine.mode(other).is_some() {
                let (a, b) = (root(&mut parents, *node), root(&mut parents, other));
                parents[a as usize] = b;
            }
        }
    }
    let mut sizes = vec![0_u32; parents.len()];
    for node in &network.live {
        sizes[root(&mut parents, *node) as usize] += 1;
    }
    f64::from(sizes.into_iter().max().unwrap_or(0)) / network.live.len() as f64
}

fn root(parents: &mut [u32], node: u32) -> u32 {
    let mut at = node;
    while parents[at as usize] != at {
        let above = parents[parents[at as usize] as usize];
        parents[at as usize] = above;
        at = above;
    }
    at
}

fn stand_ins(fidelity: Fidelity) -> Vec<&'static str> {
    match fidelity {
        Fidelity::Bytes => vec!["proof of work: none is asked for"],
        Fidelity::Values => vec![
            "block contents and their hashes",
            "signatures of node references and certificates",
            "proof of work: none is asked for",
        ],
    }
}
