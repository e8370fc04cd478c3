//! A timing wheel: what happens next, in constant time, however much is pending.
//!
//! Guarantees the order of (time, order of insertion), exactly: one course of events per seed. Slots of about a
//! millisecond hold what is near, whole turns of the wheel what is far; only the slot that is open is sorted. What is
//! large lies beside the entries, in the order of insertion: memory is written and read in long runs, not here and there.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use crate::time::Instant;

/// What is to happen, by time: `S` is small, `L` large.
#[derive(Debug)]
pub struct Wheel<S, L> {
    /// What the open slot held when it was opened; what comes first is at the end, of the large too.
    open: Slot<S, L>,
    /// What has come since for that slot, or for the time before it.
    late: BinaryHeap<Late<S, L>>,
    open_slot: u64,
    turn: u64,
    /// In the order of insertion.
    slots: Vec<Slot<S, L>>,
    occupied: [u64; SLOTS / 64],
    far: BTreeMap<u64, Slot<S, L>>,
    next: u64,
    /// How much is small, and how much is large.
    counts: (usize, usize),
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due<S, L> {
    /// It is small.
    Small(S),
    /// It is large.
    Large(L),
}

#[derive(Debug)]
struct Slot<S, L> {
    entries: Vec<Entry<S>>,
    /// One for each entry that says so, in their order.
    large: Vec<L>,
}

#[derive(Debug)]
struct Entry<S> {
    at: u64,
    value: Value<S>,
}

#[derive(Debug)]
enum Value<S> {
    Small(S),
    /// Which of the large of its slot.
    Large(u32),
}

#[derive(Debug)]
struct Late<S, L> {
    at: u64,
    order: u64,
    value: Due<S, L>,
}

impl<S, L> Default for Slot<S, L> {
    fn default() -> Self {
        Self { entries: Vec::new(), large: Vec::new() }
    }
}

impl<S, L> Default for Wheel<S, L> {
    fn default() -> Self {
        Self {
            open: Slot::default(),
            late: BinaryHeap::new(),
            open_slot: 0,
            turn: 0,
            slots: std::iter::repeat_with(Slot::default).take(SLOTS).collect(),
            occupied: [0; SLOTS / 64],
            far: BTreeMap::new(),
            next: 0,
            counts: (0, 0),
        }
    }
}

impl<S, L> Wheel<S, L> {
    /// `value` happens at `at`. What lies in the past happens next.
    pub fn push(&mut self, at: Instant, value: Due<S, L>) {
        let at = at.as_micros();
        match value {
            Due::Small(_) => self.counts.0 += 1,
            Due::Large(_) => self.counts.1 += 1,
        }
        let slot = at >> SLOT_BITS;
        if slot <= self.open_slot {
            self.next += 1;
            self.late.push(Late { at, order: self.next, value });
        } else if slot >> TURN_BITS == self.turn {
            self.put(at, value);
        } else {
            self.far.entry(slot >> TURN_BITS).or_default().push(at, value);
        }
    }

    /// When the next thing happens.
    pub fn peek(&mut self) -> Option<Instant> {
        self.settle();
        let (open, late) = (self.open.entries.last().map(|entry| entry.at), self.late.peek().map(|late| late.at));
        open.into_iter().chain(late).min().map(Instant::from_micros)
    }

    /// The next thing that happens.
    pub fn pop(&mut self) -> Option<(Instant, Due<S, L>)> {
        self.settle();
        // What is late was inserted last.
        let is_late = match (self.open.entries.last(), self.late.peek()) {
            (Some(open), Some(late)) => late.at < open.at,
            (open, _) => open.is_none(),
        };
        let (at, due) = if is_late { self.late.pop().map(|late| (late.at, late.value)) } else { self.open.pop() }?;
        match due {
            Due::Small(_) => self.counts.0 -= 1,
            Due::Large(_) => self.counts.1 -= 1,
        }
        Some((Instant::from_micros(at), due))
    }

    /// How much is pending.
    pub const fn len(&self) -> usize {
        self.counts.0 + self.counts.1
    }

    /// How much of it is large.
    pub const fn len_of_large(&self) -> usize {
        self.counts.1
    }

    /// Whether nothing is pending.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything large that is pending, in no order that means anything.
    pub fn large(&self) -> impl Iterator<Item = &L> {
        let late = self.late.iter().filter_map(|late| match &late.value {
            Due::Small(_) => None,
            Due::Large(large) => Some(large),
        });
        let slots = std::iter::once(&self.open).chain(&self.slots).chain(self.far.values());
        slots.flat_map(|slot| &slot.large).chain(late)
    }

    /// The same where what is large is something else.
    pub fn with_large<M>(self, turn: impl Fn(L) -> M) -> Wheel<S, M> {
        let late = self.late.into_iter().map(|Late { at, order, value }| {
            let value = match value {
                Due::Small(small) => Due::Small(small),
                Due::Large(large) => Due::Large(turn(large)),
            };
            Late { at, order, value }
        });
        Wheel {
            late: late.collect(),
            open: self.open.with_large(&turn),
            open_slot: self.open_slot,
            turn: self.turn,
            slots: self.slots.into_iter().map(|slot| slot.with_large(&turn)).collect(),
            occupied: self.occupied,
            far: self.far.into_iter().map(|(number, slot)| (number, slot.with_large(&turn))).collect(),
            next: self.next,
            counts: self.counts,
        }
    }

