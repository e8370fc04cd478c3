//! A timing wheel: what happens next, in constant time, however much is pending.
//!
//! Guarantees the order of (time, order of insertion), exactly: one course of events per seed. Slots of about a
//! millisecond hold what is near, whole turns of the wheel what is far; only the slot that is open is sorted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use crate::time::Instant;

/// What is to happen, by time.
#[derive(Debug)]
pub struct Wheel<T> {
    /// Everything due in the open slot and before.
    open: BinaryHeap<Entry<T>>,
    open_slot: u64,
    turn: u64,
    slots: Vec<Vec<Entry<T>>>,
    occupied: [u64; SLOTS / 64],
    far: BTreeMap<u64, Vec<Entry<T>>>,
    next: u64,
    count: usize,
}

#[derive(Debug)]
struct Entry<T> {
    at: u64,
    order: u64,
    value: T,
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self {
            open: BinaryHeap::new(),
            open_slot: 0,
            turn: 0,
            slots: std::iter::repeat_with(Vec::new).take(SLOTS).collect(),
            occupied: [0; SLOTS / 64],
            far: BTreeMap::new(),
            next: 0,
            count: 0,
        }
    }
}

impl<T> Wheel<T> {
    /// `value` happens at `at`. What lies in the past happens next.
    pub fn push(&mut self, at: Instant, value: T) {
        self.next += 1;
        self.count += 1;
        let entry = Entry { at: at.as_micros(), order: self.next, value };
        let slot = entry.at >> SLOT_BITS;
        if slot <= self.open_slot {
            self.open.push(entry);
        } else if slot >> TURN_BITS == self.turn {
            self.put(slot, entry);
        } else {
            self.far.entry(slot >> TURN_BITS).or_default().push(entry);
        }
    }

    /// When the next thing happens.
    pub fn peek(&mut self) -> Option<Instant> {
        self.settle();
        self.open.peek().map(|entry| Instant::from_micros(entry.at))
    }

    /// The next thing that happens.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        self.settle();
        let entry = self.open.pop()?;
        self.count -= 1;
        Some((Instant::from_micros(entry.at), entry.value))
    }

    /// How much is pending.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is pending.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Opens slots until something is due.
    fn settle(&mut self) {
        while self.open.is_empty() {
            let first =
                if self.open_slot >> TURN_BITS == self.turn { (self.open_slot % SLOTS as u64) as usize } else { 0 };
            if let Some(slot) = self.first_occupied(first) {
                self.open_slot = (self.turn << TURN_BITS) | slot as u64;
                self.occupied[slot / 64] &= !(1 << (slot % 64));
                // What the slot held becomes the heap as it is; thousands of slots that keep room for their busiest moment
                // would be more than all nodes.
                self.open = BinaryHeap::from(std::mem::take(&mut self.slots[slot]));
            } else if let Some((turn, entries)) = self.far.pop_first() {
                self.turn = turn;
                for entry in entries {
                    self.put(entry.at >> SLOT_BITS, entry);
                }
            } else {
                return;
            }
        }
    }

    fn put(&mut self, slot: u64, entry: Entry<T>) {
        let slot = (slot % SLOTS as u64) as usize;
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.slots[slot].push(entry);
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

// Reversed: the heap gives the greatest first.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

/// A slot spans 1,024 microseconds: a few messages of a busy network.
const SLOT_BITS: u32 = 10;
/// A turn has 4,096 slots, 4.2 seconds: longer than nearly every latency.
const TURN_BITS: u32 = 12;
const SLOTS: usize = 1 << TURN_BITS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_happens_once_in_the_order_of_time_and_insertion(
            steps in prop::collection::vec((0u64..30_000_000, prop::bool::ANY), 1..300),
        ) {
            let mut wheel = Wheel::default();
            let mut naive: BTreeMap<(u64, usize), usize> = BTreeMap::new();
            let mut now = 0;
            for (number, (delay, is_pop)) in steps.into_iter().enumerate() {
                if is_pop {
                    let expected = naive.pop_first();
                    let got = wheel.pop().map(|(at, value)| ((at.as_micros(), value), value));
                    prop_assert_eq!(got, expected);
                    now = got.map_or(now, |((at, _), _)| at);
                } else {
                    wheel.push(Instant::from_micros(now + delay), number);
                    naive.insert((now + delay, number), number);
                }
                prop_assert_eq!(wheel.len(), naive.len());
            }
            while let Some(expected) = naive.pop_first() {
                prop_assert_eq!(wheel.pop().map(|(at, value)| ((at.as_micros(), value), value)), Some(expected));
            }
            prop_assert!(wheel.is_empty());
        }
    }
}
