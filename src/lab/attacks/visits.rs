//! Fetches with their witnesses: who asked for a block, who passed it on, and who had nothing to do with it.
//!
//! Three kinds of node about which one may want to know whether it asked. Who held the block before is none of them.

use crate::lab::attacks::field::{Field, Order};
use crate::sim::tap::SightKind;

/// A fetch that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// The block.
    pub block: u32,
    /// Nodes to judge, each with what it did.
    pub nodes: [Option<u32>; 3],
}

/// What a node of [`Visit::nodes`] did: the order of that list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// It asked for itself.
    Request,
    /// It passed the request on.
    Relay,
    /// Nothing.
    Nothing,
}

impl Did {
    /// In the order of [`Visit::nodes`].
    pub const ALL: [Self; 3] = [Self::Request, Self::Relay, Self::Nothing];
}

/// Lets a random node fetch a block that it has not.
pub fn visit(field: &mut Field) -> Option<Visit> {
    let node = field.anybody();
    let block = field.wanted(node)?;
    let held: Vec<bool> = (0..field.nodes).map(|other| field.depot().holds(other, block)).collect();
    let seen = field.carry_out(&[Order { node, block, insert: false }]);
    let key = field.key(block);
    let asked = |kind: SightKind, named| kind == SightKind::Request && named == Some(key);
    let mut touched: Vec<u32> =
        seen.iter().filter(|seen| asked(seen.sight.kind, seen.sight.key)).map(|seen| seen.to).collect();
    touched.push(node);
    let relay = touched.iter().copied().find(|other| *other != node && !held[*other as usize]);
    let stranger = field.anybody();
    let nothing = (!held[stranger as usize] && !touched.contains(&stranger)).then_some(stranger);
    Some(Visit { block, nodes: [Some(node), relay, nothing] })
}
