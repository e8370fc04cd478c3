//! The clock of a running node: monotonic, anchored to the calendar once at start.
//!
//! A wall clock that is set while the node runs moves nothing: timers keep their order and their length.

use std::time;

use crate::time::{Duration, Instant};

/// Tells the time to the machines.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: Instant,
    start: tokio::time::Instant,
}

impl Clock {
    /// Anchored at this moment.
    #[allow(clippy::disallowed_types, reason = "this is where the calendar of the whole program comes in")]
    pub fn start() -> Self {
        let since_epoch = time::SystemTime::now().duration_since(time::UNIX_EPOCH).unwrap_or_default();
        Self { anchor: Instant::EPOCH + since_epoch, start: tokio::time::Instant::now() }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.anchor + self.start.elapsed()
    }

    /// How long the node has been running.
    pub fn uptime(&self) -> Duration {
        self.start.elapsed()
    }

    /// When the timer for `due` rings.
    pub fn timer(&self, due: Instant) -> tokio::time::Instant {
        self.start + due.since(self.anchor)
    }
}
