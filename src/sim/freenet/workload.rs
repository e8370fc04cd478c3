//! What is asked of a network: documents are published by real inserts, some nodes die, documents are looked up.
//!
//! Lookups are a Poisson process over all live nodes, documents are drawn by popularity. Whether a document still exists is
//! noted when it is asked for.

use std::collections::BTreeMap;

use rand::RngExt;

use super::network::Network;
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::scenario::Target;
use crate::time::{Duration, Instant};

/// Publishes all documents; gives how many inserts did not end in success.
pub(super) fn publish(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) -> u64 {
    let mut failed = 0;
    let gap = Network::gap(f64::from(network.scenario.nodes) * PUBLISHED_PER_NODE_SECOND);
    for number in 0..network.scenario.workload.documents {
        network.engine.run_for(gap);
        let block = network.block(number);
        network.engine.depot.enter(block.clone());
        let node = network.draw_live();
        network.engine.command(node, Command::Insert { block });
        failed += failures(network);
        network.tick(progress);
    }
    run_until_answered(network);
    failed + failures(network) + network.engine.open_commands() as u64
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
        network.engine.run_for(Duration::from_micros((faults.repair_seconds * 1e6) as u64));
    }
}

/// Looks documents up; gives what came of it.
pub(super) fn look_up(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) -> Lookups {
    let work = network.scenario.workload;
    let mut lookups = Lookups::begin(&network.engine);
    let mut open = BTreeMap::new();
    let popularity = Popularity::new(work.documents, work.zipf);
    for _ in 0..if work.documents == 0 { 0 } else { work.lookups } {
        let gap = -libm::log(1.0 - network.random.random_range(0.0..1.0)) / work.lookups_per_second;
        network.engine.run_for(Duration::from_micros((gap * 1e6) as u64));
        let wanted = popularity.draw(network.random.random_range(0.0..1.0));
        let node = network.draw_live();
        let existing = network.engine.depot.live_copies(wanted) > 0;
        let key = network.engine.depot.block(wanted).key();
        let asked = Asked { wanted, begun: network.engine.now(), existing };
        if let Some(ticket) = network.engine.command(node, Command::Fetch { key, own_store: true }) {
            open.insert(ticket, asked);
        }
        hear(network, &mut open, &mut lookups);
        network.tick(progress);
    }
    run_until_answered(network);
    hear(network, &mut open, &mut lookups);
    open.into_values().for_each(|asked| lookups.push(asked.ended(Outcome::TimedOut, 0, network.engine.now())));
    lookups
}

/// A lookup under way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    wanted: u32,
    begun: Instant,
    existing: bool,
}

impl Asked {
    fn ended(&self, outcome: Outcome, hops: u32, at: Instant) -> Lookup {
        let millis = at.since(self.begun).as_micros() as f64 / 1_000.0;
        Lookup { outcome, hops, path: hops + 1, millis, existing: self.existing }
    }
}

fn hear(network: &mut Network, open: &mut BTreeMap<Ticket, Asked>, lookups: &mut Lookups) {
    if !network.engine.has_answers() {
        return;
    }
    for answered in network.engine.take_answers() {
        let Some(asked) = open.remove(&answered.ticket) else { continue };
        let (outcome, hops) = outcome(&mut network.engine, &answered, asked.wanted);
        lookups.push(asked.ended(outcome, hops, answered.at));
    }
}

/// Inserts that have ended since the last call without enough stores.
fn failures(network: &mut Network) -> u64 {
    let is_failure = |answer: &Answer| !matches!(answer, Answer::Inserted { stores, wanted } if stores >= wanted);
    network.engine.take_answers().iter().filter(|answered| is_failure(&answered.answer)).count() as u64
}

fn run_until_answered(network: &mut Network) {
    let end = network.engine.now() + LONGEST_COMMAND;
    while network.engine.open_commands() > 0 && network.engine.step(end) {}
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

/// How popular documents are: the n-th ∝ 1/n^exponent.
struct Popularity {
    cumulated: Vec<f64>,
}

impl Popularity {
    fn new(documents: u32, exponent: f64) -> Self {
        let share = |rank: u32| libm::pow(f64::from(rank), -exponent);
        let mut sum = 0.0;
        let mut add = |rank| {
            sum += share(rank);
            sum
        };
        Self { cumulated: (1..=documents).map(&mut add).collect() }
    }

    /// The document at `point` of 0 to 1.
    fn draw(&self, point: f64) -> u32 {
        let whole = self.cumulated.last().copied().unwrap_or(0.0);
        let place = self.cumulated.partition_point(|sum| *sum <= point * whole);
        place.min(self.cumulated.len() - 1) as u32
    }
}

/// Documents that a node publishes in a second. Chosen: a network of any size takes them without queueing.
const PUBLISHED_PER_NODE_SECOND: f64 = 0.1;
/// Longer than any command may take.
const LONGEST_COMMAND: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popularity_falls_as_the_exponent_says() {
        // Of three documents at exponent 1 the shares are 6/11, 3/11 and 2/11.
        let popularity = Popularity::new(3, 1.0);
        let at = |point: f64| popularity.draw(point);
        assert_eq!([at(0.0), at(0.54), at(0.55), at(0.81), at(0.82), at(0.9999)], [0, 0, 1, 1, 2, 2]);
        assert_eq!(Popularity::new(2, 0.0).draw(0.6), 1);
    }
}
