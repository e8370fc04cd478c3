//! The directory among descriptors that are old, forged, too many or of tomorrow.

use rand::SeedableRng;

use super::*;
use crate::onion::descriptor::Words;
use crate::onion::fixture::{NETWORK, START, at, descriptor, id, key, words};

fn directory() -> Directory {
    Directory::new(id(0), Duration::from_secs(60))
}

fn admit(directory: &mut Directory, now: Instant, descriptor: Descriptor) -> Admitted {
    directory.admit(now, descriptor, &key(0), &NETWORK)
}

#[test]
fn the_newest_word_of_a_relay_stands_and_its_first_appearance_is_remembered() {
    let mut directory = directory();
    assert_eq!(admit(&mut directory, START, descriptor(1, 1, START)), Admitted::New);
    assert_eq!(admit(&mut directory, at(90), descriptor(1, 1, START)), Admitted::Known);
    assert_eq!(admit(&mut directory, at(20), descriptor(1, 2, at(20))), Admitted::Known, "too soon");
    assert_eq!(admit(&mut directory, at(100), descriptor(1, 2, at(100))), Admitted::New);
    let entry = directory.relay(&id(1)).expect("it is known");
    assert_eq!((entry.first_seen, entry.descriptor.group()), (START, descriptor(1, 2, START).group()));
    assert_eq!(directory.len(), 1, "one identity is one relay");
}

#[test]
fn forged_expired_and_far_future_descriptors_are_refused() {
    let mut directory = directory();
    let forged = Descriptor::sign(&key(2), &NETWORK, words(1, 1, START));
    assert_eq!(admit(&mut directory, START, forged), Admitted::Forged);
    let foreign = Descriptor::sign(&key(1), &NetworkId([9; 32]), words(1, 1, START));
    assert_eq!(admit(&mut directory, START, foreign), Admitted::Forged);
    assert_eq!(admit(&mut directory, at(86_400), descriptor(1, 1, START)), Admitted::Untimely);
    assert_eq!(admit(&mut directory, START, descriptor(1, 1, at(86_400))), Admitted::Untimely, "a clock a day ahead");
    let far = Words { expires: u64::MAX, ..words(1, 1, START) };
    assert_eq!(admit(&mut directory, START, Descriptor::sign(&key(1), &NETWORK, far)), Admitted::Untimely);
    assert_eq!(admit(&mut directory, START, descriptor(0, 1, START)), Admitted::Known, "its own");
    assert!(directory.is_empty());
}

#[test]
fn a_flood_from_one_address_group_has_a_bound_and_a_bounded_weight() {
    let mut directory = directory();
    for number in 1..200 {
        admit(&mut directory, START, descriptor(number, 66, START));
    }
    assert_eq!(directory.len(), limits::RELAYS_PER_GROUP);
    for group in 1..=12_u8 {
        for member in 0..4 {
            admit(&mut directory, START, descriptor(300 + u16::from(group) * 4 + member, group, START));
        }
    }
    let mut random = ChaCha20Rng::from_seed([4; 32]);
    let draws = 4_000;
    let flooded = descriptor(1, 66, START).group();
    let from_flood = (0..draws).filter_map(|_| directory.draw(&mut random, |_| true));
    let from_flood = from_flood.filter(|id| directory.get(id).expect("drawn").descriptor.group() == flooded).count();
    // Weight 4 of 13 times 4; a standard deviation is 17.
    assert!((220..400).contains(&from_flood), "{from_flood} of {draws}");
}

#[test]
fn a_crowded_group_weighs_no_more_than_small_ones_where_those_are_many() {
    let mut directory = directory();
    for number in 1..=16 {
        admit(&mut directory, START, descriptor(number, 66, START));
    }
    for group in 1..=15_u8 {
        admit(&mut directory, START, descriptor(300 + u16::from(group), group, START));
    }
    let mut random = ChaCha20Rng::from_seed([4; 32]);
    let flooded = descriptor(1, 66, START).group();
    let drawn = (0..4_000).filter_map(|_| directory.draw(&mut random, |_| true));
    let from_flood = drawn.filter(|id| directory.get(id).expect("drawn").descriptor.group() == flooded).count();
    // One of 16 groups, each with the weight of one relay: 250, and a standard deviation of 15.
    assert!((190..310).contains(&from_flood), "{from_flood}");
    let unweighted = directory.unweighted();
    let drawn = (0..4_000).filter_map(|_| unweighted.draw(&mut random, |_| true));
    let from_flood = drawn.filter(|id| unweighted.get(id).expect("drawn").descriptor.group() == flooded).count();
    assert!((1_900..2_250).contains(&from_flood), "16 of 31 without weights: {from_flood}");
}

#[test]
fn who_withdraws_is_drawn_no_more_and_does_not_come_back_by_an_old_word() {
    let mut directory = directory();
    admit(&mut directory, START, descriptor(1, 1, START));
    let gone = Words { relays: false, ..words(1, 1, at(100)) };
    assert_eq!(admit(&mut directory, at(100), Descriptor::sign(&key(1), &NETWORK, gone)), Admitted::New);
    assert_eq!(admit(&mut directory, at(200), descriptor(1, 1, START)), Admitted::Known);
    assert!(directory.is_empty() && directory.relay(&id(1)).is_none() && directory.get(&id(1)).is_some());
    assert_eq!(directory.draw(&mut ChaCha20Rng::from_seed([0; 32]), |_| true), None);
    directory.expire(at(13 * 3_600));
    assert!(directory.get(&id(1)).is_none());
}

#[test]
fn one_fit_relay_among_many_is_found() {
    let mut directory = directory();
    for number in 1..=200_u8 {
        admit(&mut directory, START, descriptor(u16::from(number), number, START));
    }
    let mut random = ChaCha20Rng::from_seed([4; 32]);
    let wanted = id(77);
    assert_eq!(directory.draw(&mut random, |entry| entry.descriptor.words.id == wanted), Some(wanted));
}
