//! For how long others have known a relay: what a node that is new itself goes by (protocol.md §7.4).
//!
//! Up to five linked nodes of distinct address groups are asked, a few relays at a time, for how long they have been able to
//! connect to them. A relay counts as known for as long as three of the five say at least. Who stands in the relay's own
//! address group has no say, nor has the relay. Guarantees: only what was asked for is heard, and what is kept is bounded by the
//! directory. Leaves out what a node knows itself (`directory`), which no witness can make less.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::id::{AddressGroup, NodeId};
use crate::limits;
use crate::onion::directory::{Directory, Entry};
use crate::onion::gossip::{Gossip, tag};
use crate::time::{Duration, Instant};

/// The witnesses of one node, and what they have said.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    chosen: BTreeMap<NodeId, Witness>,
    /// Since when each of them has known a relay.
    said: BTreeMap<NodeId, BTreeMap<NodeId, Instant>>,
    /// Relays that were asked about in the present round.
    asked: BTreeSet<NodeId>,
}

#[derive(Debug)]
struct Witness {
    group: AddressGroup,
    asked: BTreeSet<u64>,
    /// Whether it has answered the last question.
    has_answered: bool,
}

impl Witnesses {
    /// Keeps the witnesses that are still linked, and draws others in place of those that are not.
    pub(super) fn choose(&mut self, linked: &[NodeId], directory: &Directory, random: &mut ChaCha20Rng) {
        self.chosen.retain(|peer, _| linked.contains(peer));
        let mut rest: Vec<NodeId> = linked.to_vec();
        while self.chosen.len() < limits::AGE_WITNESSES && !rest.is_empty() {
            let peer = rest.swap_remove(random.random_range(0..rest.len()));
            let Some(group) = directory.get(&peer).map(|entry| entry.descriptor.group()) else { continue };
            let is_new = !self.chosen.contains_key(&peer) && self.chosen.values().all(|other| other.group != group);
            if is_new {
                self.chosen.insert(peer, Witness { group, asked: BTreeSet::new(), has_answered: false });
            }
        }
        self.said.retain(|relay, _| directory.relay(relay).is_some());
        self.asked.retain(|relay| directory.relay(relay).is_some());
    }

    /// Asks all witnesses about the next few relays that this node has not known for long itself.
    pub(super) fn ask(&mut self, now: Instant, directory: &Directory) -> Vec<(NodeId, Gossip)> {
        if self.chosen.is_empty() {
            return Vec::new();
        }
        if self.have_gone_round(now, directory) {
            self.asked.clear();
        }
        let left = young(now, directory).filter(|id| !self.asked.contains(id));
        let few: Vec<NodeId> = left.take(limits::LISTED).collect();
        if few.is_empty() {
            return Vec::new();
        }
        let tags: Vec<u64> = few.iter().map(tag).collect();
        self.asked.extend(few);
        for witness in self.chosen.values_mut() {
            witness.asked = tags.iter().copied().collect();
            witness.has_answered = false;
        }
        self.chosen.keys().map(|peer| (*peer, Gossip::AskAges(tags.clone()))).collect()
    }

    /// What a witness says: for how many hours it has known relays. Gives those of which something is known by now.
    pub(super) fn hear(
        &mut self,
        now: Instant,
        from: NodeId,
        ages: &[(u64, u16)],
        directory: &Directory,
    ) -> Vec<(NodeId, Instant)> {
        let Some(witness) = self.chosen.get_mut(&from) else { return Vec::new() };
        witness.has_answered |= !witness.asked.is_empty();
        let mut news = Vec::new();
        for (name, hours) in ages {
            let Some(relay) = directory.tagged(*name).filter(|_| witness.asked.remove(name)) else { continue };
            let since = now - Duration::from_secs(u64::from(*hours) * 3_600);
            self.said.entry(relay).or_default().insert(from, since);
            news.push(relay);
        }
        news.into_iter().filter_map(|relay| Some((relay, self.since(&relay, directory)?))).collect()
    }

    /// Whether a question is open to some of them.
    pub(super) fn are_busy(&self) -> bool {
        self.chosen.values().any(|witness| !witness.asked.is_empty() && !witness.has_answered)
    }

    /// Whether enough of them have answered the last question.
    pub(super) fn have_answered(&self) -> bool {
        self.chosen.values().filter(|witness| witness.has_answered).count() >= limits::AGE_WITNESSES_AGREED
    }

    /// Whether all relays have been asked about that this node has not known for long itself.
    pub(super) fn have_gone_round(&self, now: Instant, directory: &Directory) -> bool {
        young(now, directory).all(|id| self.asked.contains(&id))
    }

