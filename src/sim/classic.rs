//! Scenarios of the overlay `classic`: the simulations of the 2001 paper, with real messages and machines.
//!
//! One operation at a time. Requests and probes ask for keys that still have a copy somewhere, dead nodes included; probes
//! change nothing. These and other details the papers leave open were found by ablation; docs/simulation.md lists them.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::key::Location;
use crate::overlay::classic::{Classic, Config, Contact, TablePolicy};
use crate::overlay::mode::{Answer, Command};
use crate::sim::content;
use crate::sim::depot::{Depot, Room};
use crate::sim::engine::{Conditions, Engine, address_of};
use crate::sim::latency::Latency;
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome, violations};
use crate::sim::report::{Degree, Documents, Exposure, Report, Summary, power_law_exponent};
use crate::sim::scenario::{ClassicTable, Fidelity, Policy, Scenario, Target};
use crate::time::Duration;

/// How far a run has come: steps done, of how many.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// A `classic` network under a scenario.
#[derive(Debug)]
pub struct Network {
    engine: Engine<Classic>,
    scenario: Scenario,
    table: ClassicTable,
    config: Arc<Config>,
    contacts: Vec<Contact>,
    live: Vec<u32>,
    random: ChaCha8Rng,
    operations: u64,
    failed_inserts: u64,
    steps: u64,
}

/// Runs a scenario to its report.
pub fn run(scenario: &Scenario, progress: &mut Progress<'_>) -> Report {
    let mut network = Network::new(scenario);
    network.grow(progress);
    network.warm_up(progress);
    network.fail(progress);
    network.measure(progress)
}

