//! The workload: documents are published by real inserts at random nodes, then looked up as a Poisson process.
//!
//! Whether a document still exists is noted when it is asked for. A lookup whose node goes counts nowhere.

use std::collections::BTreeMap;

use rand::RngExt;

use super::kind::Kind;
use super::network::{LONGEST_COMMAND, Network};
use crate::overlay::mode::{Command, Ticket};
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::popularity::Popularity;
use crate::time::{Duration, Instant};

/// What the lookups of a run have come to.
#[derive(Debug)]
pub struct Measured {
    /// One by one.
    pub lookups: Lookups,
    /// Of each.
    pub timeouts: Vec<f64>,
    /// Nodes that learned who asks and for what, in all.
    pub both: u64,
    /// Nodes that learned what is asked for, in all.
    pub key_only: u64,
    /// Lookups whose node went.
    pub abandoned: u64,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    number: u32,
    node: u32,
    begun: Instant,
    existing: bool,
}

/// Publishes all documents, each at as many nodes as publish it; gives how many inserts did not end in success.
pub(super) fn publish<K: Kind>(network: &mut Network<K>, publishers: u32, progress: &mut dyn FnMut(u64, u64)) -> u64 {
    let mut open = BTreeMap::new();
    let mut failed = 0;
    for _ in 0..network.scenario.workload.documents {
        let block = network.enter_next();
        for _ in 0..publishers {
            let rate = network.live.len() as f64 * PUBLISHED_PER_NODE_SECOND;
            network.run_for(Duration::from_micros((1e6 / rate) as u64));
            let node = network.draw_live();
            if let Some(ticket) = network.engine.command(node, Command::Insert { block: block.clone() }) {
                open.insert(ticket, node);
            }
            failed += hear_published(network, &mut open);
        }
        network.tick(progress);
    }
    let end = network.engine.now() + LONGEST_COMMAND;
    while !open.is_empty() && network.step(end) {
        failed += hear_published(network, &mut open);
    }
    failed + open.len() as u64
}

fn hear_published<K: Kind>(network: &mut Network<K>, open: &mut BTreeMap<Ticket, u32>) -> u64 {
    let mut failed = 0;
    if network.engine.has_answers() {
        for answered in network.engine.take_answers() {
            open.remove(&answered.ticket);
            if let Some(mode) = network.engine.mode_mut(answered.node) {
                K::take_cost(mode, answered.ticket);
            }
            failed += u64::from(!Network::<K>::is_published(&answered.answer));
        }
    }
    for gone in std::mem::take(&mut network.departed) {
        let before = open.len();
        open.retain(|_, node| *node != gone);
        failed += (before - open.len()) as u64;
    }
    failed
}

/// Looks documents up; gives what came of it.
pub(super) fn look_up<K: Kind>(network: &mut Network<K>, first: u32, progress: &mut dyn FnMut(u64, u64)) -> Measured {
    let work = network.scenario.workload;
    let popularity = Popularity::new(work.documents, work.zipf);
    let lookups = Lookups::begin(&network.engine);
    let mut measured = Measured { lookups, timeouts: Vec::new(), both: 0, key_only: 0, abandoned: 0 };
    let mut open = BTreeMap::new();
    network.departed.clear();
    for _ in 0..if work.documents == 0 { 0 } else { work.lookups } {
        let gap = -libm::log(1.0 - network.random.random_range(0.0..1.0)) / work.lookups_per_second;
        let at = network.engine.now() + Duration::from_micros((gap * 1e6) as u64);
        while network.step(at) {
            hear(network, &mut open, &mut measured);
        }
        network.engine.run_until(at);
        let number = first + popularity.draw(network.random.random_range(0.0..1.0));
        let node = network.draw_live();
        let existing = network.engine.depot.live_copies(number) > 0;
        let begun = network.engine.now();
        let key = network.engine.depot.block(number).key();
        if let Some(ticket) = network.engine.command(node, Command::Fetch { key, own_store: true }) {
            open.insert(ticket, Asked { number, node, begun, existing });
        }
        hear(network, &mut open, &mut measured);
        network.tick(progress);
    }
    let end = network.engine.now() + LONGEST_COMMAND;
    while !open.is_empty() && network.step(end) {
        hear(network, &mut open, &mut measured);
    }
    for asked in open.into_values() {
        measured.lookups.push(asked.ended(Outcome::TimedOut, 0, network.engine.now()));
    }
    measured
}

fn hear<K: Kind>(network: &mut Network<K>, open: &mut BTreeMap<Ticket, Asked>, measured: &mut Measured) {
    if network.engine.has_answers() {
        for answered in network.engine.take_answers() {
            let Some(asked) = open.remove(&answered.ticket) else { continue };
            let (outcome, hops) = outcome(&mut network.engine, &answered, asked.number);
            measured.lookups.push(asked.ended(outcome, hops, answered.at));
            let cost = network.engine.mode_mut(answered.node).and_then(|mode| K::take_cost(mode, answered.ticket));
            if let Some(cost) = cost {
                measured.timeouts.push(f64::from(cost.timeouts));
                measured.both += u64::from(cost.both);
                measured.key_only += u64::from(cost.key_only);
            }
        }
    }
    for gone in std::mem::take(&mut network.departed) {
        let before = open.len();
        open.retain(|_, asked| asked.node != gone);
        measured.abandoned += (before - open.len()) as u64;
    }
}

impl Asked {
    fn ended(&self, outcome: Outcome, hops: u32, at: Instant) -> Lookup {
        let millis = at.since(self.begun).as_micros() as f64 / 1_000.0;
        Lookup { outcome, hops, path: hops + 1, millis, last_millis: millis, existing: self.existing }
    }
}

/// Documents that a node publishes in a second. Chosen: a network of any size takes them without queueing.
const PUBLISHED_PER_NODE_SECOND: f64 = 0.1;
