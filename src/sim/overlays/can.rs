//! `can` for the driver: configuration, ids, and a torus into which everybody has joined, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kind::{CONTACT_BYTES, Kind};
use crate::key::Location;
use crate::message::contact::Contact;
use crate::overlay::can::{Can, Config, Position, Zone};
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::sim::scenario::Scenario;
use crate::time::Duration;

/// What the nodes of a torus share.
#[derive(Debug)]
pub struct Torus {
    seed: u64,
    config: Arc<Config>,
}

/// Who has which zone of one reality, and who is beside whom.
#[derive(Debug)]
struct Splits {
    zones: Vec<Zone>,
    /// By the first place of a zone.
    holders: BTreeMap<Location, u32>,
    beside: Vec<Vec<u32>>,
}

impl Torus {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.seed, number), address_of(number))
    }

    fn machine_seed(&self, number: u32, start: u32) -> [u8; 32] {
        content::machine_seed(self.seed, number, start)
    }
}

impl Splits {
    /// One node after the other halves the zone that holds its place, as joining does.
    fn of(places: impl Iterator<Item = Location>, dimensions: usize) -> Self {
        let mut splits = Self { zones: Vec::new(), holders: BTreeMap::new(), beside: Vec::new() };
        for place in places {
            if splits.zones.is_empty() {
                splits.enter(Zone::WHOLE, Vec::new());
            } else {
                splits.split(place, dimensions);
            }
        }
        splits
    }

    fn enter(&mut self, zone: Zone, beside: Vec<u32>) -> u32 {
        let number = self.zones.len() as u32;
        self.zones.push(zone);
        self.holders.insert(zone.start(), number);
        self.beside.push(beside);
        number
    }

    fn split(&mut self, place: Location, dimensions: usize) {
        let holder = *self.holders.range(..=place).next_back().expect("zones cover every place").1 as usize;
        let (kept, given) = self.zones[holder].split(place).expect("a million nodes need no zone that small");
        self.holders.remove(&self.zones[holder].start());
        self.holders.insert(kept.start(), holder as u32);
        self.zones[holder] = kept;
        let around = std::mem::take(&mut self.beside[holder]);
        let touch = |zone: &Zone, other: &u32| zone.touches(&self.zones[*other as usize], dimensions);
        let mut beside: Vec<u32> = around.iter().copied().filter(|other| touch(&given, other)).collect();
        let (still, not): (Vec<u32>, Vec<u32>) = around.into_iter().partition(|other| touch(&kept, other));
        self.beside[holder] = still;
        beside.push(holder as u32);
        for other in not {
            self.beside[other as usize].retain(|neighbour| *neighbour as usize != holder);
        }
        let others = beside.clone();
        let newcomer = self.enter(given, beside);
        for other in others {
            self.beside[other as usize].push(newcomer);
        }
    }

    fn position(&self, number: u32, contacts: &[Contact]) -> Position {
        let named = |other: &u32| (contacts[*other as usize].clone(), self.zones[*other as usize]);
        let neighbour = |other: &u32| (named(other), self.beside[*other as usize].iter().map(named).collect());
        let at = number as usize;
        Position { zone: self.zones[at], neighbours: self.beside[at].iter().map(neighbour).collect() }
    }
}

impl Kind for Torus {
    type Mode = Can;

    /// A contact, and where its zone begins and how often it was halved.
    const ENTRY_BYTES: usize = CONTACT_BYTES + 9;

    fn new(scenario: &Scenario) -> Self {
        let table = scenario.can.expect("a checked scenario of can has its table");
        let config = Config {
            dimensions: table.dimensions,
            realities: table.realities,
            copies: scenario.workload.copies as u8,
            update: Duration::from_micros((table.update_seconds * 1e6) as u64),
            publish: table.publish.into(),
        };
        Self { seed: scenario.seed, config: Arc::new(config) }
    }

    fn settled(&self, count: u32) -> Vec<Can> {
        let (realities, dimensions) = (self.config.realities, self.config.dimensions);
        let contacts: Vec<Contact> = (0..count).map(|number| self.contact(number)).collect();
        let place = |number, reality: usize| Can::places(&self.machine_seed(number, 0), realities)[reality];
        let tori: Vec<Splits> = (0..realities)
            .map(|reality| Splits::of((0..count).map(|number| place(number, reality)), dimensions))
            .collect();
        let machine = |number| {
            let positions = tori.iter().map(|splits| splits.position(number, &contacts)).collect();
            let me = contacts[number as usize].clone();
            Can::settled(Arc::clone(&self.config), me, positions, &self.machine_seed(number, 0))
        };
        (0..count).map(machine).collect()
    }

    fn newcomer(&self, number: u32, entries: &[u32], start: u32) -> Can {
        let entries = entries.iter().map(|entry| self.contact(*entry)).collect();
        Can::newcomer(Arc::clone(&self.config), self.contact(number), entries, &self.machine_seed(number, start))
    }

    fn leave(mode: &mut Can) {
        mode.leave();
    }

    fn take_cost(mode: &mut Can, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Can) -> usize {
        mode.entries()
    }

    fn degree(mode: &Can) -> usize {
        mode.degree()
    }

    fn references(mode: &Can) -> usize {
        mode.references()
    }
}
