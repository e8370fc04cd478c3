//! A zone of the torus: a box that halving the whole has led to, and where a place lies from it.
//!
//! A place is 64 bits whose turns are the axes' turns: the first bit halves the first axis, the next the second, around and
//! around. So a zone is a prefix, its keys are one range of the ring of places, and two halves of one zone differ in the last
//! bit. Axes wrap. Knows no nodes.

use serde::{Deserialize, Serialize};

use crate::key::Location;
use crate::limits;

/// A zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(Location, u8)", into = "(Location, u8)")]
pub struct Zone {
    start: Location,
    depth: u8,
}

/// Bits beyond the prefix, or a zone smaller than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no zone begins there")]
pub struct BadZone;

impl Zone {
    /// The whole torus.
    pub const WHOLE: Self = Self { start: Location(0), depth: 0 };

    /// The zone of `depth` halvings that holds a place; `None` if there are none that small.
    pub fn around(place: Location, depth: u8) -> Option<Self> {
        let mask = u64::MAX.checked_shl(64 - u32::from(depth)).unwrap_or(0);
        (depth <= limits::CAN_DEPTH).then_some(Self { start: Location(place.0 & mask), depth })
    }

    /// The first of its places.
    pub const fn start(&self) -> Location {
        self.start
    }

    /// How often the whole was halved.
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// How many places it has, less one.
    pub fn last_offset(&self) -> u64 {
        u64::MAX.checked_shr(self.depth.into()).unwrap_or(0)
    }

    /// Whether a place lies in it.
    pub fn contains(&self, place: Location) -> bool {
        place.0.wrapping_sub(self.start.0) <= self.last_offset()
    }

    /// Whether two zones have places in common: then one holds the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.start) || other.contains(self.start)
    }

    /// Both halves, the one that holds `place` last; `None` of the smallest zones.
    pub fn split(&self, place: Location) -> Option<(Self, Self)> {
        let given = Self::around(Location(self.start.0 | (place.0 & self.last_offset())), self.depth + 1)?;
        Some((given.buddy()?, given))
    }

    /// The other half of the zone that this is one half of; `None` of the whole.
    pub fn buddy(&self) -> Option<Self> {
        let bit = 1_u64.checked_shl(64 - u32::from(self.depth))?;
        Some(Self { start: Location(self.start.0 ^ bit), depth: self.depth })
    }

    /// The zone that this is one half of; the whole of the whole.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self::around(self.start, self.depth.saturating_sub(1)).unwrap_or(Self::WHOLE)
    }

    /// What is left of the zone without `other`.
    pub fn without(&self, other: &Self) -> Vec<Self> {
        if !self.overlaps(other) {
            return vec![*self];
        }
        // The other halves on the way from `other` up to this zone.
        let ancestors = std::iter::successors(Some(*other), |zone| Some(zone.parent()));
        ancestors.take_while(|zone| zone.depth > self.depth).filter_map(|zone| zone.buddy()).collect()
    }

    /// Whether two zones share a border: they touch along one axis and have extent in common along all others.
    pub fn touches(&self, other: &Self, dimensions: usize) -> bool {
        let (ours, theirs) =
            (Axes::of(self.start, self.depth, dimensions), Axes::of(other.start, other.depth, dimensions));
        let mut touching = 0;
        for axis in 0..dimensions {
            if ours.is_apart(&theirs, axis) {
                if !ours.is_beside(&theirs, axis) {
                    return false;
                }
                touching += 1;
            }
        }
        touching == 1
    }

    /// How far a place lies from the zone: 0 within it. Comparable among zones of one torus alone.
    pub fn distance(&self, place: Location, dimensions: usize) -> u128 {
        let (zone, point) = (Axes::of(self.start, self.depth, dimensions), Axes::of(place, 64, dimensions));
        (0..dimensions).map(|axis| zone.gap(point.low[axis], axis)).map(|gap| u128::from(gap.div_ceil(4)).pow(2)).sum()
    }
}

impl TryFrom<(Location, u8)> for Zone {
    type Error = BadZone;

    fn try_from((start, depth): (Location, u8)) -> Result<Self, BadZone> {
        Self::around(start, depth).filter(|zone| zone.start == start).ok_or(BadZone)
    }
}

impl From<Zone> for (Location, u8) {
    fn from(zone: Zone) -> Self {
        (zone.start, zone.depth)
    }
}

/// A prefix of a place, axis by axis.
struct Axes {
    low: [u64; limits::CAN_DIMENSIONS],
    /// How often each axis was halved.
    halvings: [u8; limits::CAN_DIMENSIONS],
}

