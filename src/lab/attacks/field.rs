//! A network under attack, whichever build it is of: what is asked of it, what is seen of it, and what colluders send.
//!
//! Runs the production machines. Who acted is known here and to nobody inside.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::key::{Location, RoutingKey};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::map::Map;
use crate::lab::experiment::Progress;
use crate::overlay::classic::{self, Classic, TransactionId};
use crate::overlay::freenet::{self, ExchangeId, Freenet};
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::sim::depot::Depot;
use crate::sim::tap::{Seen, Tap};
use crate::sim::{classic as of_2001, freenet as shipping};
use crate::time::{Duration, Instant};

/// A network under attack.
#[derive(Debug)]
pub struct Field {
    network: Network,
    /// The draws of the course.
    pub random: ChaCha8Rng,
    /// Nodes there are.
    pub nodes: u32,
    next_id: u64,
}

#[derive(Debug)]
enum Network {
    Plain(Box<shipping::Network>),
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
            Network::Plain(Box::new(shipping::grown(&scenario, shipping::Names::Numbered)))
        };
        let mut field = Self { network, random, nodes, next_id: 1 << 63 };
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
        match &mut self.network {
            Network::Plain(network) => &mut network.engine.tap,
            Network::Classic(network) => &mut network.engine_mut().tap,
        }
    }

    /// What the nodes hold.
    pub fn depot(&self) -> &Depot {
        match &self.network {
            Network::Plain(network) => &network.engine.depot,
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
        match &mut self.network {
            Network::Plain(network) => network.engine.command(order.node, command),
            Network::Classic(network) => network.engine_mut().command(order.node, command),
        }
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
        if matches!(self.network, Network::Classic(_)) {
            for order in orders {
                self.begin(*order);
                self.settle();
            }
        } else {
            for order in orders {
                self.begin(*order);
            }
            self.settle();
        }
        self.tap_slot().as_mut().map(Tap::take).unwrap_or_default()
    }

    /// Runs for a span of virtual time.
    pub fn run_for(&mut self, span: Duration) {
        match &mut self.network {
            Network::Plain(network) => network.engine.run_for(span),
            Network::Classic(network) => network.engine_mut().run_for(span),
        }
    }

    /// Lets the next thing happen, if it happens by `end`.
    pub fn step(&mut self, end: Instant) -> bool {
        match &mut self.network {
            Network::Plain(network) => network.engine.step(end),
            Network::Classic(network) => network.engine_mut().step(end),
        }
    }

    /// Orders that are not answered yet.
    pub fn open(&self) -> usize {
        match &self.network {
            Network::Plain(network) => network.engine.open_commands(),
            Network::Classic(network) => network.engine().open_commands(),
        }
    }

    /// Answers so far, and whether they are good ones.
    pub fn answers(&mut self) -> Vec<(Ticket, bool)> {
        let answers = match &mut self.network {
            Network::Plain(network) => network.engine.take_answers(),
            Network::Classic(network) => network.engine_mut().take_answers(),
        };
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
            Network::Plain(network) => {
                let id = ExchangeId(id);
                let message = match forged {
                    Forged::Request { key, htl } => {
                        freenet::Message::Request { id, key, htl: htl.try_into().unwrap_or(u8::MAX), detours: 0 }
                    }
                    Forged::Missing => freenet::Message::NotFound { id },
                };
                network.engine.inject(from, to, message);
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
        let nodes = || 0..self.nodes;
        match &self.network {
            Network::Plain(network) => {
                let engine = &network.engine;
                let near: Vec<Vec<(u32, Location)>> = nodes()
                    .map(|node| {
                        let all = engine.mode(node).map(Freenet::neighbours).unwrap_or_default();
                        all.iter().filter_map(|(id, place)| Some((engine.number_of(id)?, *place))).collect()
                    })
                    .collect();
                let own = |node: u32| engine.mode(node).and_then(Freenet::location);
                // A neighbour counts as near as its nearest neighbour.
                let routes = nodes().map(|node| {
                    let ahead = |(other, place): &(u32, Location)| {
                        let beyond = near[*other as usize].iter().filter(move |(third, _)| *third != node);
                        let via = *other;
                        std::iter::once((*place, via)).chain(beyond.map(move |(_, place)| (*place, via)))
                    };
                    near[node as usize].iter().flat_map(ahead).collect()
                });
                Map::new(nodes().map(own).collect(), routes.collect())
            }
            Network::Classic(network) => {
                let engine = network.engine();
                let routes = |node: u32| {
                    let table = engine.mode(node).into_iter().flat_map(Classic::table);
                    table.filter_map(|(place, contact)| Some((place, engine.number_of(&contact.id())?))).collect()
                };
                let own = |node: u32| engine.mode(node).and_then(Classic::place);
                Map::new(nodes().map(own).collect(), nodes().map(routes).collect())
            }
        }
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
