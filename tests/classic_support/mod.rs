//! A network of real `classic` machines and, beside it, the model that says what they should do.

pub(crate) mod model;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bolthole::id::NodeId;
use bolthole::key::Location;
use bolthole::overlay::classic::{Classic, Config, Contact, Message};
use bolthole::overlay::mode::{Answer, Command};
use bolthole::sim::content;
use bolthole::sim::depot::{Depot, Room};
use bolthole::sim::engine::{Conditions, Engine, address_of};
use bolthole::sim::fault::Verdict;
use bolthole::sim::latency::{Latency, LatencyKind};
use bolthole::sim::scenario::Fidelity;
use bolthole::time::{Duration, Instant};
use model::{Model, Node};

/// Machines and model side by side.
pub(crate) struct World {
    pub(crate) engine: Engine<Classic>,
    pub(crate) model: Model,
    pub(crate) config: Arc<Config>,
    seed: u64,
    /// Nodes in the order in which the last announcement reached them.
    walk: Rc<RefCell<Vec<u32>>>,
}

impl World {
    /// No nodes yet; stores of `blocks`.
    pub(crate) fn new(seed: u64, blocks: usize, config: Config) -> Self {
        let latency = Latency::new(LatencyKind::KingLike, 156.0, seed);
        let conditions = Conditions { latency, loss: 0.0, through_cells: false };
        let mut engine = Engine::new(conditions, Depot::new(Room::One(blocks)), seed);
        let walk = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&walk);
        engine.set_fault(move |_: Instant, _: NodeId, _: NodeId, message: &Message| {
            if let Message::Reveal { parties, .. } = message {
                *heard.borrow_mut() = parties.iter().map(|party| number_in(&party.contact.id())).collect();
            }
            Verdict::Pass
        });
        let model = Model { entries: config.routing_entries, blocks, ..Model::default() };
        Self { engine, model, config: Arc::new(config), seed, walk }
    }

    /// A ring of `count` nodes that know the two on either side.
    pub(crate) fn ring(seed: u64, count: usize, blocks: usize, config: Config) -> Self {
        let mut world = Self::new(seed, blocks, config);
        for number in 0..count {
            let known: Vec<usize> = [1, count - 1, 2, count - 2].map(|step| (number + step) % count).into();
            world.found(&known);
        }
        world
    }

    /// One more node of the first hour, which knows the nodes of these numbers under their own keys.
    pub(crate) fn found(&mut self, known: &[usize]) -> usize {
        let number = self.engine.len();
        let known: Vec<(u64, usize)> = known.iter().map(|other| (self.place(*other), *other)).collect();
        self.found_with(number, &known)
    }

    /// The same with keys of the test's choice.
    pub(crate) fn found_with(&mut self, number: usize, known: &[(u64, usize)]) -> usize {
        let named: Vec<(Location, Contact)> =
            known.iter().map(|(key, other)| (Location(*key), self.contact(*other))).collect();
        let (me, place) = (self.contact(number), Location(self.place(number)));
        let machine = content::machine_seed(self.seed, number as u32, 0);
        let node = Classic::founder(Arc::clone(&self.config), me, place, &named, machine);
        self.engine.add(content::node_id(self.seed, number as u32), node);
        self.model.nodes.push(Node::default());
        known.iter().for_each(|(key, other)| self.model.learn(number, *key, *other));
        number
    }

    /// A newcomer announces itself through `first`; gives the nodes its announcement visited, in order.
    pub(crate) fn join(&mut self, first: usize) -> Vec<usize> {
        let number = self.engine.len();
        self.walk.borrow_mut().clear();
        let machine = content::machine_seed(self.seed, number as u32, 0);
        let (me, first) = (self.contact(number), self.contact(first));
        let node = Classic::newcomer(Arc::clone(&self.config), me, vec![first], machine);
        self.engine.add(content::node_id(self.seed, number as u32), node);
        self.engine.run_until_quiet(LONG);
        let walk: Vec<usize> = self.walk.borrow().iter().map(|node| *node as usize).collect();
        let place = self.engine.mode(number as u32).and_then(Classic::place).expect("the newcomer has a key").0;
        self.model.nodes.push(Node::default());
        for node in &walk {
            self.model.learn(number, self.place(*node), *node);
            self.model.learn(*node, place, number);
        }
        walk
    }

    /// Inserts a fresh document at `start`, in machines and model.
    pub(crate) fn insert(&mut self, start: usize) -> (u32, Answer, model::Trail) {
        let number = self.engine.depot.len() as u32;
        let block = content::block(self.seed, number, Fidelity::Values);
        self.engine.depot.enter(block.clone());
        self.model.documents.push(block.key().location().0);
        let htl = self.config.htl.into();
        (number, self.perform(start, Command::Insert { block }), self.model.insert(start, number, htl))
    }

    /// Requests a document at `start`, in machines and model.
    pub(crate) fn request(&mut self, start: usize, document: u32) -> (Answer, model::Trail) {
        let htl = self.config.htl.into();
        (self.fetch(start, document), self.model.request(start, document, htl))
    }

    /// Requests a document of the machines only.
    pub(crate) fn fetch(&mut self, start: usize, document: u32) -> Answer {
        let key = self.engine.depot.block(document).key();
        self.perform(start, Command::Fetch { key, own_store: true })
    }

    /// A node dies, in machines and model.
    pub(crate) fn kill(&mut self, node: usize) {
        self.engine.kill(node as u32);
        self.model.nodes[node].dead = true;
        self.engine.run_until_quiet(LONG);
    }

    /// A node's own key: a founder's from its number, a newcomer's from the seeds.
    pub(crate) fn place(&self, node: usize) -> u64 {
        let known =
            (node < self.engine.len()).then(|| self.engine.mode(node as u32).and_then(Classic::place)).flatten();
        known.unwrap_or_else(|| content::place(self.seed, node as u32)).0
    }

    /// What the tables of the machines say.
    pub(crate) fn table(&self, node: usize) -> Vec<(u64, usize)> {
        let mode = self.engine.mode(node as u32).expect("a live node");
        mode.table().map(|(key, contact)| (key.0, number_in(&contact.id()) as usize)).collect()
    }

    /// Machines and model hold the same entries and documents at every live node.
    pub(crate) fn assert_alike(&self, when: &str) {
        for (number, node) in self.model.nodes.iter().enumerate().filter(|(_, node)| !node.dead) {
            let mut table: Vec<(u64, usize)> = node.table.iter().map(|entry| (entry.0, entry.1)).collect();
            table.sort_unstable();
            assert_eq!(self.table(number), table, "the table of node {number} {when}");
            for document in 0..self.model.documents.len() as u32 {
                let held = self.engine.depot.holds(number as u32, document);
                assert_eq!(held, node.holds(document), "document {document} at node {number} {when}");
            }
        }
        assert!(self.engine.alarms.is_empty(), "{:?} {when}", self.engine.alarms);
    }

    fn perform(&mut self, node: usize, command: Command) -> Answer {
        self.engine.command(node as u32, command);
        assert!(self.engine.run_until_quiet(LONG), "the command is not answered");
        let mut answers = self.engine.take_answers();
        assert_eq!(answers.len(), 1, "one command, one answer");
        answers.remove(0).answer
    }

    fn contact(&self, number: usize) -> Contact {
        Contact::new(content::node_id(self.seed, number as u32), address_of(number as u32))
    }
}

fn number_in(id: &NodeId) -> u32 {
    u32::from_be_bytes([id.0[28], id.0[29], id.0[30], id.0[31]])
}

const LONG: Duration = Duration::from_secs(7 * 86_400);
