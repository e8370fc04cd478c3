//! Which pieces somebody has: one bit for each.

use serde::{Deserialize, Serialize};

use crate::limits;

/// A set of pieces.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// None of `count` pieces.
    pub fn none(count: u16) -> Self {
        Self(vec![0; usize::from(count).div_ceil(64)])
    }

    /// All of `count` pieces.
    pub fn all(count: u16) -> Self {
        let mut bits = Self::none(count);
        (0..count).for_each(|piece| bits.set(piece));
        bits
    }

    /// Whether no more is said than an honest node can say of any document.
    pub(super) const fn is_bounded(&self) -> bool {
        self.0.len() <= limits::SWARM_PIECES.div_ceil(64)
    }

    /// Whether this speaks of `count` pieces.
    pub(super) fn fits(&self, count: u16) -> bool {
        let spare = (self.0.len() * 64).saturating_sub(count.into());
        self.0.len() == usize::from(count).div_ceil(64)
            && (spare == 0 || self.0.last().map_or(0, |l| l.leading_zeros()) as usize >= spare)
    }

    /// Its length on a wire.
    pub(super) const fn bytes(&self) -> u64 {
        self.0.len() as u64 * 8
    }

    pub(super) fn has(&self, piece: u16) -> bool {
        self.0.get(usize::from(piece / 64)).is_some_and(|word| (word >> (piece % 64)) & 1 == 1)
    }

    pub(super) fn set(&mut self, piece: u16) {
        if let Some(word) = self.0.get_mut(usize::from(piece / 64)) {
            *word |= 1 << (piece % 64);
        }
    }

    pub(super) fn clear(&mut self, piece: u16) {
        if let Some(word) = self.0.get_mut(usize::from(piece / 64)) {
            *word &= !(1 << (piece % 64));
        }
    }

    /// How many pieces these are.
    pub(super) fn count(&self) -> u16 {
        self.0.iter().map(|word| word.count_ones()).sum::<u32>() as u16
    }

    /// How many of these the other has not.
    pub(super) fn beyond(&self, other: &Self) -> u16 {
        self.0.iter().zip(&other.0).map(|(own, other)| (own & !other).count_ones()).sum::<u32>() as u16
    }

    /// The pieces that both have, in their order.
    pub(super) fn both<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u16> + 'a {
        self.0.iter().zip(&other.0).enumerate().flat_map(|(at, (own, other))| {
            let mut word = own & other;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as u16)?;
                word &= word - 1;
                Some(at as u16 * 64 + bit)
            })
        })
    }

    /// These pieces, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.both(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_counted_compared_and_bounded_as_sets_are() {
        let mut own = Bits::none(130);
        [0, 63, 64, 129].into_iter().for_each(|piece| own.set(piece));
        let all = Bits::all(130);
        assert_eq!((own.count(), all.count(), all.beyond(&own), own.beyond(&all)), (4, 130, 126, 0));
        assert_eq!(own.both(&all).collect::<Vec<_>>(), [0, 63, 64, 129]);
        own.clear(63);
        assert!(!own.has(63) && own.has(64) && !own.has(500));
        assert!(all.fits(130) && !all.fits(129) && !all.fits(200) && Bits::none(64).fits(64) && Bits::all(64).fits(64));
        assert!(Bits(vec![0; 16]).is_bounded() && !Bits(vec![0; 17]).is_bounded());
    }
}
