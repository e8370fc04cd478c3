//! Supernodes: the suite, dynamic querying, what a parent knows, the loss of parents, misbehaving peers.

use std::sync::Arc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::RoutingKey;
use bolthole::limits;
use bolthole::message::contact::Contact;
use bolthole::overlay::mode::calls::CallId;
use bolthole::overlay::mode::routes::Guid;
use bolthole::overlay::mode::{Answer, Command, Offence};
use bolthole::overlay::supernode::{Config, Message, Rank, Supernode};
use bolthole::sim::engine::address_of;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::overlays::{Network, Tiers};
use bolthole::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario};

use crate::suite::{self, run_quietly, scenario, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Supernode;

// A leaf whose three parents have died neither finds nor is found until it has others: eight in a thousand.
suite!(MODE, after_loss: 0.95, with_churn: 0.8);

/// Thirty-two supernodes with a hundred leaves each.
fn crowd() -> Scenario {
    let mut scenario = scenario(MODE, 3_232, 1, FidelityChoice::Values);
    let table = scenario.supernode.as_mut().expect("its table");
    (table.leaves_per_supernode, table.parents) = (100, 1);
    scenario.topology.as_mut().expect("a topology").degree = 20;
    scenario
}

/// Check C17: of a document that a tenth of all leaves share, the probe finds 150 copies at least 95 times in 100.
#[test]
fn searches_for_a_popular_document_end_in_the_probe() {
    let mut network = Network::<Tiers>::new(&crowd(), false);
    let popular = block(7);
    network.engine.depot.enter(popular.clone());
    for node in (0..3_232).filter(|node| node % 10 == 3) {
        network.engine.command(node, Command::Insert { block: popular.clone() });
    }
    network.run_for(Duration::from_secs(30));
    let before = led(&network);
    assert!(network.engine.take_answers().iter().all(|answered| matches!(answered.answer, Answer::Inserted { .. })));
    let searches = 400;
    for number in 0..searches {
        network.engine.command(number * 8, Command::Fetch { key: popular.key(), own_store: true });
        network.run_for(Duration::from_secs(1));
    }
    network.run_for(Duration::from_secs(60));
    let found = network.engine.take_answers();
    assert!(found.iter().all(|answered| matches!(answered.answer, Answer::Found { .. })));
    let (ended, by_probe) = led(&network);
    let (ended, by_probe) = (ended - before.0, by_probe - before.1);
    assert_eq!(ended, 400, "nobody asks who shares it");
    assert!(by_probe * 100 >= ended * 95, "{by_probe} of {ended}");
}

fn led(network: &Network<Tiers>) -> (u64, u64) {
    let all = (0..network.engine.len() as u32).filter_map(|node| network.engine.mode(node)).map(Supernode::led);
    all.fold((0, 0), |sum, led| (sum.0 + led.0, sum.1 + led.1))
}

/// A rare document is sought over all links, so that a search costs at most a message a link and direction, and its own. One
/// in a hundred is missed: a supernode at the edge of an earlier query does not pass on a later one of the same search.
#[test]
fn a_rare_document_costs_no_more_than_a_flood_among_supernodes() {
    let report = run_quietly(&crowd());
    assert!(report.success >= Some(0.97), "{:?}", report.success);
    let queries = report.query_messages_per_lookup.expect("lookups");
    assert!((32.0..=1.0 + 2.0 * 320.0).contains(&queries), "{queries}");
}

/// The parent learns who asks and for what, as does the holder; other supernodes learn the key alone.
#[test]
fn a_parent_and_a_holder_know_who_asks() {
    let exposure = run_quietly(&crowd()).exposure.expect("lookups");
    // A hundredth of those who ask are supernodes, which tell no parent; own stores answer hardly anything.
    assert!((1.9..=2.0).contains(&exposure.requester_and_key), "{exposure:?}");
    assert!((25.0..=32.0).contains(&exposure.key_only), "{exposure:?}");
}

#[test]
fn an_index_holds_what_the_leaves_share_at_every_parent() {
    let mut scenario = scenario(MODE, 310, 2, FidelityChoice::Values);
    scenario.supernode.as_mut().expect("its table").parents = 3;
    let mut network = Network::<Tiers>::new(&scenario, false);
    network.engine.depot.enter(block(3));
    network.engine.command(5, Command::Insert { block: block(3) });
    network.run_for(Duration::from_secs(10));
    let listed: usize = (0..310).filter_map(|node| network.engine.mode(node)).map(|node| node.listed().1).sum();
    assert_eq!(listed, 3);
    assert!(matches!(network.engine.take_answers()[0].answer, Answer::Inserted { stores: 3, wanted: 1 }));
}

fn contact(number: u32) -> Contact {
    Contact::new(NodeId([number as u8 + 1; 32]), address_of(number))
}

/// Two supernodes, 0 and 1, and two leaves.
fn mesh() -> (Mesh<Supernode>, Vec<NodeId>) {
    let config = Arc::new(Config { parents: 1, degree: 1, ..Config::default() });
    let mut mesh = Mesh::new(3);
    for number in 0..4_u32 {
        let me = contact(number);
        let rank = if number < 2 { Rank::Supernode } else { Rank::Leaf(0) };
        let entries = if number == 0 { Vec::new() } else { vec![contact(number % 2)] };
        let entries = if number == 1 { vec![contact(0)] } else { entries };
        let node = Supernode::newcomer(Arc::clone(&config), me.clone(), rank, (entries, true), [number as u8; 32]);
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(20));
    }
    (mesh, (0..4).map(|number| contact(number).id()).collect())
}

