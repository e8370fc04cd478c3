//! What hops to live tell of the distance to the origin.
//!
//! In 2001 the depth is written on every message. In `freenet` hops to live start at the maximum and a coin of each link
//! decides whether they fall there, so they tell little; how little is computed here, and not more than the code gives away.

use crate::lab::attacks::trace::Sighting;
use crate::limits;

/// How likely a message looks so if the sender is the origin, and if the one before the sender is.
pub fn odds(seen: &Sighting) -> [f64; 2] {
    match seen.depth {
        Some(depth) => [f64::from(u8::from(depth <= 1)), f64::from(u8::from(depth == 2))],
        None => match u16::from(limits::MAX_HTL).saturating_sub(seen.htl) {
            // The origin's coin, then that of the link: both stay up, one falls, or it falls and goes on falling.
            0 => [0.5, 0.25],
            1 => [0.5, 0.25],
            2 => [0.0, 0.5],
            _ => [0.0, 0.0],
        },
    }
}

/// The class of a sighting as evidence: all that it says of the distance.
pub fn class(seen: &Sighting) -> u32 {
    let far = match seen.depth {
        Some(depth) => depth.saturating_sub(1),
        None => u16::from(limits::MAX_HTL).saturating_sub(seen.htl),
    };
    u32::from(far).min(CLASSES - 1)
}

/// Whether the sender may be the origin.
pub fn may_be_origin(seen: &Sighting) -> bool {
    seen.routed && odds(seen)[0] > 0.0
}

/// How many classes there are.
pub const CLASSES: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    #[test]
    fn a_request_two_below_the_maximum_does_not_come_from_its_origin() {
        let seen = |htl, depth| Sighting { at: Instant::EPOCH, from: 0, to: 1, routed: true, htl, depth };
        let maximum = u16::from(limits::MAX_HTL);
        assert!(may_be_origin(&seen(maximum, None)) && may_be_origin(&seen(maximum - 1, None)));
        assert!(!may_be_origin(&seen(maximum - 2, None)));
        assert!(may_be_origin(&seen(20, Some(1))) && !may_be_origin(&seen(20, Some(2))));
        assert_eq!((class(&seen(maximum - 2, None)), class(&seen(3, Some(1)))), (2, 0));
    }
}
