//! Every rule of the recipe of 2001, on the real machines: most by comparing them with a naive model, step by step.
//!
//! The figures that follow from the rules are in `classic_figures.rs`.

mod classic_support;

use bolthole::overlay::classic::Config;
use bolthole::overlay::mode::Answer;
use bolthole::sim::classic::{Network, Wanted};
use bolthole::sim::lookups::Outcome;
use bolthole::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario, Topology, TopologyKind};
use classic_support::World;
use classic_support::model::End;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

fn small(htl: u16) -> Config {
    Config { htl, routing_entries: 30, ..Config::default() }
}

/// A network that has worked for a while: `operations` alternate inserts and requests on a ring.
fn worked(seed: u64, count: usize, operations: usize, htl: u16) -> World {
    let mut world = World::ring(seed, count, 12, small(htl));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..operations).for_each(|step| operate(&mut world, &mut random, step));
    world
}

fn operate(world: &mut World, random: &mut ChaCha8Rng, step: usize) {
    let live: Vec<usize> = (0..world.model.nodes.len()).filter(|node| !world.model.nodes[*node].dead).collect();
    let start = live[random.random_range(0..live.len())];
    if step.is_multiple_of(2) {
        world.insert(start);
    } else {
        let document = random.random_range(0..world.model.documents.len()) as u32;
        let (answer, trail) = world.request(start, document);
        assert_same_end(&answer, &trail, step);
    }
}

fn assert_same_end(answer: &Answer, trail: &classic_support::model::Trail, step: usize) {
    match answer {
        Answer::Found { hops, .. } => {
            assert_eq!((trail.end, trail.count), (End::Found, *hops as usize + 1), "step {step}");
        }
        Answer::NotFound => assert_ne!(trail.end, End::Found, "step {step}"),
        other => panic!("step {step}: {other:?}"),
    }
}

#[test]
fn machines_and_recipe_agree_on_every_step_of_a_growing_network_that_then_loses_nodes() {
    for seed in 1..=4 {
        let mut world = worked(seed, 20, 60, 10);
        let mut random = ChaCha8Rng::seed_from_u64(seed + 100);
        for step in 0..500 {
            operate(&mut world, &mut random, step);
            if step % 5 == 4 {
                let first = random.random_range(0..world.model.nodes.len());
                world.join(first);
            }
        }
        world.assert_alike("after growth");
        for step in 0..400 {
            if step % 8 == 0 {
                let victim = random.random_range(0..world.model.nodes.len());
                if !world.model.nodes[victim].dead {
                    world.kill(victim);
                }
            }
            operate(&mut world, &mut random, step);
        }
        world.assert_alike("after deaths");
    }
}

#[test]
fn probes_with_500_hops_to_live_go_where_the_recipe_says_past_a_third_of_the_nodes_dead() {
    let mut world = worked(9, 150, 600, 20);
    let mut random = ChaCha8Rng::seed_from_u64(9);
    (0..150).step_by(3).for_each(|victim| world.kill(victim));
    (0..150).filter(|node| node % 3 != 0).for_each(|node| {
        world.engine.mode_mut(node).expect("alive").measure(Some(500));
    });
    for probe in 0..300 {
        let start = random.random_range(0..50) * 3 + 1;
        let document = random.random_range(0..world.model.documents.len()) as u32;
        let expected = world.model.search(start, document, 500);
        assert_same_end(&world.fetch(start, document), &expected, probe);
    }
    world.assert_alike("after probing");
}

#[test]
fn every_path_node_but_the_originator_learns_the_originator() {
    let mut world = worked(3, 120, 200, 20);
    let before: Vec<Vec<(u64, usize)>> = (0..120).map(|node| world.table(node)).collect();
    let (document, answer, trail) = world.insert(17);
    // The copy of the originator is not counted.
    let others = trail.chain.len() as u32 - 1;
    assert!(matches!(answer, Answer::Inserted { stores, .. } if stores == others && others > 10), "{answer:?}");
    let entry = (world.model.documents[document as usize], 17);
    for (node, table_before) in before.iter().enumerate() {
        let on_path = trail.chain.contains(&node);
        assert_eq!(world.engine.depot.holds(node as u32, document), on_path, "node {node}");
        assert_eq!(world.table(node).contains(&entry), on_path && node != 17, "node {node}");
        if !on_path {
            assert_eq!(world.table(node), *table_before, "node {node} is not on the path");
        }
    }
    assert_eq!(world.table(17), before[17], "the originator learns nothing");
}

