//! `[topology]` and who may have it: its defaults, and what makes no graph.

use crate::sim::scenario::shared::{ModeName, Topology, TopologyKind};
use crate::sim::scenario::supernode::SupernodeTable;

impl ModeName {
    /// Whether its nodes keep standing links, so that a scenario chooses the graph that they start from.
    pub const fn is_linked(self) -> bool {
        matches!(self, Self::Flooding | Self::Supernode)
    }

    /// Whether it has nodes that only take.
    pub const fn may_ride_free(self) -> bool {
        matches!(self, Self::Flooding | Self::Supernode | Self::Swarm)
    }
}

impl Topology {
    /// The graph that `nodes` of an overlay start from; `None` where the overlay makes its own.
    pub fn default_of(mode: ModeName, nodes: u32) -> Option<Self> {
        match mode {
            ModeName::Classic => Some(Self { kind: TopologyKind::RingLattice, degree: 4 }),
            // Among supernodes, of which a small network has few.
            ModeName::Supernode => {
                let others = SupernodeTable::default_of(nodes).supernodes(nodes).saturating_sub(1);
                Some(Self { kind: TopologyKind::Random, degree: 10.min(others).max(1) })
            }
            _ if mode.is_linked() => {
                Some(Self { kind: TopologyKind::Random, degree: 10.min(nodes.saturating_sub(1)).max(1) })
            }
            _ => None,
        }
    }

    /// What makes no graph of so many nodes.
    pub(super) fn sentence(&self, nodes: u32) -> Option<String> {
        let degree = self.degree;
        if degree == 0 {
            return Some("topology.degree must be at least 1".into());
        }
        if degree >= nodes {
            return Some(format!("topology.degree is {degree}, but a node has only {} others", nodes - 1));
        }
        if self.kind == TopologyKind::RingLattice && degree % 2 == 1 {
            return Some(format!("topology.degree of a ring-lattice is even, not {degree}"));
        }
        (self.kind == TopologyKind::SmallWorld && degree < 2)
            .then(|| "topology.degree of a small-world is at least 2: the ring".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario::flooding::SearchStrategy;
    use crate::sim::scenario::shared::Impossible;
    use crate::sim::scenario::whole::Scenario;

    fn refused(mode: ModeName, bend: impl Fn(&mut Scenario)) -> String {
        let mut scenario = Scenario::defaults(mode, 40);
        assert_eq!(scenario.check(u64::MAX), Ok(()), "the defaults are possible");
        bend(&mut scenario);
        let Err(Impossible(sentence)) = scenario.check(u64::MAX) else { return "possible".into() };
        sentence
    }

    #[test]
    fn what_makes_no_network_is_refused_in_one_sentence() {
        let topology =
            |kind, degree| move |scenario: &mut Scenario| scenario.topology = Some(Topology { kind, degree });
        for (mode, bend, part) in [
            (ModeName::Flooding, topology(TopologyKind::Random, 40), "a node has only 39 others"),
            (ModeName::Flooding, topology(TopologyKind::Random, 0), "at least 1"),
            (ModeName::Flooding, topology(TopologyKind::RingLattice, 3), "even"),
            (ModeName::Flooding, topology(TopologyKind::SmallWorld, 1), "at least 2"),
            (ModeName::Supernode, topology(TopologyKind::Random, 8), "there are only 8 supernodes"),
            (ModeName::Chord, topology(TopologyKind::Random, 4), "[topology] does not apply to chord"),
        ] {
            let sentence = refused(mode, bend);
            assert!(sentence.contains(part), "{sentence}");
        }
        assert_eq!(refused(ModeName::Flooding, |scenario| scenario.topology = None), "the table [topology] is missing");
    }

    #[test]
    fn what_no_query_can_do_is_refused_by_name() {
        let flooding = |ttl, strategy| {
            refused(ModeName::Flooding, move |scenario| {
                let table = scenario.flooding.as_mut().expect("its table");
                (table.ttl, table.strategy) = (ttl, strategy);
            })
        };
        assert!(flooding(0, SearchStrategy::Flood).contains("flooding.ttl is between 1 and 64, not 0"));
        assert!(flooding(65, SearchStrategy::Deepen).contains("between 1 and 64"));
        assert_eq!(flooding(65, SearchStrategy::Walk), "possible");
        assert!(flooding(1_025, SearchStrategy::Walk).contains("between 1 and 1024"));
        let riders = |mode| refused(mode, |scenario| scenario.faults.free_riders = 0.5);
        assert_eq!((riders(ModeName::Flooding), riders(ModeName::Supernode)), ("possible".into(), "possible".into()));
        assert!(riders(ModeName::Kademlia).contains("free_riders applies to"));
        let results = refused(ModeName::Supernode, |scenario| {
            scenario.supernode.as_mut().expect("its table").want_results = 0;
        });
        assert!(results.contains("supernode.want_results is between 1"), "{results}");
    }
}
