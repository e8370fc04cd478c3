//! `chord` for the driver: configuration, ids, and a ring that has found itself.

use std::sync::Arc;

use super::kind::{CONTACT_BYTES, Kind};
use crate::key::Location;
use crate::message::contact::Contact;
use crate::overlay::chord::{Chord, Config, LookupKind, Peer, Position};
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::sim::scenario::{ChordLookup, Scenario};
use crate::time::Duration;

/// What the nodes of a ring share.
#[derive(Debug)]
pub struct Ring {
    seed: u64,
    config: Arc<Config>,
}

impl Ring {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.seed, number), address_of(number))
    }
}

impl Kind for Ring {
    type Mode = Chord;

    /// A contact, which of its places, and where that is.
    const ENTRY_BYTES: usize = CONTACT_BYTES + 9;

    fn new(scenario: &Scenario) -> Self {
        let table = scenario.chord.expect("a checked scenario of chord has its table");
        let seconds = |at: usize| Duration::from_micros((table.stabilise_seconds[at] * 1e6) as u64);
        let config = Config {
            successors: table.successors,
            virtual_nodes: table.virtual_nodes,
            copies: scenario.workload.copies as u8,
            stabilise: (seconds(0), seconds(1)),
            all_fingers: table.fingers_per_round == crate::sim::scenario::FingersPerRound::All,
            lookup: match table.lookup {
                ChordLookup::Linear => LookupKind::Linear,
                ChordLookup::Iterative => LookupKind::Iterative,
                ChordLookup::Recursive => LookupKind::Recursive,
            },
            publish: table.publish.into(),
            goes_round: table.goes_round,
        };
        Self { seed: scenario.seed, config: Arc::new(config) }
    }

    fn settled(&self, count: u32) -> Vec<Chord> {
        let places = u32::from(self.config.virtual_nodes);
        let mut ring: Vec<Peer> = (0..count)
            .flat_map(|number| {
                let contact = self.contact(number);
                (0..self.config.virtual_nodes).map(move |member| Peer::new(contact.clone(), member))
            })
            .collect();
        // Where member after member of node after node stands on the ring.
        let own: Vec<Peer> = ring.clone();
        ring.sort_by_key(Peer::place);
        let at_or_after = |place: Location| ring.partition_point(|peer| peer.place() < place) % ring.len();
        (0..count)
            .map(|number| {
                let members = (number * places) as usize..((number + 1) * places) as usize;
                let position = |me: &Peer| {
                    let at = at_or_after(me.place());
                    let after = |step: usize| ring[(at + step) % ring.len()].clone();
                    let most = self.config.successors.min(ring.len() - 1);
                    Position {
                        me: me.clone(),
                        predecessor: after(ring.len() - 1),
                        successors: (1..=most).map(after).collect(),
                        fingers: fingers(&ring, me, at_or_after),
                    }
                };
                let seed = content::machine_seed(self.seed, number, 0);
                if ring.len() == 1 {
                    return Chord::founder(Arc::clone(&self.config), &self.contact(number), seed);
                }
                let positions = own[members].iter().map(position).collect();
                Chord::settled(Arc::clone(&self.config), positions, seed)
            })
            .collect()
    }

    fn newcomer(&self, number: u32, entries: &[u32], start: u32) -> Chord {
        let entries = entries.iter().map(|entry| self.contact(*entry)).collect();
        let seed = content::machine_seed(self.seed, number, start);
        Chord::newcomer(Arc::clone(&self.config), &self.contact(number), entries, seed)
    }

    fn leave(mode: &mut Chord) {
        mode.leave();
    }

    fn take_cost(mode: &mut Chord, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Chord) -> usize {
        mode.entries()
    }

    fn degree(mode: &Chord) -> usize {
        mode.entries()
    }

    fn references(mode: &Chord) -> usize {
        mode.references()
    }
}

/// Who follows 2^i after a member, for every i.
fn fingers(ring: &[Peer], me: &Peer, at_or_after: impl Fn(Location) -> usize) -> Vec<Peer> {
    let mut all: Vec<Peer> = Vec::with_capacity(64);
    for exponent in 0..64 {
        let place = Location(me.place().0.wrapping_add(1 << exponent));
        // Near fingers name the same peer, found once.
        let same =
            all.last().filter(|last| me.place().clockwise_to(last.place()).wrapping_sub(1) >= (1 << exponent) - 1);
        let peer = same.cloned().unwrap_or_else(|| ring[at_or_after(place)].clone());
        all.push(peer);
    }
    all
}
