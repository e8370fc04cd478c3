//! What neighbours tell of places near this node that are not linked: the gaps to be looked into.
//!
//! A list is read once, when it comes, and again only after a neighbour has been lost: lists lie anywhere in memory, and
//! nearly all that they tell of is linked or far. Guarantees the same answer as reading all of them each time. Knows a link
//! by its slot.

use crate::key::Location;
use crate::limits;
use crate::overlay::freenet::message::LocationList;
use crate::overlay::freenet::neighbours::ring::Ring;

/// The places told of.
#[derive(Clone, Debug)]
pub(super) struct Nearby {
    /// Where this node lies.
    home: Location,
    /// At least those that are near and not linked, with the slot of who tells; none until all lists are read again.
    told: Option<Vec<(Location, u32)>>,
    /// How far that reaches.
    reach: Vicinity,
}

/// How far the near links reach on either side: what lies within is near, without counting links for each place.
#[derive(Clone, Copy, Debug)]
pub(in crate::overlay::freenet) struct Vicinity {
    home: Location,
    clockwise: u64,
    counter: u64,
}

impl Vicinity {
    /// Nothing is near.
    pub(in crate::overlay::freenet) const fn none(home: Location) -> Self {
        Self { home, clockwise: 0, counter: 0 }
    }

    /// Whether a place is near.
    pub(in crate::overlay::freenet) fn contains(&self, place: Location) -> bool {
        self.home.clockwise_to(place) <= self.clockwise || place.clockwise_to(self.home) <= self.counter
    }
}

impl Nearby {
    /// Nothing is told yet to a node at `home`.
    pub(super) const fn new(home: Location) -> Self {
        Self { home, told: None, reach: Vicinity::none(home) }
    }

    /// How far the near links reach.
    pub(super) fn vicinity(&self, ring: &Ring) -> Vicinity {
        let home = self.home;
        match ring.nth_around(home, limits::NEAR_PER_SIDE) {
            None => Vicinity { home, clockwise: u64::MAX, counter: u64::MAX },
            Some((after, before)) => {
                Vicinity { home, clockwise: home.clockwise_to(after), counter: before.clockwise_to(home) }
            }
        }
    }

    /// A neighbour tells of these places from now on; it may be new, and then others that were near are so no more.
    pub(super) fn on_told(&mut self, ring: &Ring, slot: usize, list: &LocationList) {
        let vicinity = self.look_around(ring);
        if let Some(told) = &mut self.told {
            told.retain(|(_, teller)| *teller != slot as u32);
            told.extend(unlinked(ring, vicinity, list).map(|place| (place, slot as u32)));
        }
    }

    /// The link in `slot` is about to leave its place in the ring, and tells nothing any more. Where it was far, the near ones stay
    /// the same, and its place is none of those to be looked into.
    pub(super) fn on_left(&mut self, ring: &Ring, slot: usize, place: Location) {
        if self.vicinity(ring).contains(place) {
            self.forget();
        } else if let Some(told) = &mut self.told {
            told.retain(|(_, teller)| *teller != slot as u32);
        }
    }

    /// The link in the slot `last` is about to take the slot of one that has told nothing, or has left its place.
    pub(super) fn on_moved(&mut self, last: usize, slot: usize) {
        for (_, teller) in self.told.iter_mut().flatten() {
            if *teller == last as u32 {
                *teller = slot as u32;
            }
        }
    }

    /// What was told does not hold any more.
    pub(super) fn forget(&mut self) {
        self.told = None;
    }

    /// How far the near links reach now. A new link brings them nearer; but one that lies at this node's very own place counts on
    /// both sides, and the next one may then reach farther than what was read.
    fn look_around(&mut self, ring: &Ring) -> Vicinity {
        let now = self.vicinity(ring);
        if now.clockwise > self.reach.clockwise || now.counter > self.reach.counter {
            self.forget();
        }
        self.reach = now;
        now
    }

