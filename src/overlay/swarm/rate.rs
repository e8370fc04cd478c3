//! Bytes that have passed in the last twenty seconds: the rolling average by which peers are compared (BEP 3).

use crate::time::Instant;

/// A rolling sum in steps of two seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    slots: [u32; SLOTS],
    sum: u32,
    /// The step that was written last.
    step: u64,
}

impl Rate {
    /// Bytes have passed.
    pub(super) fn add(&mut self, now: Instant, bytes: u32) {
        self.roll(now);
        let slot = &mut self.slots[(self.step % SLOTS as u64) as usize];
        *slot = slot.saturating_add(bytes);
        self.sum = self.slots.iter().fold(0, |sum, slot| sum.saturating_add(*slot));
    }

    /// Bytes of the last twenty seconds.
    pub(super) fn bytes(&mut self, now: Instant) -> u32 {
        self.roll(now);
        self.sum
    }

    fn roll(&mut self, now: Instant) {
        let step = now.as_micros() / STEP_MICROS;
        if step == self.step {
            return;
        }
        let steps = step.saturating_sub(self.step).min(SLOTS as u64);
        for past in 0..steps {
            self.slots[((step - past) % SLOTS as u64) as usize] = 0;
        }
        self.step = step;
        self.sum = self.slots.iter().fold(0, |sum, slot| sum.saturating_add(*slot));
    }
}

const SLOTS: usize = 10;
const STEP_MICROS: u64 = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    #[test]
    fn what_is_older_than_twenty_seconds_no_longer_counts() {
        let (mut rate, start) = (Rate::default(), Instant::from_micros(1_000_000_000_000));
        let at = |seconds| start + Duration::from_secs(seconds);
        rate.add(at(0), 100);
        rate.add(at(7), 50);
        assert_eq!(rate.bytes(at(17)), 150);
        assert_eq!(rate.bytes(at(21)), 50);
        assert_eq!(rate.bytes(at(1_000)), 0);
    }
}
