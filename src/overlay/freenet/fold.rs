//! Path folding: the source of an answer may become a neighbour (docs/protocol.md §5).
//!
//! Only what `search` offers is considered, and it offers nothing near the origin. Seldom, and only where the link makes the
//! lengths better spread or takes the place of one that is of no use; never among trusted links. A source may be
//! anyone's choice, so it is greeted like any other stranger.

use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::greeting::Greetings;
use crate::overlay::freenet::message::Errand;
use crate::overlay::freenet::topology::{self, Topology};
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
        if is_closed || is_linked || !topology::is_worth_folding(core, now, source.location) {
            return;
        }
        if topology.dial(core, greetings, now, source, Errand::Fold) {
            self.next = now + if core.config.is_lenient() { limits::FOLD_PAUSE_LOCAL } else { limits::FOLD_PAUSE };
        }
    }
}
