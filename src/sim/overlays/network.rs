//! A network of any overlay of the comparison under a scenario: its engine, who is there, who comes and goes.

use std::collections::BTreeSet;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::kind::{Kind, Witnessed};
use crate::message::block::Block;
use crate::overlay::mode::{Answer, Command};
use crate::sim::churn::{Churn, Town};
use crate::sim::content;
use crate::sim::depot::Depot;
use crate::sim::engine::{Conditions, Engine};
use crate::sim::latency::Latency;
use crate::sim::report::Idle;
use crate::sim::scenario::{Fidelity, Scenario, Target};
use crate::sim::watch::{self, Watch};
use crate::time::{Duration, Instant};

/// A network.
#[derive(Debug)]
pub struct Network<K: Kind> {
    /// What drives it.
    pub engine: Engine<K::Mode>,
    /// What it is to go through.
    pub scenario: Scenario,
    /// Ordinary participants that are alive.
    pub live: Vec<u32>,
    /// The other nodes that are alive.
    pub servers: Vec<u32>,
    pub(super) kind: K,
    pub(super) random: ChaCha8Rng,
    /// What searches told nodes that are gone.
    gone: Witnessed,
    /// Nodes that have gone since somebody last looked.
    pub(super) departed: Vec<u32>,
    /// Nodes that have come, or come back, since somebody last looked.
    pub(super) arrived: Vec<u32>,
    pub(super) churn: Option<Churn>,
    /// Nodes that have taken leave, and when they close their links.
    leaving: BTreeSet<(Instant, u32)>,
    restarts: Vec<u32>,
    namesakes: bool,
    steps: u64,
}

impl<K: Kind> Network<K> {
    /// A network at its start: all nodes in their places, or as many as grow from there. With `namesakes`, blocks of the
    /// fidelity `values` bear the names that they have in `bytes`.
    pub fn new(scenario: &Scenario, namesakes: bool) -> Self {
        let latency = &scenario.latency;
        let conditions = Conditions {
            latency: Latency::new(latency.kind, latency.median_ms, scenario.seed),
            loss: latency.loss,
            through_cells: scenario.fidelity() == Fidelity::Bytes,
        };
        let kind = K::new(scenario);
        let mut depot = Depot::new(kind.room());
        if kind.deletes_at_random() {
            depot.delete_at_random();
        }
        let mut network = Self {
            engine: Engine::new(conditions, depot, scenario.seed),
            scenario: scenario.clone(),
            live: Vec::new(),
            servers: (0..kind.servers()).collect(),
            kind,
            random: ChaCha8Rng::seed_from_u64(scenario.seed ^ WORKLOAD),
            gone: Witnessed::default(),
            departed: Vec::new(),
            arrived: Vec::new(),
            churn: None,
            leaving: BTreeSet::new(),
            restarts: Vec::new(),
            namesakes,
            steps: 0,
        };
        let start = scenario.growth.map_or(scenario.nodes, |growth| growth.start);
        let count = start + network.kind.servers();
        for (number, mode) in network.kind.settled(count).into_iter().enumerate() {
            network.engine.add(content::node_id(scenario.seed, number as u32), mode);
        }
        for (one, other) in network.kind.linked(count) {
            network.engine.assume_link(one, other);
        }
        network.live = (network.kind.servers()..count).collect();
        network.run_for(network.kind.settling());
        network
    }

    /// A network of which nothing exists yet but its servers and one founder.
    pub fn founded(scenario: &Scenario) -> Self {
        let mut small = scenario.clone();
        small.growth = Some(crate::sim::scenario::Growth { start: 1, operations_per_join: 0 });
        Self::new(&small, false)
    }

    /// A new node joins through some that are there; gives its number.
    pub fn join(&mut self) -> u32 {
        let number = self.engine.len() as u32;
        let entries = self.draw_entries();
        let mode = self.kind.newcomer(number, &entries, 0);
        self.engine.add(content::node_id(self.scenario.seed, number), mode);
        self.live.push(number);
        self.arrived.push(number);
        number
    }

