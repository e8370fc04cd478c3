//! Guards that stay, leave, drop packets or are drawn from a small directory.

use rand::SeedableRng;

use super::*;
use crate::onion::fixture::{NETWORK, START, at, descriptor, id, key};

struct Bench {
    directory: Directory,
    random: ChaCha20Rng,
    guards: Guards,
    neighbours: BTreeSet<NodeId>,
}

impl Bench {
    fn new(relays: u16, rules: Rules) -> Self {
        let mut directory = Directory::new(id(0), Duration::ZERO);
        for number in 1..=relays {
            directory.admit(START, descriptor(number, number as u8, START), &key(0), &NETWORK);
        }
        let mut guards = Guards::new(rules, None);
        guards.survey(START, &directory);
        Self { directory, random: ChaCha20Rng::from_seed([2; 32]), guards, neighbours: BTreeSet::new() }
    }

    fn path(&mut self, now: Instant) -> Option<Path> {
        let around = Surroundings {
            me: id(0),
            directory: &self.directory,
            neighbours: &self.neighbours,
            awaits_witnesses: false,
        };
        self.guards.path(now, &around, &mut self.random)
    }

    fn withdraw(&mut self, number: NodeId) {
        let of = (1..=300).find(|of| id(*of) == number).expect("a relay of the bench");
        let mut words = crate::onion::fixture::words(of, of as u8, START);
        (words.relays, words.sequence) = (false, words.sequence + 1);
        let gone = crate::onion::descriptor::Descriptor::sign(&key(of), &NETWORK, words);
        self.directory.admit(START, gone, &key(0), &NETWORK);
    }
}

#[test]
fn guard_and_middles_are_pinned_and_exits_are_not() {
    let mut bench = Bench::new(80, Rules::OPEN);
    bench.neighbours = (20..60).map(id).collect();
    let paths: Vec<Path> = (0..300).map(|second| bench.path(at(second)).expect("a path")).collect();
    let distinct = |of: fn(&Path) -> NodeId| paths.iter().map(of).collect::<BTreeSet<_>>();
    assert_eq!(distinct(|path| path.guard).len(), 1);
    assert_eq!(distinct(|path| path.middle).len(), limits::MIDDLES);
    let exits = distinct(|path| path.exit);
    assert!(exits.len() > 25, "{} exits", exits.len());
    assert!(exits.is_disjoint(&bench.neighbours), "an exit is no neighbour");
    for path in &paths {
        assert_eq!(BTreeSet::from([id(0), path.guard, path.middle, path.exit]).len(), 4);
    }
    assert_eq!(Guards::new(Rules::OPEN, Some(&[255; 9])).pinned, Pinned::default());
}

#[test]
fn a_node_that_starts_again_waits_for_the_relays_it_had_pinned() {
    let mut bench = Bench::new(80, Rules::OPEN);
    let before: Vec<Path> = (0..50).map(|second| bench.path(at(second)).expect("a path")).collect();
    let middles: BTreeSet<NodeId> = before.iter().map(|path| path.middle).collect();
    let remembered = bench.guards.to_bytes();
    let pinned = |number: &u16| id(*number) == before[0].guard || middles.contains(&id(*number));
    let start = at(3_600);
    // After the restart others are heard of first.
    let mut bench = Bench::new(0, Rules::OPEN);
    bench.guards = Guards::new(Rules::OPEN, Some(&remembered));
    bench.guards.survey(start, &bench.directory);
    for number in (1..=80).filter(|number| !pinned(number)) {
        bench.directory.admit(start, descriptor(number, number as u8, START), &key(0), &NETWORK);
    }
    assert_eq!(bench.path(at(3_601)), None, "rather nothing than another guard");
    for number in (1..=80).filter(pinned) {
        bench.directory.admit(start, descriptor(number, number as u8, START), &key(0), &NETWORK);
    }
    for second in 0..50 {
        let path = bench.path(at(3_602 + second)).expect("a path");
        assert!(path.guard == before[0].guard && middles.contains(&path.middle));
    }
}

#[test]
fn a_guard_that_drops_what_goes_to_honest_middles_brings_about_a_few_others_and_no_more() {
    let mut bench = Bench::new(80, Rules::OPEN);
    let mut middles = BTreeSet::new();
    for second in 0..2_000 {
        let path = bench.path(at(second)).expect("a path");
        middles.insert(path.middle);
        bench.guards.on_lost(at(second), &path);
    }
    assert!(middles.len() <= limits::MIDDLES_EVER, "{} middles", middles.len());
}

