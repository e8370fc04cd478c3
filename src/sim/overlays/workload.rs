//! The workload: documents are published by real inserts at random nodes, then looked up as a Poisson process.
//!
//! A document of several blocks is published and looked up block by block, as the product's clients do over any overlay.

use std::collections::BTreeMap;

use rand::RngExt;

use super::kind::{Kind, Witnessed};
use super::network::{LONGEST_COMMAND, Network};
use crate::message::block::Block;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::{Command, Ticket};
use crate::sim::demand::Demand;
use crate::sim::documents::Shape;
use crate::sim::engine::{Answered, Engine};
use crate::sim::lookups::{Lookup, Lookups, Outcome};
use crate::sim::report::Blocks;
use crate::sim::searches::{Costs, Searches, Terrain};
use crate::time::{Duration, Instant};

/// What the lookups of a run have come to.
#[derive(Debug)]
pub struct Measured {
    /// One by one.
    pub lookups: Lookups,
    /// What they have cost.
    pub costs: Costs,
    /// Lookups whose node went.
    pub abandoned: u64,
    /// To the last byte, of successful lookups by free riders.
    pub rider_seconds: Vec<f64>,
    /// The same, by all others.
    pub giver_seconds: Vec<f64>,
    /// Single blocks, where documents have several.
    pub blocks: Option<Blocks>,
    /// What lookups told the nodes they came by, where that is counted.
    pub witnessed: Option<Witnessed>,
}

impl Measured {
    /// Nothing yet.
    pub(super) fn begun(lookups: Lookups) -> Self {
        Self {
            lookups,
            costs: Costs::default(),
            abandoned: 0,
            rider_seconds: Vec::new(),
            giver_seconds: Vec::new(),
            blocks: None,
            witnessed: None,
        }
    }
}

/// Publishes all documents, each at as many nodes as publish it; gives how many inserts of blocks did not end in success.
pub(super) fn publish<K: Kind>(
    network: &mut Network<K>,
    shape: &Shape,
    publishers: &[u32],
    progress: &mut dyn FnMut(u64, u64),
) -> u64 {
    let mut open = BTreeMap::new();
    let mut failed = 0;
    for count in publishers {
        let blocks: Vec<Block> = (0..shape.blocks()).map(|_| network.enter_next()).collect();
        for _ in 0..*count {
            let rate = network.live.len() as f64 * PUBLISHED_PER_NODE_SECOND / f64::from(shape.blocks());
            network.run_for(Duration::from_micros((1e6 / rate) as u64));
            let node = network.draw_sharer();
            for block in &blocks {
                if let Some(ticket) = network.engine.command(node, Command::Insert { block: block.clone() }) {
                    open.insert(ticket, node);
                }
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
pub(super) fn look_up<K: Kind>(network: &mut Network<K>, shape: Shape, progress: &mut dyn FnMut(u64, u64)) -> Measured {
    let work = network.scenario.workload;
    let mut demand = Demand::of(&work);
    let before = network.witnessed();
    let mut searches = Searches::new(network, shape, work.documents);
    for _ in 0..if work.documents == 0 { 0 } else { work.lookups } {
        let gap = -libm::log(1.0 - network.random.random_range(0.0..1.0)) / work.lookups_per_second;
        let at = network.engine.now() + Duration::from_micros((gap * 1e6) as u64);
        searches.run_until(network, at, false);
        if let Some((node, document)) = demand.draw(&network.live, &mut network.random) {
            searches.begin(network, node, document);
        }
        network.tick(progress);
    }
    let ended = searches.end(network);
    let seconds = |rides: bool| {
        let of_them = |lookup: &&Lookup| network.scenario.is_free_rider(lookup.seeker) == rides;
        let found = ended.lookups.all().iter().filter(|lookup| lookup.outcome == Outcome::Found);
        found.filter(of_them).map(|lookup| lookup.last_millis / 1_000.0).collect()
    };
    Measured {
        rider_seconds: seconds(true),
        giver_seconds: seconds(false),
        lookups: ended.lookups,
        costs: ended.costs,
        abandoned: ended.abandoned,
        blocks: ended.blocks,
        witnessed: network.witnessed().zip(before).map(|(now, before)| now.since(before)),
    }
}

impl<K: Kind> Terrain for Network<K> {
    type Mode = K::Mode;

    fn engine(&mut self) -> &mut Engine<K::Mode> {
        &mut self.engine
    }

    fn step(&mut self, end: Instant) -> bool {
        Self::step(self, end)
    }

    fn departed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.departed)
    }

    fn cost(&mut self, answered: &Answered) -> Option<Cost> {
        self.engine.mode_mut(answered.node).and_then(|mode| K::take_cost(mode, answered.ticket))
    }
}

/// Documents that a node publishes in a second. Chosen: a network of any size takes them without queueing.
const PUBLISHED_PER_NODE_SECOND: f64 = 0.1;
