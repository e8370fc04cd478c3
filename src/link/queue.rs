//! What waits to be sent to one peer: two lines, small messages and blocks, bounded in bytes.
//!
//! Guarantees: adding never blocks; beyond the hard bound the newest is dropped and counted; falling behind and catching
//! up are reported once each. After closing, what is queued still leaves and nothing more is taken.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::limits::{QUEUE_HARD_BYTES, QUEUE_HIGH_BYTES, QUEUE_LOW_BYTES};
use crate::message::class::Class;
use crate::overlay::mode::CloseReason;
use crate::wire::cell::message_bytes;
use crate::wire::frame::Frame;

/// The outgoing messages of one link.
#[derive(Debug)]
pub(super) struct Queue<M> {
    lines: Mutex<Lines<M>>,
    small: Notify,
    block: Notify,
    level: Notify,
    closing: Notify,
}

#[derive(Debug)]
struct Lines<M> {
    small: VecDeque<M>,
    block: VecDeque<M>,
    bytes: usize,
    behind: bool,
    reported: bool,
    closed: Option<CloseReason>,
    dropped: u64,
}

impl<M: Frame> Queue<M> {
    pub(super) fn new() -> Self {
        let lines = Lines {
            small: VecDeque::new(),
            block: VecDeque::new(),
            bytes: 0,
            behind: false,
            reported: false,
            closed: None,
            dropped: 0,
        };
        let (small, block, level, closing) = (Notify::new(), Notify::new(), Notify::new(), Notify::new());
        Self { lines: Mutex::new(lines), small, block, level, closing }
    }

    /// Adds a message; false if there was no room or the link is closing.
    pub(super) fn push(&self, message: M) -> bool {
        let class = message.class();
        let mut lines = self.lock();
        if lines.closed.is_some() || lines.bytes + message_bytes(class) > QUEUE_HARD_BYTES {
            lines.dropped += 1;
            return false;
        }
        lines.bytes += message_bytes(class);
        lines.of(class).push_back(message);
        if lines.bytes >= QUEUE_HIGH_BYTES && !lines.behind {
            lines.behind = true;
            self.level.notify_one();
        }
        drop(lines);
        self.line(class).notify_one();
        true
    }

    /// The next message of a class; none once the queue is closed and that line is empty.
    pub(super) async fn next(&self, class: Class) -> Option<M> {
        loop {
            if let Some(message) = self.pop(class) {
                return Some(message);
            }
            if self.closed().is_some() {
                return None;
            }
            self.line(class).notified().await;
        }
    }

    /// Waits until the link falls behind or has caught up, and says which.
    pub(super) async fn level_change(&self) -> bool {
        loop {
            if let Some(behind) = self.lock().unreported() {
                return behind;
            }
            self.level.notified().await;
        }
    }

    /// Takes no more messages and lets those that wait leave. The first reason stands.
    pub(super) fn close(&self, reason: CloseReason) {
        self.lock().closed.get_or_insert(reason);
        self.small.notify_one();
        self.block.notify_one();
        self.closing.notify_one();
    }

    /// Waits until the queue is being closed. One caller at a time.
    pub(super) async fn closing(&self) -> CloseReason {
        loop {
            if let Some(reason) = self.closed() {
                return reason;
            }
            self.closing.notified().await;
        }
    }

    pub(super) fn closed(&self) -> Option<CloseReason> {
        self.lock().closed
    }

    /// Bytes waiting and messages dropped.
    pub(super) fn load(&self) -> (usize, u64) {
        let lines = self.lock();
        (lines.bytes, lines.dropped)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        let lines = self.lock();
        lines.small.is_empty() && lines.block.is_empty()
    }

    /// The next message of a class, if one waits.
    pub(super) fn pop(&self, class: Class) -> Option<M> {
        let mut lines = self.lock();
        let message = lines.of(class).pop_front()?;
        lines.bytes -= message_bytes(class);
        if lines.bytes <= QUEUE_LOW_BYTES && lines.behind {
            lines.behind = false;
            self.level.notify_one();
        }
        Some(message)
    }

    const fn line(&self, class: Class) -> &Notify {
        match class {
            Class::Small => &self.small,
            Class::Block => &self.block,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines<M>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Lines<M> {
    const fn of(&mut self, class: Class) -> &mut VecDeque<M> {
        match class {
            Class::Small => &mut self.small,
            Class::Block => &mut self.block,
        }
    }

    fn unreported(&mut self) -> Option<bool> {
        (self.behind != self.reported).then(|| {
            self.reported = self.behind;
            self.behind
        })
    }
}
