//! Who asks a gateway how much, so that nobody takes all of it or has the store searched in vain without end.
//!
//! Leaves out what is asked for.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::limits;
use crate::time::{Duration, Instant};

/// The nodes that ask.
#[derive(Debug, Default)]
pub(super) struct Askers {
    nodes: BTreeMap<NodeId, Asker>,
    minute: Option<Instant>,
}

#[derive(Debug, Default)]
struct Asker {
    open: usize,
    misses: u32,
}

impl Askers {
    /// A node asks for one thing more; whether it may.
    pub(super) fn admit(&mut self, now: Instant, node: NodeId) -> bool {
        self.turn(now);
        if !self.nodes.contains_key(&node) && self.nodes.len() >= limits::GATEWAY_ASKERS {
            return false;
        }
        let asker = self.nodes.entry(node).or_default();
        let may = asker.open < limits::GATEWAY_FETCHES_PER_PEER;
        asker.open += usize::from(may);
        may
    }

    /// It has its answer; `is_miss` if the store was asked for it in vain.
    pub(super) fn release(&mut self, node: &NodeId, is_miss: bool) {
        if let Some(asker) = self.nodes.get_mut(node) {
            asker.open -= 1;
            asker.misses += u32::from(is_miss);
        }
    }

    /// Whether the store has been asked too often for nothing because of it.
    pub(super) fn is_vain(&mut self, now: Instant, node: &NodeId) -> bool {
        self.turn(now);
        self.nodes.get(node).is_some_and(|asker| asker.misses >= limits::GATEWAY_MISSES)
    }

    fn turn(&mut self, now: Instant) {
        if now.since(*self.minute.get_or_insert(now)) >= MINUTE {
            self.minute = Some(now);
            self.nodes.retain(|_, asker| asker.open > 0);
            self.nodes.values_mut().for_each(|asker| asker.misses = 0);
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_has_its_share_and_its_misses_are_forgiven_after_a_minute() {
        let (mut askers, one, now) = (Askers::default(), NodeId([1; 32]), Instant::EPOCH);
        assert!((0..limits::GATEWAY_FETCHES_PER_PEER).all(|_| askers.admit(now, one)));
        assert!(!askers.admit(now, one) && askers.admit(now, NodeId([2; 32])));
        askers.release(&one, false);
        assert!(askers.admit(now, one) && !askers.is_vain(now, &one));
        for _ in 0..limits::GATEWAY_MISSES {
            askers.release(&one, true);
            assert!(askers.admit(now, one));
        }
        assert!(askers.is_vain(now, &one) && !askers.is_vain(now + MINUTE, &one));
    }

    #[test]
    fn the_nodes_that_are_counted_are_bounded() {
        let (mut askers, now) = (Askers::default(), Instant::EPOCH);
        let node = |number: usize| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            NodeId(id)
        };
        assert!((0..limits::GATEWAY_ASKERS).all(|number| askers.admit(now, node(number))));
        assert!(!askers.admit(now, node(limits::GATEWAY_ASKERS)));
        askers.release(&node(0), false);
        assert!(askers.admit(now + MINUTE, node(limits::GATEWAY_ASKERS)), "who has its answer is forgotten");
    }
}
