//! A relay among packets that are replayed, damaged, mis-keyed, late or for nobody, and answers that are guessed or reused.

use crypto::onion::build::{Built, Hop, Purpose, Request, build};
use rand::{RngExt, SeedableRng};

use super::*;
use crate::onion::fixture::{START, at, id};

struct Bench {
    random: ChaCha20Rng,
    relays: Vec<Relay>,
}

const CLIENT: u16 = 99;

impl Bench {
    /// Three relays, numbered from 0.
    fn new() -> Self {
        let mut random = ChaCha20Rng::from_seed([5; 32]);
        let relays = (0..3).map(|number| Relay::new(id(number), START, &mut random)).collect();
        Self { random, relays }
    }

    fn path(&self) -> Vec<Hop> {
        let hop = |relay: &Relay| Hop { id: relay.me.0, onion_key: relay.public().0, delay_ms: 0 };
        self.relays.iter().map(hop).collect()
    }

    fn packet(&mut self, path: &[Hop], class: Class) -> Built {
        let request =
            Request { class, body: b"a command", purpose: Purpose::Deliver, reply_class: Class::Block, lifetime_s: 90 };
        build(path, &request, &mut self.random).expect("three relays and a short body")
    }

    fn hand(&mut self, now: Instant, relay: usize, from: u16, packet: &[u8]) -> Option<Passage> {
        self.relays[relay].handle_packet(now, id(from), packet.to_vec(), |next| (0..3).any(|other| id(other) == *next))
    }

    /// Through all three; the exit's way to answer.
    fn through(&mut self, now: Instant, packet: &[u8]) -> ExitReply {
        let mut packet = packet.to_vec();
        for relay in 0..2_u16 {
            let from = relay.checked_sub(1).unwrap_or(CLIENT);
            let Some(Passage::On(next, onwards)) = self.hand(now, relay.into(), from, &packet) else {
                panic!("relay {relay} drops it")
            };
            assert_eq!((next, onwards.len()), (id(relay + 1), packet.len()));
            packet = onwards;
        }
        let Some(Passage::Here(_, body, Some(reply))) = self.hand(now, 2, 1, &packet) else { panic!("no exit") };
        assert!(body.starts_with(b"a command"));
        reply
    }
}

#[test]
fn a_packet_passes_once_and_its_answer_comes_back_once() {
    let mut bench = Bench::new();
    let path = bench.path();
    let built = bench.packet(&path, Class::Small);
    let reply = bench.through(START, &built.packet);
    assert!(bench.hand(at(1), 0, CLIENT, &built.packet).is_none(), "replayed");
    assert!(bench.hand(at(1), 0, 1, &built.packet).is_none(), "replayed by another");
    let mut answer = reply.seal(b"found").expect("it fits");
    let mut sent = answer.clone();
    assert_eq!(bench.relays[1].handle_answer(at(2), id(2), &mut answer), Some(id(0)));
    assert_eq!(bench.relays[1].handle_answer(at(2), id(2), &mut sent), None, "a tag is used once");
    assert_eq!(bench.relays[0].handle_answer(at(2), id(1), &mut answer), Some(id(CLIENT)));
    assert_eq!(built.reply.open(&mut answer), Ok(&b"found"[..]));
}

#[test]
fn an_answer_that_is_guessed_from_elsewhere_late_or_of_the_wrong_length_goes_nowhere() {
    let mut bench = Bench::new();
    let path = bench.path();
    let answers: Vec<Vec<u8>> = (0..4)
        .map(|_| {
            let built = bench.packet(&path, Class::Small);
            bench.through(START, &built.packet).seal(b"found").expect("it fits")
        })
        .collect();
    let relay = &mut bench.relays[1];
    assert_eq!(relay.handle_answer(at(1), id(0), &mut answers[0].clone()), None, "from another peer");
    assert_eq!(relay.handle_answer(at(1), id(2), &mut answers[0].clone()), Some(id(0)), "which spends nothing");
    assert_eq!(relay.handle_answer(at(1), id(2), &mut answers[1][..1_120].to_vec()), None, "of the other class");
    assert_eq!(relay.handle_answer(at(1), id(2), &mut answers[1].clone()), None, "which spends it");
    let mut guess = answers[2].clone();
    guess[0] ^= 1;
    assert_eq!(relay.handle_answer(at(1), id(2), &mut guess), None);
    assert_eq!(relay.handle_answer(at(1), id(2), &mut [0; 3]), None);
    assert_eq!(relay.handle_answer(at(89), id(2), &mut answers[2].clone()), Some(id(0)));
    assert_eq!(relay.handle_answer(at(90), id(2), &mut answers[3].clone()), None, "late");
    assert_eq!(relay.ways.len(), 0);
}

