//! Gateways, tried in an overlay that finds only what it is told to find.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::*;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::message::class::{Class, Message};
use crate::overlay::mode::StoreWork;
use crate::overlay::mode::dice::Dice;
use crate::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Silence;

impl Message for Silence {
    fn class(&self) -> Class {
        Class::Small
    }
}

/// Answers every command at once; says nothing to anybody.
#[derive(Debug, Default)]
struct Deaf {
    findable: BTreeMap<RoutingKey, Block>,
    outputs: VecDeque<Output<Silence>>,
}

impl Mode for Deaf {
    type Message = Silence;

    fn handle_input(&mut self, _: Instant, input: Input<Silence>) {
        let Input::Command { ticket, command } = input else { return };
        let answer = match command {
            Command::Fetch { key, .. } => match self.findable.get(&key) {
                Some(block) => Answer::Found { block: block.clone(), hops: 1, own_store: false },
                None => Answer::NotFound,
            },
            Command::Insert { block } => {
                self.findable.insert(block.key(), block);
                Answer::Inserted { stores: 1, wanted: 1 }
            }
            Command::Cancel => return,
        };
        self.outputs.push_back(Output::Answer { ticket, answer });
    }

    fn poll_output(&mut self) -> Option<Output<Silence>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// Nodes that reach each other at once.
struct World {
    now: Instant,
    nodes: Vec<Bridged<Deaf>>,
    stores: Vec<BTreeMap<RoutingKey, Block>>,
    dead: BTreeSet<usize>,
    answers: Vec<(Ticket, Answer)>,
    errands: Vec<Errand>,
    offences: Vec<Offence>,
}

impl World {
    /// So many nodes; the first is a gateway if there is a policy, and the others are linked to it.
    fn new(count: usize, policy: Option<Policy>) -> Self {
        let nodes = (0..count).map(|number| Bridged::new(Deaf::default(), contact(number), Vec::new())).collect();
        let stores = vec![BTreeMap::new(); count];
        let now = Instant::EPOCH + Duration::from_secs(100_000);
        let (answers, errands, offences) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { now, nodes, stores, dead: BTreeSet::new(), answers, errands, offences };
        if let Some(policy) = policy {
            world.nodes[0].open(policy);
        }
        (1..count).for_each(|number| world.link(number, 0));
        world
    }

    fn link(&mut self, one: usize, other: usize) {
        for (here, there) in [(one, other), (other, one)] {
            let up = Input::LinkUp { peer: id(there), address: contact(there).address(), inbound: here == other };
            self.nodes[here].handle_input(self.now, up);
        }
        self.settle();
    }

    fn tell(&mut self, number: usize, input: Input<Word<Silence>>) {
        self.nodes[number].handle_input(self.now, input);
        self.settle();
    }

    fn fetch(&mut self, number: usize, ticket: u64, key: RoutingKey) {
        let command = Command::Fetch { key, own_store: true };
        self.tell(number, Input::Command { ticket: Ticket(ticket), command });
    }

    fn insert(&mut self, number: usize, ticket: u64, block: &Block) {
        // The gateway finds in the overlay what was published there.
        self.nodes[0].mode.findable.insert(block.key(), block.clone());
        self.tell(number, Input::Command { ticket: Ticket(ticket), command: Command::Insert { block: block.clone() } });
    }

    fn give_back(&mut self, came: Return) {
        self.nodes[0].handle_return(self.now, came);
        self.settle();
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        for number in 0..self.nodes.len() {
            if self.nodes[number].poll_timeout().is_some_and(|due| due <= self.now) {
                self.tell(number, Input::Timeout);
            }
        }
    }

    fn settle(&mut self) {
        while let Some((number, output)) =
            (0..self.nodes.len()).find_map(|number| self.nodes[number].poll_output().map(|output| (number, output)))
        {
            self.perform(number, output);
        }
        for node in &mut self.nodes {
            self.errands.extend(std::iter::from_fn(|| node.poll_errand()));
        }
    }