    /// What searches have told all nodes so far, where that is counted.
    pub(super) fn witnessed(&self) -> Option<Witnessed> {
        let everybody = self.servers.iter().chain(&self.live);
        let mut told = everybody.filter_map(|node| self.engine.mode(*node)).map(K::witnessed);
        told.try_fold(self.gone, |sum, told| Some(sum.and(told?)))
    }

    /// What a node that goes has learned is not forgotten.
    fn bury(&mut self, number: u32) {
        let told = self.engine.mode(number).and_then(K::witnessed).unwrap_or_default();
        self.gone = self.gone.and(told);
    }

    /// A node goes: it takes leave first, or dies.
    fn stop(&mut self, number: u32, graceful: bool) {
        self.live.retain(|live| *live != number);
        self.departed.push(number);
        self.bury(number);
        if !graceful {
            return self.engine.kill(number);
        }
        if let Some(mode) = self.engine.mode_mut(number) {
            K::leave(mode);
            self.engine.nudge(number);
            self.leaving.insert((self.engine.now() + LEAVE_TIME, number));
        }
    }

    /// Lets nodes come and go from now on, if the scenario says so.
    pub fn begin_churn(&mut self) {
        if !self.scenario.has_churn() {
            return;
        }
        let mut churn = Churn::new(self.scenario.churn, self.scenario.seed, self.engine.now());
        let away = churn.draw_away(&self.live);
        for node in &away {
            self.stop(*node, true);
            self.run_for(Duration::from_millis(500));
        }
        churn.plan(self, &away);
        churn.count_from(self.engine.now());
        self.churn = Some(churn);
    }

    /// Kills what the scenario says, and lets the network repair itself if it may.
    pub fn fail(&mut self) {
        let faults = self.scenario.faults;
        let everybody: Vec<u32> = self.servers.iter().chain(&self.live).copied().collect();
        let count = (everybody.len() as f64 * faults.fail_fraction) as usize;
        let mut order = if faults.target == Target::Busiest { everybody } else { self.live.clone() };
        match faults.target {
            Target::Random => {
                for place in 0..count.min(order.len()) {
                    let other = self.random.random_range(place..order.len());
                    order.swap(place, other);
                }
            }
            Target::Busiest => {
                let load = |node: u32| self.engine.received(node);
                order.sort_by_cached_key(|node| (std::cmp::Reverse(load(*node)), *node));
            }
        }
        for victim in order.into_iter().take(count) {
            self.bury(victim);
            self.engine.kill(victim);
        }
        let engine = &self.engine;
        self.live.retain(|node| engine.mode(*node).is_some());
        self.servers.retain(|node| engine.mode(*node).is_some());
        if count > 0 && faults.repair {
            self.run_for(Duration::from_micros((faults.repair_seconds * 1e6) as u64));
        }
    }

    /// Leaves the network alone for as long as the scenario says; gives what passed meanwhile.
    pub fn idle(&mut self) -> Option<Idle> {
        let span = watch::rest(self.scenario.workload.idle_seconds)?;
        let begun = Watch::begin(&self.engine, self.nodes(), self.arrivals());
        self.run_for(span);
        Some(begun.rest(&self.engine, self.nodes(), self.arrivals()))
    }

    const fn nodes(&self) -> usize {
        self.servers.len() + self.live.len()
    }

    fn arrivals(&self) -> u64 {
        self.churn.as_ref().map_or(0, |churn| churn.arrivals)
    }

    /// Lets nodes join while the network works, then lets it work on: alternately an insert and a request.
    pub fn operate(&mut self, progress: &mut dyn FnMut(u64, u64)) {
        let work = self.scenario.workload;
        if let Some(growth) = self.scenario.growth {
            for _ in growth.start..self.scenario.nodes {
                self.join();
                self.run_for(JOIN_GAP);
                (0..growth.operations_per_join).for_each(|number| self.operation(number % 2 == 0));
                self.tick(progress);
            }
        }
        for number in 0..work.warmup_operations {
            self.operation(number % 2 == 0);
            self.tick(progress);
        }
    }

