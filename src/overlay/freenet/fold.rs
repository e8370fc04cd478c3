//! Path folding: the source of an answer may become a neighbour (docs/protocol.md §5).
//!
//! Only what `search` offers is considered, and it offers nothing near the origin. Seldom, and only where the link makes the
//! lengths better spread or takes the place of one that is of no use; never among trusted links. A source may be
//! anyone's choice, so it is greeted like any other stranger.

use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::admission;
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::greeting::Greetings;
use crate::overlay::freenet::message::Errand;
use crate::overlay::freenet::topology::Topology;
use crate::time::Instant;

/// The pace of folding.
#[derive(Debug, Default)]
pub(super) struct Folding {
    next: Instant,
}

impl Folding {
    /// An answer named `source`.
    pub(super) fn handle_source(
        &mut self,
        core: &mut Core,
        topology: &mut Topology,
        greetings: &mut Greetings,
        now: Instant,
        source: &NodeRef,
    ) {
        let is_closed = core.config.profile == Profile::Trusted || !core.me.placed || now < self.next;
        let is_linked = source.id == core.me.id || core.neighbours.get(&source.id).is_some();
        if is_closed || is_linked || !admission::is_worth_folding(core, now, source.location) {
            return;
        }
        if topology.dial(core, greetings, now, source, Errand::Fold) {
            self.next = now + if core.config.is_lenient() { limits::FOLD_PAUSE_LOCAL } else { limits::FOLD_PAUSE };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Location;
    use crate::overlay::freenet::fixture::{NOON, node, reference};
    use crate::overlay::mode::Output;

    /// Offers sources at these distances, one a second, and gives the numbers of those dialled.
    fn folded(core: &mut Core, distances: &[u64]) -> Vec<usize> {
        let (mut folding, mut topology, mut greetings) = Default::default();
        let mut dialled = Vec::new();
        for (index, distance) in distances.iter().enumerate() {
            let source = reference(core, 100 + index as u8, *distance);
            let now = NOON + std::time::Duration::from_secs(index as u64);
            Folding::handle_source(&mut folding, core, &mut topology, &mut greetings, now, &source);
            while let Some(output) = core.pop() {
                assert!(matches!(output, Output::Dial { peer, .. } if peer == source.id));
                dialled.push(index);
            }
        }
        dialled
    }

    const CROWDED: [u64; 3] = [1 << 40, (1 << 40) + 1, (1 << 40) + 2];

    #[test]
    fn a_source_is_dialled_where_links_of_its_length_are_few_and_only_there() {
        assert_eq!(folded(&mut node(Profile::Open, &CROWDED), &[1 << 60]), [0]);
        assert_eq!(folded(&mut node(Profile::Open, &CROWDED), &[(1 << 40) + 9]), [0; 0]);
    }

    #[test]
    fn offers_are_followed_at_a_slow_pace() {
        let offers: Vec<u64> = (0..40).map(|octave| 1 << (octave + 20)).filter(|at| *at != 1 << 40).collect();
        let dialled = folded(&mut node(Profile::Open, &CROWDED), &offers);
        assert_eq!(dialled, [0, limits::FOLD_PAUSE.as_secs() as usize]);
    }

    #[test]
    fn trusted_nodes_never_fold_and_forged_references_are_not_dialled() {
        assert_eq!(folded(&mut node(Profile::Trusted, &CROWDED), &[1 << 60]), [0; 0]);
        let mut core = node(Profile::Open, &CROWDED);
        let (mut folding, mut topology, mut greetings): (Folding, _, _) = Default::default();
        let mut forged = (*reference(&core, 100, 1 << 60)).clone();
        forged.location = Location(forged.location.0 + 1);
        folding.handle_source(&mut core, &mut topology, &mut greetings, NOON, &forged.into());
        assert!(core.pop().is_none());
    }
}
