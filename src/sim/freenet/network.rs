//! A `freenet` network under a scenario: its engine, its members, and how a node of it is made.
//!
//! Starts nodes and draws among them; when, and what they do, is decided beside it.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::id::NodeId;
use crate::message::block::Block;
use crate::message::genesis::{Genesis, PROTOCOL_VERSION};
use crate::overlay::freenet::{Config, Freenet, Profile};
use crate::sim::churn::{Churn, SETTLE, THINNING, Town};
use crate::sim::content;
use crate::sim::depot::{Depot, Room};
use crate::sim::engine::{Conditions, Engine, address_of};
use crate::sim::ideal::Ideal;
use crate::sim::latency::Latency;
use crate::sim::report::Idle;
use crate::sim::scenario::{Fidelity, FreenetTable, Policy, Scenario};
use crate::sim::searches::Terrain;
use crate::sim::watch::{self, Watch};
use crate::time::{Duration, Instant};

/// Whose names nodes and blocks bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Public keys and hashes.
    Real,
    /// Random ones that end in a number, which is found without a search.
    Numbered,
}

/// A network.
#[derive(Debug)]
pub struct Network {
    /// What drives it.
    pub engine: Engine<Freenet>,
    /// What it is to go through.
    pub scenario: Scenario,
    /// Draws for the driver, apart from the engine's.
    pub random: ChaCha8Rng,
    /// Nodes that are alive.
    pub live: Vec<u32>,
    /// Nodes that have gone since somebody last looked.
    pub(super) departed: Vec<u32>,
    /// How nodes come and go, once they do.
    pub(super) churn: Option<Churn>,
    /// How often each node has started again.
    restarts: Vec<u32>,
    table: FreenetTable,
    names: Names,
    genesis: Arc<Genesis>,
    steps: u64,
}

impl Network {
    /// An empty network.
    pub fn new(scenario: &Scenario, names: Names) -> Self {
        let table = scenario.freenet.expect("a checked scenario of freenet has its table");
        let latency = &scenario.latency;
        let conditions = Conditions {
            latency: Latency::new(latency.kind, latency.median_ms, scenario.seed),
            loss: latency.loss,
            through_cells: scenario.fidelity() == Fidelity::Bytes,
        };
        let kept = table.store_blocks / 2;
        let mut depot = Depot::new(Room::Two { passing: table.store_blocks - kept, kept });
        if table.cache_policy == Policy::Clustered {
            depot.cluster_passing();
        }
        let (seed, founders) = (scenario.seed, founders(first_nodes(scenario)));
        let members = (0..founders).map(|number| node_id(seed, number, names)).collect();
        Self {
            engine: Engine::new(conditions, depot, seed),
            scenario: scenario.clone(),
            random: ChaCha8Rng::seed_from_u64(seed ^ WORKLOAD),
            live: Vec::new(),
            departed: Vec::new(),
            churn: None,
            restarts: Vec::new(),
            table,
            names,
            genesis: Arc::new(genesis(seed, members)),
            steps: 0,
        }
    }

    /// How many nodes come before the network works.
    pub(super) const fn first_nodes(&self) -> u32 {
        first_nodes(&self.scenario)
    }

    /// How many nodes found the network.
    pub const fn founders(&self) -> u32 {
        founders(first_nodes(&self.scenario))
    }

    /// Starts the next node, which knows the node `entry`; gives its number.
    pub fn start(&mut self, entry: Option<u32>) -> u32 {
        let number = self.engine.len() as u32;
        let node = self.machine(number, entry, 0, None);
        self.engine.add(node_id(self.scenario.seed, number, self.names), node);
        self.live.push(number);
        number
    }

    /// Starts a node again that had gone: it has what it stored and remembered, and knows one node that is online.
    pub fn restart(&mut self, number: u32) {
        let entry = self.draw_placed();
        if self.restarts.len() < self.engine.len() {
            self.restarts.resize(self.engine.len(), 0);
        }
        self.restarts[number as usize] += 1;
        let memory = self.engine.memory(number).cloned();
        let node = self.machine(number, Some(entry), self.restarts[number as usize], memory);
        self.engine.revive(number, node);
        self.live.push(number);
    }

    /// A node goes, with a word to its peers or without.
    pub fn stop(&mut self, number: u32, graceful: bool) {
        if graceful {
            self.engine.leave(number);
        } else {
            self.engine.kill(number);
        }
        self.live.retain(|live| *live != number);
        self.departed.push(number);
    }

    /// Lets nodes come and go from now on, if the scenario says so, until the network has the size that it will keep.
    pub(super) fn begin_churn(&mut self) {
        if !self.scenario.has_churn() {
            return;
        }
        self.engine.keep_memories();
        let mut churn = Churn::new(self.scenario.churn, self.scenario.seed, self.engine.now());
        let away = churn.draw_away(&self.live);
        for node in &away {
            self.engine.run_for(THINNING / away.len() as u32);
            self.stop(*node, true);
        }
        churn.plan(self, &away);
        self.churn = Some(churn);
        self.run_for(SETTLE);
        if let Some(churn) = &mut self.churn {
            churn.count_from(self.engine.now());
        }
    }

    /// Lets the next thing happen, if it happens by `end`: within the network, or a node comes or goes.
    pub fn step(&mut self, end: Instant) -> bool {
        let due = self.churn.as_ref().and_then(Churn::due).filter(|due| *due <= end);
        if self.engine.step(due.unwrap_or(end)) {
            return true;
        }
        let Some(due) = due else { return false };
        self.engine.run_until(due);
        if let Some(mut churn) = self.churn.take() {
            churn.happen(self);
            self.churn = Some(churn);
        }
        true
    }