    fn operation(&mut self, inserts: bool) {
        let node = self.draw_live();
        let known = self.engine.depot.len();
        let command = if inserts || known == 0 {
            let block = self.enter_next();
            Command::Insert { block }
        } else {
            let number = self.random.random_range(0..known) as u32;
            Command::Fetch { key: self.engine.depot.block(number).key(), own_store: true }
        };
        self.engine.command(node, command);
        let end = self.engine.now() + LONGEST_COMMAND;
        while self.engine.open_commands() > 0 && self.step(end) {}
        self.engine.take_answers();
    }

    /// Enters the next document into the catalogue.
    pub(super) fn enter_next(&mut self) -> Block {
        let number = self.engine.depot.len() as u32;
        let block = match (self.scenario.fidelity(), self.namesakes) {
            (Fidelity::Values, true) => content::namesake(self.scenario.seed, number),
            (fidelity, _) => content::block(self.scenario.seed, number, fidelity),
        };
        self.engine.depot.enter(block.clone());
        block
    }

    /// Whether an answer says that a document is published.
    pub(super) fn is_published(answer: &Answer) -> bool {
        matches!(answer, Answer::Inserted { stores, wanted } if stores >= wanted)
    }

    /// Lets the next thing happen, if it happens by `end`: within the network, or a node comes or goes.
    pub fn step(&mut self, end: Instant) -> bool {
        let change = self.churn.as_ref().and_then(Churn::due);
        let farewell = self.leaving.first().map(|(at, _)| *at);
        let due = [change, farewell].into_iter().flatten().min().filter(|due| *due <= end);
        if self.engine.step(due.unwrap_or(end)) {
            return true;
        }
        let Some(due) = due else { return false };
        self.engine.run_until(due);
        if farewell == Some(due) {
            if let Some((_, node)) = self.leaving.pop_first() {
                self.engine.leave(node);
            }
        } else if let Some(mut churn) = self.churn.take() {
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

    /// A live participant that shares what it has, each as likely; any, if there is none.
    pub(super) fn draw_sharer(&mut self) -> u32 {
        let mut node = self.draw_live();
        for _ in 0..DRAWS_OF_A_SHARER {
            if !self.scenario.is_free_rider(node) {
                break;
            }
            node = self.draw_live();
        }
        node
    }

    /// A live ordinary participant, each as likely.
    pub fn draw_live(&mut self) -> u32 {
        self.live[self.random.random_range(0..self.live.len())]
    }

    fn draw_entries(&mut self) -> Vec<u32> {
        (0..ENTRIES).map(|_| self.draw_live()).collect()
    }

    pub(super) fn tick(&mut self, progress: &mut dyn FnMut(u64, u64)) {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            let work = &self.scenario.workload;
            progress(self.steps, u64::from(work.documents) + u64::from(work.lookups) + self.scenario.operations());
        }
    }
}

impl<K: Kind> Town for Network<K> {
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
        Self::join(self)
    }

    fn come_back(&mut self, node: u32) {
        if self.restarts.len() <= node as usize {
            self.restarts.resize(node as usize + 1, 0);
        }
        self.leaving.retain(|(_, other)| *other != node);
        self.restarts[node as usize] += 1;
        let entries = self.draw_entries();
        let mode = self.kind.newcomer(node, &entries, self.restarts[node as usize]);
        self.engine.revive(node, mode);
        self.live.push(node);
        self.arrived.push(node);
    }

    fn go(&mut self, node: u32, graceful: bool) {
        self.stop(node, graceful);
    }
}

/// Sets the workload's generator apart from the engine's.
const WORKLOAD: u64 = 0x776f_726b;
/// Between its word and the end of a node that leaves.
const LEAVE_TIME: Duration = Duration::from_secs(5);
/// Between two joins while a network grows.
const JOIN_GAP: Duration = Duration::from_secs(1);
/// Nodes that a newcomer knows.
const ENTRIES: usize = 3;
/// Longer than any command may take.
pub(super) const LONGEST_COMMAND: Duration = Duration::from_secs(600);
/// Draws until one is found that shares. Chosen: in vain once in 10^45 where nine in ten ride free, the most allowed.
const DRAWS_OF_A_SHARER: usize = 1_000;
