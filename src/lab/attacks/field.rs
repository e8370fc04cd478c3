//! A network under attack, whichever build it is of: what is asked of it, what is seen of it, and what colluders send.
//!
//! Runs the production machines. Who acted is known here and to nobody inside.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::key::RoutingKey;
use crate::lab::attacks::build::Build;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::mapping;
use crate::lab::experiment::Progress;
use crate::onion::{Attempt, RequestId};
use crate::overlay::classic::{self, TransactionId};
use crate::overlay::freenet::{self, ExchangeId};
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::sim::depot::Depot;
use crate::sim::prerouting::{self, Prerouted, Word};
use crate::sim::tap::{Seen, Tap};
use crate::sim::traffic::Traffic;
use crate::sim::{classic as of_2001, freenet as shipping};
use crate::time::{Duration, Instant};

/// Gives `$engine` as the engine of whichever network it is.
macro_rules! with_engine {
    ($network:expr, $engine:ident => $result:expr) => {
        match $network {
            Network::Plain(network) => {
                let $engine = &mut network.engine;
                $result
            }
            Network::Prerouted(network) => {
                let $engine = &mut network.engine;
                $result
            }
            Network::Classic(network) => {
                let $engine = network.engine_mut();
                $result
            }
        }
    };
}

/// A network under attack.
#[derive(Debug)]
pub struct Field {
    network: Network,
    /// The draws of the course.
    pub random: ChaCha8Rng,
    /// Nodes there are.
    pub nodes: u32,
    next_id: u64,
    paths: Vec<Vec<[u32; 3]>>,
}

#[derive(Debug)]
enum Network {
    Plain(Box<shipping::Network>),
    Prerouted(Box<prerouting::Network>),
    Classic(Box<of_2001::Network>),
}

/// What a node is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which node.
    pub node: u32,
    /// The number of the block.
    pub block: u32,
    /// Whether to insert it.
    pub insert: bool,
}

/// What a colluder sends outside its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// A request.
    Request {
        /// What it asks for.
        key: RoutingKey,
        /// Hops to live.
        htl: u16,
    },
    /// There is none, and that is final.
    Missing,
}

impl Forged {
    const fn of_freenet(self, id: ExchangeId) -> freenet::Message {
        match self {
            Self::Request { key, htl } => {
                let htl = if htl > u8::MAX as u16 { u8::MAX } else { htl as u8 };
                freenet::Message::Request { id, key, htl, detours: 0 }
            }
            Self::Missing => freenet::Message::NotFound { id },
        }
    }
}

impl Field {
    /// A network of a build, grown to its size, with a tap.
    pub fn grown(build: Build, nodes: u32, seed: u64, progress: &mut Progress<'_>) -> Self {
        let scenario = build.scenario(nodes, seed);
        let random = ChaCha8Rng::seed_from_u64(seed ^ FIELD);
        let network = if build == Build::Classic {
            let mut network = of_2001::Network::new(&scenario);
            network.grow_to(nodes, progress);
            Network::Classic(Box::new(network))
        } else {
            let grown = shipping::grown(&scenario, shipping::Names::Numbered);
            match build.shape() {
                Some(shape) => Network::Prerouted(Box::new(prerouting::Network::of(grown, shape, build.relays()))),
                None => Network::Plain(Box::new(grown)),
            }
        };
        let mut field = Self { network, random, nodes, next_id: 1 << 63, paths: Vec::new() };
        *field.tap_slot() = Some(Tap::default());
        field
    }

    /// A node, each as likely.
    pub fn anybody(&mut self) -> u32 {
        self.random.random_range(0..self.nodes)
    }

    /// What colluders see and keep back.
    pub fn tap(&mut self) -> &mut Tap {
        self.tap_slot().get_or_insert_default()
    }

    /// Nobody listens any more.
    pub fn no_tap(&mut self) {
        *self.tap_slot() = None;
    }

    fn tap_slot(&mut self) -> &mut Option<Tap> {
        with_engine!(&mut self.network, engine => &mut engine.tap)
    }

