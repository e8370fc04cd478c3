//! Claims of joining and topology (docs/protocol.md §5), on networks of production machines.

mod rings;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bolthole::id::{AddressGroup, NetworkId, NodeId};
use bolthole::key::Location;
use bolthole::limits;
use bolthole::message::certificate::{Certificate, Claim, Testimony};
use bolthole::message::reference::NodeRef;
use bolthole::overlay::freenet::{Commit, Errand, ExchangeId, Hello, Message, Profile, Query, Question, Reply};
use bolthole::overlay::mode::{CloseReason, Offence, Output};
use bolthole::sim::fault::Verdict;
use bolthole::time::Day;
use crypto::hash::{Label, hash};
use rings::{Network, address, id, key};

#[test]
fn founders_that_know_one_of_them_form_a_ring() {
    for count in [2, 5, 16, 60] {
        let mut network = Network::new(count, Profile::Local, u64::from(count));
        network.start_founders();
        network.run_until(Duration::from_secs(60), Network::is_ring);
        network.assert_ring();
        println!("{count} nodes: a ring after {:?}", network.age());
    }
}

#[test]
fn newcomers_get_certified_places_and_form_a_ring() {
    for count in [2, 5, 16, 60] {
        let mut network = Network::new(1, Profile::Local, 100 + u64::from(count));
        network.start_founders();
        for number in 1..count {
            network.start(number, None);
            network.run(Duration::from_millis(300));
        }
        network.run_until(Duration::from_secs(60), Network::is_ring);
        network.assert_ring();
        assert_eq!(network.mesh.offences(), &[], "{count} nodes");
        println!("{count} nodes joined, a ring after {:?}, {} messages", network.age(), network.mesh.sent_in_all());
    }
}

#[test]
fn newcomers_that_all_come_at_once_find_their_places() {
    let mut network = Network::new(1, Profile::Local, 9);
    network.start_founders();
    (1..40).for_each(|number| network.start(number, None));
    network.run_until(Duration::from_secs(120), Network::is_ring);
    network.assert_ring();
    println!("40 nodes at once: a ring after {:?}", network.age());
}

#[test]
fn the_ring_repairs_itself_after_a_third_of_the_nodes_has_died() {
    let mut network = Network::new(60, Profile::Local, 7);
    network.start_founders();
    network.run_until(Duration::from_secs(60), Network::is_ring);
    network.kill_every(3);
    let before = network.age();
    network.run_until(Duration::from_secs(60), Network::is_ring);
    network.assert_ring();
    println!("repaired {:?} after the deaths, 12 s of which until they are noticed", network.age() - before);
}

#[test]
fn a_settled_network_is_quiet() {
    for count in [2, 5, 16, 60] {
        let mut network = Network::new(count, Profile::Local, 3);
        network.start_founders();
        network.run(Duration::from_secs(300));
        let (sent, dials) = (network.mesh.sent_in_all(), network.dials());
        network.run(Duration::from_secs(300));
        let per_node_and_minute = (network.mesh.sent_in_all() - sent) as f64 / f64::from(count) / 5.0;
        println!(
            "{count} nodes: {per_node_and_minute:.1} messages per node and minute, {} links made",
            network.dials() - dials
        );
        assert!(per_node_and_minute < 60.0, "{count} nodes send {per_node_and_minute} messages per node and minute");
        assert!(network.dials() - dials <= u64::from(count), "{count} nodes made {} links", network.dials() - dials);
    }
}