#[test]
fn the_path_of_a_request_learns_the_holder_and_who_was_backed_out_of_learns_nothing() {
    let mut world = World::new(5, 10, small(20));
    // 0 asks 1 first, a dead end; 2 leads on to 3, which has the document.
    let document = 0;
    let place =
        bolthole::sim::content::block(5, document, bolthole::sim::scenario::Fidelity::Values).key().location().0;
    world.found_with(0, &[(place ^ 1, 1), (place ^ 2, 2)]);
    world.found_with(1, &[]);
    world.found_with(2, &[(place ^ 1, 3)]);
    world.found_with(3, &[]);
    world.insert(3);
    let (answer, trail) = world.request(0, document);
    assert!(matches!(answer, Answer::Found { hops: 3, .. }), "the dead end stays counted: {answer:?}");
    assert_eq!((trail.chain, trail.visited), (vec![0, 2, 3], vec![0, 1, 2, 3]));
    assert!(world.table(0).contains(&(place, 3)) && world.table(2).contains(&(place, 3)));
    assert!(world.table(1).is_empty() && !world.engine.depot.holds(1, document));
    world.assert_alike("after the request");
}

#[test]
fn an_insert_that_runs_out_of_nodes_succeeds_and_every_node_visited_stores_it() {
    let mut world = World::ring(8, 12, 50, Config::default());
    let (document, answer, trail) = world.insert(4);
    assert_eq!(trail.end, End::RanOut);
    assert!(matches!(answer, Answer::Inserted { .. }));
    assert!((0..12).all(|node| world.engine.depot.holds(node, document)));
    world.assert_alike("after the insert");
}

#[test]
fn twenty_hops_to_live_are_twenty_nodes_and_the_own_store_is_the_first_of_them() {
    let mut world = World::new(6, 10, Config::default());
    // A line: only the next node is known.
    for node in 0..30 {
        world.found_with(node, &[(0, node + 1)]);
    }
    let (document, _, trail) = world.insert(0);
    assert_eq!((trail.end, trail.count), (End::Exhausted, 20));
    assert!((0..30).all(|node| world.engine.depot.holds(node, document) == (node < 20)));
    assert!(matches!(world.fetch(0, document), Answer::Found { hops: 0, own_store: true, .. }));
}

#[test]
fn a_request_that_fails_changes_nothing() {
    let mut world = worked(7, 100, 100, 3);
    let before: Vec<Vec<(u64, usize)>> = (0..100).map(|node| world.table(node)).collect();
    let block =
        bolthole::sim::content::block(7, world.engine.depot.len() as u32, bolthole::sim::scenario::Fidelity::Values);
    let missing = world.engine.depot.enter(block);
    assert!(matches!(world.fetch(0, missing), Answer::NotFound));
    assert!((0..100).all(|node| world.table(node) == before[node]));
    world.assert_alike("after the failure");
}

#[test]
fn a_dead_node_costs_one_hop_and_the_sender_tries_its_next_entry() {
    let mut world = World::new(5, 10, small(20));
    let place = bolthole::sim::content::block(5, 0, bolthole::sim::scenario::Fidelity::Values).key().location().0;
    world.found_with(0, &[(place ^ 1, 1), (place ^ 2, 2), (place ^ 4, 3)]);
    (1..4).for_each(|node| _ = world.found_with(node, &[]));
    world.insert(3);
    world.kill(1);
    world.kill(2);
    let (answer, _) = world.request(0, 0);
    assert!(matches!(answer, Answer::Found { hops: 3, .. }), "two dead nodes and the holder: {answer:?}");
}

#[test]
fn ten_distinct_nodes_and_the_newcomer_learn_each_other() {
    let mut world = worked(11, 60, 100, 20);
    for first in 0..30 {
        let before: Vec<Vec<(u64, usize)>> = (0..world.engine.len()).map(|node| world.table(node)).collect();
        let walk = world.join(first);
        let mut distinct = walk.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((walk[0], distinct.len()), (first, 10));
        assert_eq!(world.table(world.engine.len() - 1).len(), 10);
        for pair in walk.windows(2) {
            assert!(before[pair[0]].iter().any(|entry| entry.1 == pair[1]), "the walk follows tables");
        }
        world.assert_alike("after a join");
    }
}

#[test]
fn an_announcement_draws_entries_not_nodes() {
    let mut world = World::new(12, 10, Config { announce_htl: 2, ..Config::default() });
    let nine = (0..9).map(|key| (key, 1));
    world.found_with(0, &nine.chain([(9, 2)]).collect::<Vec<_>>());
    world.found_with(1, &[]);
    world.found_with(2, &[]);
    // While it is measured, node 0 learns nobody, so that its table stays as it is.
    world.engine.mode_mut(0).expect("alive").measure(Some(20));
    let second = (0..400).filter(|_| world.join(0)[1] == 1).count();
    // 360 are expected; five standard deviations of the binomial distribution are 30.
    assert!((330..=390).contains(&second), "{second} of 400");
}

