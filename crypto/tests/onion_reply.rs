//! Promises of answers: they come back whole, look different on every link, and are refused when anyone altered them.

mod support;

use std::collections::BTreeSet;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use crypto::onion::build::{Request, build};
use crypto::onion::layout::Class;
use crypto::onion::process::Step;
use crypto::onion::reply::{ExitReply, RelayReply, ReplyOpener};
use crypto::{NotVerified, TooLong};
use proptest::prelude::*;
use support::{Draws, hops, relays, request, walk};

/// The way back of one packet: the client's, the relays' from first to last, the exit's.
struct WayBack {
    opener: ReplyOpener,
    relays: Vec<RelayReply>,
    exit: ExitReply,
}

fn way_back(count: usize, reply_class: Class, seed: u64) -> WayBack {
    let mut draws = Draws::seeded(seed);
    let relays = relays(count, &mut draws);
    let request = Request { reply_class, ..request(Class::Small, b"") };
    let built = build(&hops(&relays), &request, &mut draws).expect("a valid path");
    let (_, mut steps) = walk(&relays, built.packet);
    let Some(Step::Deliver { reply: Some(exit) }) = steps.pop() else {
        panic!("it is delivered");
    };
    let relays = steps.into_iter().map(|step| match step {
        Step::Relay { reply: Some(reply), .. } => reply,
        other => panic!("{other:?}"),
    });
    WayBack { opener: built.reply, relays: relays.collect(), exit }
}

impl WayBack {
    /// Sends `message` back; `meddle` sees the packet on every link, the exit's first, and may alter it.
    fn answer(self, message: &[u8], mut meddle: impl FnMut(usize, &mut Vec<u8>)) -> Result<Vec<u8>, NotVerified> {
        let mut packet = self.exit.seal(message).expect("it fits");
        meddle(0, &mut packet);
        for (link, relay) in self.relays.into_iter().rev().enumerate() {
            relay.pass_back(&mut packet)?;
            meddle(link + 1, &mut packet);
        }
        self.opener.open(&mut packet).map(<[u8]>::to_vec)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_comes_back_whole(count in 1..=4_usize, block: bool, seed: u64, length in 0.0..=1.0_f64) {
        let class = if block { Class::Block } else { Class::Small };
        let message = Draws::seeded(!seed).bytes((length * class.reply_bytes() as f64) as usize);
        let mut sizes = BTreeSet::new();
        let answer = way_back(count, class, seed).answer(&message, |_, packet| _ = sizes.insert(packet.len()));
        prop_assert_eq!(answer, Ok(message));
        prop_assert_eq!(sizes, BTreeSet::from([class.packet_bytes()]));
    }

    #[test]
    fn an_answer_with_any_bit_flipped_on_any_link_is_refused(
        count in 1..=4_usize,
        link in 0..4_usize,
        bit in 0..1_120 * 8_usize,
        seed: u64,
    ) {
        let answer = way_back(count, Class::Small, seed).answer(b"message", |at, packet| {
            if at == link % count {
                packet[bit / 8] ^= 1 << (bit % 8);
            }
        });
        prop_assert_eq!(answer, Err(NotVerified));
    }
}

#[test]
fn no_two_links_of_an_answer_share_anything() {
    let mut packets = Vec::new();
    way_back(4, Class::Block, 1).answer(b"", |_, packet| packets.push(packet.clone())).expect("nobody meddled");
    // As for forward packets: 0.6 % by chance, with a fixed seed.
    let strings: Vec<BTreeSet<&[u8]>> = packets.iter().map(|packet| packet.windows(5).collect()).collect();
    for place in 0..packets.len() {
        for other in place + 1..packets.len() {
            assert!(strings[place].is_disjoint(&strings[other]), "links {place} and {other}");
        }
    }
}

#[test]
fn exit_and_guard_cannot_mark_an_answer_and_unmark_it() {
    // 400 marks: the exit adds one, the guard takes it off again, an honest relay stands between them.
    for seed in 0..400 {
        let mut draws = Draws::seeded(seed);
        let mark: [u8; 64] = draws.array();
        // Within the left part, across both, within the right.
        let start = [16, 30, 48][usize::try_from(seed % 3).expect("small")];
        let width = if start == 16 { 16 } else { 64 };
        let apply = |packet: &mut Vec<u8>| {
            packet[start..start + width].iter_mut().zip(mark).for_each(|(byte, mark)| *byte ^= mark);
        };
        let answer = way_back(3, Class::Small, seed).answer(b"message", |link, packet| {
            if link < 2 {
                apply(packet);
            }
        });
        assert_eq!(answer, Err(NotVerified), "seed {seed}");
        assert!(unmarks_with_plain_streams(&mut draws), "the mistake lets it pass");
    }
}

/// The same attack against layers of ChaCha20 alone: whether the packet is as it was after mark and unmark.
fn unmarks_with_plain_streams(draws: &mut Draws) -> bool {
    let (key, sent, mark): ([u8; 32], [u8; 200], [u8; 200]) = (draws.array(), draws.array(), draws.array());
    let pass = |mut packet: [u8; 200]| {
        ChaCha20::new(&key.into(), &[0; 12].into()).apply_keystream(&mut packet);
        packet
    };
    let xor = |packet: [u8; 200]| std::array::from_fn(|at| packet[at] ^ mark[at]);
    xor(pass(xor(sent))) == pass(sent)
}

#[test]
fn an_answer_of_another_packet_class_or_tag_is_refused() {
    let packet = way_back(1, Class::Small, 1).exit.seal(b"message").expect("it fits");
    let open = |seed, mut packet: Vec<u8>| way_back(1, Class::Small, seed).opener.open(&mut packet).map(<[u8]>::len);
    assert_eq!(open(1, packet.clone()), Ok(7));
    assert_eq!(open(2, packet.clone()), Err(NotVerified));
    let mut wrong_tag = packet.clone();
    wrong_tag[0] ^= 1;
    assert_eq!(open(1, wrong_tag), Err(NotVerified));
    for length in [0, 15, 1_119, 1_121, 33_600] {
        let mut other = packet.clone();
        other.resize(length, 0);
        assert_eq!(open(1, other.clone()), Err(NotVerified));
        let relay = way_back(2, Class::Small, 1).relays.remove(0);
        assert_eq!(relay.pass_back(&mut other), Err(NotVerified));
    }
}

#[test]
fn the_tag_of_a_link_is_known_to_both_its_ends() {
    let WayBack { opener, mut relays, exit } = way_back(3, Class::Small, 4);
    let mut packet = exit.seal(b"").expect("it fits");
    for relay in relays.drain(..).rev() {
        assert!(packet.starts_with(&relay.tag_in()));
        relay.pass_back(&mut packet).expect("its answer");
    }
    assert!(packet.starts_with(&opener.tag()));
}

#[test]
fn a_message_one_byte_too_long_is_refused() {
    for class in [Class::Small, Class::Block] {
        let limit = class.reply_bytes();
        let refusal = TooLong { length: limit + 1, limit };
        assert_eq!(way_back(1, class, 1).exit.seal(&vec![0; limit + 1]), Err(refusal));
    }
}