    /// Since when a relay has been known to as many as must agree.
    fn since(&self, relay: &NodeId, directory: &Directory) -> Option<Instant> {
        let group = directory.get(relay)?.descriptor.group();
        let counts =
            |peer: &NodeId| *peer != *relay && self.chosen.get(peer).is_some_and(|witness| witness.group != group);
        let said = self.said.get(relay)?.iter().filter(|(peer, _)| counts(peer));
        let mut instants: Vec<Instant> = said.map(|(_, since)| *since).collect();
        instants.sort_unstable();
        instants.get(limits::AGE_WITNESSES_AGREED - 1).copied()
    }
}

/// The relays that this node has not known for as long as a guard must be.
fn young(now: Instant, directory: &Directory) -> impl Iterator<Item = NodeId> {
    let is_young = move |entry: &&Entry| now.since(entry.first_seen) < limits::GUARD_AGE;
    directory.relays().filter(is_young).map(|entry| entry.descriptor.words.id)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::onion::fixture::{NETWORK, at, descriptor, id, key};

    fn directory() -> Directory {
        let mut directory = Directory::new(id(0), Duration::ZERO);
        for number in 1..=20 {
            directory.admit(at(1), descriptor(number, number as u8, at(1)), &key(0), &NETWORK);
        }
        directory
    }

    fn chosen(linked: &[u16]) -> (Witnesses, Directory) {
        let (mut witnesses, directory) = (Witnesses::default(), directory());
        let linked: Vec<NodeId> = linked.iter().map(|number| id(*number)).collect();
        witnesses.choose(&linked, &directory, &mut ChaCha20Rng::from_seed([1; 32]));
        (witnesses, directory)
    }

    const HOURS: u64 = 3_600;

    #[test]
    fn a_relay_is_known_for_as_long_as_three_of_five_say() {
        let (mut witnesses, directory) = chosen(&[1, 2, 3, 4, 5]);
        assert_eq!(witnesses.ask(at(10), &directory).len(), 5);
        let mut say = |from: u16, hours: u16| {
            let heard = witnesses.hear(at(30 * 24 * HOURS), id(from), &[(tag(&id(9)), hours)], &directory);
            heard.into_iter().next().map(|(_, since)| at(30 * 24 * HOURS).since(since).as_secs() / HOURS)
        };
        assert_eq!((say(1, 400), say(2, 9_999)), (None, None), "two are not enough");
        assert_eq!(say(3, 50), Some(50));
        assert_eq!(say(4, 300), Some(300));
        assert_eq!(say(5, 0), Some(300), "one that does not know it takes nothing away");
        assert!(witnesses.have_answered());
    }

    #[test]
    fn nobody_speaks_for_itself_or_unasked_or_twice() {
        let (mut witnesses, directory) = chosen(&[1, 2, 3]);
        let claim = |number: u16| [(tag(&id(number)), 500)];
        assert!(witnesses.hear(at(10), id(1), &claim(9), &directory).is_empty(), "nothing was asked");
        witnesses.ask(at(10), &directory);
        for from in [1, 2, 3] {
            assert!(witnesses.hear(at(10), id(from), &claim(1), &directory).is_empty(), "one of three is the relay");
        }
        assert!(witnesses.hear(at(10), id(8), &claim(9), &directory).is_empty(), "it is no witness");
        witnesses.hear(at(10), id(1), &claim(9), &directory);
        witnesses.hear(at(10), id(1), &claim(9), &directory);
        assert!(witnesses.hear(at(10), id(2), &claim(9), &directory).is_empty(), "one of them spoke twice");
    }

    #[test]
    fn all_young_relays_are_asked_about_in_turn() {
        let (mut witnesses, mut directory) = chosen(&[1, 2, 3]);
        for number in 21..=120 {
            directory.admit(at(1), descriptor(number, number as u8, at(1)), &key(0), &NETWORK);
        }
        let mut asked = BTreeSet::new();
        for _ in 0..3 {
            let Some((_, Gossip::AskAges(tags))) = witnesses.ask(at(10), &directory).into_iter().next() else {
                panic!("there are young relays")
            };
            assert!(tags.len() <= limits::LISTED);
            asked.extend(tags);
            assert_eq!(witnesses.have_gone_round(at(10), &directory), asked.len() == 120);
        }
        assert_eq!(asked.len(), 120);
        assert!(witnesses.ask(at(15 * 24 * HOURS), &directory).is_empty(), "this node has known all for long");
    }

    #[test]
    fn witnesses_stand_in_distinct_groups_and_are_replaced_when_they_are_gone() {
        let (mut witnesses, mut directory) = chosen(&[]);
        for number in 30..40 {
            directory.admit(at(1), descriptor(number, 7, at(1)), &key(0), &NETWORK);
        }
        let crowd: Vec<NodeId> = (30..40).chain([1]).map(id).collect();
        let mut random = ChaCha20Rng::from_seed([1; 32]);
        witnesses.choose(&crowd, &directory, &mut random);
        assert_eq!(witnesses.chosen.len(), 2, "one of the crowd, and the other");
        witnesses.choose(&[id(2)], &directory, &mut random);
        assert_eq!(witnesses.chosen.keys().copied().collect::<Vec<_>>(), [id(2)]);
    }
}
