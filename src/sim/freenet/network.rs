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
use crate::sim::content;
use crate::sim::depot::{Depot, Room};
use crate::sim::engine::{Conditions, Engine, address_of};
use crate::sim::ideal::Ideal;
use crate::sim::latency::Latency;
use crate::sim::scenario::{Fidelity, FreenetTable, Scenario};
use crate::time::Duration;

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
        let depot = Depot::new(Room::Two { passing: table.store_blocks - kept, kept });
        let (seed, founders) = (scenario.seed, founders(scenario.nodes));
        let members = (0..founders).map(|number| node_id(seed, number, names)).collect();
        Self {
            engine: Engine::new(conditions, depot, seed),
            scenario: scenario.clone(),
            random: ChaCha8Rng::seed_from_u64(seed ^ WORKLOAD),
            live: Vec::new(),
            table,
            names,
            genesis: Arc::new(genesis(seed, members)),
            steps: 0,
        }
    }

    /// How many nodes found the network.
    pub const fn founders(&self) -> u32 {
        founders(self.scenario.nodes)
    }

    /// Starts the next node, which knows the node `entry`.
    pub fn start(&mut self, entry: Option<u32>) {
        let (seed, number) = (self.scenario.seed, self.engine.len() as u32);
        let mut config = Config::new(Arc::clone(&self.genesis), Profile::Open, address_of(number));
        config.degree = self.table.neighbours;
        config.routing_entries = self.table.routing_entries;
        config.htl = self.table.htl;
        config.bootstrap = entry.map(|entry| (self.engine.id(entry), address_of(entry))).into_iter().collect();
        let machine = content::machine_seed(seed, number, 0);
        let id = node_id(seed, number, self.names);
        let node = match self.scenario.fidelity() {
            Fidelity::Bytes => Freenet::new(config, content::node_key(seed, number), machine, None),
            Fidelity::Values => Freenet::new(config, Ideal(id), machine, None),
        };
        self.engine.add(id, node);
        self.live.push(number);
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
            let of = u64::from(self.scenario.nodes) + u64::from(work.documents) + u64::from(work.lookups);
            progress(self.steps, of);
        }
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
