//! A link that keeps a rhythm: one cell leaves at every beat, a part of what waits or padding (protocol.md §6.3).
//!
//! Guarantees: when cells leave, and how long they are, follows from the rate and the first beat alone, whatever waits and
//! whenever it came; a beat that was missed is left out, never made up for. Small messages go between the cells of a block,
//! which is sent one block after the other; neither starves the other. [`Heard`] is the other end: what the cells say, and
//! nothing of padding. Leaves out sockets, and who asks for a rhythm.

use bytes::Bytes;

use super::cell::{Cell, Header, Kind};
use super::frame::Frame;
use super::joiner::Joiner;
use super::malformed::Malformed;
use super::payload;
use crate::limits::CELL_BYTES;
use crate::message::class::Class;
use crate::time::{Duration, Instant};

/// How many cells leave in a second: one of four classes, named by the bytes they come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rate {
    /// 5 cells: 6 kB a second, half a gigabyte a day in each direction.
    Slowest,
    /// 20 cells: 24 kB a second, 2 GB a day.
    Slow,
    /// 80 cells: 96 kB a second, 8 GB a day.
    Fast,
    /// 320 cells: 384 kB a second, 33 GB a day.
    Fastest,
}

/// When the next cell leaves, and what of the block that is being sent is left.
#[derive(Clone, Debug)]
pub struct Rhythm {
    interval: Duration,
    next: Instant,
    block: Bytes,
    /// Whether the last cell was a small message: then it is a block's turn.
    was_small: bool,
    beats: Beats,
}

/// What has left so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beats {
    /// Cells.
    pub cells: u64,
    /// Those of them that were padding.
    pub padding: u64,
    /// Beats that were left out because the driver came too late.
    pub missed: u64,
}

/// The cells of a rhythm, heard in their order.
#[derive(Debug, Default)]
pub struct Heard {
    block: Joiner,
    /// Cells of the block that have come.
    parts: usize,
}

impl Rate {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Slowest, Self::Slow, Self::Fast, Self::Fastest];

    /// Cells a second.
    pub const fn cells_per_second(self) -> u32 {
        match self {
            Self::Slowest => 5,
            Self::Slow => 20,
            Self::Fast => 80,
            Self::Fastest => 320,
        }
    }

    /// The rate of so many cells, if it is one.
    pub fn of_cells(cells: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.cells_per_second() == cells)
    }

    /// From one beat to the next.
    pub const fn interval(self) -> Duration {
        Duration::from_micros(1_000_000 / self.cells_per_second() as u64)
    }
}

impl Rhythm {
    /// Cells leave at `rate`, the first one interval after `start`.
    pub const fn new(rate: Rate, start: Instant) -> Self {
        let interval = rate.interval();
        let next = Instant::from_micros(start.as_micros() + interval.as_micros() as u64);
        let beats = Beats { cells: 0, padding: 0, missed: 0 };
        Self { interval, next, block: Bytes::new(), was_small: false, beats }
    }

    /// The cell that says at which rate the others follow.
    pub fn announcement(rate: Rate) -> Bytes {
        cell(Header::rhythm(rate.cells_per_second()))
    }

    /// When the next cell leaves.
    pub const fn deadline(&self) -> Instant {
        self.next
    }

    /// Whether a block is half sent.
    pub const fn is_amid(&self) -> bool {
        !self.block.is_empty()
    }

    /// What has left so far.
    pub const fn beats(&self) -> Beats {
        self.beats
    }

    /// The cell that leaves now, if it is time for one. `supply` gives the cells of the next message of a class, if one
    /// waits.
    pub fn beat(&mut self, now: Instant, supply: &mut impl FnMut(Class) -> Option<Bytes>) -> Option<Bytes> {
        if now < self.next {
            return None;
        }
        let late = (now.since(self.next).as_micros() / self.interval.as_micros()) as u32;
        self.beats.missed += u64::from(late);
        self.next = self.next + self.interval * (late + 1);
        self.beats.cells += 1;
        let cell = self.cell(supply);
        self.beats.padding += u64::from(cell.is_none());
        Some(cell.unwrap_or_else(|| self::cell(Header::padding())))
    }

    fn cell(&mut self, supply: &mut impl FnMut(Class) -> Option<Bytes>) -> Option<Bytes> {
        if self.block.is_empty() {
            self.block = supply(Class::Block).unwrap_or_default();
        }
        let is_blocks_turn = self.was_small && !self.block.is_empty();
        let small = if is_blocks_turn { None } else { supply(Class::Small) };
        self.was_small = small.is_some();
        small.or_else(|| (!self.block.is_empty()).then(|| self.block.split_to(CELL_BYTES)))
    }
}

impl Heard {
    /// Takes the next cell; gives the message that it completes.
    ///
    /// # Errors
    /// When the cell is malformed or out of its turn.
    pub fn take<F: Frame>(&mut self, bytes: &[u8]) -> Result<Option<F>, Malformed> {
        let cell = Cell::from_bytes(bytes)?;
        match (cell.header.kind, cell.header.class) {
            (Kind::Padding, _) => Ok(None),
            (Kind::Rhythm, _) => Err(Malformed::Kind(bytes[0])),
            (_, Class::Small) => payload::read(Bytes::copy_from_slice(cell.payload), cell.header).map(Some),
            (_, Class::Block) => {
                self.block.take(bytes)?;
                self.parts += 1;
                if self.parts < Class::Block.cells() {
                    return Ok(None);
                }
                self.parts = 0;
                std::mem::take(&mut self.block).finish().map(Some)
            }
        }
    }
}

