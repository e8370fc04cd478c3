//! `flooding` for the driver: configuration, ids, who shares, and the graph that the first nodes link to.

use std::sync::Arc;

use super::kind::{Kind, ROOM, Witnessed};
use crate::message::contact::Contact;
use crate::overlay::flooding::{Config, Flooding, Replication, Strategy};
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::sim::depot::Room;
use crate::sim::engine::address_of;
use crate::sim::latency::mix;
use crate::sim::scenario::{CopyKind, Deletion, FloodingTable, Scenario, SearchStrategy, Topology};
use crate::sim::{content, topology};

/// What the nodes of a network share.
#[derive(Debug)]
pub struct Web {
    scenario: Scenario,
    table: FloodingTable,
    topology: Topology,
    config: Arc<Config>,
}

impl Web {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.scenario.seed, number), address_of(number))
    }
}

impl Kind for Web {
    type Mode = Flooding;

    fn new(scenario: &Scenario) -> Self {
        let table = scenario.flooding.expect("a checked scenario of flooding has its table");
        let topology = scenario.topology.expect("a checked scenario of flooding has a topology");
        let config = Config {
            ttl: table.ttl,
            walkers: table.walkers,
            strategy: match table.strategy {
                SearchStrategy::Flood => Strategy::Flood,
                SearchStrategy::Walk => Strategy::Walk,
                SearchStrategy::Deepen => Strategy::Deepen,
            },
            ping_ttl: table.ping_ttl,
            degree: topology.degree as usize,
            replication: match table.replication {
                CopyKind::None => Replication::None,
                CopyKind::Owner => Replication::Owner,
                CopyKind::Path => Replication::Path,
                CopyKind::Random => Replication::Random,
            },
        };
        Self { scenario: scenario.clone(), table, topology, config: Arc::new(config) }
    }

    fn settled(&self, count: u32) -> Vec<Flooding> {
        let seed = self.scenario.seed;
        let contacts: Vec<Contact> = (0..count).map(|number| self.contact(number)).collect();
        let near = topology::neighbours(&self.linked(count), count);
        let machine = |number: u32| {
            let near = near[number as usize].iter().map(|other| contacts[*other as usize].id());
            let known = |step: u64| mix(mix(seed ^ KNOWN ^ step) ^ u64::from(number)) % u64::from(count);
            let entries = (0..ENTRIES).map(|step| contacts[known(step) as usize].clone());
            Flooding::settled(
                Arc::clone(&self.config),
                contacts[number as usize].clone(),
                (near.collect(), entries.collect()),
                !self.scenario.is_free_rider(number),
                content::machine_seed(seed, number, 0),
            )
        };
        (0..count).map(machine).collect()
    }

    fn linked(&self, count: u32) -> Vec<(u32, u32)> {
        let topology = Topology { degree: self.topology.degree.min(count - 1), ..self.topology };
        topology::edges(topology, count, self.scenario.seed)
    }

    fn newcomer(&self, number: u32, entries: &[u32], start: u32) -> Flooding {
        let entries = entries.iter().map(|entry| self.contact(*entry)).collect();
        let shares = !self.scenario.is_free_rider(number);
        let seed = content::machine_seed(self.scenario.seed, number, start);
        Flooding::newcomer(Arc::clone(&self.config), self.contact(number), entries, shares, seed)
    }

    /// Nodes of Gnutella just go.
    fn leave(_mode: &mut Flooding) {}

    fn take_cost(mode: &mut Flooding, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Flooding) -> usize {
        mode.degree() + mode.remembered()
    }

    fn degree(mode: &Flooding) -> usize {
        mode.degree()
    }

    fn references(_mode: &Flooding) -> usize {
        0
    }

    fn room(&self) -> Room {
        let passing = if self.table.store_blocks == 0 { ROOM } else { self.table.store_blocks };
        Room::Two { passing, kept: ROOM }
    }

    fn deletes_at_random(&self) -> bool {
        self.table.deletion == Deletion::Random
    }

    fn witnessed(mode: &Flooding) -> Option<Witnessed> {
        let tally = mode.tally();
        Some(Witnessed { reached: tally.reached, named: tally.named, duplicates: tally.duplicates })
    }
}

/// Nodes that a node has heard of in case it loses neighbours. Chosen: as many as two new neighbours name.
const ENTRIES: u64 = 8;
/// Sets the draw of those apart.
const KNOWN: u64 = 0x6b6e_6f77;
