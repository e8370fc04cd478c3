//! How many blocks of one job are under way: additive increase, multiplicative decrease (protocol.md §6).
//!
//! The window opens by one block per full window of answers and halves when the network says it is too busy, at most
//! once per window's worth of time, since one overload refuses many blocks at once.

use crate::time::{Duration, Instant};

/// The window of one job.
#[derive(Clone, Debug)]
pub struct Window {
    size: f64,
    halved: Option<Instant>,
    /// Until the first refusal the window doubles per round, as TCP's slow start does.
    probing: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self { size: START, halved: None, probing: true }
    }
}

impl Window {
    /// Blocks that may be under way now.
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// A block was answered.
    pub fn on_answer(&mut self) {
        self.size = (self.size + if self.probing { 1.0 } else { 1.0 / self.size }).min(MOST);
    }

    /// The network was too busy for a block.
    pub fn on_overload(&mut self, now: Instant) {
        if self.halved.is_some_and(|last| now.since(last) < ROUND) {
            return;
        }
        self.probing = false;
        self.halved = Some(now);
        self.size = (self.size / 2.0).max(1.0);
    }
}

/// Chosen: enough to keep three hops busy at once.
const START: f64 = 16.0;
/// Chosen: one segment with its check blocks; 6 MiB under way.
const MOST: f64 = 192.0;
/// Chosen: a round trip through the network under load. One overload halves the window once.
const ROUND: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::EPOCH + Duration::from_millis(ms)
    }

    #[test]
    fn the_window_opens_with_answers_and_halves_once_per_overload() {
        let mut window = Window::default();
        (0..48).for_each(|_| window.on_answer());
        assert_eq!(window.size(), 64);
        (0..10).for_each(|_| window.on_overload(at(1000)));
        assert_eq!(window.size(), 32);
        (0..33).for_each(|_| window.on_answer());
        assert_eq!(window.size(), 33);
        window.on_overload(at(1400));
        assert_eq!(window.size(), 16);
    }

    #[test]
    fn the_window_stays_between_one_block_and_its_bound() {
        let mut window = Window::default();
        (0..100).for_each(|round| window.on_overload(at(round * 1000)));
        assert_eq!(window.size(), 1);
        let mut window = Window::default();
        (0..1000).for_each(|_| window.on_answer());
        assert_eq!(window.size(), 192);
    }
}