    fn perform(&mut self, number: usize, output: Output<Word<Silence>>) {
        let now = self.now;
        match output {
            Output::Send { to, message } if !self.dead.contains(&place(&to)) => {
                self.nodes[place(&to)].handle_input(now, Input::Message { from: id(number), message });
            }
            Output::Dial { peer, .. } if self.dead.contains(&place(&peer)) => {
                self.nodes[number].handle_input(now, Input::DialFailed { peer });
            }
            Output::Dial { peer, .. } => self.link(number, place(&peer)),
            Output::Store(StoreWork::Read { token, key }) => {
                let block = self.stores[number].get(&key).cloned();
                self.nodes[number].handle_input(now, Input::Store(StoreAnswer::Read { token, block }));
            }
            Output::Store(StoreWork::Cache { block }) => {
                self.stores[number].insert(block.key(), block);
            }
            Output::Answer { ticket, answer } => self.answers.push((ticket, answer)),
            Output::Offence { offence, .. } => self.offences.push(offence),
            _ => {}
        }
    }

    fn answers(&mut self) -> Vec<(u64, Answer)> {
        std::mem::take(&mut self.answers).into_iter().map(|(ticket, answer)| (ticket.0, answer)).collect()
    }

    fn errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }
}

fn id(number: usize) -> NodeId {
    NodeId([number as u8; 32])
}

fn place(id: &NodeId) -> usize {
    id.0[0].into()
}

fn contact(number: usize) -> Contact {
    Contact::new(id(number), format!("127.2.0.{}:7747", number + 1).parse().expect("an address"))
}

fn block(number: u8) -> Block {
    static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(|| {
        let body = |number| Bytes::from(vec![number; crypto::content::SEALED_BYTES]);
        (0..=255).map(|number| Block::new(body(number)).expect("any bytes of that length")).collect()
    });
    BLOCKS[usize::from(number)].clone()
}

fn found(block: &Block) -> Answer {
    Answer::Found { block: block.clone(), hops: 1, own_store: false }
}

fn both_ways() -> Policy {
    Policy { answers: true, inserts: true, ..Policy::default() }
}

#[test]
fn what_the_overlay_does_not_find_comes_from_the_store_and_stays_at_the_gateway() {
    let (mut world, wanted) = (World::new(3, Some(both_ways())), block(1));
    world.fetch(1, 5, wanted.key());
    assert_eq!(world.errands(), [Errand::Fetch(wanted.key())]);
    assert!(world.answers().is_empty(), "nobody knows yet");
    world.give_back(Return::Fetched(wanted.key(), Some(wanted.clone())));
    assert_eq!(world.answers(), [(5, found(&wanted))]);
    world.fetch(2, 6, wanted.key());
    assert_eq!((world.errands(), world.answers()), (Vec::new(), vec![(6, found(&wanted))]));
    assert_eq!(world.nodes[0].tally(), Some(Tally { given: 2, missed: 0, carried: 0 }));
}

#[test]
fn what_the_overlay_finds_is_asked_of_no_gateway() {
    let (mut world, wanted) = (World::new(2, Some(both_ways())), block(1));
    world.nodes[1].mode.findable.insert(wanted.key(), wanted.clone());
    world.fetch(1, 5, wanted.key());
    assert_eq!((world.errands(), world.answers()), (Vec::new(), vec![(5, found(&wanted))]));
}

#[test]
fn a_key_is_sought_once_for_all_who_ask_and_not_again_when_it_was_missed() {
    let (mut world, key) = (World::new(4, Some(both_ways())), block(1).key());
    (1..4).for_each(|number| world.fetch(number, number as u64, key));
    assert_eq!(world.errands(), [Errand::Fetch(key)]);
    world.give_back(Return::Fetched(key, None));
    assert_eq!(world.answers(), [1, 2, 3].map(|ticket| (ticket, Answer::NotFound)));
    world.fetch(1, 9, key);
    assert_eq!((world.errands(), world.answers()), (Vec::new(), vec![(9, Answer::NotFound)]));
    world.wait(limits::GATEWAY_MISSED_LIFE * 2);
    world.fetch(1, 10, key);
    assert_eq!(world.errands(), [Errand::Fetch(key)], "it may have been inserted since");
}

#[test]
fn nothing_crosses_that_is_not_on_the_list_in_either_direction() {
    let listed = block(1);
    let policy = Policy { allow: Some(BTreeSet::from([listed.key()])), ..both_ways() };
    let mut world = World::new(2, Some(policy));
    world.fetch(1, 1, block(2).key());
    world.insert(1, 2, &block(3));
    assert_eq!((world.errands(), world.answers().len()), (Vec::new(), 2));
    world.fetch(1, 3, listed.key());
    assert_eq!(world.errands(), [Errand::Fetch(listed.key())]);
    world.give_back(Return::Allowed(vec![block(2).key()]));
    world.fetch(1, 4, block(2).key());
    assert_eq!(world.errands(), [Errand::Fetch(block(2).key())]);
}