    /// What the nodes hold.
    pub fn depot(&self) -> &Depot {
        match &self.network {
            Network::Plain(network) => &network.engine.depot,
            Network::Prerouted(network) => &network.engine.depot,
            Network::Classic(network) => &network.engine().depot,
        }
    }

    /// The key of a block.
    pub fn key(&self, block: u32) -> RoutingKey {
        self.depot().block(block).key()
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        match &self.network {
            Network::Plain(network) => network.engine.now(),
            Network::Prerouted(network) => network.engine.now(),
            Network::Classic(network) => network.engine().now(),
        }
    }

    /// A block that a node could want: it exists, and the node has it not. `None` if a few draws find none.
    pub fn wanted(&mut self, node: u32) -> Option<u32> {
        for _ in 0..DRAWS {
            let count = self.depot().existing().len();
            if count == 0 {
                return None;
            }
            let at = self.random.random_range(0..count);
            let block = self.depot().existing()[at];
            if !self.depot().holds(node, block) {
                return Some(block);
            }
        }
        None
    }

    /// Makes a fresh block, for somebody to insert.
    pub fn fresh(&mut self) -> u32 {
        match &mut self.network {
            Network::Plain(network) => {
                let number = network.engine.depot.len() as u32;
                let block = network.block(number);
                network.engine.depot.enter(block)
            }
            Network::Prerouted(network) => {
                let number = network.engine.depot.len() as u32;
                let block = network.block(number);
                network.engine.depot.enter(block)
            }
            Network::Classic(network) => network.fresh(),
        }
    }

    /// Gives an order; its answer is to come.
    pub fn begin(&mut self, order: Order) -> Option<Ticket> {
        let block = self.depot().block(order.block).clone();
        let command = match order.insert {
            true => Command::Insert { block },
            false => Command::Fetch { key: block.key(), own_store: true },
        };
        with_engine!(&mut self.network, engine => engine.command(order.node, command))
    }

    /// Runs until all orders are answered and their echoes have passed; gives which were answered well.
    pub fn settle(&mut self) -> Vec<(Ticket, bool)> {
        let end = self.now() + LONGEST;
        while self.open() > 0 && self.step(end) {}
        self.run_for(ECHO);
        self.answers()
    }

    /// Carries out orders, at once where the overlay bears it; gives what was seen meanwhile.
    pub fn carry_out(&mut self, orders: &[Order]) -> Vec<Seen> {
        self.renew();
        let mut tickets = Vec::new();
        if matches!(self.network, Network::Classic(_)) {
            for order in orders {
                self.begin(*order);
                self.settle();
            }
        } else {
            for order in orders {
                tickets.push(self.begin(*order));
            }
            self.settle();
        }
        self.paths = self.paths_of(orders, &tickets);
        self.tap_slot().as_mut().map(Tap::take).unwrap_or_default()
    }

    /// Runs for a span of virtual time.
    pub fn run_for(&mut self, span: Duration) {
        with_engine!(&mut self.network, engine => engine.run_for(span));
    }

    /// Lets the next thing happen, if it happens by `end`.
    pub fn step(&mut self, end: Instant) -> bool {
        with_engine!(&mut self.network, engine => engine.step(end))
    }

    /// Orders that are not answered yet.
    pub fn open(&self) -> usize {
        match &self.network {
            Network::Plain(network) => network.engine.open_commands(),
            Network::Prerouted(network) => network.engine.open_commands(),
            Network::Classic(network) => network.engine().open_commands(),
        }
    }

    /// Answers so far, as they are.
    pub fn outcomes(&mut self) -> Vec<Answer> {
        let answers = with_engine!(&mut self.network, engine => engine.take_answers());
        answers.into_iter().map(|one| one.answer).collect()
    }

    /// What has passed over the links.
    pub fn traffic(&mut self) -> Traffic {
        with_engine!(&mut self.network, engine => engine.traffic)
    }

    /// Answers so far, and whether they are good ones.
    pub fn answers(&mut self) -> Vec<(Ticket, bool)> {
        let answers = with_engine!(&mut self.network, engine => engine.take_answers());
        let is_good = |answer: &Answer| matches!(answer, Answer::Found { .. } | Answer::Inserted { .. });
        answers.into_iter().map(|one| (one.ticket, is_good(&one.answer))).collect()
    }