    /// Opens slots until something is due.
    fn settle(&mut self) {
        while self.open.entries.is_empty() && self.late.is_empty() {
            let first =
                if self.open_slot >> TURN_BITS == self.turn { (self.open_slot % SLOTS as u64) as usize } else { 0 };
            if let Some(slot) = self.first_occupied(first) {
                self.open_slot = (self.turn << TURN_BITS) | slot as u64;
                self.occupied[slot / 64] &= !(1 << (slot % 64));
                // Thousands of slots that keep room for their busiest moment would be more than all nodes.
                self.open = std::mem::take(&mut self.slots[slot]).sorted();
            } else if let Some((turn, far)) = self.far.pop_first() {
                self.turn = turn;
                let mut large = far.large.into_iter();
                for entry in far.entries {
                    let value = match entry.value {
                        Value::Small(small) => Some(Due::Small(small)),
                        Value::Large(_) => large.next().map(Due::Large),
                    };
                    value.into_iter().for_each(|value| self.put(entry.at, value));
                }
            } else {
                return;
            }
        }
    }

    fn put(&mut self, at: u64, value: Due<S, L>) {
        let slot = ((at >> SLOT_BITS) % SLOTS as u64) as usize;
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.slots[slot].push(at, value);
    }

    fn first_occupied(&self, from: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut bits = self.occupied.get(word)? & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

impl<S, L> Slot<S, L> {
    fn push(&mut self, at: u64, value: Due<S, L>) {
        let value = match value {
            Due::Small(small) => Value::Small(small),
            Due::Large(large) => {
                self.large.push(large);
                Value::Large(self.large.len() as u32 - 1)
            }
        };
        self.entries.push(Entry { at, value });
    }

    /// What comes first is at the end. Of what is due at one instant, what was inserted last stands before the others.
    fn sorted(mut self) -> Self {
        self.entries.reverse();
        self.entries.sort_by_key(|entry| Reverse(entry.at));
        let mut large: Vec<Option<L>> = self.large.into_iter().map(Some).collect();
        let taken = self.entries.iter().filter_map(|entry| match entry.value {
            Value::Small(_) => None,
            Value::Large(place) => large[place as usize].take(),
        });
        let large = taken.collect();
        Self { entries: self.entries, large }
    }

    /// The last, of a slot that is sorted.
    fn pop(&mut self) -> Option<(u64, Due<S, L>)> {
        let Entry { at, value } = self.entries.pop()?;
        match value {
            Value::Small(small) => Some((at, Due::Small(small))),
            Value::Large(_) => self.large.pop().map(|large| (at, Due::Large(large))),
        }
    }

    fn with_large<M>(self, turn: impl Fn(L) -> M) -> Slot<S, M> {
        Slot { entries: self.entries, large: self.large.into_iter().map(turn).collect() }
    }
}

// Reversed: the heap gives the greatest first.
impl<S, L> Ord for Late<S, L> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<S, L> PartialOrd for Late<S, L> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<S, L> PartialEq for Late<S, L> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<S, L> Eq for Late<S, L> {}

/// A slot spans 1,024 microseconds: a few messages of a busy network.
const SLOT_BITS: u32 = 10;
/// A turn has 4,096 slots, 4.2 seconds: longer than nearly every latency.
const TURN_BITS: u32 = 12;
const SLOTS: usize = 1 << TURN_BITS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number_of(due: Due<usize, usize>) -> usize {
        match due {
            Due::Small(number) | Due::Large(number) => number,
        }
    }

    /// Every third is small; both say which they are.
    fn value(number: usize) -> Due<usize, usize> {
        if number.is_multiple_of(3) { Due::Small(number) } else { Due::Large(number) }
    }

    proptest! {
        #[test]
        fn everything_happens_once_in_the_order_of_time_and_insertion(
            steps in prop::collection::vec((0u64..30_000_000, prop::bool::ANY), 1..300),
        ) {
            let mut wheel = Wheel::default();
            let mut naive: BTreeMap<(u64, usize), Due<usize, usize>> = BTreeMap::new();
            let mut now = 0;
            for (number, (delay, is_pop)) in steps.into_iter().enumerate() {
                if is_pop {
                    let expected = naive.pop_first();
                    let got = wheel.pop().map(|(at, due)| ((at.as_micros(), number_of(due)), due));
                    prop_assert_eq!(got, expected);
                    now = got.map_or(now, |((at, _), _)| at);
                } else {
                    wheel.push(Instant::from_micros(now + delay), value(number));
                    naive.insert((now + delay, number), value(number));
                }
                prop_assert_eq!(wheel.len(), naive.len());
                let large = naive.values().filter(|due| matches!(due, Due::Large(_))).count();
                prop_assert_eq!((wheel.len_of_large(), wheel.large().count()), (large, large));
            }
            while let Some(expected) = naive.pop_first() {
                prop_assert_eq!(wheel.pop().map(|(at, due)| ((at.as_micros(), number_of(due)), due)), Some(expected));
            }
            prop_assert!(wheel.is_empty());
        }
    }
}