#[test]
fn a_way_that_is_closed_is_not_gone() {
    let mut world = World::new(2, Some(Policy { inserts: true, ..Policy::default() }));
    world.fetch(1, 1, block(1).key());
    assert_eq!((world.errands(), world.answers()), (Vec::new(), vec![(1, Answer::NotFound)]));
    let mut world = World::new(2, Some(Policy { answers: true, ..Policy::default() }));
    world.insert(1, 1, &block(1));
    assert_eq!(world.errands(), Vec::new());
}

#[test]
fn a_budget_ends_what_is_carried_until_the_next_hour() {
    let bytes = 2 * crypto::content::SEALED_BYTES as u64;
    let mut world = World::new(2, Some(Policy { hourly_bytes: Some(bytes), ..both_ways() }));
    world.fetch(1, 1, block(1).key());
    world.give_back(Return::Fetched(block(1).key(), Some(block(1))));
    world.insert(1, 2, &block(2));
    assert_eq!(world.errands(), [Errand::Fetch(block(1).key()), Errand::Insert(block(2))]);
    world.give_back(Return::Inserted(block(2).key(), true));
    world.answers();
    world.fetch(1, 3, block(3).key());
    world.insert(1, 4, &block(4));
    assert_eq!(world.answers().last(), Some(&(4, Answer::Inserted { stores: 1, wanted: 1 })));
    assert_eq!(world.errands(), Vec::new());
    world.wait(limits::GATEWAY_BUDGET_TIME);
    assert_eq!(world.errands(), [Errand::Insert(block(4))], "what was published waits for it");
}

#[test]
fn a_publication_is_carried_once_and_what_came_from_the_store_never() {
    let mut world = World::new(3, Some(Policy { publishes: true, ..both_ways() }));
    world.insert(1, 1, &block(1));
    assert_eq!(world.errands(), [Errand::Insert(block(1))]);
    world.give_back(Return::Inserted(block(1).key(), true));
    world.insert(2, 2, &block(1));
    world.fetch(1, 3, block(2).key());
    assert_eq!(world.errands(), [Errand::Fetch(block(2).key())]);
    world.give_back(Return::Fetched(block(2).key(), Some(block(2))));
    assert!(world.nodes[0].mode.findable.contains_key(&block(2).key()), "it is published in the overlay");
    world.insert(2, 4, &block(2));
    assert_eq!(world.errands(), Vec::new());
    assert_eq!(world.nodes[0].tally().map(|tally| tally.carried), Some(1));
}

#[test]
fn a_publication_that_cannot_be_stored_is_tried_again_and_then_given_up() {
    let mut world = World::new(2, Some(both_ways()));
    world.insert(1, 1, &block(1));
    for _ in 0..limits::GATEWAY_TRIES {
        assert_eq!(world.errands(), [Errand::Insert(block(1))]);
        world.give_back(Return::Inserted(block(1).key(), false));
        world.wait(limits::GATEWAY_TRY_AGAIN);
    }
    assert_eq!(world.errands(), Vec::new());
    world.insert(1, 2, &block(1));
    assert_eq!(world.errands(), [Errand::Insert(block(1))], "whoever publishes it again has it tried again");
}

#[test]
fn blocks_on_their_way_into_the_store_are_bounded_and_the_rest_waits() {
    let mut world = World::new(2, Some(both_ways()));
    let all: Vec<Block> = (0..100).map(block).collect();
    for (ticket, block) in all.iter().enumerate() {
        world.insert(1, ticket as u64, block);
    }
    let mut carried = 0;
    loop {
        let errands = world.errands();
        assert!(errands.len() <= limits::GATEWAY_INSERTS);
        if errands.is_empty() {
            break;
        }
        for errand in errands {
            let Errand::Insert(block) = errand else { panic!("{errand:?}") };
            carried += 1;
            world.give_back(Return::Inserted(block.key(), true));
        }
    }
    assert_eq!(carried, all.len());
}

#[test]
fn one_node_has_its_share_of_a_gateway_and_is_told_to_come_again() {
    let mut world = World::new(3, Some(both_ways()));
    let key = |number: u64| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        RoutingKey(key)
    };
    let share = limits::GATEWAY_FETCHES_PER_PEER as u64;
    (0..share).for_each(|number| world.fetch(1, number, key(number)));
    assert_eq!(world.errands().len() as u64, share);
    world.fetch(1, share, key(share));
    assert_eq!((world.errands(), world.answers()), (Vec::new(), vec![(share, Answer::Unavailable)]));
    world.fetch(2, 1_000, key(1_000));
    assert_eq!(world.errands(), [Errand::Fetch(key(1_000))], "others have theirs");
}