    /// Runs to the instant `end`.
    pub fn run_until(&mut self, end: Instant) {
        while self.step(end) {}
        self.engine.run_until(end);
    }

    /// Runs for `span` of virtual time.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.engine.now() + span);
    }

    /// Leaves the network alone for as long as the scenario says; gives what passed meanwhile.
    pub(super) fn idle(&mut self) -> Option<Idle> {
        let span = watch::rest(self.scenario.workload.idle_seconds)?;
        let begun = Watch::begin(&self.engine, self.live.len(), self.arrivals());
        self.run_for(span);
        Some(begun.rest(&self.engine, self.live.len(), self.arrivals()))
    }

    fn arrivals(&self) -> u64 {
        self.churn.as_ref().map_or(0, |churn| churn.arrivals)
    }

    fn machine(&self, number: u32, entry: Option<u32>, start: u32, memory: Option<Vec<u8>>) -> Freenet {
        let seed = self.scenario.seed;
        let mut config = Config::new(Arc::clone(&self.genesis), Profile::Open, address_of(number));
        config.degree = self.table.neighbours;
        config.routing_entries = self.table.routing_entries;
        config.htl = self.table.htl;
        config.discreet = self.table.discreet;
        config.bootstrap = entry.map(|entry| (self.engine.id(entry), address_of(entry))).into_iter().collect();
        let machine = content::machine_seed(seed, number, start);
        match self.scenario.fidelity() {
            Fidelity::Bytes => Freenet::new(config, content::node_key(seed, number), machine, memory),
            Fidelity::Values => Freenet::new(config, Ideal(node_id(seed, number, self.names)), machine, memory),
        }
    }

    /// Enters the block with this number, the next, into the catalogue.
    pub(super) fn enter(&mut self, number: u32) -> Block {
        let block = self.block(number);
        self.engine.depot.enter(block.clone());
        block
    }

    /// The block with this number.
    pub fn block(&self, number: u32) -> Block {
        match (self.scenario.fidelity(), self.names) {
            (Fidelity::Values, Names::Real) => content::namesake(self.scenario.seed, number),
            (fidelity, _) => content::block(self.scenario.seed, number, fidelity),
        }
    }

    /// A live node, each as likely.
    pub fn draw_live(&mut self) -> u32 {
        self.live[self.random.random_range(0..self.live.len())]
    }

    /// A live node that has a place, as far as a few draws find one.
    pub fn draw_placed(&mut self) -> u32 {
        let mut node = self.draw_live();
        for _ in 0..PLACED_DRAWS {
            if self.engine.mode(node).is_some_and(|mode| mode.location().is_some()) {
                break;
            }
            node = self.draw_live();
        }
        node
    }

    /// How long it is to the next of events that come at `per_second`, evenly.
    pub fn gap(per_second: f64) -> Duration {
        Duration::from_micros((1e6 / per_second) as u64)
    }

    /// One step of the run is done.
    pub fn tick(&mut self, progress: &mut dyn FnMut(u64, u64)) {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            let work = &self.scenario.workload;
            let steps = u64::from(self.scenario.nodes) + u64::from(work.documents) + u64::from(work.lookups);
            let of = steps + self.scenario.operations();
            progress(self.steps, of);
        }
    }
}

impl Terrain for Network {
    type Mode = Freenet;

    fn engine(&mut self) -> &mut Engine<Freenet> {
        &mut self.engine
    }

    fn step(&mut self, end: Instant) -> bool {
        Self::step(self, end)
    }

    fn departed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.departed)
    }
}

impl Town for Network {
    fn online(&self) -> &[u32] {
        &self.live
    }

    fn now(&self) -> Instant {
        self.engine.now()
    }

    fn anybody(&mut self) -> u32 {
        self.draw_live()
    }

    fn join(&mut self) -> u32 {
        let entry = self.draw_placed();
        self.start(Some(entry))
    }

    fn come_back(&mut self, node: u32) {
        self.restart(node);
    }

    fn go(&mut self, node: u32, graceful: bool) {
        self.stop(node, graceful);
    }
}

/// How many nodes there are before the network works.
const fn first_nodes(scenario: &Scenario) -> u32 {
    match scenario.growth {
        Some(growth) => growth.start,
        None => scenario.nodes,
    }
}

/// Half of a tiny network, at most as many as a genesis names.
const fn founders(nodes: u32) -> u32 {
    if nodes / 2 < FOUNDERS { nodes / 2 } else { FOUNDERS }
}

fn node_id(seed: u64, number: u32, names: Names) -> NodeId {
    match names {
        Names::Real => NodeId(content::node_key(seed, number).id()),
        Names::Numbered => content::node_id(seed, number),
    }
}

fn genesis(seed: u64, members: Vec<NodeId>) -> Genesis {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&seed.to_be_bytes());
    Genesis { protocol: PROTOCOL_VERSION, name: "simulation".into(), nonce, work_bits: 0, local: false, members }
}

/// Sets the workload's generator apart from the engine's.
const WORKLOAD: u64 = 0x776f_726b;
/// A genesis names at most sixteen members.
const FOUNDERS: u32 = 16;
/// Newcomers on their way are few among many.
const PLACED_DRAWS: u32 = 64;
