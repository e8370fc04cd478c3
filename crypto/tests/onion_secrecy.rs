//! What a packet looks like: like random bytes, everywhere, and like no other packet.

mod support;

use std::collections::BTreeSet;

use crypto::onion::build::build;
use crypto::onion::layout::Class;
use crypto::onion::process::Arrival;
use support::model::Model;
use support::{Draws, hops, relays, request, walk};

/// How far the counts of byte values lie from uniform, in standard deviations of chi square (255 degrees of freedom).
fn deviation<'a>(bytes: impl Iterator<Item = &'a u8>) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
    let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    (chi_square - 255.0) / 510_f64.sqrt()
}

/// Ten independent statistics are compared with this; each fails by chance about once in 10^5 (chi square has a heavier
/// tail than the normal distribution), and the seeds are fixed.
const FAR: f64 = 4.6;

#[test]
fn packets_look_random_at_every_hop_of_every_path() {
    for count in 1..=4 {
        // 200 packets for each of the 10 pairs of length and hop: 217,600 bytes each, the public keys left out.
        let mut seen = vec![Vec::new(); count];
        for seed in 0..200 {
            let mut draws = Draws::seeded(seed);
            let relays = relays(count, &mut draws);
            let built = build(&hops(&relays), &request(Class::Small, b""), &mut draws).expect("a valid path");
            let (packets, _) = walk(&relays, built.packet);
            for (seen, packet) in seen.iter_mut().zip(packets) {
                seen.extend_from_slice(&packet[32..]);
            }
        }
        for (hop, bytes) in seen.iter().enumerate() {
            let deviation = deviation(bytes.iter());
            assert!(deviation.abs() < FAR, "{count} hops, hop {hop}: {deviation}");
        }
    }
}

#[test]
fn what_is_left_at_the_exit_tells_nothing_of_the_length() {
    for count in 1..=4 {
        // 300 packets: 93,600 bytes.
        let (mut left, mut naive_left) = (Vec::new(), Vec::new());
        let flawed = Model { zero_padding: true, ..Model::default() };
        for seed in 0..300 {
            let mut draws = Draws::seeded(seed);
            let relays = relays(count, &mut draws);
            let mut packet =
                build(&hops(&relays), &request(Class::Small, b""), &mut draws).expect("a valid path").packet;
            let mut naive = flawed.build(&relays, Class::Small, b"", &mut draws);
            let (exit, before) = relays.split_last().expect("an exit");
            for relay in before {
                relay.process(&mut packet).expect("its packet");
                naive = flawed.pass_on(relay, &naive).expect("its packet");
            }
            let arrival = Arrival::receive(&exit.key, &exit.id, &packet).expect("a key");
            arrival.open(&mut packet).expect("its packet");
            left.extend_from_slice(&packet[104..416]);
            naive_left.push(flawed.open(exit, &naive).expect("its packet").1[56..368].to_vec());
        }
        let deviation = deviation(left.iter());
        assert!(deviation.abs() < FAR, "{count} hops: {deviation}");
        // With zeros for padding, the exit counts the hops by counting zeros, every time.
        for left in naive_left {
            let zeros = left.iter().take_while(|byte| **byte == 0).count();
            assert!((104 * (4 - count)..=104 * (4 - count) + 4).contains(&zeros), "{count} hops: {zeros} zeros");
        }
    }
}

#[test]
fn no_two_hops_of_a_packet_share_anything() {
    let mut draws = Draws::seeded(1);
    let relays = relays(4, &mut draws);
    let built = build(&hops(&relays), &request(Class::Block, b""), &mut draws).expect("a valid path");
    let (packets, _) = walk(&relays, built.packet);
    let packets = &packets[..4];
    // 33,596 strings of 5 bytes in each: a chance match has a probability of 6 * 33,596^2 / 2^40 = 0.6 %; the seed is
    // fixed.
    let strings: Vec<BTreeSet<&[u8]>> = packets.iter().map(|packet| packet.windows(5).collect()).collect();
    for (place, packet) in packets.iter().enumerate() {
        for other in place + 1..4 {
            assert!(strings[place].is_disjoint(&strings[other]), "hops {place} and {other}");
            let differing: u32 = packet.iter().zip(&packets[other]).map(|(a, b)| (a ^ b).count_ones()).sum();
            // 268,800 bits: one standard deviation is 0.001; six pairs within five fail once in 10^5.
            let ratio = f64::from(differing) / 268_800.0;
            assert!((ratio - 0.5).abs() < 0.005, "hops {place} and {other}: {ratio}");
        }
    }
}