impl Network {
    /// The network at its start: a ring lattice.
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
            config: Arc::new(config(&table)),
            contacts: Vec::new(),
            live: Vec::new(),
            random: ChaCha8Rng::seed_from_u64(scenario.seed ^ WORKLOAD),
            operations: 0,
            failed_inserts: 0,
            steps: 0,
        };
        let start = scenario.growth.map_or(scenario.nodes, |growth| growth.start);
        network.found(start, scenario.topology.map_or(4, |topology| topology.degree) / 2);
        network
    }

    /// The network's engine.
    pub const fn engine(&self) -> &Engine<Classic> {
        &self.engine
    }

    /// Lets nodes join while the network works.
    pub fn grow(&mut self, progress: &mut Progress<'_>) {
        let Some(growth) = self.scenario.growth else { return };
        while (self.engine.len() as u32) < self.scenario.nodes {
            for _ in 0..growth.operations_per_join {
                self.operate(progress);
            }
            self.join();
        }
    }

    /// The operations before anything is measured.
    pub fn warm_up(&mut self, progress: &mut Progress<'_>) {
        for _ in 0..self.scenario.workload.warmup_operations {
            self.operate(progress);
        }
    }

    /// Kills nodes one per cent at a time while the others go on working.
    pub fn fail(&mut self, progress: &mut Progress<'_>) {
        let faults = self.scenario.faults;
        let doomed = (f64::from(self.scenario.nodes) * faults.fail_fraction) as usize;
        let per_cent = (self.scenario.nodes as usize / 100).max(1);
        let mut dead = 0;
        while dead < doomed {
            let now = per_cent.min(doomed - dead);
            for victim in self.victims(now) {
                self.engine.kill(victim);
            }
            let engine = &self.engine;
            self.live.retain(|node| engine.mode(*node).is_some());
            dead += now;
            self.engine.run_until_quiet(LONG);
            for _ in 0..faults.operations_per_percent {
                self.operate(progress);
            }
        }
    }

    /// Probes the network as it is, and reports.
    pub fn measure(mut self, progress: &mut Progress<'_>) -> Report {
        for node in 0..self.engine.len() as u32 {
            if let Some(mode) = self.engine.mode_mut(node) {
                mode.measure(Some(self.table.probe_htl));
            }
        }
        let mut lookups = Lookups::begin(&self.engine);
        for _ in 0..self.scenario.workload.lookups {
            if let Some(lookup) = self.probe() {
                lookups.push(lookup);
            }
            self.tick(progress);
        }
        self.report(&lookups)
    }

    fn found(&mut self, start: u32, per_side: u32) {
        let seed = self.scenario.seed;
        self.contacts = (0..start).map(|number| contact(seed, number)).collect();
        for number in 0..start {
            let others = (1..=per_side).flat_map(|step| [(number + step) % start, (number + start - step) % start]);
            let known: Vec<(Location, Contact)> =
                others.map(|other| (content::place(seed, other), self.contacts[other as usize].clone())).collect();
            let (me, place) = (self.contacts[number as usize].clone(), content::place(seed, number));
            let machine = content::machine_seed(seed, number, 0);
            let node = Classic::founder(Arc::clone(&self.config), me, place, &known, machine);
            self.engine.add(content::node_id(seed, number), node);
            self.live.push(number);
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
        self.live.push(number);
    }

    /// One operation: alternately an insert of a fresh key and a request for one that has a copy.
    fn operate(&mut self, progress: &mut Progress<'_>) {
        let node = self.draw_live();
        let existing = self.engine.depot.existing();
        let is_insert = self.operations.is_multiple_of(2) || existing.is_empty();
        self.operations += 1;
        let command = if is_insert {
            let number = self.engine.depot.len() as u32;
            let block = content::block(self.scenario.seed, number, self.scenario.fidelity());
            self.engine.depot.enter(block.clone());
            Command::Insert { block }
        } else {
            let number = existing[self.random.random_range(0..existing.len())];
            Command::Fetch { key: self.engine.depot.block(number).key(), own_store: true }
        };
        self.engine.command(node, command);
        self.engine.run_until_quiet(LONG);
        for answered in self.engine.take_answers() {
            self.failed_inserts += u64::from(is_insert && !matches!(answered.answer, Answer::Inserted { .. }));
        }
        self.tick(progress);
    }

    /// One lookup that changes nothing; `None` if there is nothing to look for.
    fn probe(&mut self) -> Option<Lookup> {
        let existing = self.engine.depot.existing();
        if existing.is_empty() {
            return None;
        }
        let wanted = existing[self.random.random_range(0..existing.len())];
        let node = if self.scenario.faults.dead_starts {
            self.random.random_range(0..self.engine.len() as u32)
        } else {
            self.draw_live()
        };
        let existing = self.engine.depot.live_copies(wanted) > 0;
        let failed =
            Lookup { outcome: Outcome::NotFound, hops: 0, path: self.table.probe_htl.into(), millis: 0.0, existing };
        let begun = self.engine.now();
        let key = self.engine.depot.block(wanted).key();
        if self.engine.command(node, Command::Fetch { key, own_store: true }).is_none() {
            return Some(failed);
        }
        self.engine.run_until_quiet(LONG);
        let Some(answered) = self.engine.take_answers().pop() else {
            return Some(Lookup { outcome: Outcome::TimedOut, ..failed });
        };
        let (outcome, hops) = outcome(&mut self.engine, &answered, wanted);
        let millis = answered.at.since(begun).as_micros() as f64 / 1_000.0;
        let path = if outcome == Outcome::Found { hops + 1 } else { failed.path };
        Some(Lookup { outcome, hops, path, millis, existing })
    }

    fn victims(&mut self, count: usize) -> Vec<u32> {
        match self.scenario.faults.target {
            Target::Random => {
                let mut order = self.live.clone();
                let count = count.min(order.len());
                for place in 0..count {
                    let other = self.random.random_range(place..order.len());
                    order.swap(place, other);
                }
                order.truncate(count);
                order
            }
            Target::Busiest => {
                let degrees = self.degrees();
                let mut order = self.live.clone();
                order.sort_by_key(|node| (std::cmp::Reverse(degrees[*node as usize]), *node));
                order.truncate(count);
                order
            }
        }
    }

    fn draw_live(&mut self) -> u32 {
        self.live[self.random.random_range(0..self.live.len())]
    }

    fn tick(&mut self, progress: &mut Progress<'_>) {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            progress(self.steps, self.scenario.operations() + u64::from(self.scenario.workload.lookups));
        }
    }

    /// Pairs of live nodes of which one names the other.
    fn edges(&self) -> Vec<(u32, u32)> {
        let mut edges = Vec::new();
        for node in &self.live {
            let Some(mode) = self.engine.mode(*node) else { continue };
            for contact in mode.contacts() {
                let other = self.engine.number_of(&contact.id()).filter(|other| self.engine.mode(*other).is_some());
                edges.extend(other.map(|other| (*node.min(&other), *node.max(&other))));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Distinct live nodes that each node names or is named by.
    fn degrees(&self) -> Vec<u32> {
        let mut degrees = vec![0; self.engine.len()];
        for (a, b) in self.edges() {
            degrees[a as usize] += 1;
            degrees[b as usize] += 1;
        }
        degrees
    }

    /// The share of live nodes in the largest part connected by tables.
    fn largest_component(&self) -> f64 {
        let mut parents: Vec<u32> = (0..self.engine.len() as u32).collect();
        for (a, b) in self.edges() {
            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
            parents[a as usize] = b;
        }
        let mut sizes = vec![0_u32; parents.len()];
        for node in &self.live {
            sizes[root(&mut parents, *node) as usize] += 1;
        }
        f64::from(sizes.into_iter().max().unwrap_or(0)) / self.live.len() as f64
    }

    fn report(&self, lookups: &Lookups) -> Report {
        let engine = &self.engine;
        let mut report = Report::of(&self.scenario, stand_ins(self.scenario.fidelity()));
        lookups.write(engine, &self.live, &mut report);
        let paths: Vec<f64> = lookups.all().iter().map(|lookup| f64::from(lookup.path)).collect();
        report.exposure = exposure(&paths);
        report.path_with_failures = Summary::of(paths);
        report.degree = self.degree();
        report.largest_component = Some(self.largest_component());
        let held = |node: &u32| engine.depot.held(*node) as f64;
        let entries = |node: &u32| engine.mode(*node).map_or(0, Classic::entries) as f64;
        report.keys_per_node = Summary::of(self.live.iter().map(held).collect());
        report.state_per_node = Summary::of(self.live.iter().map(|node| held(node) + entries(node)).collect());
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

    fn degree(&self) -> Option<Degree> {
        let entries = |node: &u32| self.engine.mode(*node).map_or(0, Classic::entries);
        let degrees: Vec<usize> = self.live.iter().map(entries).collect();
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

fn stand_ins(fidelity: Fidelity) -> Vec<&'static str> {
    match fidelity {
        Fidelity::Bytes => Vec::new(),
        Fidelity::Values => vec!["block contents and their hashes"],
    }
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

/// Longer than any operation can take: its timers are bounded.
const LONG: Duration = Duration::from_secs(7 * 86_400);
/// Sets the workload's generator apart from the engine's.
const WORKLOAD: u64 = 0x776f_726b;