#[test]
fn long_links_are_as_many_in_each_octave_of_distance() {
    // Distances are counted in nodes, as they lie. With density 1/distance every full octave has an equal share. 300 nodes
    // of degree 20 make some 2,900 links, some 370 in each of the octaves 8–15, 16–31, 32–63 and 64–127: standard deviation
    // 5 %, and a quarter either way fails once in 10^5 tests. Uniform draws would put 8 times as many into the last as into the first.
    let mut network = Network::new(300, Profile::Local, 5);
    network.degree = 20;
    network.start_founders();
    network.run_until(Duration::from_secs(120), Network::is_ring);
    network.run(Duration::from_secs(60));
    network.assert_ring();
    let ring: Vec<_> = network.ring().into_values().collect();
    let rank: BTreeMap<_, _> = ring.iter().enumerate().map(|(rank, node)| (*node, rank)).collect();
    let mut octaves = [0u32; 9];
    let mut most = 0;
    for node in &ring {
        let linked = network.node(node).neighbours();
        most = most.max(linked.len());
        for (other, _) in linked {
            let apart = rank[node].abs_diff(rank[&other]);
            octaves[apart.min(300 - apart).ilog2() as usize] += 1;
        }
    }
    println!("links by octave of distance in nodes: {:?}, highest degree {most}", octaves.map(|count| count / 2));
    assert!(most <= 20, "a node has {most} neighbours");
    let long = &octaves[3..7];
    let mean = long.iter().sum::<u32>() as f64 / 4.0;
    assert!(long.iter().all(|count| (f64::from(*count) / mean - 1.0).abs() < 0.25), "{octaves:?}");
}

#[test]
fn a_node_that_comes_back_has_the_place_that_it_left() {
    let mut network = joined(12, 21);
    let (node, place) = (id(7), network.node(&id(7)).location());
    let memory = network.mesh.memory(&node).expect("a placed node asks to be remembered").to_vec();
    network.mesh.kill(node);
    network.run(Duration::from_secs(20));
    network.start(7, Some(memory));
    network.run_until(Duration::from_secs(30), Network::is_ring);
    network.assert_ring();
    assert_eq!(network.node(&node).location(), place);
    network.mesh.kill(node);
    network.run(Duration::from_secs(20));
    network.start(7, Some(b"no memory at all".to_vec()));
    network.run_until(Duration::from_secs(30), Network::is_ring);
    network.assert_ring();
    assert_ne!(network.node(&node).location(), place);
}

#[test]
fn a_certificate_that_grows_old_is_renewed_and_the_links_stay() {
    let mut network = Network::new(1, Profile::Local, 22);
    // A month of virtual time: what is looked after every two seconds otherwise is looked after every hour.
    network.upkeep = Duration::from_secs(3_600);
    network.join_up_to(12);
    let before: Vec<_> = network.mesh.ids().iter().map(|node| network.node(node).location()).collect();
    network.run(Duration::from_secs(25 * 86_400));
    let links = network.dials();
    network.run(Duration::from_secs(86_400));
    network.assert_ring();
    let after: Vec<_> = network.mesh.ids().iter().map(|node| network.node(node).location()).collect();
    let moved = before.iter().zip(&after).filter(|(old, new)| old != new).count();
    assert_eq!(moved, 11, "all but the founder have drawn anew");
    assert!(network.dials() - links <= 12, "{} new links", network.dials() - links);
    network.run(Duration::from_secs(10 * 86_400));
    network.assert_ring();
}

#[test]
fn a_witness_that_falls_silent_does_not_stop_a_newcomer() {
    let mut network = joined(10, 23);
    let silent: Rc<RefCell<Option<NodeId>>> = Rc::default();
    let chosen = Rc::clone(&silent);
    network.mesh.set_fault(move |_, _, _, message: &Message| {
        let Message::Query(query) = message else { return Verdict::Pass };
        let witness = match &query.question {
            Question::Reveal(reveal) => reveal.witness,
            Question::Certify(certify) => certify.witness,
            _ => return Verdict::Pass,
        };
        if *chosen.borrow_mut().get_or_insert(witness) == witness { Verdict::Drop } else { Verdict::Pass }
    });
    network.start(10, None);
    network.run_until(Duration::from_secs(60), Network::is_ring);
    assert!(silent.borrow().is_some(), "nobody was silent");
    network.assert_ring();
    assert_eq!(network.mesh.offences(), &[]);
}

