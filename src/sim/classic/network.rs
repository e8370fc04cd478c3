//! A `classic` network and its course: founded as a ring lattice or another graph, it works, grows by announcements, and loses nodes.
//!
//! What is measured on the way changes nothing that comes after: probing draws from generators of its own, so a network
//! looks the same at 1,000 nodes whether it stops there or goes on to 10,000.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::key::Location;
use crate::overlay::classic::{Classic, Config, Contact, TablePolicy};
use crate::overlay::mode::{Answer, Command};
use crate::sim::classic::graph::Graph;
use crate::sim::content;
use crate::sim::depot::{Depot, Room};
use crate::sim::engine::{Conditions, Engine, address_of};
use crate::sim::latency::Latency;
use crate::sim::report::Idle;
use crate::sim::scenario::{ClassicTable, Fidelity, Policy, Scenario, Target, Topology, TopologyKind};
use crate::sim::topology;
use crate::sim::watch::{self, Watch};
use crate::time::Duration;

/// How far a run has come: steps done, of how many.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// A `classic` network under a scenario.
#[derive(Debug)]
pub struct Network {
    pub(super) engine: Engine<Classic>,
    pub(super) scenario: Scenario,
    pub(super) table: ClassicTable,
    pub(super) live: Vec<u32>,
    pub(super) failed_inserts: u64,
    /// Numbers of the documents published apart from ordinary operations.
    pub(super) published: Vec<u32>,
    config: Arc<Config>,
    contacts: Vec<Contact>,
    random: ChaCha8Rng,
    operations: u64,
    dead: u32,
    steps: u64,
}

impl Network {
    /// The network at its start: a ring lattice, or what the scenario says.
    pub fn new(scenario: &Scenario) -> Self {
        let table = scenario.classic.expect("a checked scenario of classic has its table");
        let latency = &scenario.latency;
        let conditions = Conditions {
            latency: Latency::new(latency.kind, latency.median_ms, scenario.seed),
            loss: latency.loss,
            through_cells: scenario.fidelity() == Fidelity::Bytes,
        };
        let depot = Depot::new(Room::One(table.store_blocks));
        let mut network = Self {
            engine: Engine::new(conditions, depot, scenario.seed),
            scenario: scenario.clone(),
            table,
            live: Vec::new(),
            failed_inserts: 0,
            published: Vec::new(),
            config: Arc::new(config(&table)),
            contacts: Vec::new(),
            random: ChaCha8Rng::seed_from_u64(scenario.seed ^ WORKLOAD),
            operations: 0,
            dead: 0,
            steps: 0,
        };
        let start = scenario.growth.map_or(scenario.nodes, |growth| growth.start);
        network.found(&acquaintances(scenario.topology, start, scenario.seed));
        network
    }

    /// The network's engine.
    pub const fn engine(&self) -> &Engine<Classic> {
        &self.engine
    }

    /// The network's engine, for whoever listens or misbehaves.
    pub const fn engine_mut(&mut self) -> &mut Engine<Classic> {
        &mut self.engine
    }

    /// Numbers of the nodes that are alive.
    pub fn live(&self) -> &[u32] {
        &self.live
    }

    /// Lets nodes join while the network works, until there are `nodes`; without growth in the scenario, none.
    pub fn grow_to(&mut self, nodes: u32, progress: &mut Progress<'_>) {
        let Some(growth) = self.scenario.growth else { return };
        while (self.engine.len() as u32) < nodes {
            self.operate(growth.operations_per_join, progress);
            self.join();
        }
    }

    /// Ordinary traffic of live nodes: alternately an insert of a fresh key and a request for one that has a copy.
    pub fn operate(&mut self, operations: u32, progress: &mut Progress<'_>) {
        for _ in 0..operations {
            let node = self.draw_live();
            let existing = self.engine.depot.existing();
            if self.operations.is_multiple_of(2) || existing.is_empty() {
                self.insert(node);
            } else {
                let wanted = existing[self.random.random_range(0..existing.len())];
                let key = self.engine.depot.block(wanted).key();
                self.perform(node, Command::Fetch { key, own_store: true });
            }
            self.operations += 1;
            self.tick(progress);
        }
    }

    /// Inserts documents at random nodes, one after the other.
    pub fn publish(&mut self, documents: u32, progress: &mut Progress<'_>) {
        for _ in 0..documents {
            let node = self.draw_live();
            let number = self.insert(node);
            self.published.push(number);
            self.tick(progress);
        }
    }

    /// Kills nodes one per cent at a time while the others go on working, until the share `dead` of all nodes is dead.
    pub fn fail_to(&mut self, dead: f64, progress: &mut Progress<'_>) {
        let all = self.engine.len() as u32;
        let doomed = libm::round(f64::from(all) * dead) as u32;
        let per_cent = (all / 100).max(1);
        while self.dead < doomed {
            let now = per_cent.min(doomed - self.dead);
            for victim in self.victims(now as usize) {
                self.engine.kill(victim);
            }
            self.dead += now;
            let engine = &self.engine;
            self.live.retain(|node| engine.mode(*node).is_some());
            self.engine.run_until_quiet(LONG);
            self.operate(self.scenario.faults.operations_per_percent, progress);
        }
    }

    /// Leaves the network alone for as long as the scenario says; gives what passed meanwhile.
    pub fn idle(&mut self) -> Option<Idle> {
        let span = watch::rest(self.scenario.workload.idle_seconds)?;
        let begun = Watch::begin(&self.engine, self.live.len(), 0);
        self.engine.run_for(span);
        Some(begun.rest(&self.engine, self.live.len(), 0))
    }

