//! `swarm` for the driver: the tracker is node 0; where pieces are traded, seeds come next, then leechers.

use std::collections::BTreeSet;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::kind::Kind;
use crate::message::contact::Contact;
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::overlay::swarm::{Config, PieceChoice, Scheme, Swarm};
use crate::sim::access::Rates;
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::sim::scenario::{PieceChoiceName, Scenario, SchemeName};

/// What the nodes around one tracker share.
#[derive(Debug)]
pub struct Crowd {
    seed: u64,
    seeds: u32,
    config: Config,
    riders: BTreeSet<u32>,
    riders_cheat: bool,
    leecher: Rates,
    initial: Rates,
}

impl Crowd {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.seed, number), address_of(number))
    }

    fn peer(&self, number: u32, start: u32) -> Swarm {
        let seed = content::machine_seed(self.seed, number, start);
        let is_rider = self.is_rider(number);
        let config = Config { gives: !is_rider, cheats: is_rider && self.riders_cheat, ..self.config };
        Swarm::peer(config, self.contact(number), self.contact(0), seed)
    }

    /// Seeds that are there from the start, numbered from 1.
    pub(super) const fn seeds(&self) -> u32 {
        self.seeds
    }

    /// Whether a node gives nothing.
    pub(super) fn is_rider(&self, number: u32) -> bool {
        self.riders.contains(&number)
    }

    /// What a node can send and receive; nothing limits the tracker.
    pub(super) const fn rates(&self, number: u32) -> Rates {
        match number {
            0 => Rates { up: 0, down: 0 },
            number if number <= self.seeds => self.initial,
            _ => self.leecher,
        }
    }
}

impl Kind for Crowd {
    type Mode = Swarm;

    fn new(scenario: &Scenario) -> Self {
        let table = scenario.swarm.expect("a checked scenario of swarm has its table");
        let bits = |kbit: f64| (kbit * 1_000.0) as u64;
        let config = Config {
            unchoked: table.unchoked,
            piece_choice: match table.piece_choice {
                PieceChoiceName::Rarest => PieceChoice::Rarest,
                PieceChoiceName::Random => PieceChoice::Random,
            },
            scheme: match table.scheme {
                SchemeName::TitForTat => Scheme::TitForTat,
                SchemeName::Reported => Scheme::Reported,
                SchemeName::Credit => Scheme::Credit,
            },
            ..Config::default()
        };
        let seeds = if scenario.trades() { scenario.workload.copies } else { 0 };
        let leecher = Rates { up: bits(table.upload_kbit), down: bits(table.download_kbit) };
        let initial = Rates { up: bits(table.seed_upload_kbit), down: bits(table.download_kbit) };
        let first = 1 + seeds;
        let riders = if scenario.trades() {
            let count = (f64::from(scenario.nodes) * scenario.faults.free_riders) as usize;
            draw(scenario.seed, first, scenario.nodes, count)
        } else {
            (first..first + scenario.nodes).filter(|node| scenario.is_free_rider(*node)).collect()
        };
        Self { seed: scenario.seed, seeds, config, riders, riders_cheat: table.riders_cheat, leecher, initial }
    }

    fn servers(&self) -> u32 {
        1 + self.seeds
    }

    fn settled(&self, count: u32) -> Vec<Swarm> {
        let tracker = Swarm::tracker(self.contact(0), content::machine_seed(self.seed, 0, 0)).with_links(usize::MAX);
        std::iter::once(tracker).chain((1..count).map(|number| self.peer(number, 0))).collect()
    }

    fn newcomer(&self, number: u32, _entries: &[u32], start: u32) -> Swarm {
        self.peer(number, start)
    }

    fn leave(mode: &mut Swarm) {
        mode.leave();
    }

    fn take_cost(mode: &mut Swarm, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Swarm) -> usize {
        mode.entries().0
    }

    /// The tracker sends to nobody of itself.
    fn degree(mode: &Swarm) -> usize {
        match mode.entries() {
            (peers, 0) => peers,
            _ => 0,
        }
    }

    fn references(mode: &Swarm) -> usize {
        mode.entries().1
    }
}

/// `most` of the `count` numbers from `first` on, at random.
fn draw(seed: u64, first: u32, count: u32, most: usize) -> BTreeSet<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ RIDERS);
    let mut order: Vec<u32> = (first..first + count).collect();
    for place in 0..most.min(order.len()) {
        let other = random.random_range(place..order.len());
        order.swap(place, other);
    }
    order.into_iter().take(most).collect()
}

/// Sets the choice of free riders apart from other uses of the seed.
const RIDERS: u64 = 0x7269_6465;
