//! Ages as an open network counts them: what a node sees itself, what it remembers, what it vouches for, what others tell it.

use std::collections::BTreeMap;

use super::*;
use crate::onion::gossip::tag;

/// One node of an open network, and a peer that tells it of relays.
struct Alone {
    onion: Onion,
    now: Instant,
    dials: BTreeMap<NodeId, usize>,
    said: Vec<(NodeId, Gossip)>,
    remembered: Option<Vec<u8>>,
    there: Vec<NodeId>,
}

impl Alone {
    fn start(now: Instant, remembered: Option<&[u8]>) -> Self {
        let config = Config { network: NETWORK, address: address(0), local: false, loops: false };
        let onion = Onion::new(config, key(0), [7; 32], None);
        let onion = remembered
            .map_or(onion, |_| Onion::new(config, key(0), [7; 32], None).recalling(remembered.unwrap_or_default()));
        let (dials, said) = (BTreeMap::new(), Vec::new());
        let mut alone =
            Self { onion, now, dials, said, remembered: None, there: (2..=40).step_by(2).map(id).collect() };
        alone.input(Input::Timeout);
        alone
    }

    fn input(&mut self, input: Input) {
        self.onion.handle_input(self.now, input);
        while let Some(output) = self.onion.poll_output() {
            match output {
                Output::Dial(peer, _) => *self.dials.entry(peer).or_default() += 1,
                Output::Gossip(to, word) => self.said.push((to, word)),
                Output::RememberRelays(bytes) => self.remembered = Some(bytes),
                _ => {}
            }
        }
    }

    /// A linked peer gives it fresh descriptors of the relays with these numbers.
    fn hear_of(&mut self, from: NodeId, numbers: std::ops::RangeInclusive<u16>) {
        for number in numbers {
            let word = Gossip::Give(vec![fixture::descriptor(number, number as u8, self.now)]);
            self.input(Input::Gossip(from, word));
            self.now = self.now + Duration::from_millis(40);
        }
    }

    /// Lets time pass, and answers every dial: even numbers are there.
    fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.onion.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let before = self.dials.clone();
            self.input(Input::Timeout);
            let new: Vec<NodeId> = self
                .dials
                .iter()
                .filter(|(peer, count)| before.get(*peer) != Some(*count))
                .map(|(peer, _)| *peer)
                .collect();
            for peer in new {
                let is_there = self.there.contains(&peer);
                self.input(if is_there { Input::LinkUp(peer) } else { Input::DialFailed(peer) });
                if is_there {
                    self.input(Input::LinkDown(peer));
                }
            }
        }
        self.now = end;
    }

    fn ages(&mut self, tags: Vec<u64>) -> Vec<(u64, u16)> {
        self.said.clear();
        self.input(Input::Gossip(id(1), Gossip::AskAges(tags)));
        let answer = self.said.iter().find_map(|(_, word)| match word {
            Gossip::Ages(ages) => Some(ages.clone()),
            _ => None,
        });
        answer.expect("it answers")
    }
}

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_node_dials_twenty_relays_a_day_and_vouches_for_those_that_were_there() {
    let mut alone = Alone::start(START, None);
    for _ in 0..12 {
        alone.hear_of(id(1), 1..=40);
        alone.run_for(DAY / 4);
    }
    let guard = alone.onion.guard();
    let audits: usize = alone.dials.iter().filter(|(peer, _)| Some(**peer) != guard).map(|(_, count)| *count).sum();
    assert!((40..=85).contains(&audits), "{audits} dials in three days");
    let ages = alone.ages((1..=40).map(|number| tag(&id(number))).collect());
    assert!(ages.len() >= 10, "{} of twenty that are there", ages.len());
    assert!(
        ages.iter().all(|(name, hours)| (2..=40).step_by(2).any(|number| tag(&id(number)) == *name) && *hours <= 72)
    );
    assert!(ages.iter().any(|(_, hours)| *hours >= 24), "since the first dial that reached it: {ages:?}");
}

#[test]
fn relays_are_as_old_after_a_restart_as_they_were_before() {
    let mut alone = Alone::start(START, None);
    alone.hear_of(id(1), 1..=60);
    alone.run_for(Duration::from_secs(5));
    alone.input(Input::Stop);
    let remembered = alone.remembered.take().expect("a node that stops remembers");
    let mut again = Alone::start(START + DAY * 15, Some(&remembered));
    again.hear_of(id(1), 1..=60);
    again.run_for(Duration::from_secs(60));
    assert_eq!(again.onion.standing().fit, [60; 3]);
    assert!(!again.onion.standing().relaxed);
    let mut new = Alone::start(START + DAY * 15, None);
    new.hear_of(id(1), 1..=60);
    new.run_for(Duration::from_secs(60));
    assert_eq!(new.onion.standing().fit, [0; 3]);
    assert!(new.onion.standing().relaxed);
}

#[test]
fn a_new_node_asks_five_others_and_chooses_a_guard_that_three_have_known_for_long() {
    let mut new = Alone::start(START, None);
    let peers: Vec<NodeId> = (1..=6).map(id).collect();
    peers.iter().for_each(|peer| new.input(Input::LinkUp(*peer)));
    new.hear_of(id(1), 1..=120);
    assert_eq!(new.onion.guard(), None, "it has heard from nobody how old they are");
    // Three tell the truth: the upper half is old. Two say that all are.
    for _ in 0..40 {
        let asked = std::mem::take(&mut new.said);
        for (peer, word) in asked {
            let Gossip::AskAges(tags) = word else { continue };
            let is_liar = peer == peers[4] || peer == peers[5];
            let is_old = |name: &u64| (61..=120).any(|number| tag(&id(number)) == *name);
            let ages = tags.into_iter().map(|name| (name, if is_liar || is_old(&name) { 999 } else { 3 })).collect();
            new.input(Input::Gossip(peer, Gossip::Ages(ages)));
        }
        new.run_for(Duration::from_secs(1));
    }
    let guard = new.onion.guard().expect("witnesses have spoken");
    assert!((61..=120).any(|number| id(number) == guard), "an old one");
    let fit = new.onion.standing().fit;
    assert!(fit.iter().all(|count| (58..=62).contains(count)), "{fit:?}");
}
