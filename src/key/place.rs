//! Places in key space and how close they are.
//!
//! A routing key names a block; its first eight bytes are a location on a ring of 2^64. Distance is the shorter way
//! round in wrapping integers, ties broken by the full key (protocol.md §1). No floats. Leaves out textual names: they
//! are in `uri`.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// The name under which the network stores a block: a hash that every relay can check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoutingKey(pub [u8; 32]);

/// A place on the ring of 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location(pub u64);

/// The shorter way round the ring between two locations: at most 2^63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(pub u64);

impl RoutingKey {
    /// Where on the ring the key lies.
    pub fn location(&self) -> Location {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        Location(u64::from_be_bytes(first))
    }
}

impl Location {
    /// The shorter way round to `other`.
    pub const fn distance(self, other: Self) -> Distance {
        let clockwise = other.0.wrapping_sub(self.0);
        let counter = self.0.wrapping_sub(other.0);
        Distance(if clockwise < counter { clockwise } else { counter })
    }

    /// How far ahead `other` lies going clockwise.
    pub const fn clockwise_to(self, other: Self) -> u64 {
        other.0.wrapping_sub(self.0)
    }
}

impl Distance {
    /// No distance at all.
    pub const ZERO: Self = Self(0);
    /// The far side of the ring.
    pub const MAX: Self = Self(1 << 63);
}

impl fmt::Display for RoutingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for RoutingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RoutingKey({})", BASE64URL_NOPAD.encode(&self.0[..6]))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distance_is_symmetric_and_at_most_half_the_ring(a: u64, b: u64) {
            let (a, b) = (Location(a), Location(b));
            prop_assert_eq!(a.distance(b), b.distance(a));
            prop_assert!(a.distance(b) <= Distance::MAX);
            prop_assert_eq!(a.distance(a), Distance::ZERO);
        }

        #[test]
        fn distance_keeps_the_triangle(a: u64, b: u64, c: u64) {
            let (a, b, c) = (Location(a), Location(b), Location(c));
            prop_assert!(a.distance(c).0 <= a.distance(b).0.saturating_add(b.distance(c).0));
        }

        #[test]
        fn distance_does_not_change_when_the_ring_turns(a: u64, b: u64, turn: u64) {
            let turned = |place: u64| Location(place.wrapping_add(turn));
            prop_assert_eq!(Location(a).distance(Location(b)), turned(a).distance(turned(b)));
        }
    }

    #[test]
    fn the_location_is_the_first_eight_bytes_in_big_endian_order() {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(RoutingKey(bytes).location(), Location(0x0102_0304_0506_0708));
    }
}