#[test]
fn damaged_truncated_and_foreign_packets_are_dropped_and_leave_no_trace() {
    let mut bench = Bench::new();
    let path = bench.path();
    let built = bench.packet(&path, Class::Small);
    for _ in 0..64 {
        let bit = bench.random.random_range(0..built.packet.len() * 8);
        let mut flipped = built.packet.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(bench.hand(START, 0, CLIENT, &flipped).is_none(), "bit {bit}");
    }
    for length in [0, 31, 32, 1_119, 1_121, 33_600] {
        let mut cut = built.packet.clone();
        cut.resize(length, 0);
        assert!(bench.hand(START, 0, CLIENT, &cut).is_none(), "{length} bytes");
    }
    assert!(bench.hand(START, 1, CLIENT, &built.packet).is_none(), "meant for another relay");
    let stranger = Hop { id: id(50).0, ..path[1] };
    let to_stranger = bench.packet(&[path[0], stranger], Class::Small);
    assert!(bench.hand(START, 0, CLIENT, &to_stranger.packet).is_none(), "the directory does not know it");
    let to_itself = bench.packet(&[path[0], path[0]], Class::Small);
    assert!(bench.hand(START, 0, CLIENT, &to_itself.packet).is_none());
    assert_eq!(bench.relays[0].ways.len(), 0);
    bench.through(START, &built.packet);
}

#[test]
fn a_key_is_accepted_for_its_epoch_and_ten_minutes_on_either_side() {
    let mut bench = Bench::new();
    let (key, next, until) = bench.relays[0].public();
    let hop = |onion_key| Hop { id: id(0).0, onion_key, delay_ms: 0 };
    let try_at = |bench: &mut Bench, now: Instant, key| {
        bench.relays[0].handle_timeout(now, &mut bench.random);
        let built = bench.packet(&[hop(key)], Class::Small);
        bench.hand(now, 0, CLIENT, &built.packet).is_some()
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    assert!(try_at(&mut bench, START, key) && !try_at(&mut bench, START, next), "not yet");
    assert!(try_at(&mut bench, until - minutes(9), next), "a clock ahead");
    assert!(try_at(&mut bench, until + minutes(1), next) && try_at(&mut bench, until + minutes(9), key));
    assert!(!try_at(&mut bench, until + minutes(12), key), "an epoch that is over");
    assert_ne!(bench.relays[0].public().1, next);
}

#[test]
fn delayed_packets_wait_and_a_flood_from_one_link_has_a_bound() {
    let mut bench = Bench::new();
    let mut path = bench.path();
    path[0].delay_ms = 3_600_000;
    let built = bench.packet(&path, Class::Small);
    assert!(matches!(bench.hand(START, 0, CLIENT, &built.packet), Some(Passage::Later)));
    let relay = &mut bench.relays[0];
    assert!(relay.take_due(START).is_none());
    assert_eq!(relay.deadline(), START + limits::LONGEST_DELAY, "whatever the slot asks for");
    assert!(matches!(relay.take_due(at(1)), Some((next, _)) if next == id(1)));
    let junk = vec![9; 1_120];
    for _ in 0..limits::PACKET_BURST {
        bench.relays[1].allowances.take(at(1), id(CLIENT));
    }
    let good = bench.packet(&path[1..], Class::Small);
    assert!(bench.hand(at(1), 1, CLIENT, &junk).is_none());
    assert!(bench.hand(at(1), 1, CLIENT, &good.packet).is_none(), "this link has had its share");
    assert!(bench.hand(at(1), 1, 98, &good.packet).is_some(), "another has not");
}

#[test]
fn ways_back_of_one_link_are_bounded() {
    let mut bench = Bench::new();
    let path = bench.path();
    let mut ways = Ways::default();
    let relayed = |bench: &mut Bench| {
        let mut packet = bench.packet(&path, Class::Small).packet;
        let opened = bench.relays[0].keys.open(START, &id(0), &mut packet).expect("meant for it");
        match opened.act(&mut packet) {
            Ok(Step::Relay { reply: Some(reply), .. }) => reply,
            other => panic!("{other:?}"),
        }
    };
    // X25519 in an unoptimised build is slow: the bound is met by filling the count, not by a real flood.
    assert!(ways.keep(START, id(1), id(CLIENT), relayed(&mut bench)));
    ways.pretend(id(CLIENT), limits::REPLY_ENTRIES_PER_LINK);
    assert!(!ways.keep(START, id(1), id(CLIENT), relayed(&mut bench)));
    assert!(ways.keep(START, id(1), id(98), relayed(&mut bench)));
}
