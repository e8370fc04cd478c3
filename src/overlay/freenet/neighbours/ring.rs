//! The accepted links of a node in the order of their places on the ring.
//!
//! Knows a link by the slot it has in its parent's list, and nothing else of it. Places need not be distinct: whoever lies
//! about its own may name another's.

use crate::key::Location;

/// The links that have a place, ascending by (location, slot).
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    spots: Vec<Spot>,
}

/// A link at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Its place.
    pub(super) location: Location,
    slot: u32,
}

impl Spot {
    /// Its number in the parent's list.
    pub(super) const fn slot(self) -> usize {
        self.slot as usize
    }
}

impl Ring {
    /// The link in `slot` lies at `location` now, or nowhere.
    pub(super) fn set(&mut self, slot: usize, location: Option<Location>) {
        let place = self.position(slot);
        if place.map(|place| self.spots[place].location) == location {
            return;
        }
        if let Some(place) = place {
            self.spots.remove(place);
        }
        if let Some(location) = location {
            let spot = Spot { location, slot: slot as u32 };
            let place = self.spots.partition_point(|other| *other < spot);
            if self.spots.len() == self.spots.capacity() {
                self.spots.reserve_exact(GROWTH);
            }
            self.spots.insert(place, spot);
        }
    }

    /// Where in the order of the ring the link in `slot` stands.
    pub(super) fn position(&self, slot: usize) -> Option<usize> {
        self.spots.iter().position(|spot| spot.slot() == slot)
    }

    /// The place of the link in `slot`.
    pub(super) fn place_of(&self, slot: usize) -> Option<Location> {
        self.position(slot).map(|at| self.spots[at].location)
    }

    /// Whether a link lies at `place`.
    pub(super) fn is_linked(&self, place: Location) -> bool {
        self.spots.binary_search_by_key(&place, |spot| spot.location).is_ok()
    }

    /// The link in `slot` is gone, and the one in the slot `last` takes its slot.
    pub(super) fn remove(&mut self, slot: usize, last: usize) {
        self.set(slot, None);
        let moved = self.spots.iter().find(|spot| spot.slot() == last).map(|spot| spot.location);
        if slot != last {
            self.set(last, None);
            self.set(slot, moved);
        }
    }

    /// All of them.
    pub(super) const fn spots(&self) -> &[Spot] {
        self.spots.as_slice()
    }

    /// All of them, the nearest to `target` first.
    pub(super) fn nearest_to(&self, target: Location) -> impl Iterator<Item = Spot> {
        let count = self.spots.len();
        let start = self.spots.partition_point(|spot| spot.location < target);
        let (mut up, mut down) = (0, 0);
        std::iter::from_fn(move || {
            if up + down == count {
                return None;
            }
            let above = self.spots[(start + up) % count];
            let below = self.spots[(start + count - 1 - down) % count];
            let is_above = target.clockwise_to(above.location) <= below.location.clockwise_to(target);
            if is_above {
                up += 1;
            } else {
                down += 1;
            }
            Some(if is_above { above } else { below })
        })
    }

    /// The places of the `nth` of them from `place` on, and of the `nth` before it, counted from 1; `None` if there are fewer.
    pub(super) fn nth_around(&self, place: Location, nth: usize) -> Option<(Location, Location)> {
        let count = self.spots.len();
        if count < nth {
            return None;
        }
        let start = self.spots.partition_point(|spot| spot.location < place);
        Some((self.spots[(start + nth - 1) % count].location, self.spots[(start + count - nth) % count].location))
    }

    /// How many lie strictly between `own` and `place`, from `own` on: clockwise, and the other way round. A link at `own`
    /// itself lies between on both ways.
    pub(super) fn between(&self, own: Location, place: Location) -> (usize, usize) {
        let below = |location: Location| self.spots.partition_point(|spot| spot.location < location);
        let upto = |location: Location| self.spots.partition_point(|spot| spot.location <= location);
        let count = self.spots.len();
        // From `from` on, clockwise, up to but not including `to`.
        let turn = |from: usize, to: usize, wraps: bool| if wraps { count - from + to } else { to - from };
        if own == place {
            return (0, 0);
        }
        (turn(below(own), below(place), place < own), turn(upto(place), upto(own), own < place))
    }
}

/// Spots that the list grows by.
const GROWTH: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_ring_answers_as_a_look_through_the_whole_list_would(
            links in prop::collection::vec(prop::option::of((0u64..40).prop_map(|at| Location(at << 58))), 1..20),
            gone in 0usize..20,
            own in (0u64..40).prop_map(|at| Location(at << 58)),
            place in (0u64..40).prop_map(|at| Location(at << 58)),
        ) {
            let (mut ring, mut naive) = (Ring::default(), links.clone());
            for (slot, location) in links.iter().enumerate() {
                ring.set(slot, Some(Location(7)));
                ring.set(slot, *location);
            }
            if gone < naive.len() {
                ring.remove(gone, naive.len() - 1);
                naive.swap_remove(gone);
            }
            let mut spots: Vec<(Location, usize)> =
                naive.iter().enumerate().filter_map(|(slot, location)| Some(((*location)?, slot))).collect();
            spots.sort_unstable();
            prop_assert_eq!(&spots, &ring.spots().iter().map(|spot| (spot.location, spot.slot())).collect::<Vec<_>>());
            let clockwise = spots.iter().filter(|(at, _)| own.clockwise_to(*at) < own.clockwise_to(place)).count();
            let counter = spots.iter().filter(|(at, _)| at.clockwise_to(own) < place.clockwise_to(own)).count();
            prop_assert_eq!(ring.between(own, place), (clockwise, counter));
            let distances: Vec<_> = ring.nearest_to(place).map(|spot| spot.location.distance(place)).collect();
            prop_assert!(distances.is_sorted());
            prop_assert_eq!(distances.len(), spots.len());
        }
    }
}
