//! What waits for the writing thread, and how long it is left to gather.
//!
//! Waking a thread for each block costs more than writing the block, and a sync costs the same for one block as for many.
//! So work that nobody waits for lies for a moment, while the thread sleeps on a timer that no push has to end; and work
//! that is waited for lies while the thread rests from its last group. Guarantees: bounded, first come first served, and
//! nothing rests once the queue is closed or much has gathered. Leaves out what the work is made of.
#![allow(clippy::disallowed_types, reason = "what a group took and how long work lies are measured by the clock")]

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::work::DiskWork;

/// The queue of one thread.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    pushed: Condvar,
    /// How much it holds.
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    work: VecDeque<DiskWork>,
    /// How much of it somebody waits for.
    urgent: usize,
    is_closed: bool,
    thread: Doing,
}

/// What the thread is doing, and so whether a push must wake it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doing {
    /// Works, and looks here before it sleeps.
    #[default]
    Working,
    /// Sleeps until much has gathered, or its time is over.
    Resting,
    /// Sleeps until there is something urgent, or its time is over.
    Lingering,
    /// Sleeps until there is anything.
    Idle,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::default(), pushed: Condvar::new(), most }
    }

    /// Adds work. Never waits.
    ///
    /// # Errors
    /// The work, when the queue is full or closed.
    pub(super) fn push(&self, work: DiskWork) -> Result<(), DiskWork> {
        let mut state = self.state();
        if state.is_closed || state.work.len() >= self.most {
            return Err(work);
        }
        state.urgent += usize::from(is_urgent(&work));
        state.work.push_back(work);
        let wakes = match state.thread {
            Doing::Working => false,
            Doing::Resting => state.work.len() >= ENOUGH,
            Doing::Lingering => state.urgent > 0 || state.work.len() >= ENOUGH,
            Doing::Idle => true,
        };
        if wakes {
            state.thread = Doing::Working;
            drop(state);
            self.pushed.notify_one();
        }
        Ok(())
    }

    /// Takes no more work; what is there is still handed over.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.pushed.notify_one();
    }

    /// At most `most` pieces of what has gathered, once there is something and it has gathered for long enough: what is
    /// urgent after `rest`, the other after [`LINGER`]. None when the queue is closed and empty.
    pub(super) fn take(&self, most: usize, rest: Duration) -> Option<Vec<DiskWork>> {
        let mut state = self.state();
        let begun = Instant::now();
        let mut lingers_since = begun;
        while !state.is_closed && state.work.len() < ENOUGH {
            let (doing, until) = match state.urgent {
                0 => (Doing::Lingering, lingers_since + LINGER),
                _ => (Doing::Resting, begun + rest),
            };
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                state = self.sleep(state, doing, Some(left));
            } else if !state.work.is_empty() {
                break;
            } else {
                state = self.sleep(state, Doing::Idle, None);
                lingers_since = Instant::now();
            }
        }
        let taken: Vec<DiskWork> = {
            let now = state.work.len().min(most);
            state.work.drain(..now).collect()
        };
        state.urgent -= taken.iter().filter(|work| is_urgent(work)).count();
        (!taken.is_empty()).then_some(taken)
    }

    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        doing: Doing,
        at_most: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        state.thread = doing;
        let mut state = match at_most {
            Some(time) => self.pushed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
            None => self.pushed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.thread = Doing::Working;
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody waits for the answer.
const fn is_urgent(work: &DiskWork) -> bool {
    match work {
        DiskWork::Read { .. } | DiskWork::Mark { .. } => true,
        DiskWork::Write { durable, .. } => *durable,
        DiskWork::Erase { .. } | DiskWork::Order { .. } => false,
    }
}

/// How long what nobody waits for is left to gather. Chosen: ten blocks at 60 MB/s, and a loss that a crash costs anyway.
const LINGER: Duration = Duration::from_millis(5);
/// So much is handed over at once: 2 MiB of blocks.
const ENOUGH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::RoutingKey;
    use crate::message::block::BlockKind;
    use crate::store::work::Place;

    const LONG: Duration = Duration::from_secs(3_600);

    fn urgent(slot: u32) -> DiskWork {
        DiskWork::Read { place: Place { kind: BlockKind::Content, slot }, key: RoutingKey([0; 32]) }
    }

    fn other(slot: u32) -> DiskWork {
        DiskWork::Erase { place: Place { kind: BlockKind::Content, slot } }
    }

    fn slots(works: Option<Vec<DiskWork>>) -> Vec<u32> {
        let slot = |work| match work {
            DiskWork::Read { place, .. } | DiskWork::Erase { place } => place.slot,
            work => panic!("nobody pushed {work:?}"),
        };
        works.into_iter().flatten().map(slot).collect()
    }

    #[test]
    fn work_comes_out_in_the_order_in_which_it_came() {
        let queue = Queue::new(10);
        for slot in 0..6 {
            queue.push(if slot % 2 == 0 { other(slot) } else { urgent(slot) }).expect("there is room");
        }
        assert_eq!(slots(queue.take(4, Duration::ZERO)), [0, 1, 2, 3]);
        assert_eq!(slots(queue.take(4, Duration::ZERO)), [4, 5]);
    }

    #[test]
    fn a_full_queue_gives_the_work_back() {
        let queue = Queue::new(2);
        assert!(queue.push(urgent(0)).is_ok() && queue.push(other(1)).is_ok());
        assert_eq!(slots(queue.push(urgent(2)).err().map(|work| vec![work])), [2]);
    }

    #[test]
    fn a_closed_queue_hands_over_what_is_there_without_a_rest() {
        let queue = Queue::new(10);
        queue.push(urgent(0)).expect("there is room");
        queue.close();
        assert!(queue.push(urgent(1)).is_err());
        assert_eq!(slots(queue.take(10, LONG)), [0]);
        assert!(queue.take(10, LONG).is_none());
    }

    #[test]
    fn what_has_gathered_in_plenty_ends_a_rest() {
        let queue = Queue::new(ENOUGH);
        let taken = std::thread::scope(|scope| {
            let taker = scope.spawn(|| queue.take(ENOUGH, LONG));
            for slot in 0..ENOUGH as u32 {
                queue.push(urgent(slot)).expect("there is room");
            }
            taker.join().expect("it takes")
        });
        // The taker may have been woken by the first of them and rests then, never by fewer than enough.
        assert_eq!(slots(taken).len(), ENOUGH);
    }

    #[test]
    fn who_is_idle_is_woken_by_anything_and_by_the_end() {
        let queue = Queue::new(10);
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| (slots(queue.take(10, LONG)), queue.take(10, LONG)));
            while queue.state().thread != Doing::Idle {
                std::thread::yield_now();
            }
            queue.push(other(7)).expect("there is room");
            while !queue.state().work.is_empty() {
                std::thread::yield_now();
            }
            queue.close();
            let (first, then) = taker.join().expect("it takes");
            assert_eq!(first, [7]);
            assert!(then.is_none());
        });
    }
}