    /// The graph of the live nodes' tables.
    pub fn graph(&self) -> Graph {
        let alive = (0..self.engine.len() as u32).map(|node| self.engine.mode(node).is_some()).collect();
        let named = |node: u32| {
            let contacts = self.engine.mode(node).map_or(&[][..], Classic::contacts);
            contacts.iter().filter_map(move |contact| Some((node, self.engine.number_of(&contact.id())?)))
        };
        Graph::new(alive, self.live.iter().copied().flat_map(named))
    }

    /// Table entries of each live node. The papers call them links.
    pub fn entries(&self) -> Vec<usize> {
        self.live.iter().map(|node| self.engine.mode(*node).map_or(0, Classic::entries)).collect()
    }

    /// A number that is another after every operation, join and death.
    pub(super) fn position(&self) -> u64 {
        (self.operations << 32) ^ (u64::from(self.dead) << 16) ^ self.engine.len() as u64
    }

    pub(super) fn tick(&mut self, progress: &mut Progress<'_>) {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            progress(self.steps, self.scenario.operations() + u64::from(self.scenario.workload.lookups));
        }
    }

    /// The first nodes, each of which knows the others named beside it.
    fn found(&mut self, known: &[Vec<u32>]) {
        let seed = self.scenario.seed;
        let start = known.len() as u32;
        self.contacts = (0..start).map(|number| contact(seed, number)).collect();
        for (number, others) in (0..start).zip(known) {
            let known: Vec<(Location, Contact)> = others
                .iter()
                .map(|other| (content::place(seed, *other), self.contacts[*other as usize].clone()))
                .collect();
            let (me, place) = (self.contacts[number as usize].clone(), content::place(seed, number));
            let machine = content::machine_seed(seed, number, 0);
            let node = Classic::founder(Arc::clone(&self.config), me, place, &known, machine);
            self.engine.add(content::node_id(seed, number), node);
            self.settle(number);
        }
    }

    /// A node has its place and takes part from now on.
    fn settle(&mut self, number: u32) {
        self.live.push(number);
        let place = self.engine.mode(number).and_then(Classic::place);
        if let (Policy::Clustered, Some(place)) = (self.table.store_policy, place) {
            self.engine.depot.cluster(number, place);
        }
    }

    /// One node announces itself through a random one.
    fn join(&mut self) {
        let (seed, number) = (self.scenario.seed, self.engine.len() as u32);
        let first = self.draw_live();
        let first = self.contacts[first as usize].clone();
        let me = contact(seed, number);
        self.contacts.push(me.clone());
        let machine = content::machine_seed(seed, number, 0);
        let node = Classic::newcomer(Arc::clone(&self.config), me, vec![first], machine);
        self.engine.add(content::node_id(seed, number), node);
        self.engine.run_until_quiet(LONG);
        self.settle(number);
    }

    /// Lets a node fetch a document; gives the answer.
    pub fn fetch(&mut self, node: u32, number: u32) -> Option<Answer> {
        let key = self.engine.depot.block(number).key();
        self.perform(node, Command::Fetch { key, own_store: true }).pop()
    }

    /// Makes a fresh document that nobody has yet; gives its number.
    pub fn fresh(&mut self) -> u32 {
        let number = self.engine.depot.len() as u32;
        let block = content::block(self.scenario.seed, number, self.scenario.fidelity());
        self.engine.depot.enter(block)
    }

    /// Inserts a fresh document at `node`; gives its number.
    pub fn insert(&mut self, node: u32) -> u32 {
        let number = self.fresh();
        let block = self.engine.depot.block(number).clone();
        let answers = self.perform(node, Command::Insert { block });
        self.failed_inserts += u64::from(!matches!(answers[..], [Answer::Inserted { .. }]));
        number
    }

    fn perform(&mut self, node: u32, command: Command) -> Vec<Answer> {
        self.engine.command(node, command);
        self.engine.run_until_quiet(LONG);
        self.engine.take_answers().into_iter().map(|answered| answered.answer).collect()
    }

    fn victims(&mut self, count: usize) -> Vec<u32> {
        if self.scenario.faults.target == Target::Busiest {
            return self.graph().busiest(count);
        }
        let mut order = self.live.clone();
        let count = count.min(order.len());
        for place in 0..count {
            let other = self.random.random_range(place..order.len());
            order.swap(place, other);
        }
        order.truncate(count);
        order
    }

    fn draw_live(&mut self) -> u32 {
        self.live[self.random.random_range(0..self.live.len())]
    }
}

/// Whom each of the first nodes knows. In a ring lattice the nearest first, as tables forget whom they learned first.
fn acquaintances(topology: Option<Topology>, nodes: u32, seed: u64) -> Vec<Vec<u32>> {
    let topology = topology.unwrap_or(Topology { kind: TopologyKind::RingLattice, degree: 4 });
    if topology.kind != TopologyKind::RingLattice {
        return topology::neighbours(&topology::edges(topology, nodes, seed), nodes);
    }
    let beside = |number: u32| {
        let both = move |step| [(number + step) % nodes, (number + nodes - step) % nodes];
        (1..=topology.degree / 2).flat_map(both).collect()
    };
    (0..nodes).map(beside).collect()
}

fn config(table: &ClassicTable) -> Config {
    Config {
        htl: table.htl,
        routing_entries: table.routing_entries,
        announce_htl: table.announce_htl,
        table_policy: match table.table_policy {
            Policy::Lru => TablePolicy::Lru,
            Policy::Clustered => TablePolicy::Clustered,
        },
        ..Config::default()
    }
}

fn contact(seed: u64, number: u32) -> Contact {
    Contact::new(content::node_id(seed, number), address_of(number))
}

/// Longer than any operation can take: its timers are bounded.
pub(super) const LONG: Duration = Duration::from_secs(7 * 86_400);
/// Sets the workload's generator apart from the engine's.
const WORKLOAD: u64 = 0x776f_726b;