#[test]
fn whoever_has_the_store_searched_in_vain_is_refused_for_a_minute() {
    let mut world = World::new(2, Some(both_ways()));
    let key = |number: u32| {
        let mut key = [9; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        RoutingKey(key)
    };
    for number in 0..limits::GATEWAY_MISSES {
        world.fetch(1, number.into(), key(number));
        assert_eq!(world.errands().len(), 1);
        world.give_back(Return::Fetched(key(number), None));
    }
    world.fetch(1, 1_000, key(1_000));
    assert_eq!(world.errands(), Vec::new());
    world.wait(Duration::from_secs(60));
    world.fetch(1, 1_001, key(1_001));
    assert_eq!(world.errands().len(), 1);
}

#[test]
fn nobody_waits_for_a_gateway_longer_than_it_is_patient() {
    let (mut world, key) = (World::new(2, Some(both_ways())), block(1).key());
    world.fetch(1, 1, key);
    world.wait(limits::GATEWAY_PATIENCE);
    assert_eq!(world.answers(), [(1, Answer::NotFound)]);
    world.give_back(Return::Fetched(key, Some(block(1))));
    world.fetch(1, 2, key);
    assert_eq!(world.answers(), [(2, found(&block(1)))], "it came too late, and stayed");
}

#[test]
fn word_of_a_gateway_goes_round() {
    let mut world = World::new(1, Some(both_ways()));
    for number in 1..5 {
        world.nodes.push(Bridged::new(Deaf::default(), contact(number), Vec::new()));
        world.stores.push(BTreeMap::new());
    }
    // Links in a chain, the gateway's last.
    [(4, 3), (3, 2), (2, 1), (1, 0)].into_iter().for_each(|(one, other)| world.link(one, other));
    assert_eq!(world.nodes.iter().map(Bridged::gateways).collect::<Vec<_>>(), [0, 1, 1, 1, 1]);
    world.fetch(4, 1, block(1).key());
    assert_eq!(world.errands(), [Errand::Fetch(block(1).key())]);
}

#[test]
fn a_gateway_that_is_gone_is_forgotten_and_the_next_one_is_asked() {
    let (mut world, key) = (World::new(3, Some(both_ways())), RoutingKey([2; 32]));
    // Node 2 only says that it is a gateway; for this key it is asked first.
    let gateways = vec![contact(2)];
    let letter = Letter::Here { gateways };
    world.tell(1, Input::Message { from: id(2), message: Word::Gateway(letter.clone()) });
    assert_eq!(world.nodes[1].gateways(), 2);
    world.fetch(1, 1, key);
    assert_eq!((world.errands(), world.nodes[1].gateways()), (vec![Errand::Fetch(key)], 1));
    // One that is dead.
    world.tell(1, Input::Message { from: id(2), message: Word::Gateway(letter) });
    world.tell(1, Input::LinkDown { peer: id(2) });
    world.dead.insert(2);
    let other = RoutingKey([3; 32]);
    world.fetch(1, 2, other);
    assert_eq!((world.errands(), world.nodes[1].gateways()), (vec![Errand::Fetch(other)], 1));
}

#[test]
fn a_block_that_is_not_the_one_asked_for_is_an_offence() {
    let (mut world, key) = (World::new(2, None), block(1).key());
    let here = Letter::Here { gateways: vec![contact(0)] };
    world.tell(1, Input::Message { from: id(0), message: Word::Gateway(here) });
    world.dead.insert(0);
    world.fetch(1, 1, key);
    let call = CallId(0);
    let given = Letter::Given { call, parcel: block(2).parcel() };
    world.tell(1, Input::Message { from: id(0), message: Word::Gateway(given) });
    assert_eq!((world.answers(), world.offences), (vec![(1, Answer::NotFound)], vec![Offence::BadBlock]));
}

#[test]
fn letters_that_nobody_asked_for_or_that_are_too_long_are_offences() {
    let mut world = World::new(2, None);
    let gateways = (0..=limits::GATEWAYS_KNOWN).map(contact).collect();
    let letters = [Letter::Here { gateways }, Letter::Missing { call: CallId(7) }, Letter::Taken { call: CallId(7) }];
    for letter in letters {
        world.tell(1, Input::Message { from: id(0), message: Word::Gateway(letter) });
    }
    assert_eq!(world.offences, [Offence::Flood, Offence::Unasked, Offence::Unasked]);
    assert_eq!(world.nodes[1].gateways(), 0);
}

/// Anything in any order: nothing panics, and what is under way stays within its bounds.
#[test]
fn whatever_is_said_to_it_a_gateway_stays_within_its_bounds() {
    for seed in 0..8 {
        let mut dice = Dice::new(&[seed; 32]);
        let bytes = 2_000 * crypto::content::SEALED_BYTES as u64;
        let policy = Policy { hourly_bytes: (seed % 2 == 0).then_some(bytes), publishes: seed > 3, ..both_ways() };
        let mut world = World::new(5, Some(policy));
        let (mut fetches, mut inserts) = (Vec::new(), Vec::new());
        for step in 0..3_000 {
            let (from, number) = (1 + dice.below(4), dice.below(256) as u8);
            let call = CallId(dice.below(8) as u32);
            let key = block(number).key();
            let letter = match dice.below(14) {
                0 => Some(Letter::Ask { call, key }),
                1 => Some(Letter::Published { call, key }),
                2 => Some(Letter::Given { call, parcel: block(number).parcel() }),
                3 => Some(Letter::Noted { call, taken: number < 128 }),
                4 => Some(Letter::Busy { call }),
                5 => Some(Letter::Here { gateways: vec![contact(from), contact(dice.below(5))] }),
                _ => None,
            };
            match letter {
                Some(letter) => {
                    let to = if number < 64 { 1 + from % 4 } else { 0 };
                    world.tell(to, Input::Message { from: id(from), message: Word::Gateway(letter) });
                }
                None if dice.below(8) == 0 => world.wait(Duration::from_secs(dice.below(30) as u64)),
                None if dice.below(8) == 0 => world.tell(from, Input::LinkDown { peer: id(0) }),
                None if dice.below(2) == 0 => world.insert(from, step, &block(number)),
                None => world.fetch(from, step, key),
            }
            for errand in world.errands() {
                match errand {
                    Errand::Fetch(key) => fetches.push(key),
                    Errand::Insert(block) => inserts.push(block.key()),
                }
            }
            assert!(fetches.len() <= limits::GATEWAY_FETCHES && inserts.len() <= limits::GATEWAY_INSERTS);
            if dice.below(3) == 0 && !fetches.is_empty() {
                let key = fetches.swap_remove(dice.below(fetches.len()));
                let found = (0..=255).map(block).find(|block| block.key() == key).filter(|_| number < 128);
                world.give_back(Return::Fetched(key, found));
            }
            if dice.below(3) == 0 && !inserts.is_empty() {
                let key = inserts.swap_remove(dice.below(inserts.len()));
                world.give_back(Return::Inserted(key, number < 200));
            }
        }
        let tally = world.nodes[0].tally().expect("a gateway");
        assert!(tally.given > 0 && tally.missed > 0 && tally.carried > 0, "{tally:?}");
    }
}

#[test]
fn a_newcomer_greets_those_it_enters_by_and_hears_of_gateways() {
    let mut world = World::new(1, Some(both_ways()));
    world.nodes.push(Bridged::new(Deaf::default(), contact(1), vec![contact(0)]));
    world.stores.push(BTreeMap::new());
    world.tell(1, Input::Timeout);
    assert_eq!(world.nodes[1].gateways(), 1);
}

#[test]
fn one_that_takes_a_question_and_never_answers_is_waited_for_no_longer_than_gateways_are_patient() {
    let (mut world, key) = (World::new(2, None), block(1).key());
    let here = Letter::Here { gateways: vec![contact(0)] };
    world.tell(1, Input::Message { from: id(0), message: Word::Gateway(here) });
    world.dead.insert(0);
    world.fetch(1, 1, key);
    let taken = Letter::Taken { call: CallId(0) };
    world.tell(1, Input::Message { from: id(0), message: Word::Gateway(taken) });
    world.wait(limits::CALL_TIME);
    assert!(world.answers().is_empty());
    world.wait(limits::GATEWAY_PATIENCE);
    assert_eq!((world.answers(), world.nodes[1].gateways()), (vec![(1, Answer::NotFound)], 0));
}
