//! One lookup as whoever looks sees it: whom it has heard of, whom it has asked, how near it has come.
//!
//! Decides who is asked next. Ends at the predecessor of the key, which names the owner and those after it.

use super::member::Around;
use super::peer::Peer;
use crate::key::Location;

/// A lookup.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) key: Location,
    /// Nearest to the key first.
    pool: Vec<Candidate>,
    /// How far the nearest node that has answered is from the key.
    nearest: u64,
    following: Vec<Peer>,
    /// Nodes that answered.
    pub(super) hops: u16,
    /// Nodes that did not.
    pub(super) timeouts: u16,
}

#[derive(Debug)]
struct Candidate {
    left: u64,
    peer: Peer,
    is_asked: bool,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step {
    /// Ask that one.
    Ask(Peer),
    /// The owner, as far as is known, and those after it.
    Ended(Vec<Peer>),
    /// Nobody is left to be asked.
    Failed,
}

impl Lookup {
    /// Begins with what the member at `from` knows itself.
    pub(super) fn new(key: Location, from: Location, known: Around) -> Self {
        let nearest = left(from, key);
        let mut lookup = Self { key, pool: Vec::new(), nearest, following: Vec::new(), hops: 0, timeouts: 0 };
        lookup.add(known);
        lookup
    }

    /// Begins at others, because whoever looks has no place of its own or wants to hear what others think.
    pub(super) fn through(key: Location, doors: Vec<Peer>) -> Self {
        let known = Around { preceding: doors, following: Vec::new() };
        let mut lookup = Self::new(key, key, known);
        lookup.nearest = u64::MAX;
        lookup
    }

    pub(super) fn next(&mut self) -> Step {
        if u32::from(self.hops) + u32::from(self.timeouts) >= MOST_ASKED {
            return Step::Failed;
        }
        let nearer = self.pool.iter().position(|candidate| !candidate.is_asked && candidate.left < self.nearest);
        let is_open = |candidate: &Candidate| !candidate.is_asked;
        let any = if self.following.is_empty() { self.pool.iter().position(is_open) } else { None };
        match nearer.or(any) {
            Some(at) => {
                self.pool[at].is_asked = true;
                Step::Ask(self.pool[at].peer.clone())
            }
            None if self.following.is_empty() => Step::Failed,
            None => Step::Ended(std::mem::take(&mut self.following)),
        }
    }

    pub(super) fn on_answer(&mut self, from: &Peer, known: Around) {
        self.hops += 1;
        if known == Around::default() {
            // It has no place on the ring yet: the way leads past it.
            return;
        }
        self.nearest = self.nearest.min(left(from.place(), self.key));
        self.add(known);
    }

    pub(super) fn on_silence(&mut self, peer: &Peer) {
        self.timeouts += 1;
        self.following.retain(|other| other.id() != peer.id());
    }

    fn add(&mut self, known: Around) {
        let key = self.key;
        for peer in known.preceding {
            let left = left(peer.place(), key);
            let at = self.pool.partition_point(|candidate| candidate.left < left);
            if self.pool.get(at).is_none_or(|candidate| candidate.peer != peer) {
                self.pool.insert(at, Candidate { left, peer, is_asked: false });
            }
        }
        self.pool.truncate(MOST_CANDIDATES);
        for peer in known.following {
            let after = key.clockwise_to(peer.place());
            let at = self.following.partition_point(|other| key.clockwise_to(other.place()) < after);
            if self.following.get(at) != Some(&peer) {
                self.following.insert(at, peer);
            }
        }
        self.following.truncate(MOST_CANDIDATES);
    }
}

/// How far a place is before a key: 0 right before it, at the key last of all.
const fn left(place: Location, key: Location) -> u64 {
    place.clockwise_to(key).wrapping_sub(1)
}

/// Chosen: many times the path in a network that works; also the most that one lookup remembers.
const MOST_CANDIDATES: usize = 64;
/// Chosen: the linear baseline in a network of some thousand nodes must come to its end.
const MOST_ASKED: u32 = 20_000;
