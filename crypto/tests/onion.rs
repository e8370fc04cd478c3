//! Promises of forward packets: they arrive, they are refused when altered, and they tell a relay nothing.

mod support;

use std::collections::BTreeSet;

use crypto::NotVerified;
use crypto::onion::build::{BuildError, Hop, Purpose, Request, build};
use crypto::onion::layout::{Class, HEADER_BYTES};
use crypto::onion::process::{Arrival, Step};
use proptest::prelude::*;
use support::model::{self, Model};
use support::{Draws, Relay, hops, relays, request, walk};

/// A packet for `count` relays with an empty body.
fn packet(relays: &[Relay], class: Class, draws: &mut Draws) -> Vec<u8> {
    build(&hops(relays), &request(class, b""), draws).expect("a valid path").packet
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_packet_arrives_whole_by_every_path(
        count in 1..=4_usize,
        block: bool,
        seed: u64,
        length in 0.0..=1.0_f64,
        delay_ms: u32,
        lifetime_s: u16,
    ) {
        let class = if block { Class::Block } else { Class::Small };
        let mut draws = Draws::seeded(seed);
        let relays = relays(count, &mut draws);
        let body = draws.bytes((length * class.body_bytes() as f64) as usize);
        let path: Vec<_> = hops(&relays).into_iter().map(|hop| Hop { delay_ms, ..hop }).collect();
        let request = Request { lifetime_s, ..request(class, &body) };
        let built = build(&path, &request, &mut draws).expect("a valid path");
        let (packets, mut steps) = walk(&relays, built.packet);
        prop_assert!(packets.iter().all(|packet| packet.len() == class.packet_bytes()));

        let Some(Step::Deliver { reply: Some(reply) }) = steps.pop() else { panic!("it is delivered") };
        prop_assert_eq!((reply.class(), reply.lifetime_s()), (class, lifetime_s.min(90)));
        for (place, step) in steps.iter().enumerate() {
            let Step::Relay { next, delay_ms: delay, reply: Some(reply) } = step else { panic!("it is relayed") };
            prop_assert_eq!((*next, *delay), (relays[place + 1].id, delay_ms));
            prop_assert_eq!(reply.lifetime_s(), lifetime_s.min(90));
        }
        let left = packets.last().expect("the exit has one");
        prop_assert!(left[..HEADER_BYTES].iter().all(|byte| *byte == 0), "the header is wiped");
        prop_assert_eq!(&left[HEADER_BYTES..][..body.len()], &body[..]);
        prop_assert!(left[HEADER_BYTES + body.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn arbitrary_bytes_are_refused(seed: u64, length in prop_oneof![Just(1_120_usize), Just(33_600), 0..40_000_usize]) {
        let mut draws = Draws::seeded(seed);
        let relay = &relays(1, &mut draws)[0];
        let mut bytes = draws.bytes(length);
        prop_assert!(relay.process(&mut bytes).is_err());
    }
}

#[test]
fn the_specification_read_naively_makes_the_same_bytes() {
    for class in [Class::Small, Class::Block] {
        for count in 1..=4 {
            let relays = relays(count, &mut Draws::seeded(1));
            let mut real = packet(&relays, class, &mut Draws::seeded(2));
            let mut naive = Model::default().build(&relays, class, b"", &mut Draws::seeded(2));
            assert!(real == naive, "{class:?}, {count} hops");
            for relay in &relays[..count - 1] {
                relay.process(&mut real).expect("its packet");
                naive = Model::default().pass_on(relay, &naive).expect("its packet");
                assert!(real == naive, "{class:?}, {count} hops");
            }
        }
    }
}

#[test]
fn cover_is_discarded_at_its_end_alone() {
    let mut draws = Draws::seeded(3);
    let relays = relays(3, &mut draws);
    let cover = Request { purpose: Purpose::Discard, ..request(Class::Small, b"") };
    let built = build(&hops(&relays), &cover, &mut draws).expect("a valid path");
    let (_, steps) = walk(&relays, built.packet);
    assert!(matches!(steps[..], [Step::Relay { reply: Some(_), .. }, Step::Relay { .. }, Step::Discard]));
}

#[test]
fn a_path_too_long_or_empty_a_body_too_long_and_a_weak_key_are_refused() {
    let mut draws = Draws::seeded(4);
    let path = hops(&relays(5, &mut draws));
    let small = request(Class::Small, b"");
    let refusal =
        |path: &[Hop], request: &Request<'_>| build(path, request, &mut Draws::seeded(5)).expect_err("no path");
    assert_eq!(refusal(&path, &small), BuildError::PathLength(5));
    assert_eq!(refusal(&[], &small), BuildError::PathLength(0));
    assert!(matches!(refusal(&path[..1], &request(Class::Small, &[0; 705])), BuildError::Body(_)));
    let mut weak = path[..3].to_vec();
    weak[1].onion_key = [0; 32];
    assert_eq!(refusal(&weak, &small), BuildError::OnionKey(1));
}

/// Flips each of `bits` in `packet`; every one must be refused by the relay, and the packet left as it came.
fn refuses(relay: &Relay, packet: &[u8], bits: impl Iterator<Item = usize>) -> usize {
    let mut altered = packet.to_vec();
    bits.map(|bit| {
        altered[bit / 8] ^= 1 << (bit % 8);
        let before = altered.clone();
        let arrival = Arrival::receive(&relay.key, &relay.id, &altered).expect("not of low order");
        assert_eq!(arrival.open(&mut altered).err(), Some(NotVerified), "bit {bit}");
        assert!(altered == before, "bit {bit}");
        altered[bit / 8] ^= 1 << (bit % 8);
    })
    .count()
}

#[test]
fn every_flipped_bit_dies_at_the_next_hop() {
    let mut tried = 0;
    for count in 1..=4 {
        let mut draws = Draws::seeded(6);
        let relays = relays(count, &mut draws);
        let (packets, _) = walk(&relays, packet(&relays, Class::Small, &mut draws));
        // All positions of the longest path; a seventh of the shorter ones.
        let stride = if count == 4 { 1 } else { 7 };
        for (relay, packet) in relays.iter().zip(&packets) {
            tried += refuses(relay, packet, (0..1_120 * 8).step_by(stride));
        }
    }
    assert_eq!(tried, 4 * 8_960 + 6 * 1_280);
}

#[test]
fn flipped_bits_of_a_block_packet_die_at_the_next_hop() {
    let mut draws = Draws::seeded(7);
    let relays = relays(4, &mut draws);
    let (packets, _) = walk(&relays, packet(&relays, Class::Block, &mut draws));
    for (relay, packet) in relays.iter().zip(&packets) {
        // The header's edges, then a sample of 300 positions of 268,800.
        let edges = [0, 255, 256, 383, 384, 831, 832, 3_327, 3_328, 268_799];
        refuses(relay, packet, edges.into_iter().chain((0..268_800).step_by(896)));
    }
}

#[test]
fn what_a_dishonest_relay_alters_dies_at_the_next_honest_one() {
    let mut draws = Draws::seeded(8);
    let relays = relays(3, &mut draws);
    let first = packet(&relays, Class::Small, &mut draws);
    // The dishonest first relay passes on the right packet, but for one byte: of a record, of its filler, of the body.
    for at in [0, 40, 100, 311, 312, 400, 415, 416, 1_119] {
        let mut altered = first.clone();
        relays[0].process(&mut altered).expect("its packet");
        altered[at] ^= 0x10;
        assert!(relays[1].process(&mut altered).is_err(), "byte {at}");
    }
}

#[test]
fn another_encoding_of_the_same_key_is_another_packet() {
    let flawed = Model { derive_without_key: true, ..Model::default() };
    for seed in 0..20 {
        let relays = relays(1, &mut Draws::seeded(seed));
        let mut real = packet(&relays, Class::Small, &mut Draws::seeded(seed));
        let mut naive = flawed.build(&relays, Class::Small, b"", &mut Draws::seeded(seed));
        // X25519 ignores the highest bit.
        real[31] ^= 0x80;
        naive[31] ^= 0x80;
        assert!(flawed.open(&relays[0], &naive).is_some(), "the mistake lets it pass");
        assert!(relays[0].process(&mut real).is_err());
    }
}

#[test]
fn a_key_of_low_order_is_refused_even_if_all_else_is_right() {
    let low_orders = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let relay = &relays(1, &mut Draws::seeded(9))[0];
    for text in low_orders {
        for high_bit in [0, 0x80] {
            let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
            let mut key: [u8; 32] = bytes.try_into().expect("32 bytes");
            key[31] |= high_bit;
            assert_eq!(x25519_dalek::x25519(relay.secret, key), [0; 32], "it is of low order");
            // Anyone can compute the keys of such a packet.
            let keys = Model::default().keys(&[0; 32], &key, relay, Class::Small);
            let mut text = model::slot(None, Class::Small, &[0; 16]);
            text.resize(1_120 - 48, 0);
            let sealed = model::seal(&key, &keys, text);
            assert!(Model::default().open(relay, &sealed).is_some(), "all else is right");
            assert!(Arrival::receive(&relay.key, &relay.id, &sealed).is_err());
        }
    }
}

#[test]
fn a_replay_shows_its_tag_and_other_relays_refuse() {
    let mut draws = Draws::seeded(10);
    let relays = relays(2, &mut draws);
    let first = packet(&relays[..1], Class::Small, &mut draws);
    let tag =
        |relay: &Relay, packet: &[u8]| Arrival::receive(&relay.key, &relay.id, packet).expect("a key").replay_tag();
    assert_eq!(tag(&relays[0], &first), tag(&relays[0], &first));
    let second = packet(&relays[..1], Class::Small, &mut draws);
    assert_ne!(tag(&relays[0], &first), tag(&relays[0], &second));

    assert!(relays[1].process(&mut first.clone()).is_err(), "the wrong relay");
    // A relay that publishes the onion key of another as its own.
    let copied = Relay { id: [1; 32], ..Relay::new(relays[0].secret) };
    assert!(copied.process(&mut first.clone()).is_err(), "a copied onion key");
    for length in [0, 31, 1_119, 1_121, 33_599] {
        let mut other = first.clone();
        other.resize(length, 0);
        assert!(relays[0].process(&mut other).is_err(), "{length} bytes");
    }
    let mut right = first;
    assert!(relays[0].process(&mut right).is_ok());
}

#[test]
fn junk_cannot_spend_the_tag_of_a_packet_that_is_still_to_come() {
    let mut draws = Draws::seeded(11);
    let relays = relays(1, &mut draws);
    let packet = packet(&relays, Class::Small, &mut draws);
    let mut junk = packet.clone();
    junk[700] ^= 1;
    let accepts = |mut packet: Vec<u8>, seen: &mut BTreeSet<_>, before_opening: bool| {
        let arrival = Arrival::receive(&relays[0].key, &relays[0].id, &packet).expect("a key");
        let tag = arrival.replay_tag();
        if seen.contains(&tag) || (before_opening && !seen.insert(tag)) {
            return false;
        }
        arrival.open(&mut packet).is_ok() && (before_opening || seen.insert(tag))
    };
    for (before_opening, expected) in [(true, [false, false, false]), (false, [false, true, false])] {
        let mut seen = BTreeSet::new();
        let arrivals = [&junk, &packet, &packet];
        let accepted = arrivals.map(|packet| accepts(packet.clone(), &mut seen, before_opening));
        assert_eq!(accepted, expected);
    }
}

#[test]
fn the_header_bounds_the_path() {
    let endless = Model { never_deliver: true, ..Model::default() };
    let shifting = Model { shift_everything: true, ..Model::default() };
    for seed in 0..20 {
        let mut draws = Draws::seeded(100 + seed);
        let relays = relays(10, &mut draws);
        // Where everything moves up, a small packet with an empty body makes ten relays work.
        let mut packet = shifting.build(&relays, Class::Small, b"", &mut draws);
        for relay in &relays {
            packet = shifting.pass_on(relay, &packet).expect("the mistake lets it pass");
        }
        // As it is, the fifth relay is handed nothing but fillers, whoever it is.
        let mut packet = endless.build(&relays[..4], Class::Small, b"", &mut draws);
        for relay in &relays[..4] {
            assert!(matches!(relay.process(&mut packet), Ok(Step::Relay { .. })));
        }
        assert!(relays.iter().all(|relay| relay.process(&mut packet.clone()).is_err()));
    }
}

#[test]
fn fillers_must_come_from_the_right_part_of_the_key_stream() {
    let flawed = Model { stream_from_block_0: true, ..Model::default() };
    let mut draws = Draws::seeded(12);
    let relays = relays(3, &mut draws);
    let mut packet = flawed.build(&relays, Class::Small, b"", &mut draws);
    let accepted = relays.iter().take_while(|relay| relay.process(&mut packet).is_ok()).count();
    assert_eq!(accepted, 1, "the second relay has a wrong filler before it");
}

#[test]
fn nobody_can_slip_an_honest_relay_into_a_path() {
    let mut draws = Draws::seeded(13);
    let relays = relays(3, &mut draws);
    let mut wrapped = packet(&relays[..2], Class::Small, &mut draws);
    relays[0].process(&mut wrapped).expect("its packet");
    let secret = draws.array();
    let ephemeral = x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES);
    let exchange = x25519_dalek::x25519(secret, relays[2].key.public());
    let keys = Model::default().keys(&exchange, &ephemeral, &relays[2], Class::Small);
    let mut text = model::slot(Some(relays[1].id), Class::Small, &[0; 16]);
    text.extend(&wrapped[..312]);
    text.extend(&wrapped[416..]);
    let mut detour = model::seal(&ephemeral, &keys, text);
    assert!(relays[2].process(&mut detour).is_ok(), "the relay itself cannot know");
    assert!(relays[1].process(&mut detour).is_err());
    assert!(relays[1].process(&mut wrapped).is_ok(), "without the detour it arrives");
}
