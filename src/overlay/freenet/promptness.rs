//! How promptly a block is given out that lies in this node's own store: the first time over each link as late as one that
//! lies a hop further (protocol.md §3.6).
//!
//! A probe that is answered at once tells that the node has the block, and so perhaps that its owner asked for it. A delay is
//! drawn from what answers from the next node took of late. Those were delayed as well: so that delays do not feed each other,
//! none is longer than a few times the shortest, and what would be is drawn evenly below that. A node that has asked nobody yet
//! takes for a hop what greeting its last neighbour took: a fixed delay would tell it from its neighbours. What has gone over a link once,
//! from here or from further, goes over it promptly. Bounded; what is forgotten is delayed again. Leaves out the timers.

use std::collections::{BTreeSet, VecDeque};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::time::Duration;

/// What was given out over which link, and how long answers take.
#[derive(Clone, Debug, Default)]
pub(super) struct Promptness {
    /// Times of the last answers from nodes one hop away.
    times: VecDeque<Duration>,
    /// What it took to greet the last neighbour.
    trip: Option<Duration>,
    /// What has gone over which link.
    given: BTreeSet<(NodeId, Location)>,
    by_age: VecDeque<(NodeId, Location)>,
}

impl Promptness {
    /// A neighbour has answered from its own store, as far as one can know, after so long.
    pub(super) fn record(&mut self, time: Duration) {
        if self.times.len() == limits::ANSWER_TIMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
    }

    /// A neighbour has been greeted, and it took so long there and back.
    pub(super) const fn greeted(&mut self, trip: Duration) {
        self.trip = Some(trip);
    }

    /// How much later than now the block of `key` goes to `asker`; at once if it went there before.
    pub(super) fn delay(&self, asker: NodeId, key: &RoutingKey, random: &mut ChaCha8Rng) -> Option<Duration> {
        if self.given.contains(&(asker, key.location())) {
            return None;
        }
        // A hop further the block is read as well: somewhat more than a trip.
        let trip = self.trip.unwrap_or(limits::WAIT_START);
        let drawn = match self.times.len() {
            0 => trip.mul_f64(random.random_range(1.0..2.0)),
            count => self.times[random.random_range(0..count)],
        };
        let shortest = self.times.iter().min().copied().unwrap_or(trip);
        let most = (shortest * limits::HIT_DELAY_SPREAD).min(limits::HIT_DELAY_MOST);
        Some(if drawn <= most { drawn } else { most.mul_f64(random.random_range(0.0..1.0)) })
    }

    /// A block has gone to `asker`.
    pub(super) fn note(&mut self, asker: NodeId, key: &RoutingKey) {
        let entry = (asker, key.location());
        if !self.given.insert(entry) {
            return;
        }
        self.by_age.push_back(entry);
        if self.by_age.len() > limits::HITS_REMEMBERED
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.given.remove(&oldest);
        }
    }

    /// A link is gone: whoever dials again is a stranger.
    pub(super) fn forget(&mut self, peer: &NodeId) {
        let count = self.given.len();
        self.given.retain(|(asker, _)| asker != peer);
        if self.given.len() < count {
            self.by_age.retain(|(asker, _)| asker != peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const ASKER: NodeId = NodeId([1; 32]);

    fn random() -> ChaCha8Rng {
        ChaCha8Rng::from_seed([1; 32])
    }

    fn key(number: u64) -> RoutingKey {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        RoutingKey(key)
    }

    #[test]
    fn the_first_hit_of_each_link_is_late_and_no_other() {
        let (mut promptness, mut random) = (Promptness::default(), random());
        assert!(promptness.delay(ASKER, &key(1), &mut random) >= Some(limits::WAIT_START));
        promptness.note(ASKER, &key(1));
        assert_eq!(promptness.delay(ASKER, &key(1), &mut random), None);
        assert!(promptness.delay(NodeId([2; 32]), &key(1), &mut random).is_some());
        assert!(promptness.delay(ASKER, &key(2), &mut random).is_some());
        promptness.forget(&ASKER);
        assert!(promptness.delay(ASKER, &key(1), &mut random).is_some());
    }

    #[test]
    fn whoever_has_asked_nobody_takes_a_greeting_for_a_hop_and_an_answer_for_more() {
        let (mut promptness, mut random) = (Promptness::default(), random());
        let trip = Duration::from_millis(3);
        promptness.greeted(trip);
        let delays: Vec<Duration> =
            (0..200).filter_map(|number| promptness.delay(ASKER, &key(number), &mut random)).collect();
        assert!(delays.iter().all(|delay| (trip..trip * 2).contains(delay)), "{delays:?}");
        assert!(delays.iter().any(|delay| *delay != delays[0]));
        promptness.record(trip * 20);
        assert_eq!(promptness.delay(ASKER, &key(1), &mut random), Some(trip * 20));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_forgotten_is_late_again() {
        let (mut promptness, mut random) = (Promptness::default(), random());
        for number in 0..limits::HITS_REMEMBERED as u64 + 5 {
            promptness.note(ASKER, &key(number));
        }
        assert_eq!(
            (promptness.given.len(), promptness.by_age.len()),
            (limits::HITS_REMEMBERED, limits::HITS_REMEMBERED)
        );
        assert!(promptness.delay(ASKER, &key(4), &mut random).is_some());
        assert_eq!(promptness.delay(ASKER, &key(5), &mut random), None);
    }

    /// A neighbour of a neighbour delays as well, and its neighbour does: were delays drawn from answers as they come, each
    /// node's would be longer than those of the next.
    #[test]
    fn delays_drawn_from_answers_that_were_delayed_do_not_grow_without_end() {
        let (mut random, trip) = (random(), Duration::from_millis(20));
        let mut nodes = vec![Promptness::default(); 20];
        for round in 0..20_000_u64 {
            let (asking, asked) = (random.random_range(0..20), random.random_range(0..20));
            let delay = nodes[asked].delay(ASKER, &key(round), &mut random).expect("a first hit");
            nodes[asking].record(trip + delay);
        }
        let mut delays: Vec<Duration> =
            (0..2_000).filter_map(|at| nodes[at as usize % 20].delay(ASKER, &key(at), &mut random)).collect();
        delays.sort();
        assert!(delays[1_999] <= trip * 8, "{:?}", delays[1_999]);
        // And they stay spread out: a hit here and one further off overlap.
        assert!(delays[200] < delays[1_800] / 2, "{:?} {:?}", delays[200], delays[1_800]);
    }
}