#[test]
fn middles_live_for_days_and_not_for_weeks() {
    let mut bench = Bench::new(60, Rules::OPEN);
    bench.path(START);
    let first: BTreeSet<NodeId> = bench.guards.pinned.middles.iter().map(|middle| middle.id).collect();
    let lives: Vec<u64> = bench.guards.pinned.middles.iter().map(|middle| middle.until - seconds(START)).collect();
    assert!(lives.iter().all(|life| (3 * 86_400..=14 * 86_400).contains(life)), "{lives:?}");
    bench.path(at(15 * 86_400));
    assert!(bench.guards.pinned.middles.iter().all(|middle| !first.contains(&middle.id) || middle.until > 0));
    assert!(bench.guards.pinned.middles.iter().all(|middle| middle.until > seconds(at(15 * 86_400))));
}

#[test]
fn there_are_never_more_than_three_guards_in_ninety_days() {
    let mut bench = Bench::new(80, Rules::OPEN);
    let mut used = BTreeSet::new();
    while let Some(path) = bench.path(at(used.len() as u64)) {
        used.insert(path.guard);
        assert!(used.len() <= limits::GUARDS);
        bench.withdraw(path.guard);
    }
    assert_eq!(used.len(), limits::GUARDS);
    assert_eq!(bench.path(at(89 * 86_400)), None, "rather none than a fourth");
    assert!(bench.path(at(91 * 86_400)).is_some());
}

#[test]
fn a_guard_that_cannot_be_reached_is_passed_over_and_comes_first_again() {
    let mut bench = Bench::new(80, Rules::OPEN);
    let first = bench.path(START).expect("a path").guard;
    bench.guards.on_unreachable(START, first);
    let second = bench.path(at(1)).expect("a path").guard;
    assert_ne!(first, second);
    assert_eq!(bench.path(at(120)).expect("a path").guard, first);
}

/// A third of what passes it in either direction: five paths in nine.
#[test]
fn a_guard_that_drops_a_third_is_found_out_and_an_honest_one_before_relays_that_drop_is_not() {
    let mut bench = Bench::new(80, Rules::OPEN);
    let bad = bench.path(START).expect("a path").guard;
    let mut paths = 0;
    loop {
        let path = bench.path(at(paths)).expect("a path");
        if path.guard != bad {
            break;
        }
        paths += 1;
        assert!(paths <= u64::from(limits::GUARD_TRIALS), "not found out after {paths} paths");
        if paths % 9 < 5 { bench.guards.on_lost(at(paths), &path) } else { bench.guards.on_came(&path) }
    }
    let good = bench.path(at(500)).expect("a path").guard;
    for number in 0..1_000 {
        let path = bench.path(at(1_000 + number)).expect("a path");
        assert_eq!(path.guard, good);
        // Four in ten are lost further on: more than a fifth of all relays can bring about at middles and exits.
        if number % 5 < 2 { bench.guards.on_lost(at(1_000 + number), &path) } else { bench.guards.on_came(&path) }
    }
}

#[test]
fn an_exit_through_which_nothing_came_is_left_alone_for_a_while() {
    let mut bench = Bench::new(8, Rules::LOCAL);
    let path = bench.path(START).expect("a path");
    bench.guards.on_lost(START, &path);
    assert!((1..100).all(|second| bench.path(at(second)).expect("a path").exit != path.exit));
}

#[test]
fn four_other_nodes_are_enough_and_rules_yield_only_where_there_are_few() {
    let mut bench = Bench::new(4, Rules::OPEN);
    bench.neighbours = (1..=4).map(id).collect();
    for second in 0..50 {
        let path = bench.path(at(second)).expect("a path of three among four others");
        assert_eq!(BTreeSet::from([id(0), path.guard, path.middle, path.exit]).len(), 4);
    }
    assert!(bench.guards.are_relaxed());
    let mut crowd = Bench::new(0, Rules::LOCAL);
    for number in 1..=120 {
        let same = if number <= 60 { 1 } else { number as u8 };
        crowd.directory.admit(START, descriptor(number, same, START), &key(0), &NETWORK);
    }
    crowd.guards.survey(START, &crowd.directory);
    assert!(!crowd.guards.are_relaxed());
    for second in 0..200 {
        let path = crowd.path(at(second)).expect("a path");
        assert!(is_apart(&crowd.directory, &path.exit, &[path.guard, path.middle]));
        assert!(is_apart(&crowd.directory, &path.middle, &[path.guard]));
    }
}

#[test]
fn who_was_seen_first_long_ago_is_preferred_once_there_are_enough_of_them() {
    let mut bench = Bench::new(60, Rules::OPEN);
    let later = at(20 * 86_400);
    // Descriptors expire; here only the ages matter, so newcomers are put beside.
    for number in 61..=70 {
        bench.directory.admit(later, descriptor(number, number as u8, later), &key(0), &NETWORK);
    }
    bench.guards.survey(later, &bench.directory);
    assert!(!bench.guards.are_relaxed());
    let newcomers: BTreeSet<NodeId> = (61..=70).map(id).collect();
    for second in 0..100 {
        let path = bench.path(later + Duration::from_secs(second)).expect("a path");
        assert!([path.guard, path.middle, path.exit].iter().all(|relay| !newcomers.contains(relay)));
    }
}
