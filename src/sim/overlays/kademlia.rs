//! `kademlia` for the driver: configuration, ids, and buckets as they are once everybody has met everybody.

use std::sync::Arc;

use super::kind::Kind;
use crate::id::NodeId;
use crate::message::contact::Contact;
use crate::overlay::kademlia::{Config, Kademlia};
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::sim::latency::mix;
use crate::sim::scenario::Scenario;
use crate::time::Duration;

/// What the nodes of a network share.
#[derive(Debug)]
pub struct Trie {
    seed: u64,
    config: Arc<Config>,
}

impl Trie {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.seed, number), address_of(number))
    }

    /// Up to k contacts for each bucket of a node, evenly over those in its range.
    fn known(&self, sorted: &[Contact], me: &NodeId) -> Vec<Contact> {
        let mut known = Vec::new();
        let (mut low, mut high) = (0, sorted.len());
        for bit in 0..256 {
            if high - low < 2 {
                break;
            }
            let middle = low + sorted[low..high].partition_point(|contact| !has_bit(&contact.id(), bit));
            let range = if has_bit(me, bit) { low..middle } else { middle..high };
            (low, high) = if has_bit(me, bit) { (middle, high) } else { (low, middle) };
            let (count, most) = (range.len(), range.len().min(self.config.k));
            let first = mix(self.seed ^ mix(u64::from_be_bytes(std::array::from_fn(|at| me.0[at + 20])) ^ bit as u64));
            let pick = |step: usize| range.start + (first as usize % count.max(1) + step * count / most.max(1)) % count;
            known.extend((0..most).map(|step| sorted[pick(step)].clone()));
        }
        known
    }
}

fn has_bit(id: &NodeId, bit: usize) -> bool {
    id.0[bit / 8] & (0x80 >> (bit % 8)) != 0
}

impl Kind for Trie {
    type Mode = Kademlia;

    fn new(scenario: &Scenario) -> Self {
        let table = scenario.kademlia.expect("a checked scenario of kademlia has its table");
        let config = Config {
            k: table.k,
            alpha: table.alpha,
            copies: scenario.workload.copies as usize,
            refresh: Duration::from_micros((table.refresh_seconds * 1e6) as u64),
            publish: table.publish.into(),
        };
        Self { seed: scenario.seed, config: Arc::new(config) }
    }

    fn settled(&self, count: u32) -> Vec<Kademlia> {
        let all: Vec<Contact> = (0..count).map(|number| self.contact(number)).collect();
        let mut sorted = all.clone();
        sorted.sort_by_key(Contact::id);
        let machine = |(number, me): (usize, Contact)| {
            let known = self.known(&sorted, &me.id());
            let seed = content::machine_seed(self.seed, number as u32, 0);
            Kademlia::settled(Arc::clone(&self.config), me, known.into_iter(), seed)
        };
        all.into_iter().enumerate().map(machine).collect()
    }

    fn newcomer(&self, number: u32, entries: &[u32], start: u32) -> Kademlia {
        let entries = entries.iter().map(|entry| self.contact(*entry)).collect();
        let seed = content::machine_seed(self.seed, number, start);
        Kademlia::newcomer(Arc::clone(&self.config), self.contact(number), entries, seed)
    }

    /// Nodes of Kademlia just go.
    fn leave(_mode: &mut Kademlia) {}

    fn take_cost(mode: &mut Kademlia, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Kademlia) -> usize {
        mode.entries()
    }

    fn degree(mode: &Kademlia) -> usize {
        mode.entries()
    }

    fn references(mode: &Kademlia) -> usize {
        mode.references()
    }
}