fn cell(header: Header) -> Bytes {
    let mut bytes = vec![0; CELL_BYTES];
    let head = header.to_bytes();
    bytes[..head.len()].copy_from_slice(&head);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::message::class::Message;
    use crate::wire::codec::{Budget, encode};

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    enum Word {
        Short(u8),
        Long(u8),
    }

    impl Message for Word {
        fn class(&self) -> Class {
            if matches!(self, Self::Short(_)) { Class::Small } else { Class::Block }
        }
    }

    /// What waits: messages, each from some instant on.
    #[derive(Clone, Debug, Default)]
    struct Waiting(VecDeque<(u64, Word)>);

    impl Waiting {
        fn give(&mut self, now: Instant, class: Class) -> Option<Bytes> {
            let due = |(at, word): &(u64, Word)| *at <= now.as_micros() && Message::class(word) == class;
            let at = self.0.iter().position(due)?;
            let (_, word) = self.0.remove(at)?;
            Some(encode(&word, 7, Budget::LINK).expect("it fits its class"))
        }
    }

    /// When cells leave, and what they are, looked at every `step` microseconds for a second.
    fn run(rate: Rate, mut waiting: Waiting, step: u64) -> Vec<(u64, Bytes)> {
        let mut rhythm = Rhythm::new(rate, Instant::EPOCH);
        let looks = (0..1_000_000 / step).map(|look| Instant::from_micros(look * step));
        looks
            .filter_map(|now| Some((now.as_micros(), rhythm.beat(now, &mut |class| waiting.give(now, class))?)))
            .collect()
    }

    fn words() -> impl Strategy<Value = Vec<(u64, bool)>> {
        proptest::collection::vec((0..1_000_000_u64, any::<bool>()), 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn when_cells_leave_does_not_depend_on_what_waits(words in words(), rate in 0..4_usize, step in 100..50_000_u64) {
            let rate = Rate::ALL[rate];
            let word = |(at, is_long)| (at, if is_long { Word::Long(1) } else { Word::Short(1) });
            let waiting = Waiting(words.into_iter().map(word).collect());
            let shape = |cells: Vec<(u64, Bytes)>| -> Vec<(u64, usize)> {
                cells.into_iter().map(|(at, cell)| (at, cell.len())).collect()
            };
            let idle = shape(run(rate, Waiting::default(), step));
            prop_assert!(idle.iter().all(|(_, length)| *length == CELL_BYTES));
            prop_assert_eq!(shape(run(rate, waiting, step)), idle);
        }

        #[test]
        fn what_is_said_is_heard_in_full(words in words()) {
            let word = |(at, is_long)| (at, if is_long { Word::Long(1) } else { Word::Short(at as u8) });
            let said: Vec<(u64, Word)> = words.into_iter().take(8).map(word).collect();
            let mut waiting = Waiting(said.iter().cloned().collect());
            let (mut rhythm, mut heard) = (Rhythm::new(Rate::Fastest, Instant::EPOCH), Heard::default());
            let mut came = Vec::new();
            for beat in 1..1_000 {
                let now = Instant::EPOCH + Rate::Fastest.interval() * beat;
                let cell = rhythm.beat(now, &mut |class| waiting.give(now, class)).expect("it is time");
                came.extend(heard.take::<Word>(&cell).expect("it is well formed"));
            }
            let sorted = |mut words: Vec<Word>| { words.sort_by_key(|word| format!("{word:?}")); words };
            prop_assert_eq!(sorted(came), sorted(said.into_iter().map(|(_, word)| word).collect()));
        }
    }

    #[test]
    fn a_beat_that_was_missed_is_left_out() {
        let mut rhythm = Rhythm::new(Rate::Slow, Instant::EPOCH);
        let late = Instant::EPOCH + Duration::from_millis(520);
        assert!(rhythm.beat(late, &mut |_| None).is_some());
        assert!(rhythm.beat(late, &mut |_| None).is_none());
        assert_eq!(rhythm.deadline(), Instant::EPOCH + Duration::from_millis(550));
        assert_eq!(rhythm.beats(), Beats { cells: 1, padding: 1, missed: 9 });
    }

    #[test]
    fn small_messages_and_blocks_share_the_beats() {
        let mut waiting = Waiting((0..100).map(|_| (0, Word::Short(1))).chain([(0, Word::Long(1))]).collect());
        let mut rhythm = Rhythm::new(Rate::Fastest, Instant::EPOCH);
        let kinds: Vec<u8> = (1..=60)
            .map(|beat| Instant::EPOCH + Rate::Fastest.interval() * beat)
            .map(|now| rhythm.beat(now, &mut |class| waiting.give(now, class)).expect("it is time")[2])
            .collect();
        assert_eq!(kinds.iter().filter(|parts| **parts == 30).count(), 30, "every other cell is the block's");
    }

    #[test]
    fn a_rate_is_one_of_four_and_comes_back() {
        for rate in Rate::ALL {
            let cell = Rhythm::announcement(rate);
            let header = Cell::from_bytes(&cell).expect("well formed").header;
            assert_eq!((header.kind, Rate::of_cells(header.id)), (Kind::Rhythm, Some(rate)));
            assert_eq!(Heard::default().take::<Word>(&cell), Err(Malformed::Kind(5)));
        }
        let mut other = Rhythm::announcement(Rate::Slow).to_vec();
        other[4] = 21;
        assert!(Cell::from_bytes(&other).is_err());
    }
}
