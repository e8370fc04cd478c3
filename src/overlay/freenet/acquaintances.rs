//! Nodes that passed by and are not linked: who may become a neighbour later.
//!
//! Bounded: beyond [`limits::ACQUAINTANCES`] the oldest leaves. What they say of themselves is verified when they are
//! dialled, not here.

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::core::Core;
use crate::time::Instant;

/// Who passed by, and when last. In the order of ids.
#[derive(Debug, Default)]
pub(super) struct Acquaintances(Vec<Acquaintance>);

#[derive(Debug)]
struct Acquaintance {
    /// The beginning of the id and the place: most looks need no more, and references lie elsewhere.
    head: u64,
    place: Location,
    since: Instant,
    reference: NodeRef,
}

impl Acquaintances {
    /// A node passed by.
    pub(super) fn remember(&mut self, core: &Core, now: Instant, reference: NodeRef) {
        if reference.id == core.me.id || core.neighbours.get(&reference.id).is_some() {
            return;
        }
        if self.0.len() >= limits::ACQUAINTANCES && self.find(&reference.id).is_err() {
            let oldest = (0..self.0.len()).min_by_key(|at| self.0[*at].since);
            oldest.map(|at| self.0.remove(at));
        }
        let (head, place, since) = (reference.id.head(), reference.location, now);
        let known = Acquaintance { head, place, since, reference };
        match self.find(&known.reference.id) {
            Ok(at) => self.0[at] = known,
            Err(at) => {
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(GROWTH);
                }
                self.0.insert(at, known);
            }
        }
    }

    /// The node is a neighbour now, or not to be had.
    pub(super) fn remove(&mut self, id: &NodeId) {
        if let Ok(at) = self.find(id) {
            self.0.remove(at);
        }
    }

    /// Those that lie where `wanted` says, in the order of their ids.
    pub(super) fn at(&self, wanted: impl Fn(Location) -> bool) -> impl Iterator<Item = &NodeRef> {
        self.0.iter().filter(move |known| wanted(known.place)).map(|known| &known.reference)
    }

    fn find(&self, id: &NodeId) -> Result<usize, usize> {
        let head = id.head();
        self.0.binary_search_by(|known| known.head.cmp(&head).then_with(|| known.reference.id.cmp(id)))
    }
}

/// Entries that the list grows by.
const GROWTH: usize = 8;