#[test]
fn a_leaf_that_loses_its_parent_registers_at_another_and_is_found() {
    let (mut mesh, ids) = mesh();
    let wanted = block(5);
    let ticket = mesh.command(ids[2], Command::Insert { block: wanted.clone() });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(10));
    assert_eq!(answer, Some(Answer::Inserted { stores: 1, wanted: 1 }));
    let ticket = mesh.command(ids[3], Command::Fetch { key: wanted.key(), own_store: true });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(20));
    assert_eq!(answer, Some(Answer::Found { block: wanted.clone(), hops: 2, own_store: false }));
    mesh.kill(ids[0]);
    mesh.run_for(Duration::from_secs(600));
    let ticket = mesh.command(ids[3], Command::Fetch { key: wanted.key(), own_store: true });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(20));
    assert_eq!(answer, Some(Answer::Found { block: wanted, hops: 1, own_store: false }));
}

/// A supernode that is meant to have four leaves, and leaves of these capacities that come one after the other.
fn crowded(capacities: &[u8]) -> Mesh<Supernode> {
    let config = Arc::new(Config { leaves: 4, parents: 1, degree: 4, ..Config::default() });
    let mut mesh = Mesh::new(5);
    let founder = (Rank::Supernode, Vec::new());
    let leaves = capacities.iter().map(|capacity| (Rank::Leaf(*capacity), vec![contact(0)]));
    for (number, (rank, entries)) in std::iter::once(founder).chain(leaves).enumerate() {
        let me = contact(number as u32);
        let node = Supernode::newcomer(Arc::clone(&config), me.clone(), rank, (entries, true), [number as u8; 32]);
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(30));
    }
    mesh.run_for(Duration::from_secs(300));
    mesh
}

fn risen(mesh: &Mesh<Supernode>, nodes: u32) -> Vec<u32> {
    let is_supernode = |node: &u32| mesh.mode(&contact(*node).id()).is_some_and(|mode| mode.rank() == Rank::Supernode);
    (0..nodes).filter(is_supernode).collect()
}

#[test]
fn the_strongest_leaf_of_a_crowded_supernode_rises_and_everything_is_found_from_everywhere() {
    let mut mesh = crowded(&[1, 0, 3, 1, 0, 2, 0]);
    assert_eq!(
        risen(&mesh, 8),
        [0, 3],
        "the seventh entry of the index is one too many, and the third leaf is the strongest"
    );
    let of =
        |mesh: &Mesh<Supernode>, node: u32| mesh.mode(&contact(node).id()).map(Supernode::listed).expect("it lives");
    assert_eq!(of(&mesh, 0).0 + of(&mesh, 3).0, 8, "who has risen is a leaf no longer");
    for holder in [0, 1, 3, 7] {
        let wanted = block(40 + holder);
        let ticket = mesh.command(contact(holder).id(), Command::Insert { block: wanted.clone() });
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(10));
        assert!(matches!(answer, Some(Answer::Inserted { stores: 1, .. })), "{holder}: {answer:?}");
        for asker in (0..8).filter(|asker| *asker != holder) {
            let ticket = mesh.command(contact(asker).id(), Command::Fetch { key: wanted.key(), own_store: false });
            let answer = mesh.run_until_answered(ticket, Duration::from_secs(30));
            assert!(matches!(answer, Some(Answer::Found { .. })), "{asker} of {holder}: {answer:?}");
        }
    }
}

