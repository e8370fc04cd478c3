//! What crosses a gateway, in which direction, and how much.

use super::super::*;
use super::world::*;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::time::Duration;

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