#[test]
fn the_tables_are_bounded_and_may_name_one_node_many_times() {
    let world = worked(13, 40, 600, 20);
    let most_named = |node: usize| {
        let table = world.table(node);
        (0..40).map(|other| table.iter().filter(|entry| entry.1 == other).count()).max()
    };
    assert!((0..40).all(|node| world.table(node).len() <= 30));
    assert!((0..40).any(|node| most_named(node) > Some(1)));
    assert!((0..40).all(|node| world.table(node).iter().all(|entry| entry.1 != node)), "nobody names itself");
}

fn grown(nodes: u32, seed: u64) -> Scenario {
    let growth = Some(Growth { start: 20, operations_per_join: 5 });
    let fidelity = FidelityChoice::Values;
    Scenario { growth, seed, fidelity, ..Scenario::defaults(ModeName::Classic, nodes) }
}

#[test]
fn a_network_goes_on_as_if_nobody_had_probed_it() {
    let scenario = grown(120, 3);
    let (mut probed, mut left_alone) = (Network::new(&scenario), Network::new(&scenario));
    for nodes in [40, 80, 120] {
        left_alone.grow_to(nodes, &mut |_, _| {});
        probed.grow_to(nodes, &mut |_, _| {});
        probed.probe(50, 500, Wanted::Existing, &mut |_, _| {});
    }
    let tables = |network: &Network| -> Vec<_> {
        let table = |node| network.engine().mode(node).expect("alive").table().map(|(key, to)| (key, to.id()));
        (0..120).flat_map(table).collect()
    };
    assert_eq!(tables(&probed), tables(&left_alone));
    assert_eq!(probed.engine().depot.existing(), left_alone.engine().depot.existing());
}

#[test]
fn probes_ask_for_what_has_a_copy_and_a_dead_start_counts_as_a_failed_probe() {
    let mut scenario = grown(150, 4);
    scenario.workload.warmup_operations = 3_000;
    scenario.faults.dead_starts = true;
    let mut network = Network::new(&scenario);
    network.grow_to(150, &mut |_, _| {});
    network.operate(3_000, &mut |_, _| {});
    let lost = network.engine().depot.len() - network.engine().depot.existing().len();
    assert!(lost > 100, "the stores have overflowed: {lost}");
    let whole = network.probe(200, 500, Wanted::Existing, &mut |_, _| {});
    assert!(whole.all().iter().all(|lookup| lookup.existing), "every document asked for has a copy");
    network.fail_to(0.4, &mut |_, _| {});
    let probes = network.probe(1_000, 500, Wanted::Existing, &mut |_, _| {});
    let failed = probes.all().iter().filter(|lookup| lookup.outcome != Outcome::Found);
    assert!(failed.clone().all(|lookup| lookup.path == 500));
    // Two starts in five are dead: 400 of 1,000, five standard deviations of the binomial distribution less.
    assert!(failed.count() > 322);
}

#[test]
fn a_network_starts_from_the_graph_that_its_scenario_names_and_no_node_asks_twice_for_a_document() {
    for kind in [TopologyKind::RingLattice, TopologyKind::Random, TopologyKind::PowerLaw, TopologyKind::SmallWorld] {
        let mut scenario =
            Scenario { seed: 5, fidelity: FidelityChoice::Values, ..Scenario::defaults(ModeName::Classic, 60) };
        scenario.topology = Some(Topology { kind, degree: 6 });
        scenario.workload.documents = 5;
        scenario.workload.lookups = 100;
        scenario.workload.fetch_at_most_once = true;
        scenario.check(u64::MAX).expect("a possible scenario");
        let mut network = Network::new(&scenario);
        let known: usize = (0..60).map(|node| network.engine().mode(node).expect("alive").table().count()).sum();
        assert!(known.abs_diff(360) <= 12, "{kind:?}: {known} entries of 60 nodes with a mean of six");
        network.publish(5, &mut |_, _| {});
        let probes = network.probe(100, 500, Wanted::Published, &mut |_, _| {});
        let mut pairs: Vec<_> = probes.all().iter().map(|lookup| (lookup.seeker, lookup.key)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!((probes.len(), pairs.len()), (100, 100), "{kind:?}");
    }
}
