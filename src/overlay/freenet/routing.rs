//! Which neighbour to ask next: steepest ascent by closeness, one step of look-ahead, and learned sources.
//!
//! Ranks, never sends. A neighbour counts as close as the closest of its own location and its neighbours' locations.
//! A learned source of exactly the key sought comes before all closeness; sources of other keys count for nothing but
//! their place, which the look-ahead lists tell better (docs/protocol.md §3).

use std::num::NonZeroUsize;

use lru::LruCache;
use rustc_hash::FxBuildHasher;

use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::overlay::freenet::neighbours::{Neighbour, Neighbours};
use crate::time::Instant;

/// The next neighbour to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NextHop {
    pub(super) peer: NodeId,
    /// Whether it leads no closer than this node is.
    pub(super) is_detour: bool,
}

/// Who must not be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excluded<'a> {
    pub(super) asker: Option<NodeId>,
    pub(super) tried: &'a [NodeId],
}

/// Sources learned from answers: key → who is said to have it, and through whom the answer came.
#[derive(Debug)]
pub(super) struct LearnedSources {
    entries: NonZeroUsize,
    /// None until there is something to hold: in a large network most nodes pass nothing on.
    table: Option<Box<LruCache<RoutingKey, Learned, FxBuildHasher>>>,
}

#[derive(Clone, Copy, Debug)]
struct Learned {
    source: NodeId,
    through: NodeId,
}

impl LearnedSources {
    pub(super) fn new(entries: usize) -> Self {
        let entries = NonZeroUsize::new(entries.max(1)).expect("at least one");
        Self { entries, table: None }
    }

    /// `source` is said to have had `key`; the answer came through `through`.
    pub(super) fn learn(&mut self, key: RoutingKey, source: NodeId, through: NodeId) {
        let table = self.table.get_or_insert_with(|| {
            // Grown on demand: a table of its full size would be allocated at once.
            let mut table = LruCache::unbounded_with_hasher(FxBuildHasher);
            table.resize(self.entries);
            Box::new(table)
        });
        table.put(key, Learned { source, through });
    }

    /// Whom to ask for exactly this key: its source if linked, else the neighbour through which it came.
    fn of(&mut self, key: &RoutingKey, usable: impl Fn(&NodeId) -> bool) -> Option<NodeId> {
        let learned = *self.table.as_mut()?.get(key)?;
        [learned.source, learned.through].into_iter().find(usable)
    }

    /// The peer has no data for the key after all.
    pub(super) fn forget(&mut self, key: &RoutingKey, peer: &NodeId) {
        let Some(table) = &mut self.table else { return };
        if table.peek(key).is_some_and(|learned| learned.source == *peer || learned.through == *peer) {
            table.pop(key);
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.table.as_ref().map_or(0, |table| table.len())
    }
}

/// The neighbour to ask next in a search for `key`.
pub(super) fn next_for_request(
    neighbours: &Neighbours,
    learned: &mut LearnedSources,
    own: Location,
    key: &RoutingKey,
    excluded: Excluded<'_>,
    now: Instant,
) -> Option<NextHop> {
    let open = |peer: &NodeId| excluded.allows(peer) && neighbours.get(peer).is_some_and(|n| n.is_ready(now));
    if let Some(peer) = learned.of(key, open) {
        // A hint is no ascent: only the place of the peer says whether this is a detour.
        let target = key.location();
        let place = neighbours.get(&peer).and_then(|neighbour| neighbour.location());
        let is_detour = place.is_none_or(|place| place.distance(target) >= own.distance(target));
        return Some(NextHop { peer, is_detour });
    }
    next_by_closeness(neighbours, own, key.location(), excluded, now)
}

/// The neighbour whose own place, or whose best neighbour's place, is closest to `target`.
pub(super) fn next_by_closeness(
    neighbours: &Neighbours,
    own: Location,
    target: Location,
    excluded: Excluded<'_>,
    now: Instant,
) -> Option<NextHop> {
    let visited = excluded.places(neighbours, own);
    neighbours
        .members()
        .filter(|(peer, neighbour, _)| excluded.allows(peer) && neighbour.is_ready(now))
        .map(|(peer, neighbour, place)| (rank(neighbour, place, target, &visited), *peer))
        .min()
        .map(|((best, _), peer)| NextHop { peer, is_detour: best >= own.distance(target) })
}

/// The best neighbour that is itself strictly closer to `target` than this node: the rule of inserts and queries, which
/// therefore cannot loop (protocol.md §4).
pub(super) fn next_strictly_closer(
    neighbours: &Neighbours,
    own: Location,
    target: Location,
    excluded: Excluded<'_>,
    now: Instant,
) -> Option<NodeId> {
    let visited = excluded.places(neighbours, own);
    neighbours
        .members()
        .filter(|(peer, neighbour, place)| {
            excluded.allows(peer) && neighbour.is_ready(now) && place.distance(target) < own.distance(target)
        })
        .map(|(peer, neighbour, place)| (rank(neighbour, place, target, &visited), *peer))
        .min()
        .map(|(_, peer)| peer)
}

/// What neighbours are compared by: how close the neighbour or its best neighbour is to `target`, then how close it is itself.
fn rank(neighbour: &Neighbour, place: Location, target: Location, visited: &[Location]) -> (Distance, Distance) {
    let direct = place.distance(target);
    let ahead = nearest(neighbour.ahead().as_slice(), target, visited).unwrap_or(Distance::MAX);
    (direct.min(ahead), direct)
}

/// The distance from `target` to the nearest of the sorted `places` that is not among `visited`.
fn nearest(places: &[Location], target: Location, visited: &[Location]) -> Option<Distance> {
    let count = places.len();
    let start = places.partition_point(|place| *place < target);
    let open = |place: &&Location| !visited.contains(place);
    let upward = (0..count).map(|step| &places[(start + step) % count]).find(open);
    let downward = (1..=count).map(|step| &places[(start + count - step) % count]).find(open);
    [upward, downward].into_iter().flatten().map(|place| place.distance(target)).min()
}

impl Excluded<'_> {
    fn allows(&self, peer: &NodeId) -> bool {
        self.asker.as_ref() != Some(peer) && !self.tried.contains(peer)
    }

    /// The places that look-ahead must not lead back to: this node's own, the asker's, and those tried.
    fn places(&self, neighbours: &Neighbours, own: Location) -> Vec<Location> {
        let visited = self.asker.iter().chain(self.tried);
        let mut places: Vec<Location> =
            visited.filter_map(|peer| neighbours.get(peer).and_then(|neighbour| neighbour.location())).collect();
        places.push(own);
        places
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_place_on_the_ring_is_found_by_two_looks(
            mut places in prop::collection::vec(any::<u64>().prop_map(Location), 0..20),
            target in any::<u64>().prop_map(Location),
            hidden in 0usize..20,
        ) {
            places.sort_unstable();
            places.dedup();
            let visited: Vec<Location> = places.get(hidden).copied().into_iter().collect();
            let naive = places.iter().filter(|place| !visited.contains(place)).map(|place| place.distance(target)).min();
            prop_assert_eq!(nearest(&places, target, &visited), naive);
        }
    }
}
