//! Watches every message on its way, as nobody in the network can, and notes what no honest node may say.

use std::collections::{BTreeMap, BTreeSet};

use bolthole::id::NodeId;
use bolthole::key::RoutingKey;
use bolthole::sim::latency::mix;
use bolthole::time::Instant;

use crate::breach::{Breach, Promise};

/// What a message is in its exchange.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// It begins one.
    Opens { id: u64, hops: Hops, key: Option<RoutingKey> },
    /// It belongs to one that the receiver, or the sender, has begun; with the hops to live that are handed back.
    Belongs { id: u64, begun_by: Side, left: Option<u64> },
    /// It belongs to none.
    Apart,
}

/// Hops to live, or none where they do not count.
#[derive(Clone, Copy, Debug)]
pub struct Hops {
    pub left: u64,
    pub most: u64,
}

/// Who has begun an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Sender,
    Receiver,
}

/// What has been seen so far.
#[derive(Debug, Default)]
pub struct Watch {
    pub numbers: BTreeMap<NodeId, u32>,
    pub liars: BTreeSet<u32>,
    pub keys: BTreeSet<RoutingKey>,
    pub breaches: Vec<Breach>,
    /// Whether ids live on one link only.
    pub ids_are_private: bool,
    /// Who began an exchange with whom, with how many hops to live.
    begun: BTreeMap<u64, (u32, u32, u64)>,
    heard_last: BTreeMap<u32, u64>,
    relations: BTreeSet<(bool, u64)>,
    /// Eight bytes of a node's id each.
    names: BTreeSet<u64>,
    digest: u64,
}

impl Watch {
    /// Takes a node in.
    pub fn meet(&mut self, number: u32, id: NodeId) {
        self.numbers.insert(id, number);
        self.names.extend(id.0.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word)));
    }

    /// A message is sent.
    pub fn see(&mut self, now: Instant, from: NodeId, to: NodeId, kind: u64, word: &Word) {
        let (Some(from), Some(to)) = (self.numbers.get(&from).copied(), self.numbers.get(&to).copied()) else { return };
        let is_honest = !self.liars.contains(&from);
        let id = match word {
            Word::Opens { id, .. } | Word::Belongs { id, .. } => *id,
            Word::Apart => 0,
        };
        self.note(&[now.as_micros(), u64::from(from) << 32 | u64::from(to), kind, id]);
        match *word {
            Word::Opens { id, hops, key } => {
                if is_honest {
                    self.judge_opening((from, to), id, hops, key);
                }
                self.begun.insert(id, (from, to, hops.left));
                self.heard_last.insert(to, id);
            }
            Word::Belongs { id, begun_by, left } if is_honest => self.judge_belonging((from, to), id, begun_by, left),
            Word::Belongs { .. } | Word::Apart => {}
        }
    }

    /// Takes numbers into the digest of all that has happened.
    pub fn note(&mut self, numbers: &[u64]) {
        self.digest = numbers.iter().fold(self.digest, |digest, number| mix(digest ^ number));
    }

    /// What tells this course of events from others.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    fn judge_opening(&mut self, link: (u32, u32), id: u64, hops: Hops, key: Option<RoutingKey>) {
        if !(1..=hops.most).contains(&hops.left) {
            self.blame(Promise::HopsInRange, link, &format!("{} hops to live", hops.left));
        }
        if key.is_some_and(|key| !self.keys.contains(&key)) {
            self.blame(Promise::NamesNobody, link, "a key that nobody asked for");
        }
        if !self.ids_are_private {
            return;
        }
        if self.names.contains(&id) {
            self.blame(Promise::NamesNobody, link, "an exchange id that is part of a node's id");
        }
        if let Some(earlier) = self.begun.get(&id).copied() {
            self.blame(Promise::FreshIds, link, &format!("the id of {earlier:?}"));
        } else if relatives(id).iter().any(|other| self.begun.contains_key(other)) {
            self.blame(Promise::FreshIds, link, "an id that differs little from another");
        }
        // Ids that are random have no difference twice; 10^6 of them would, once in 10^7 runs.
        if let Some(last) = self.heard_last.get(&link.0).copied() {
            let is_new =
                self.relations.insert((false, last ^ id)) & self.relations.insert((true, id.wrapping_sub(last)));
            if !is_new {
                self.blame(Promise::FreshIds, link, "an id that follows from the one heard before");
            }
        }
    }

    fn judge_belonging(&mut self, link: (u32, u32), id: u64, begun_by: Side, left: Option<u64>) {
        let begun = self.begun.get(&id).copied().filter(|(from, to, _)| match begun_by {
            Side::Sender => (*from, *to) == link,
            Side::Receiver => (*to, *from) == link,
        });
        match begun {
            None => self.blame(Promise::OnlyAnswers, link, "an exchange that was not begun on this link"),
            Some((_, _, htl)) if left.is_some_and(|left| left > htl) => {
                self.blame(Promise::HopsInRange, link, &format!("{left:?} hops to live of {htl} handed back"));
            }
            Some(_) => {}
        }
    }

    fn blame(&mut self, promise: Promise, (from, to): (u32, u32), what: &str) {
        self.breaches.push(Breach::new(promise, format!("node {from} to node {to}: {what}")));
    }
}

/// What a careless node might make of an id.
fn relatives(id: u64) -> [u64; 11] {
    let turned = |bits| id.rotate_left(bits);
    [
        id.wrapping_add(1),
        id.wrapping_sub(1),
        id.wrapping_mul(2),
        id / 2,
        !id,
        id.swap_bytes(),
        id.reverse_bits(),
        turned(8),
        turned(16),
        turned(32),
        id ^ 1,
    ]
}
