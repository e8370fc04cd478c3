//! Who is who in a simulated network: every node has a number, and with it its id and its address.
//!
//! Ids that carry their number in their last bytes are found without a search.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use crate::id::NodeId;

/// The ids of all nodes, dead ones included, by number.
#[derive(Debug, Default)]
pub(super) struct Roster {
    ids: Vec<NodeId>,
    /// Those that do not carry their number.
    others: BTreeMap<NodeId, u32>,
}

impl Roster {
    /// Enters the next node; gives its number.
    pub(super) fn enter(&mut self, id: NodeId) -> u32 {
        let number = self.ids.len() as u32;
        if number_in(&id) != number {
            self.others.insert(id, number);
        }
        self.ids.push(id);
        number
    }

    /// The id of a node.
    pub(super) fn id(&self, number: u32) -> NodeId {
        self.ids[number as usize]
    }

    /// The number of a node.
    pub(super) fn number_of(&self, id: &NodeId) -> Option<u32> {
        let direct = number_in(id);
        let is_direct = self.ids.get(direct as usize).is_some_and(|own| own == id);
        if is_direct { Some(direct) } else { self.others.get(id).copied() }
    }
}

/// Where the node of that number listens: every node in an address group of its own, as far as there are groups.
pub fn address_of(number: u32) -> SocketAddr {
    let [a, b, c, d] = number.to_be_bytes();
    // The low bytes vary first and must decide the group.
    SocketAddr::from((Ipv4Addr::new(c.wrapping_add(1), d, b, a.wrapping_add(1)), 4_000))
}

fn number_in(id: &NodeId) -> u32 {
    u32::from_be_bytes([id.0[28], id.0[29], id.0[30], id.0[31]])
}