#[test]
fn witnesses_are_those_nearest_to_places_that_follow_from_the_newcomer_and_the_day() {
    let mut network = Network::new(60, Profile::Local, 24);
    network.start_founders();
    network.run_until(Duration::from_secs(60), Network::is_ring);
    let seen = network.watch_certificates();
    (60..80).for_each(|number| network.start(number, None));
    network.run_until(Duration::from_secs(120), Network::is_ring);
    network.assert_ring();
    let ring = network.ring();
    let mut testimonies = 0;
    for certificate in seen.borrow().values() {
        let claim = certificate.claim;
        assert_eq!(certificate.testimonies.len(), 3);
        for testimony in &certificate.testimonies {
            testimonies += 1;
            let is_right = (1..=limits::WITNESS_PLACES).any(|index| {
                let place = witness_place(&network.genesis.network(), &claim.node, claim.day, index);
                let mut by_distance: Vec<_> = ring.iter().map(|(at, node)| (at.distance(place), *node)).collect();
                by_distance.sort_unstable();
                by_distance.iter().take(3).any(|(_, node)| *node == testimony.witness)
            });
            assert!(is_right, "{:?} is no witness of {:?}", testimony.witness, claim.node);
        }
    }
    assert_eq!(testimonies, 60);
    assert_eq!(network.mesh.offences(), &[]);
}

#[test]
fn a_location_without_a_valid_certificate_is_refused() {
    let mut network = joined(60, 25);
    let target = id(30);
    let wanted = network.node(&target).location().expect("placed").0.wrapping_add(1);
    let across = network.ring().range(Location(wanted.wrapping_add(1 << 63))..).next().map(|(_, node)| *node);
    let across = across.or(network.ring().into_values().next()).expect("a ring");
    let network_id = network.genesis.network();
    let liar = |number: u32| {
        let reference = NodeRef::sign(&key(number), &network_id, address(number), Location(wanted), 1);
        (id(number), address(number), reference)
    };
    let signed_by_friends = |number: u32, day: Day| {
        let group = AddressGroup::of(&address(number));
        let claim = Claim { node: id(number), location: Location(wanted), day, group };
        let friend = |friend: u32| {
            Testimony::sign(&key(friend), &network_id, witness_place(&network_id, &id(number), day, 1), &claim)
        };
        Certificate { claim, testimonies: (901..904).map(friend).collect() }
    };
    let today = network.mesh.now().day();
    let of_another = signed_by_friends(999, today);
    let cases = [
        (800, target, None, true),
        // Witnesses that nobody finds where they must lie may have been the right ones once: no offence, and no link.
        (801, target, Some(signed_by_friends(801, today)), false),
        (802, target, Some(signed_by_friends(802, Day(today.0 - 31))), true),
        (803, target, Some(of_another), true),
        // Where the place is far off nobody examines, and those who lie there do not know the holder.
        (804, across, Some(signed_by_friends(804, today)), false),
    ];
    for (number, target, certificate, is_offence) in cases {
        let (liar, address, reference) = liar(number);
        network.mesh.link_from_outside(liar, target, address);
        let errand = if target == across { Errand::Long } else { Errand::Near };
        let hello = Hello { reference, certificate: certificate.map(Into::into), errand };
        network.mesh.inject(liar, target, Message::Hello(Box::new(hello)));
        network.run(Duration::from_secs(30));
        assert!(!network.mesh.linked(liar, target), "{number}");
        let offended = network.mesh.offences().contains(&(target, liar, Offence::BadCredential));
        assert_eq!(offended, is_offence, "{number}");
        let reason = if is_offence { CloseReason::Offence(Offence::BadCredential) } else { CloseReason::Full };
        assert!(network.mesh.closes().contains(&(target, liar, reason)), "{number}");
    }
}