#[test]
fn who_can_carry_nothing_never_rises_and_nobody_rises_for_a_stranger() {
    let mut mesh = crowded(&[0; 8]);
    assert_eq!(risen(&mesh, 9), [0]);
    let mut able = crowded(&[1, 1]);
    let (parent, leaf, other) = (contact(0).id(), contact(1).id(), contact(2).id());
    able.inject(other, leaf, Message::Rise { others: Vec::new() });
    able.run_for(Duration::from_secs(10));
    assert_eq!(risen(&able, 3), [0]);
    able.inject(parent, leaf, Message::Rise { others: Vec::new() });
    able.run_for(Duration::from_secs(10));
    assert_eq!(risen(&able, 3), [0, 1], "a parent's word counts");
    mesh.inject(parent, leaf, Message::Rise { others: Vec::new() });
    mesh.run_for(Duration::from_secs(10));
    assert_eq!(risen(&mesh, 9), [0], "whatever the parent says");
}

/// A network that grows from thirty-one nodes to six hundred and twenty makes its supernodes itself, and everything is found.
#[test]
fn a_network_that_grows_makes_its_supernodes_itself() {
    let mut scenario = scenario(MODE, 620, 4, FidelityChoice::Values);
    scenario.growth = Some(Growth { start: 31, operations_per_join: 1 });
    let mut network = Network::<Tiers>::new(&scenario, false);
    let nodes = scenario.nodes;
    for _ in 31..nodes {
        network.join();
        network.run_for(Duration::from_secs(3));
    }
    network.run_for(Duration::from_secs(600));
    let modes = || (0..nodes).filter_map(|node| network.engine.mode(node));
    let supernodes = modes().filter(|mode| mode.rank() == Rank::Supernode).count();
    assert!((10..=38).contains(&supernodes), "{supernodes}: one of 31 is meant to be one");
    let orphans = modes().filter(|mode| mode.degree() == 0).count();
    assert_eq!(orphans, 0, "everybody has found a parent or a neighbour");
    let listed = modes().map(|mode| mode.listed().0).max();
    assert!(listed <= Some(30 * 3 * limits::LEAVES_OVER + 1), "{listed:?}");
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let (mut mesh, ids) = mesh();
    let never = CallId(u32::MAX);
    let (id, key) = (Guid([9; 16]), RoutingKey([3; 32]));
    let many = vec![contact(2); limits::CALL_CONTACTS + 1];
    for (message, offence) in [
        (Message::Noted { call: never, taken: true }, Offence::Unasked),
        (Message::Connect { call: never, sender: contact(2), leaf: Some(0) }, Offence::OutOfTurn),
        (Message::Query { id, ttl: limits::SUPERNODE_HOPS, hops: 1, key }, Offence::Flood),
        (Message::Query { id, ttl: 0, hops: 1, key }, Offence::Flood),
        (Message::Hit { id, hops: 1, holders: many.clone() }, Offence::Flood),
        (Message::Connected { call: never, taken: true, others: many }, Offence::Flood),
        (Message::Share { call: never, keys: vec![key; limits::KEYS_PER_SHARE + 1] }, Offence::Flood),
    ] {
        suite::is_an_offence(&mut mesh, ids[1], ids[0], message, offence);
    }
}

#[test]
fn a_leaf_that_shares_and_seeks_without_end_is_cut_short() {
    let (mut mesh, ids) = mesh();
    for number in 0..limits::LEAF_SHARES as u32 + 1_000 {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        mesh.inject(ids[2], ids[0], Message::Share { call: CallId(number), keys: vec![RoutingKey(key)] });
        if number < 1_000 {
            mesh.inject(ids[2], ids[0], Message::Search { id: Guid(id), key: RoutingKey([255; 32]) });
        }
        if number.is_multiple_of(1_000) {
            mesh.run_for(Duration::from_millis(1));
        }
        let open = mesh.mode(&ids[0]).map_or(0, Supernode::open);
        assert!(open <= limits::SEARCHES_PER_LEAF + limits::CALLS, "{open}");
    }
    assert_eq!(mesh.mode(&ids[0]).map(|node| node.listed().1), Some(limits::LEAF_SHARES));
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let sender = suite::longest_contact();
    let (call, key, parcel, id) = (CallId(u32::MAX), RoutingKey([255; 32]), block(1).parcel(), Guid([255; 16]));
    let many = vec![sender.clone(); limits::CALL_CONTACTS];
    let all = [
        Message::Connect { call, sender, leaf: Some(u8::MAX) },
        Message::Rise { others: many.clone() },
        Message::Connected { call, taken: true, others: many.clone() },
        Message::Bye,
        Message::Share { call, keys: vec![key; limits::KEYS_PER_SHARE] },
        Message::Noted { call, taken: true },
        Message::Search { id, key },
        Message::Over { id },
        Message::Query { id, ttl: u8::MAX, hops: u8::MAX, key },
        Message::Hit { id, hops: u8::MAX, holders: many },
        Message::Get { call, key },
        Message::Data { call, parcel },
        Message::Missing { call },
    ];
    suite::fit_and_come_back(all);
}
