//! A network as these experiments see it, whichever overlay it runs: one operation at a time, and what nodes hold.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::lab::experiment::{Course, Progress, Sample, Trial};
use crate::overlay::classic::Classic;
use crate::overlay::freenet::Freenet;
use crate::overlay::mode::{Answer, Command};
use crate::sim::depot::Depot;
use crate::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario};
use crate::sim::{classic, freenet};
use crate::time::Duration;

/// A network of one overlay, and the draws of the experiment on it.
#[derive(Debug)]
pub(super) struct Town {
    network: Network,
    pub(super) random: ChaCha8Rng,
    pub(super) live: Vec<u32>,
}

#[derive(Debug)]
enum Network {
    Freenet(Box<freenet::Network>),
    Classic(Box<classic::Network>),
}

/// The variant of the overlay that ships.
pub(super) const FREENET: &str = "freenet";
/// The variant of the overlay of 2001.
pub(super) const CLASSIC: &str = "classic";

/// A network of `freenet` that grows by its own joins.
pub(super) fn shipping(nodes: u32, store_blocks: usize, seed: u64) -> Scenario {
    let mut scenario =
        Scenario { seed, fidelity: FidelityChoice::Values, ..Scenario::defaults(ModeName::Freenet, nodes) };
    // Documents are published by the experiment.
    (scenario.workload.documents, scenario.workload.lookups) = (0, 0);
    if let Some(table) = &mut scenario.freenet {
        table.store_blocks = store_blocks;
        table.neighbours = NEIGHBOURS;
    }
    scenario
}

/// A network of `classic` that grows from 20 nodes, one after every five operations.
pub(super) fn of_2001(nodes: u32, store_blocks: usize, seed: u64) -> Scenario {
    let mut scenario =
        Scenario { seed, fidelity: FidelityChoice::Values, ..Scenario::defaults(ModeName::Classic, nodes) };
    scenario.growth = Some(Growth { start: 20, operations_per_join: 5 });
    if let Some(table) = &mut scenario.classic {
        table.store_blocks = store_blocks;
    }
    scenario
}

/// Trials of both overlays.
pub(super) fn trials(seeds: u64, steps: u64, nodes: u32, store_blocks: usize, course: Course) -> Vec<Trial> {
    let of = |variant, scenario| Trial { variant, scenario, steps, course };
    let both =
        |seed| [of(FREENET, shipping(nodes, store_blocks, seed)), of(CLASSIC, of_2001(nodes, store_blocks, seed))];
    (1..=seeds).flat_map(both).collect()
}

impl Town {
    /// The network of a scenario, grown to its size.
    pub(super) fn grown(scenario: &Scenario, progress: &mut Progress<'_>) -> Self {
        let random = ChaCha8Rng::seed_from_u64(scenario.seed ^ TOWN);
        if scenario.classic.is_some() {
            let mut network = classic::Network::new(scenario);
            network.grow_to(scenario.nodes, progress);
            let live = network.live().to_vec();
            return Self { network: Network::Classic(Box::new(network)), random, live };
        }
        let network = freenet::grown(scenario, freenet::Names::Numbered);
        let live = network.live.clone();
        Self { network: Network::Freenet(Box::new(network)), random, live }
    }

    /// A node, each as likely.
    pub(super) fn anybody(&mut self) -> u32 {
        self.live[self.random.random_range(0..self.live.len())]
    }

    /// A number below `count`, each as likely.
    pub(super) fn draw(&mut self, count: usize) -> usize {
        self.random.random_range(0..count)
    }

    /// Inserts a fresh document at a random node; gives its number.
    pub(super) fn publish(&mut self) -> u32 {
        let node = self.anybody();
        match &mut self.network {
            Network::Classic(network) => network.insert(node),
            Network::Freenet(network) => {
                let number = network.engine.depot.len() as u32;
                let block = network.block(number);
                network.engine.depot.enter(block.clone());
                perform(network, node, Command::Insert { block });
                number
            }
        }
    }

    /// Lets a node fetch a document; gives the forwards it took, if it was found.
    pub(super) fn fetch(&mut self, node: u32, number: u32) -> Option<u32> {
        let answer = match &mut self.network {
            Network::Classic(network) => network.fetch(node, number),
            Network::Freenet(network) => {
                let key = network.engine.depot.block(number).key();
                perform(network, node, Command::Fetch { key, own_store: true })
            }
        };
        match answer? {
            Answer::Found { hops, .. } => Some(hops),
            _ => None,
        }
    }

    /// What the nodes hold.
    pub(super) fn depot(&self) -> &Depot {
        match &self.network {
            Network::Freenet(network) => &network.engine.depot,
            Network::Classic(network) => &network.engine().depot,
        }
    }

    /// Messages that a node has received.
    pub(super) fn received(&self, node: u32) -> u64 {
        match &self.network {
            Network::Freenet(network) => network.engine.received(node),
            Network::Classic(network) => network.engine().received(node),
        }
    }

    /// Whom a node names as a neighbour, or in its table.
    pub(super) fn named(&self, node: u32) -> Vec<u32> {
        let mut named: Vec<u32> = match &self.network {
            Network::Freenet(network) => {
                let neighbours = network.engine.mode(node).map(Freenet::neighbours).unwrap_or_default();
                neighbours.iter().filter_map(|(id, _)| network.engine.number_of(id)).collect()
            }
            Network::Classic(network) => {
                let contacts = network.engine().mode(node).map_or(&[][..], Classic::contacts);
                contacts.iter().filter_map(|contact| network.engine().number_of(&contact.id())).collect()
            }
        };
        named.sort_unstable();
        named.dedup();
        named
    }
}

/// Gives a command and waits for its answer.
fn perform(network: &mut freenet::Network, node: u32, command: Command) -> Option<Answer> {
    let end = network.engine.now() + LONGEST;
    network.engine.command(node, command)?;
    while !network.engine.has_answers() && network.engine.step(end) {}
    network.engine.take_answers().pop().map(|answered| answered.answer)
}

/// A sample for each named value at one point.
pub(super) fn samples<const COUNT: usize>(at: f64, values: [(&'static str, f64); COUNT]) -> Vec<Sample> {
    values.into_iter().map(|(name, value)| Sample::new(name, at, value)).collect()
}

/// Neighbours of a node of `freenet`: a third of the default, so that a few hundred nodes are no heap in which everybody
/// is linked to everybody.
const NEIGHBOURS: usize = 16;
/// Longer than any command may take.
const LONGEST: Duration = Duration::from_secs(300);
/// Sets this generator apart.
const TOWN: u64 = 0x746f_776e;