#[test]
fn a_guest_that_floods_is_closed_and_one_that_speaks_for_another_too() {
    let mut network = joined(5, 26);
    let commit = |node, number: u64| {
        let question = Question::Commit(Commit {
            node,
            group: AddressGroup::of(&address(700)),
            commitment: [number as u8; 32],
            work: 0,
        });
        Message::Query(Box::new(Query { id: ExchangeId(number), target: Location(number << 40), htl: 9, question }))
    };
    let greet = |network: &mut Network, number: u32| {
        let reference = NodeRef::sign(&key(number), &network.genesis.network(), address(number), Location(1), 1);
        network.mesh.link_from_outside(id(number), id(0), address(number));
        let hello = Hello { reference, certificate: None, errand: Errand::Join };
        network.mesh.inject(id(number), id(0), Message::Hello(Box::new(hello)));
    };
    greet(&mut network, 700);
    for number in 0..=u64::from(limits::QUESTIONS_OF_A_GUEST) {
        network.mesh.inject(id(700), id(0), commit(id(700), number));
        network.run(Duration::from_millis(200));
    }
    assert!(network.mesh.closes().contains(&(id(0), id(700), CloseReason::Offence(Offence::Flood))));
    greet(&mut network, 701);
    network.mesh.inject(id(701), id(0), commit(id(702), 1));
    network.run(Duration::from_secs(1));
    assert!(network.mesh.closes().contains(&(id(0), id(701), CloseReason::Offence(Offence::OutOfTurn))));
}

#[test]
fn trusted_nodes_dial_and_accept_nobody_but_those_named() {
    let mut network = Network::new(1, Profile::Trusted, 27);
    // A chain: each names its neighbours in the chain, and look-ahead tells of many more.
    let named = |number: u32| -> Vec<u32> {
        [number.checked_sub(1), Some(number + 1)].into_iter().flatten().filter(|n| *n < 8).collect()
    };
    (0..8).for_each(|number| network.start_knowing(number, &named(number)));
    network.run(Duration::from_secs(600));
    for number in 0..8 {
        let mut linked: Vec<_> = network.node(&id(number)).neighbours().into_iter().map(|(id, _)| id).collect();
        let mut expected: Vec<_> = named(number).into_iter().map(id).collect();
        linked.sort();
        expected.sort();
        assert_eq!(linked, expected, "node {number}");
    }
    assert_eq!(network.dials(), 7, "one link for each pair, and none besides");
    network.start_knowing(8, &[3]);
    network.run(Duration::from_secs(60));
    assert!(network.node(&id(8)).neighbours().is_empty(), "one operator is not enough");
}

/// A network of one founder and newcomers that came one after another.
fn joined(count: u32, seed: u64) -> Network {
    let mut network = Network::new(1, Profile::Local, seed);
    network.join_up_to(count);
    network
}

/// Where a witness is looked for, computed here once more: label, network, node, day, index.
fn witness_place(network: &NetworkId, node: &NodeId, day: Day, index: u8) -> Location {
    let digest = hash(Label::WitnessPlace, &[&network.0, &node.0, &day.0.to_be_bytes(), &[index]]);
    Location(u64::from_be_bytes(digest[..8].try_into().expect("eight bytes")))
}

#[test]
fn a_witness_that_reveals_another_seed_than_it_committed_to_is_left_out() {
    let mut network = Network::new(1, Profile::Local, 28);
    network.join_up_to(10);
    let seen = network.watch_certificates();
    let liar = id(3);
    network.bend(liar, |output| match output {
        Output::Send { to, message: Message::Reply { id, reply } } if matches!(*reply, Reply::Revealed { .. }) => {
            let reply = Box::new(Reply::Revealed { seed: [0; 32] });
            Output::Send { to, message: Message::Reply { id, reply } }
        }
        other => other,
    });
    (10..30).for_each(|number| network.start(number, None));
    network.run_until(Duration::from_secs(120), Network::is_ring);
    network.assert_ring();
    let newcomers: Vec<_> = seen
        .borrow()
        .values()
        .filter(|certificate| (10..30).any(|n| id(n) == certificate.claim.node))
        .cloned()
        .collect();
    assert_eq!(newcomers.len(), 20);
    assert!(newcomers.iter().all(|certificate| certificate.testimonies.iter().all(|word| word.witness != liar)));
    assert!(newcomers.iter().any(|certificate| certificate.testimonies.len() == 2), "the liar was nobody's witness");
}