    /// The places that are near and not linked, in order, each with the slot of who tells: the last on the ring of several.
    pub(super) fn unlinked<'a>(
        &mut self,
        ring: &Ring,
        lists: impl Iterator<Item = (usize, &'a LocationList)>,
    ) -> Vec<(Location, usize)> {
        let vicinity = self.look_around(ring);
        let told = self.told.get_or_insert_with(|| {
            lists
                .flat_map(|(slot, list)| unlinked(ring, vicinity, list).map(move |place| (place, slot as u32)))
                .collect()
        });
        told.retain(|(place, _)| vicinity.contains(*place) && !ring.is_linked(*place));
        if told.is_empty() {
            *told = Vec::new();
            return Vec::new();
        }
        let mut near: Vec<(Location, usize)> = told.iter().map(|(place, slot)| (*place, *slot as usize)).collect();
        near.sort_by_key(|(place, slot)| (*place, std::cmp::Reverse(ring.position(*slot))));
        near.dedup_by_key(|(place, _)| *place);
        near
    }
}

/// The places of a list that are near and not linked, from this node outwards on either side; one that goes round twice.
fn unlinked(ring: &Ring, vicinity: Vicinity, list: &LocationList) -> impl Iterator<Item = Location> {
    let places = list.as_slice();
    let start = places.partition_point(|place| *place < vicinity.home);
    let turn = move |step: usize| places[(start + step) % places.len()];
    let clockwise = (0..places.len()).map(turn).take_while(move |place| vicinity.contains(*place));
    let counter = (0..places.len()).rev().map(turn).take_while(move |place| vicinity.contains(*place));
    clockwise.chain(counter).filter(move |place| *place != vicinity.home && !ring.is_linked(*place))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        /// The link in a slot comes to lie at a place, or is lost.
        Set(usize, Option<u64>),
        /// It tells of places.
        Tell(usize, Vec<u64>),
        Ask,
    }

    fn step() -> impl Strategy<Value = Step> {
        let place = 0u64..24;
        prop_oneof![
            (0usize..8, prop::option::of(place.clone())).prop_map(|(slot, place)| Step::Set(slot, place)),
            (0usize..8, prop::collection::vec(place, 0..6)).prop_map(|(slot, places)| Step::Tell(slot, places)),
            Just(Step::Ask),
        ]
    }

    const fn at(place: u64) -> Location {
        Location(place << 59)
    }

    proptest! {
        #[test]
        fn the_gaps_are_those_that_all_lists_together_tell_of(home in 0u64..24, steps in prop::collection::vec(step(), 1..60)) {
            let home = at(home);
            let (mut nearby, mut ring) = (Nearby::new(home), Ring::default());
            let mut lists: Vec<LocationList> = vec![LocationList::default(); 8];
            for step in steps {
                match step {
                    Step::Set(slot, place) => {
                        let (before, now) = (ring.place_of(slot), place.map(at));
                        if let Some(place) = before.filter(|_| before != now) {
                            nearby.on_left(&ring, slot, place);
                        }
                        ring.set(slot, now);
                        if now.is_some() && before != now {
                            nearby.on_told(&ring, slot, &lists[slot]);
                        }
                    }
                    Step::Tell(slot, places) => {
                        lists[slot] = LocationList::new(places.into_iter().map(at).collect());
                        if ring.place_of(slot).is_some() {
                            nearby.on_told(&ring, slot, &lists[slot]);
                        }
                    }
                    Step::Ask => {
                        let vicinity = nearby.vicinity(&ring);
                        let mut naive: BTreeMap<Location, usize> = BTreeMap::new();
                        for spot in ring.spots() {
                            let told = lists[spot.slot()].as_slice().iter().copied();
                            let gaps = told.filter(|place| vicinity.contains(*place) && *place != home);
                            let linked: Vec<Location> = ring.spots().iter().map(|spot| spot.location).collect();
                            naive.extend(gaps.filter(|place| !linked.contains(place)).map(|place| (place, spot.slot())));
                        }
                        let all = ring.spots().iter().map(|spot| (spot.slot(), &lists[spot.slot()]));
                        prop_assert_eq!(nearby.unlinked(&ring, all), naive.into_iter().collect::<Vec<_>>());
                    }
                }
            }
        }
    }
}
