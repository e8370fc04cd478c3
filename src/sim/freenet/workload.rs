//! What is asked of a network: documents are published by real inserts, some nodes die, documents are looked up.
//!
//! Lookups are a Poisson process over all live nodes, documents are drawn by popularity. Whether a document still exists is
//! noted when it is asked for. An insert that fails, or whose node goes, is tried again where nodes come and go.

use std::collections::BTreeMap;

use rand::RngExt;

use super::network::Network;
use crate::limits;
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::sim::demand::Demand;
use crate::sim::documents::Shape;
use crate::sim::report::Presence;
use crate::sim::scenario::Target;
use crate::sim::searches::{Ended, Searches};
use crate::time::Duration;

/// Publishes all documents; gives how many inserts did not end in success.
pub(super) fn publish(network: &mut Network, shape: &Shape, progress: &mut dyn FnMut(u64, u64)) -> u64 {
    let mut publication = Publication::default();
    network.departed.clear();
    for document in 0..network.scenario.workload.documents {
        let rate = network.live.len() as f64 * PUBLISHED_PER_NODE_SECOND / f64::from(shape.blocks());
        network.run_for(Network::gap(rate));
        let node = network.draw_live();
        for number in shape.numbers(document) {
            network.enter(number);
            publication.insert(network, node, Part { number, attempts: 1 });
        }
        publication.hear(network);
        network.tick(progress);
    }
    let end = network.engine.now() + LONGEST_COMMAND;
    while !publication.open.is_empty() && network.step(end) {
        publication.hear(network);
    }
    publication.failed + publication.open.len() as u64
}

/// Blocks on their way into the network.
#[derive(Debug, Default)]
struct Publication {
    open: BTreeMap<Ticket, (u32, Part)>,
    failed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    number: u32,
    attempts: u32,
}

impl Publication {
    fn insert(&mut self, network: &mut Network, node: u32, part: Part) {
        let block = network.engine.depot.block(part.number).clone();
        if let Some(ticket) = network.engine.command(node, Command::Insert { block }) {
            self.open.insert(ticket, (node, part));
        }
    }

    fn hear(&mut self, network: &mut Network) {
        let is_success = |answer: &Answer| matches!(answer, Answer::Inserted { stores, wanted } if stores >= wanted);
        for answered in network.engine.take_answers() {
            let Some((_, part)) = self.open.remove(&answered.ticket) else { continue };
            if !is_success(&answered.answer) {
                self.again(network, part);
            }
        }
        for gone in std::mem::take(&mut network.departed) {
            let parts: Vec<_> = self.open.extract_if(.., |_, (node, _)| *node == gone).collect();
            parts.into_iter().for_each(|(_, (_, part))| self.again(network, part));
        }
    }

    /// The product's client tries a block several times.
    fn again(&mut self, network: &mut Network, part: Part) {
        if network.churn.is_none() || part.attempts >= limits::BLOCK_ATTEMPTS {
            self.failed += 1;
            return;
        }
        let node = network.draw_live();
        self.insert(network, node, Part { attempts: part.attempts + 1, ..part });
    }
}

/// Kills what the scenario says, and lets the network repair itself if it may.
pub(super) fn fail(network: &mut Network) {
    let faults = network.scenario.faults;
    let count = (network.live.len() as f64 * faults.fail_fraction) as usize;
    if count == 0 {
        return;
    }
    for victim in victims(network, count) {
        network.engine.kill(victim);
    }
    let engine = &network.engine;
    network.live.retain(|node| engine.mode(*node).is_some());
    if faults.repair {
        network.run_for(Duration::from_micros((faults.repair_seconds * 1e6) as u64));
    }
}

/// Looks documents up; gives what came of it.
pub(super) fn look_up(network: &mut Network, shape: Shape, progress: &mut dyn FnMut(u64, u64)) -> Ended {
    let work = network.scenario.workload;
    let mut searches = Searches::new(network, shape, work.documents);
    let mut demand = Demand::of(&work);
    for _ in 0..if work.documents == 0 { 0 } else { work.lookups } {
        let gap = -libm::log(1.0 - network.random.random_range(0.0..1.0)) / work.lookups_per_second;
        let at = network.engine.now() + Duration::from_micros((gap * 1e6) as u64);
        searches.run_until(network, at, false);
        if let Some((node, document)) = demand.draw(&network.live, &mut network.random) {
            searches.begin(network, node, document);
        }
        network.tick(progress);
    }
    searches.end(network)
}

/// What the comings and goings came to.
pub(super) fn presence(network: &mut Network, searches: &Ended) -> Option<Presence> {
    let (now, live) = (network.engine.now(), network.live.len());
    let churn = network.churn.as_mut()?;
    Some(Presence {
        online: churn.online(now, live),
        departures: churn.departures,
        arrivals: churn.arrivals,
        abandoned_lookups: searches.abandoned,
    })
}

fn victims(network: &mut Network, count: usize) -> Vec<u32> {
    let mut order = network.live.clone();
    match network.scenario.faults.target {
        Target::Random => {
            for place in 0..count {
                let other = network.random.random_range(place..order.len());
                order.swap(place, other);
            }
        }
        Target::Busiest => {
            let degree = |node: u32| network.engine.mode(node).map_or(0, |mode| mode.neighbours().len());
            order.sort_by_cached_key(|node| (std::cmp::Reverse(degree(*node)), *node));
        }
    }
    order.truncate(count);
    order
}

/// Documents that a node publishes in a second. Chosen: a network of any size takes them without queueing.
const PUBLISHED_PER_NODE_SECOND: f64 = 0.1;
/// Longer than any command may take.
const LONGEST_COMMAND: Duration = Duration::from_secs(300);
