//! `central` for the driver: the index server is node 0, and knows its clients.

use super::kind::Kind;
use crate::message::contact::Contact;
use crate::overlay::central::Central;
use crate::overlay::mode::Ticket;
use crate::overlay::mode::calls::Cost;
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::sim::scenario::Scenario;

/// What the nodes around one server share.
#[derive(Debug)]
pub struct Hub {
    seed: u64,
}

impl Hub {
    fn contact(&self, number: u32) -> Contact {
        Contact::new(content::node_id(self.seed, number), address_of(number))
    }
}

impl Kind for Hub {
    type Mode = Central;

    fn new(scenario: &Scenario) -> Self {
        Self { seed: scenario.seed }
    }

    fn servers(&self) -> u32 {
        1
    }

    fn settled(&self, count: u32) -> Vec<Central> {
        let index = self.contact(0);
        let clients: Vec<Contact> = (1..count).map(|number| self.contact(number)).collect();
        let server = Central::server(index.clone(), clients.iter().cloned()).with_links(usize::MAX);
        let machines = clients.into_iter().map(|client| Central::client(client, index.clone(), true));
        std::iter::once(server).chain(machines).collect()
    }

    fn newcomer(&self, number: u32, _entries: &[u32], _start: u32) -> Central {
        Central::client(self.contact(number), self.contact(0), false)
    }

    /// Clients of Napster just go.
    fn leave(_mode: &mut Central) {}

    fn take_cost(mode: &mut Central, ticket: Ticket) -> Option<Cost> {
        mode.take_cost(ticket)
    }

    fn entries(mode: &Central) -> usize {
        mode.entries().0
    }

    fn degree(mode: &Central) -> usize {
        mode.entries().0
    }

    fn references(mode: &Central) -> usize {
        mode.entries().1
    }
}
