//! Which rhythm one link keeps: the one this node has chosen, else the one that the peer keeps, so that both directions have it.
//!
//! Guarantees: what waits to be sent has no say in it; how many rhythms are kept for others at once is bounded, and beyond it
//! the link goes on without. Leaves out when cells leave (`wire::rhythm`) and the sending (`sender`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::limits::RHYTHMS_FOR_OTHERS;
use crate::wire::rhythm::{Beats, Rate};

/// The rhythm of one link.
#[derive(Debug)]
pub(super) struct Tempo {
    wishes: watch::Sender<Wishes>,
    beats: Mutex<Beats>,
    others: Arc<Others>,
}

/// How many rhythms this node keeps because peers do.
#[derive(Debug, Default)]
pub(super) struct Others(AtomicUsize);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wishes {
    own: Option<Rate>,
    /// What the peer keeps.
    heard: Option<Rate>,
    /// Whether it is kept in return.
    is_returned: bool,
}

/// How a link keeps its rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RhythmStatistics {
    /// At which rate this node sends.
    pub rate: Rate,
    /// Whether this node has chosen it; if not, its peer has.
    pub is_own: bool,
    /// Whether the peer keeps one as well.
    pub is_returned: bool,
    /// What has left so far.
    pub beats: Beats,
}

impl Tempo {
    pub(super) fn new(others: Arc<Others>) -> Self {
        Self { wishes: watch::Sender::new(Wishes::default()), beats: Mutex::default(), others }
    }

    /// This node wants that rhythm, or none of its own.
    pub(super) fn want(&self, rate: Option<Rate>) {
        self.wishes.send_if_modified(|wishes| std::mem::replace(&mut wishes.own, rate) != rate);
    }

    /// The peer begins a rhythm, or ends it.
    pub(super) fn hear(&self, rate: Option<Rate>) {
        self.wishes.send_modify(|wishes| {
            wishes.heard = rate;
            match (rate.is_some(), wishes.is_returned) {
                (true, false) => wishes.is_returned = self.others.enter(),
                (false, true) => {
                    wishes.is_returned = false;
                    self.others.leave();
                }
                _ => {}
            }
        });
    }

    /// The rhythm to be kept now.
    pub(super) fn rate(&self) -> Option<Rate> {
        self.wishes.borrow().rate()
    }

    /// Waits until there is one.
    pub(super) async fn begins(&self) {
        let mut wishes = self.wishes.subscribe();
        // The sender lives as long as this does.
        let _ = wishes.wait_for(|wishes| wishes.rate().is_some()).await;
    }

    /// What has left so far.
    pub(super) fn note(&self, beats: Beats) {
        *self.beats.lock().unwrap_or_else(PoisonError::into_inner) = beats;
    }

    pub(super) fn statistics(&self) -> Option<RhythmStatistics> {
        let wishes = *self.wishes.borrow();
        Some(RhythmStatistics {
            rate: wishes.rate()?,
            is_own: wishes.own.is_some(),
            is_returned: wishes.heard.is_some(),
            beats: *self.beats.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }
}

impl Drop for Tempo {
    fn drop(&mut self) {
        self.hear(None);
    }
}

impl Wishes {
    fn rate(&self) -> Option<Rate> {
        self.own.or(self.heard.filter(|_| self.is_returned))
    }
}

impl Others {
    /// Whether there is room for one more.
    fn enter(&self) -> bool {
        let room = |count: usize| (count < RHYTHMS_FOR_OTHERS).then_some(count + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rhythm_is_returned_while_there_is_room_and_an_own_one_has_precedence() {
        let others = Arc::new(Others::default());
        let tempos: Vec<Tempo> = (0..=RHYTHMS_FOR_OTHERS).map(|_| Tempo::new(others.clone())).collect();
        tempos.iter().for_each(|tempo| tempo.hear(Some(Rate::Slow)));
        let kept = tempos.iter().filter(|tempo| tempo.rate() == Some(Rate::Slow)).count();
        assert_eq!(kept, RHYTHMS_FOR_OTHERS);
        tempos[0].hear(None);
        assert_eq!(tempos[0].rate(), None);
        tempos[RHYTHMS_FOR_OTHERS].hear(Some(Rate::Fast));
        assert_eq!(tempos[RHYTHMS_FOR_OTHERS].rate(), Some(Rate::Fast));
        tempos[1].want(Some(Rate::Fastest));
        assert_eq!(tempos[1].rate(), Some(Rate::Fastest));
        tempos[1].want(None);
        assert_eq!(tempos[1].rate(), Some(Rate::Slow));
        drop(tempos);
        assert_eq!(others.0.load(Ordering::Relaxed), 0);
    }
}
