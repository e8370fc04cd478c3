//! How nodes hear of gateways, and what strangers may say to them.

use std::collections::BTreeMap;

use super::super::*;
use super::world::*;
use crate::key::RoutingKey;
use crate::overlay::mode::dice::Dice;
use crate::time::Duration;

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
