//! Who uses how much of what a neighbour takes from this node (docs/protocol.md §9).
//!
//! A neighbour bounds what it takes from one link, and does not know who stands behind it. So this node divides: a share
//! is left for its own, and of the rest no asker has more than twice what is still free, so that a flood through this
//! node meets its end here and leaves room for whoever comes next. What passes through gives way when the neighbour
//! refuses for load, since its own neighbours may take less than it does. Counts, and refuses nothing itself.

use crate::id::NodeId;
use crate::limits;
use crate::overlay::freenet::sparse::Sparse;

/// Exchanges open at neighbours, by neighbour and asker; this node itself is no asker.
#[derive(Debug)]
pub(super) struct Quotas {
    /// What a neighbour takes from one link.
    most: usize,
    open: Sparse<(NodeId, Option<NodeId>), usize>,
    /// How much may pass through to a neighbour that has refused for load, in thousandths.
    windows: Sparse<NodeId, usize>,
}

impl Quotas {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, open: Sparse::new(), windows: Sparse::new() }
    }

    /// Whether `asker` may have one more exchange open at `to`.
    pub(super) fn has_room(&self, to: NodeId, asker: Option<NodeId>) -> bool {
        let own = self.of(to, None);
        let others: usize =
            self.open.range((to, None)..=(to, Some(NodeId([u8::MAX; 32])))).map(|(_, open)| open).sum::<usize>() - own;
        match asker {
            None => own + others < self.most,
            Some(_) => {
                let kept_free = self.most.saturating_sub(own.max(self.most / limits::OWN_SHARE));
                let window = self.windows.get(&to).map_or(kept_free, |milli| kept_free.min(milli / 1_000));
                self.of(to, asker) < 2 * window.saturating_sub(others)
            }
        }
    }

    /// An exchange was opened.
    pub(super) fn open(&mut self, to: NodeId, asker: Option<NodeId>) {
        *self.open.entry((to, asker)).or_default() += 1;
    }

    /// An exchange is over.
    pub(super) fn close(&mut self, to: NodeId, asker: Option<NodeId>) {
        if let Some(open) = self.open.get_mut(&(to, asker)) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&(to, asker));
            }
        }
    }

    /// A neighbour has refused for load: half as much passes through to it.
    pub(super) fn on_overload(&mut self, to: NodeId) {
        let full = 1_000 * (self.most - self.most / limits::OWN_SHARE);
        let window = self.windows.entry(to).or_insert(full);
        *window = (*window / 2).max(1_000);
    }

    /// A neighbour has answered: one more passes through per window's worth, until it is wide open again.
    pub(super) fn on_answered(&mut self, to: NodeId) {
        let Some(window) = self.windows.get_mut(&to) else { return };
        *window += 1_000_000 / *window;
        if *window >= 1_000 * self.most {
            self.windows.remove(&to);
        }
    }

    /// The link to a neighbour is gone.
    pub(super) fn forget(&mut self, to: NodeId) {
        self.windows.remove(&to);
    }

    fn of(&self, to: NodeId, asker: Option<NodeId>) -> usize {
        self.open.get(&(to, asker)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: NodeId = NodeId([1; 32]);
    const MOST: usize = 256;

    fn fill(quotas: &mut Quotas, asker: Option<NodeId>) -> usize {
        (0..).take_while(|_| quotas.has_room(TO, asker).then(|| quotas.open(TO, asker)).is_some()).count()
    }

    #[test]
    fn a_flood_leaves_room_for_other_links_and_a_share_for_this_node() {
        let mut quotas = Quotas::new(MOST);
        let links: Vec<usize> = (2..6).map(|link| fill(&mut quotas, Some(NodeId([link; 32])))).collect();
        assert!(links.is_sorted_by(|more, less| more > less) && links.iter().all(|open| *open > 0), "{links:?}");
        let own = fill(&mut quotas, None);
        assert!(own >= MOST / limits::OWN_SHARE, "{own}");
        assert_eq!(links.iter().sum::<usize>() + own, MOST);
    }

    #[test]
    fn this_node_alone_may_use_all_and_what_is_closed_is_free_again() {
        let mut quotas = Quotas::new(MOST);
        assert_eq!(fill(&mut quotas, None), MOST);
        assert_eq!(fill(&mut quotas, Some(TO)), 0);
        (0..MOST).for_each(|_| quotas.close(TO, None));
        assert!(quotas.open.is_empty());
        assert_eq!(fill(&mut quotas, Some(TO)), 128);
    }

    #[test]
    fn what_passes_through_gives_way_to_load_and_comes_back_with_answers() {
        let mut quotas = Quotas::new(MOST);
        (0..3).for_each(|_| quotas.on_overload(TO));
        assert_eq!(fill(&mut quotas, Some(TO)), 16, "two thirds of 24");
        assert_eq!(fill(&mut quotas, None), MOST - 16, "this node itself gives way by its own window");
        (0..40_000).for_each(|_| quotas.on_answered(TO));
        assert!(quotas.windows.is_empty());
        (0..20).for_each(|_| quotas.on_overload(TO));
        (0..16).for_each(|_| quotas.close(TO, Some(TO)));
        (0..MOST).for_each(|_| quotas.close(TO, None));
        assert_eq!(fill(&mut quotas, Some(TO)), 1, "never nothing at all");
    }
}