impl Axes {
    fn of(place: Location, depth: u8, dimensions: usize) -> Self {
        let mut axes = Self { low: [0; limits::CAN_DIMENSIONS], halvings: [0; limits::CAN_DIMENSIONS] };
        let (mut axis, mut bits) = (0, place.0);
        for _ in 0..depth {
            axes.low[axis] |= (bits >> 63) << (63 - axes.halvings[axis]);
            axes.halvings[axis] += 1;
            bits <<= 1;
            axis = if axis + 1 == dimensions { 0 } else { axis + 1 };
        }
        axes
    }

    /// The extent along an axis, less one.
    fn width(&self, axis: usize) -> u64 {
        u64::MAX.checked_shr(self.halvings[axis].into()).unwrap_or(0)
    }

    fn is_apart(&self, other: &Self, axis: usize) -> bool {
        let (ours, theirs) = (self.low[axis], other.low[axis]);
        theirs.wrapping_sub(ours) > self.width(axis) && ours.wrapping_sub(theirs) > other.width(axis)
    }

    fn is_beside(&self, other: &Self, axis: usize) -> bool {
        let end = |axes: &Self| axes.low[axis].wrapping_add(axes.width(axis)).wrapping_add(1);
        end(self) == other.low[axis] || end(other) == self.low[axis]
    }

    /// From the nearer edge to a coordinate.
    fn gap(&self, coordinate: u64, axis: usize) -> u64 {
        let ahead = coordinate.wrapping_sub(self.low[axis]);
        let width = self.width(axis);
        if ahead <= width { 0 } else { (ahead - width).min(ahead.wrapping_neg()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Leaves of a torus split `splits` times at random places.
    fn leaves(places: &[u64]) -> Vec<Zone> {
        let mut leaves = vec![Zone::WHOLE];
        for place in places.iter().map(|place| Location(*place)) {
            let at = leaves.iter().position(|zone| zone.contains(place)).expect("the leaves cover the torus");
            let (kept, given) = leaves[at].split(place).expect("not that small");
            leaves[at] = kept;
            leaves.push(given);
        }
        leaves
    }

    proptest! {
        #[test]
        fn splits_cover_every_place_once(places in prop::collection::vec(any::<u64>(), 0..40), probe: u64) {
            let holders = leaves(&places).into_iter().filter(|zone| zone.contains(Location(probe))).count();
            prop_assert_eq!(holders, 1);
        }

        #[test]
        fn a_zone_without_another_is_the_rest(a: u64, b: u64, probe: u64, depths in (0_u8..20, 0_u8..20)) {
            let zone = |place: u64, depth| Zone::around(Location(place), depth).expect("large");
            // Places that share half of their bits meet often.
            let (zone, other) = (zone(a >> 60 << 60, depths.0), zone(b >> 60 << 60, depths.1));
            let probe = Location((a >> 60 << 60) | (probe >> 4));
            let rest = zone.without(&other);
            let is_in_rest = zone.contains(probe) && !other.contains(probe);
            prop_assert_eq!(rest.iter().filter(|part| part.contains(probe)).count(), usize::from(is_in_rest));
        }

        /// What greedy routing rests on: some neighbour is nearer to any place than a zone without it.
        #[test]
        fn a_neighbour_is_always_nearer(
            places in prop::collection::vec(any::<u64>(), 1..40),
            goal: u64,
            dimensions in 1_usize..6,
        ) {
            let (leaves, goal) = (leaves(&places), Location(goal));
            for zone in leaves.iter().filter(|zone| !zone.contains(goal)) {
                let own = zone.distance(goal, dimensions);
                let mut neighbours = leaves.iter().filter(|other| zone.touches(other, dimensions));
                prop_assert!(own > 0 && neighbours.any(|other| other.distance(goal, dimensions) < own));
            }
        }

        #[test]
        fn touching_is_mutual_and_nobody_touches_itself(
            places in prop::collection::vec(any::<u64>(), 1..30),
            dimensions in 1_usize..6,
        ) {
            let leaves = leaves(&places);
            for a in &leaves {
                prop_assert!(!a.touches(a, dimensions));
                prop_assert!(leaves.iter().all(|b| a.touches(b, dimensions) == b.touches(a, dimensions)));
            }
        }
    }

    #[test]
    fn four_quarters_of_a_plane_touch_their_sides_and_not_across() {
        let quarter = |bits: u64| Zone::around(Location(bits << 62), 2).expect("large");
        let touched: Vec<bool> = [1, 2, 3].map(|bits| quarter(0).touches(&quarter(bits), 2)).into();
        assert_eq!(touched, [true, true, false]);
        assert_eq!(
            (quarter(1).buddy(), quarter(1).parent()),
            (Some(quarter(0)), Zone::around(Location(0), 1).expect("large"))
        );
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        assert_eq!(Zone::try_from((Location(1), 4)), Err(BadZone));
        assert_eq!(Zone::try_from((Location(0), limits::CAN_DEPTH + 1)), Err(BadZone));
        assert_eq!(Zone::try_from((Location(0), 0)), Ok(Zone::WHOLE));
    }
}
