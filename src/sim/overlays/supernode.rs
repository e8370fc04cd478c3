//! `supernode` for the driver: configuration, ranks, capacities, parents, who shares, and the graph among supernodes.

use std::sync::Arc;

use super::kind::{Kind, Witnessed};
use crate::message::contact::Contact;
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::overlay::supernode::{Config, Rank, Supernode};
use crate::sim::engine::address_of;
use crate::sim::latency::mix;
use crate::sim::scenario::{Scenario, SupernodeTable, Topology};
use crate::sim::{content, topology};
use crate::time::Duration;

/// What the nodes of a network share.
#[derive(Debug)]
pub struct Tiers {
    scenario: Scenario,
    table: SupernodeTable,
    topology: Topology,
    config: Arc<Config>,
}

impl Tiers {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.scenario.seed, number), address_of(number))
    }

    fn rank(&self, number: u32) -> Rank {
        let founders = self.scenario.growth.map_or(self.scenario.nodes, |growth| growth.start);
        if self.table.is_supernode(number) && number < founders {
            Rank::Supernode
        } else {
            Rank::Leaf(self.capacity(number))
        }
    }

    /// The class of what a node can carry: Gia's (Chawathe et al. 2003).
    fn capacity(&self, number: u32) -> u8 {
        let lot = mix(self.scenario.seed ^ mix(CAPACITIES ^ u64::from(number))) % 1_000;
        GIA.iter().filter(|below| lot >= **below).count() as u8
    }

    /// Up to `most` different supernodes for a node, drawn by lot after the one of its own group.
    fn drawn(&self, number: u32, supernodes: u32, most: u32) -> Vec<u32> {
        let group = number / (self.table.leaves_per_supernode + 1);
        let mut drawn = vec![group];
        let mut step = 0;
        while drawn.len() < most.min(supernodes) as usize {
            step += 1;
            let other =
                (mix(mix(self.scenario.seed ^ PARENTS ^ step) ^ u64::from(number)) % u64::from(supernodes)) as u32;
            if !drawn.contains(&other) {
                drawn.push(other);
            }
        }
        drawn
    }
}

impl Kind for Tiers {
    type Mode = Supernode;

    fn new(scenario: &Scenario) -> Self {
        let table = scenario.supernode.expect("a checked scenario of supernode has its table");
        let topology = scenario.topology.expect("a checked scenario of supernode has a topology");
        let supernodes = table.supernodes(scenario.nodes) as usize;
        let config = Config {
            leaves: table.leaves_per_supernode as usize,
            parents: (table.parents as usize).min(supernodes),
            // One that comes where there is no other yet still wants one.
            degree: (topology.degree as usize).min(supernodes - 1).max(1),
            want_results: table.want_results,
            max_ttl: table.max_ttl,
        };
        Self { scenario: scenario.clone(), table, topology, config: Arc::new(config) }
    }

    fn settled(&self, count: u32) -> Vec<Supernode> {
        let seed = self.scenario.seed;
        let supernodes = self.table.supernodes(count);
        let group = self.table.leaves_per_supernode + 1;
        let heads: Vec<Contact> = (0..supernodes).map(|head| self.contact(head * group)).collect();
        let topology = Topology { degree: self.topology.degree.min(supernodes - 1), ..self.topology };
        let near = topology::neighbours(&topology::edges(topology, supernodes, seed), supernodes);
        let named = |numbers: &[u32]| numbers.iter().map(|head| heads[*head as usize].clone()).collect::<Vec<_>>();
        let machine = |number: u32| {
            let (me, rank, links) = match self.rank(number) {
                Rank::Supernode => {
                    let head = number / group;
                    let near = &near[head as usize];
                    // Either end could call: the one with the greater number does.
                    let first: Vec<u32> = near.iter().copied().filter(|other| *other < head).collect();
                    (heads[head as usize].clone(), Rank::Supernode, (near.len(), named(&first)))
                }
                Rank::Leaf(_) => {
                    let parents = named(&self.drawn(number, supernodes, self.table.parents));
                    (self.contact(number), self.rank(number), (parents.len(), parents))
                }
            };
            let mut entries = named(&self.drawn(number, supernodes, ENTRIES + self.table.parents));
            entries.retain(|entry| *entry != me);
            let known = (entries, !self.scenario.is_free_rider(number));
            Supernode::settled(Arc::clone(&self.config), me, rank, links, known, content::machine_seed(seed, number, 0))
        };
        (0..count).map(machine).collect()
    }

    fn newcomer(&self, number: u32, entries: &[u32], start: u32) -> Supernode {
        let entries = entries.iter().map(|entry| self.contact(*entry)).collect();
        let known = (entries, !self.scenario.is_free_rider(number));
        let seed = content::machine_seed(self.scenario.seed, number, start);
        Supernode::newcomer(Arc::clone(&self.config), self.contact(number), self.rank(number), known, seed)
    }

    /// Nodes just go.
    fn leave(_mode: &mut Supernode) {}

    fn take_cost(mode: &mut Supernode, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Supernode) -> usize {
        mode.degree() + mode.listed().0 + mode.remembered()
    }

    fn degree(mode: &Supernode) -> usize {
        mode.degree()
    }

    fn references(mode: &Supernode) -> usize {
        mode.listed().1
    }

    fn settling(&self) -> Duration {
        SETTLING
    }

    fn witnessed(mode: &Supernode) -> Option<Witnessed> {
        let tally = mode.tally();
        Some(Witnessed { reached: tally.reached, named: tally.named, duplicates: tally.duplicates })
    }
}

/// Supernodes that a node knows beside its parents in case it loses all of them.
const ENTRIES: u32 = 3;
/// Of a thousand nodes, how many are weaker than those of each class: 20 % carry 1, 45 % 10, 30 % 100, 4.9 % 1,000, 0.1 % 10,000.
const GIA: [u64; 4] = [200, 650, 950, 999];
/// Sets the draw of capacities apart.
const CAPACITIES: u64 = 0x6361_7061;
/// Sets the draw of parents apart.
const PARENTS: u64 = 0x7061_7265;
/// As long as a question may take.
const SETTLING: Duration = Duration::from_secs(5);