    /// A colluder sends a message of its own; gives the name of the exchange. Answers to it reach the tap alone. `id` names
    /// an exchange that is under way already.
    pub fn forge(&mut self, from: u32, to: u32, forged: Forged, id: Option<u64>) -> u64 {
        self.next_id += 1;
        let id = id.unwrap_or(self.next_id);
        if let Forged::Request { .. } = forged {
            self.tap().expect(from, id);
        }
        match &mut self.network {
            Network::Plain(network) => network.engine.inject(from, to, forged.of_freenet(ExchangeId(id))),
            Network::Prerouted(network) => {
                network.engine.inject(from, to, Word::Overlay(forged.of_freenet(ExchangeId(id))));
            }
            Network::Classic(network) => {
                let (id, engine) = (TransactionId(id), network.engine_mut());
                let message = match forged {
                    Forged::Request { key, htl } => classic::Message::Request { id, htl, depth: 1, key },
                    Forged::Missing => classic::Message::NotFound { id },
                };
                // In 2001 whoever dials is linked.
                engine.force_link(from, to);
                engine.inject(from, to, message);
            }
        }
        id
    }

    /// What an attacker knows of the network now.
    pub fn map(&self) -> Map {
        match &self.network {
            Network::Plain(network) => mapping::of_freenet(&network.engine, |mode| mode),
            Network::Prerouted(network) => mapping::of_freenet(&network.engine, Prerouted::overlay),
            Network::Classic(network) => mapping::of_classic(network.engine()),
        }
    }

    /// The paths of the orders that were carried out last, in their order: guard, middle and exit of every packet sent.
    pub fn take_paths(&mut self) -> Vec<Vec<[u32; 3]>> {
        std::mem::take(&mut self.paths)
    }

    /// The guard of every node; empty where nodes have none.
    pub fn guards(&self) -> Vec<Option<u32>> {
        let Network::Prerouted(network) = &self.network else { return Vec::new() };
        if !network.has_guards() {
            return Vec::new();
        }
        (0..self.nodes).map(|node| network.guard(node)).collect()
    }

    /// The paths of all packets that left for commands of a node since somebody last asked.
    pub fn take_paths_of(&mut self, node: u32) -> Vec<[u32; 3]> {
        let Network::Prerouted(network) = &mut self.network else { return Vec::new() };
        let sent = network.engine.mode_mut(node).map(Prerouted::take_attempts).unwrap_or_default();
        let number = |relay| network.engine.number_of(&relay).unwrap_or(u32::MAX);
        sent.into_iter().map(|attempt| attempt.relays.map(number)).collect()
    }

    /// Lets relays take new keys before the old ones end; nothing may be open.
    pub fn renew(&mut self) {
        if let Network::Prerouted(network) = &mut self.network {
            network.renew_if_due();
        }
    }

    fn paths_of(&mut self, orders: &[Order], tickets: &[Option<Ticket>]) -> Vec<Vec<[u32; 3]>> {
        let Network::Prerouted(network) = &mut self.network else { return Vec::new() };
        let engine = &mut network.engine;
        let mut paths: BTreeMap<u64, Vec<[u32; 3]>> = BTreeMap::new();
        for order in orders {
            let sent = engine.mode_mut(order.node).map(Prerouted::take_attempts).unwrap_or_default();
            for Attempt { request: RequestId(request), relays, .. } in sent {
                let numbers = relays.map(|relay| engine.number_of(&relay).unwrap_or(u32::MAX));
                paths.entry(request).or_default().push(numbers);
            }
        }
        tickets.iter().map(|ticket| ticket.and_then(|ticket| paths.remove(&ticket.0)).unwrap_or_default()).collect()
    }
}

/// Longer than any command may take.
const LONGEST: Duration = Duration::from_secs(300);
/// What is still on its way when the answer has come: answers to probes, offers, copies.
const ECHO: Duration = Duration::from_millis(500);
/// Draws before a node is taken to have all there is.
const DRAWS: u32 = 64;
/// Sets this generator apart.
const FIELD: u64 = 0x6669_656c;
