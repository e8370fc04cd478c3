//! One place on the ring: predecessor, successor list, finger table, and what follows from them.
//!
//! Knows no messages and no time but the last word of its predecessor.

use super::fingers::{FINGERS, Fingers};
use super::peer::Peer;
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::contact::Contact;
use crate::time::Instant;

/// One place on the ring.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) me: Peer,
    pub(super) predecessor: Option<Peer>,
    /// When the predecessor last said a word.
    pub(super) heard: Option<Instant>,
    /// From where on keys are this member's, its own place included; kept when the predecessor is lost.
    pub(super) owned_from: Option<Location>,
    /// In the order of the ring, the next one first.
    pub(super) successors: Vec<Peer>,
    pub(super) fingers: Fingers,
    /// The finger looked up last.
    pub(super) finger: usize,
    /// Successors that were last known to hold copies of this member's keys.
    pub(super) replicas: Vec<Peer>,
    /// How often it has looked for its place in vain.
    pub(super) attempts: u8,
}

/// Who is known around a place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Around {
    /// Before it, nearest first.
    pub(super) preceding: Vec<Peer>,
    /// At it or after it.
    pub(super) following: Vec<Peer>,
}

impl Member {
    pub(super) fn new(me: Peer) -> Self {
        Self {
            me,
            predecessor: None,
            heard: None,
            owned_from: None,
            successors: Vec::new(),
            fingers: Fingers::default(),
            finger: 0,
            replicas: Vec::new(),
            attempts: 0,
        }
    }

    /// Whether it has no place on the ring and still hopes for one. After so many vain attempts nobody seems to be there: it
    /// is alone, and the ring.
    pub(super) const fn is_outside(&self) -> bool {
        self.successors.is_empty() && self.attempts < ATTEMPTS
    }

    /// It knows of nobody else who is on the ring, and is the ring.
    pub(super) const fn be_alone(&mut self) {
        self.attempts = ATTEMPTS;
    }

    /// How far ahead of this member a place is: 0 right behind it, its own place last of all.
    pub(super) fn ahead(&self, place: Location) -> u64 {
        self.me.place().clockwise_to(place).wrapping_sub(1)
    }

    /// Whether a key is this member's: its predecessor comes before the key.
    pub(super) fn owns(&self, key: Location) -> bool {
        let before = self.predecessor.as_ref().map(Peer::place);
        before.map_or(self.successors.is_empty(), |before| is_in(before, key, self.me.place()))
    }

    /// Who is known around a place, the nearest; along successors alone if `is_linear`.
    pub(super) fn around(&self, key: Location, is_linear: bool) -> Around {
        if self.successors.is_empty() {
            // Alone on the ring: every key is its own.
            return Around { preceding: Vec::new(), following: vec![self.me.clone()] };
        }
        let goal = self.ahead(key);
        let first = self.successors.partition_point(|peer| self.ahead(peer.place()) < goal);
        let following: Vec<Peer> = self.successors[first..].iter().take(MOST_FOLLOWING).cloned().collect();
        if is_linear {
            let preceding = if first > 0 { vec![self.successors[0].clone()] } else { Vec::new() };
            return Around { following: if first > 0 { Vec::new() } else { following }, preceding };
        }
        let mut near = self.successors[..first].iter().rev().peekable();
        let mut far = self.fingers.distinct().filter(|peer| self.ahead(peer.place()) < goal).peekable();
        let mut preceding: Vec<Peer> = Vec::with_capacity(MOST_ON_THE_WAY);
        // Where the key's own surroundings are not known, more of the way there: half of all nodes may be dead.
        let most = if following.is_empty() { MOST_ON_THE_WAY } else { MOST_PRECEDING };
        while preceding.len() < most {
            let is_near = match (near.peek(), far.peek()) {
                (Some(near), Some(far)) => self.ahead(near.place()) >= self.ahead(far.place()),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let next = if is_near { near.next() } else { far.next() };
            if let Some(peer) = next.filter(|peer| preceding.last() != Some(peer)) {
                preceding.push(peer.clone());
            }
        }
        Around { preceding, following }
    }

    /// Takes a successor list over: what comes after this member, in order, none twice.
    pub(super) fn follow(&mut self, mut list: Vec<Peer>, most: usize) {
        list.retain(|peer| peer != &self.me);
        list.sort_by_key(|peer| self.ahead(peer.place()));
        list.dedup();
        list.truncate(most);
        list.shrink_to_fit();
        if !list.is_empty() {
            self.attempts = 0;
        }
        self.successors = list;
    }

    /// How the tables name a node.
    pub(super) fn named(&self, node: &NodeId) -> Option<&Contact> {
        let known = self.successors.iter().chain(&self.predecessor).chain(self.fingers.distinct());
        known.map(Peer::contact).find(|contact| contact.id() == *node)
    }

    /// Others think that these follow this member. If they do not know it and name somebody who comes before its next node,
    /// or if it has none, it follows them too; whether it does.
    pub(super) fn come_between(&mut self, found: impl Iterator<Item = Peer>, most: usize) -> bool {
        let found: Vec<Peer> = found.collect();
        if let Some(next) = self.successors.first() {
            let is_nearer = |peer: &Peer| self.ahead(peer.place()) < self.ahead(next.place());
            if found.contains(&self.me) || !found.iter().any(is_nearer) {
                return false;
            }
        }
        let mut list = found;
        list.append(&mut self.successors);
        self.follow(list, most);
        !self.successors.is_empty()
    }

    /// Forgets all places of a node. Whether the next one was among them.
    pub(super) fn forget(&mut self, node: &NodeId) -> bool {
        let was_next = self.successors.first().is_some_and(|peer| peer.id() == *node);
        self.successors.retain(|peer| peer.id() != *node);
        self.fingers.remove(node);
        if self.predecessor.as_ref().is_some_and(|peer| peer.id() == *node) {
            self.predecessor = None;
        }
        if self.successors.is_empty() {
            // Better a far way round than none.
            let known = self.fingers.distinct().last().or(self.predecessor.as_ref());
            self.successors = known.cloned().into_iter().collect();
        }
        was_next
    }

    /// Where the finger with this exponent points.
    pub(super) const fn finger_place(place: Location, exponent: usize) -> Location {
        Location(place.0.wrapping_add(1 << exponent))
    }

    /// The first finger that points beyond the next node: those before it name that node.
    pub(super) fn first_far_finger(&self) -> usize {
        let next = self.successors.first().map_or(0, |peer| self.me.place().clockwise_to(peer.place()));
        (0..FINGERS).find(|exponent| 1_u64 << exponent > next).unwrap_or(FINGERS)
    }

    /// Entries of all tables.
    pub(super) fn entries(&self) -> usize {
        usize::from(self.predecessor.is_some()) + self.successors.len() + self.fingers.distinct().count()
    }
}

/// Whether `place` lies after `from` and not after `to`, going clockwise. The whole ring if they are the same.
pub(super) const fn is_in(from: Location, place: Location, to: Location) -> bool {
    from.clockwise_to(place).wrapping_sub(1) <= from.clockwise_to(to).wrapping_sub(1)
}

/// Chosen: about half a minute, in which every node that could be asked has been, several times.
const ATTEMPTS: u8 = 8;
/// Chosen: with half of all nodes dead, one of 4,096 times nobody of these is alive.
const MOST_ON_THE_WAY: usize = 12;
/// Chosen: what is left of one message.
const MOST_PRECEDING: usize = 4;
const MOST_FOLLOWING: usize = 16;

const _: () = assert!(MOST_PRECEDING + MOST_FOLLOWING <= limits::CALL_CONTACTS);
