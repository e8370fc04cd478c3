//! The workload: documents are published by real inserts at random nodes, then looked up as a Poisson process.
//!
//! Whether a document still exists is noted when it is asked for. A lookup whose node goes counts nowhere.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use super::kind::{Kind, Witnessed};
use super::network::{LONGEST_COMMAND, Network};
use crate::key::RoutingKey;
use crate::overlay::mode::{Command, Ticket};
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::popularity::{self, Popularity};
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
    /// To the last byte, of successful lookups by free riders.
    pub rider_seconds: Vec<f64>,
    /// The same, by all others.
    pub giver_seconds: Vec<f64>,
    /// What lookups told the nodes they came by, where that is counted.
    pub witnessed: Option<Witnessed>,
}

impl Measured {
    /// Nothing yet.
    pub(super) const fn begun(lookups: Lookups) -> Self {
        Self {
            lookups,
            timeouts: Vec::new(),
            both: 0,
            key_only: 0,
            abandoned: 0,
            rider_seconds: Vec::new(),
            giver_seconds: Vec::new(),
            witnessed: None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    number: u32,
    node: u32,
    begun: Instant,
    existing: bool,
    key: RoutingKey,
    unpopular: bool,
}

/// Publishes all documents, each at as many nodes as publish it; gives how many inserts did not end in success.
pub(super) fn publish<K: Kind>(
    network: &mut Network<K>,
    publishers: &[u32],
    progress: &mut dyn FnMut(u64, u64),
) -> u64 {
    let mut open = BTreeMap::new();
    let mut failed = 0;
    for count in publishers {
        let block = network.enter_next();
        for _ in 0..*count {
            let rate = network.live.len() as f64 * PUBLISHED_PER_NODE_SECOND;
            network.run_for(Duration::from_micros((1e6 / rate) as u64));
            let node = network.draw_sharer();
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
    let lookups = Lookups::begin(&mut network.engine);
    let before = network.witnessed();
    let mut measured = Measured::begun(lookups);
    let mut asked_before = BTreeSet::new();
    let mut open = BTreeMap::new();
    network.departed.clear();
    for _ in 0..if work.documents == 0 { 0 } else { work.lookups } {
        let gap = -libm::log(1.0 - network.random.random_range(0.0..1.0)) / work.lookups_per_second;
        let at = network.engine.now() + Duration::from_micros((gap * 1e6) as u64);
        while network.step(at) {
            hear(network, &mut open, &mut measured);
        }
        network.engine.run_until(at);
        let Some((node, document)) = draw(network, &popularity, &mut asked_before) else { continue };
        let number = first + document;
        let existing = network.engine.depot.live_copies(number) > 0;
        let begun = network.engine.now();
        let unpopular = popularity::is_unpopular(document, work.documents);
        let key = network.engine.depot.block(number).key();
        if let Some(ticket) = network.engine.command(node, Command::Fetch { key, own_store: true }) {
            open.insert(ticket, Asked { number, node, begun, existing, key, unpopular });
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
    measured.witnessed = network.witnessed().zip(before).map(|(now, before)| now.since(before));
    measured
}

/// Who asks, and for which document; `None` if nobody was found who has not asked for it before.
fn draw<K: Kind>(
    network: &mut Network<K>,
    popularity: &Popularity,
    asked_before: &mut BTreeSet<(u32, u32)>,
) -> Option<(u32, u32)> {
    let at_most_once = network.scenario.workload.fetch_at_most_once;
    let mut document = popularity.draw(network.random.random_range(0.0..1.0));
    let mut node = network.draw_live();
    for trial in 1..=TRIES {
        if !at_most_once || asked_before.insert((node, document)) {
            return Some((node, document));
        }
        // The same node wants what is next popular among the rest; one that has nearly everything gives way to another.
        if trial % TRIES_OF_A_NODE == 0 {
            node = network.draw_live();
        }
        document = popularity.draw(network.random.random_range(0.0..1.0));
    }
    None
}

fn hear<K: Kind>(network: &mut Network<K>, open: &mut BTreeMap<Ticket, Asked>, measured: &mut Measured) {
    if network.engine.has_answers() {
        for answered in network.engine.take_answers() {
            let Some(asked) = open.remove(&answered.ticket) else { continue };
            let (outcome, hops) = outcome(&mut network.engine, &answered, asked.number);
            let ended = asked.ended(outcome, hops, answered.at);
            if outcome == Outcome::Found {
                let rides = network.scenario.is_free_rider(asked.node);
                let seconds = if rides { &mut measured.rider_seconds } else { &mut measured.giver_seconds };
                seconds.push(ended.last_millis / 1_000.0);
            }
            measured.lookups.push(ended);
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
        Lookup {
            outcome,
            hops,
            path: hops + 1,
            millis,
            last_millis: millis,
            existing: self.existing,
            seeker: self.node,
            key: self.key.location(),
            unpopular: self.unpopular,
        }
    }
}

/// Documents that a node publishes in a second. Chosen: a network of any size takes them without queueing.
const PUBLISHED_PER_NODE_SECOND: f64 = 0.1;
/// Documents drawn for one lookup where no node asks for a document twice, of one node and in all. Chosen: so many are in
/// vain only where hardly a pair is left.
const TRIES_OF_A_NODE: u32 = 1_000;
/// See [`TRIES_OF_A_NODE`].
const TRIES: u32 = 100 * TRIES_OF_A_NODE;
