//! Access links: what a node can send and receive in a second, when that is limited.
//!
//! Two pipes per node, shared by all its links, first come first served. Blocks queue; small messages go ahead of
//! what waits and take their time from what follows. Receiving overlaps with sending: a pipe that is free delays
//! nothing that arrives more slowly than it could take. The network between the access links is never the bottleneck.
//! Integers only.

use crate::time::{Duration, Instant};

/// The access links of all nodes; those of which nothing was said are without limit.
#[derive(Debug, Default)]
pub struct Access {
    lines: Vec<Line>,
}

/// What a node can do, in bits per second; 0 is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Rates {
    /// Sending.
    pub up: u64,
    /// Receiving.
    pub down: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    up: Pipe,
    down: Pipe,
    uploaded: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pipe {
    bits_per_second: u64,
    /// When everything that was put into it will have passed.
    free: Instant,
}

impl Access {
    /// From now on a node has these rates.
    pub fn set(&mut self, node: u32, rates: Rates) {
        let needed = node as usize + 1;
        if self.lines.len() < needed {
            self.lines.resize_with(needed, Line::default);
        }
        let line = &mut self.lines[node as usize];
        line.up.bits_per_second = rates.up;
        line.down.bits_per_second = rates.down;
    }

    /// When a block that is sent now will have left.
    pub fn send(&mut self, now: Instant, node: u32, bytes: u64) -> Instant {
        self.lines.get_mut(node as usize).map_or(now, |line| line.up.queue(now, bytes))
    }

    /// How long a small message takes to leave.
    pub fn slip_out(&mut self, now: Instant, node: u32, bytes: u64) -> Duration {
        self.lines.get_mut(node as usize).map_or(Duration::ZERO, |line| line.up.slip(now, bytes))
    }

    /// A block has left.
    pub fn count(&mut self, node: u32, bytes: u64) {
        if let Some(line) = self.lines.get_mut(node as usize) {
            line.uploaded += bytes;
        }
    }

    /// When a block whose last byte arrives now will have been received.
    pub fn receive(&mut self, now: Instant, node: u32, bytes: u64) -> Instant {
        self.lines.get_mut(node as usize).map_or(now, |line| line.down.end(now, bytes))
    }

    /// A small message arrives, ahead of what waits.
    pub fn slip_in(&mut self, now: Instant, node: u32, bytes: u64) {
        if let Some(line) = self.lines.get_mut(node as usize) {
            line.down.end(now, bytes);
        }
    }

    /// Bytes of blocks that have left a node with a limit.
    pub fn uploaded(&self, node: u32) -> u64 {
        self.lines.get(node as usize).map_or(0, |line| line.uploaded)
    }
}

impl Pipe {
    fn time(self, bytes: u64) -> Duration {
        if self.bits_per_second == 0 {
            return Duration::ZERO;
        }
        Duration::from_micros((bytes * 8_000_000).div_ceil(self.bits_per_second))
    }

    /// What is put in now leaves behind everything else.
    fn queue(&mut self, now: Instant, bytes: u64) -> Instant {
        self.free = self.free.max(now) + self.time(bytes);
        self.free
    }

    /// What is put in now leaves at once, and what follows later.
    fn slip(&mut self, now: Instant, bytes: u64) -> Duration {
        self.queue(now, bytes);
        self.time(bytes)
    }

    /// What has come in as fast as it was sent is through now, unless others came at the same time.
    fn end(&mut self, now: Instant, bytes: u64) -> Instant {
        self.free = (self.free + self.time(bytes)).max(now);
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_micros(1_000_000_000_000);

    fn at(millis: u64) -> Instant {
        START + Duration::from_millis(millis)
    }

    #[test]
    fn blocks_leave_one_after_the_other_and_small_messages_ahead_of_them_at_their_cost() {
        let mut access = Access::default();
        access.set(1, Rates { up: 8_000, down: 0 });
        assert_eq!(access.send(at(0), 1, 1_000), at(1_000));
        assert_eq!(access.send(at(500), 1, 1_000), at(2_000));
        assert_eq!(access.slip_out(at(500), 1, 100), Duration::from_millis(100));
        assert_eq!(access.send(at(500), 1, 1_000), at(3_100));
        assert_eq!(access.send(at(9_000), 1, 1), at(9_001));
        assert_eq!(access.send(at(0), 2, 1 << 40), at(0), "nothing was said of node 2");
    }

    #[test]
    fn receiving_delays_only_what_comes_faster_than_it_can_be_taken() {
        let mut access = Access::default();
        access.set(1, Rates { up: 0, down: 8_000 });
        // Alone, it has come in while it was sent.
        assert_eq!(access.receive(at(5_000), 1, 1_000), at(5_000));
        // Two that arrive at once share the pipe.
        assert_eq!(access.receive(at(5_000), 1, 1_000), at(6_000));
        assert_eq!(access.receive(at(20_000), 1, 1_000), at(20_000));
    }
}
