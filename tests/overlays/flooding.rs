//! Flooding: the suite, the exact number of messages, reach, walkers, deepening, free riders, misbehaving peers.

use std::sync::Arc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::RoutingKey;
use bolthole::limits;
use bolthole::message::contact::Contact;
use bolthole::overlay::flooding::{Config, Copied, Flooding, Message, Walker};
use bolthole::overlay::mode::calls::CallId;
use bolthole::overlay::mode::routes::Guid;
use bolthole::overlay::mode::{Answer, Command, Offence};
use bolthole::sim::engine::address_of;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{
    Allocation, CopyKind, Deletion, FidelityChoice, ModeName, Scenario, SearchStrategy, TopologyKind,
};

use crate::suite::{self, run_quietly, scenario, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Flooding;

// Those who go take their documents along, so the share found is not that of an overlay with replicas.
suite!(MODE, after_loss: 1.0, with_churn: 0.8);

/// A network in which whoever asks has not what it asks for, so that every search leaves its node.
fn asked_elsewhere(nodes: u32, ttl: u16, lookups: u32) -> Scenario {
    let mut scenario = scenario(MODE, nodes, 1, FidelityChoice::Values);
    scenario.flooding.as_mut().expect("its table").ttl = ttl;
    scenario.workload.documents = 500;
    scenario.workload.lookups = lookups;
    scenario
}

/// Check C13: a query that may go anywhere crosses every link, but for the one it first came by at each node: 2E − (N − 1).
#[test]
fn a_full_flood_sends_exactly_two_messages_a_link_less_one_a_node() {
    for kind in [TopologyKind::Random, TopologyKind::RingLattice, TopologyKind::PowerLaw, TopologyKind::SmallWorld] {
        let mut scenario = asked_elsewhere(300, 60, 100);
        scenario.topology.as_mut().expect("a topology").kind = kind;
        let report = run_quietly(&scenario);
        let edges = report.degree.expect("nodes").summary.mean * 300.0 / 2.0;
        let full = 2.0 * edges - 299.0;
        // Searches answered by the own store send nothing: few, and whole numbers of floods remain.
        let floods = report.query_messages_per_lookup.expect("lookups") * 100.0 / full;
        assert!(
            (floods - floods.round()).abs() < 1e-9 && (90.0..=100.0).contains(&floods),
            "{kind:?}: {floods} floods"
        );
        assert_eq!(report.success, Some(1.0));
        let twice = report.duplicates_per_lookup.expect("counted") * 100.0;
        assert!((twice - floods * (full - 299.0)).abs() < 1e-6, "{kind:?}: what is no first visit is a duplicate");
    }
}

/// Everybody reached learns the key; the neighbours of whoever asks, and the holder that is asked, learn who it is.
#[test]
fn a_flood_tells_everybody_what_and_the_first_hop_who() {
    let report = run_quietly(&asked_elsewhere(300, 60, 200));
    let exposure = report.exposure.expect("lookups");
    let share = report.query_messages_per_lookup.expect("lookups")
        / (report.degree.expect("nodes").summary.mean * 300.0 - 299.0);
    assert!((exposure.requester_and_key + exposure.key_only - share * 299.0).abs() < 1e-6, "{exposure:?}");
    // Ten neighbours and one holder, unless that is among them; 200 draws of degrees with a deviation of 3.2.
    assert!((exposure.requester_and_key - 10.9 * share).abs() < 0.9, "{exposure:?}");
}

fn strategy(strategy: SearchStrategy, ttl: u16, copies: u32) -> Report {
    let mut scenario = asked_elsewhere(1_000, ttl, 300);
    scenario.flooding.as_mut().expect("its table").strategy = strategy;
    scenario.flooding.as_mut().expect("its table").walkers = 16;
    scenario.workload.documents = 50;
    scenario.workload.copies = copies;
    run_quietly(&scenario)
}

/// Lv and others 2002: walkers cut messages by more than an order of magnitude where a document is not rare.
#[test]
fn walkers_find_with_a_tenth_of_the_messages() {
    let flood = strategy(SearchStrategy::Flood, 7, 20);
    let walk = strategy(SearchStrategy::Walk, 1_024, 20);
    assert_eq!((flood.success, walk.success), (Some(1.0), Some(1.0)));
    let (of_flood, of_walk) = (flood.messages_per_lookup.expect("some"), walk.messages_per_lookup.expect("some"));
    assert!(of_walk * 10.0 < of_flood, "{of_walk} against {of_flood}");
    assert!(walk.hops.expect("found").mean > flood.hops.expect("found").mean, "walkers take their time");
}

/// Walkers that are never called back would go on to their last step: 16 times 1,024.
#[test]
fn walkers_stop_soon_after_something_is_found() {
    let walk = strategy(SearchStrategy::Walk, 1_024, 20);
    let (queries, hops) = (walk.query_messages_per_lookup.expect("some"), walk.hops.expect("found").mean);
    // By then every walker has made as many steps as the first to find, and up to about eight more.
    assert!(queries < 16.0 * (hops + 8.0), "{queries} messages at {hops} steps");
}

/// Yang and Garcia-Molina 2002: the same is found with a fraction of the messages, in more time.
#[test]
fn deepening_spares_messages_and_takes_time() {
    let flood = strategy(SearchStrategy::Flood, 4, 20);
    let deepen = strategy(SearchStrategy::Deepen, 4, 20);
    assert_eq!((flood.success, deepen.success), (Some(1.0), Some(1.0)));
    let messages = |report: &Report| report.query_messages_per_lookup.expect("some");
    assert!(messages(&deepen) * 3.0 < messages(&flood), "{} against {}", messages(&deepen), messages(&flood));
    assert!(deepen.latency_ms.expect("found").mean > flood.latency_ms.expect("found").mean);
}

/// What deepening never finds costs one flood of each depth.
#[test]
fn a_deepening_search_ends_at_the_whole_depth() {
    let deepen = strategy(SearchStrategy::Deepen, 7, 1);
    assert_eq!(deepen.success, Some(1.0));
}

#[test]
fn free_riders_take_and_give_nothing() {
    let mut scenario = asked_elsewhere(200, 7, 400);
    scenario.faults.free_riders = 0.5;
    let report = run_quietly(&scenario);
    assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0));
    let riders = (0..200).filter(|node| scenario.is_free_rider(*node)).count();
    assert!(riders.abs_diff(100) < 29, "{riders} of 200, four standard deviations wide");
    // Nobody publishes at a rider, so that as many nodes as there are riders hold nothing.
    let empty = report.keys_per_node.expect("nodes");
    assert_eq!(empty.p25, 0.0);
    assert!(report.rider_completion_seconds.is_some());
}

#[test]
fn no_node_asks_for_a_document_twice_if_told_so() {
    let mut scenario = scenario(MODE, 20, 3, FidelityChoice::Values);
    scenario.workload.documents = 40;
    scenario.workload.lookups = 400;
    scenario.workload.zipf = 1.2;
    let head = |report: &Report| report.bytes_per_lookup.map(|bytes| bytes.content);
    let often = run_quietly(&scenario);
    scenario.workload.fetch_at_most_once = true;
    let once = run_quietly(&scenario);
    assert_eq!((often.success, once.success), (Some(1.0), Some(1.0)));
    assert_ne!(head(&often), head(&once), "other documents are asked for");
    scenario.workload.lookups = 401;
    assert!(scenario.check(u64::MAX).is_err(), "more than half of all pairs");
}

fn replicated(replication: CopyKind) -> Report {
    let mut scenario = asked_elsewhere(300, 1_024, 400);
    let table = scenario.flooding.as_mut().expect("its table");
    (table.strategy, table.walkers, table.replication) = (SearchStrategy::Walk, 4, replication);
    table.store_blocks = 50;
    scenario.workload.documents = 20;
    run_quietly(&scenario)
}

/// Lv and others 2002: copies left where they are found again spare messages, the more the more there are.
#[test]
fn copies_spare_messages_in_the_order_of_their_number() {
    let [none, owner, path, random] =
        [CopyKind::None, CopyKind::Owner, CopyKind::Path, CopyKind::Random].map(replicated);
    let messages = |report: &Report| report.messages_per_lookup.expect("lookups");
    let copies = |report: &Report| report.copies_per_document.expect("documents").mean;
    assert!((copies(&none) - 1.0).abs() < 1e-9, "nobody keeps a copy");
    // Each of some 380 searches that leave their node adds a copy at whoever sought, of 20 documents.
    assert!(copies(&owner) > 8.0 && copies(&owner) < copies(&path).min(copies(&random)));
    assert!(messages(&owner) * 2.0 < messages(&none), "{} against {}", messages(&owner), messages(&none));
    assert!(messages(&path) < messages(&owner) && messages(&random) < messages(&owner));
}

/// Check C15 (Cohen and Shenker 2002): the expected number of probes is the same for uniform and proportional copies, and less
/// for copies by the square root. 4,000 nodes, 50 documents, 8,000 copies; 4,000 searches have a standard error below 2 %, and walkers
/// come to some nodes twice.
#[test]
fn copies_by_the_square_root_of_popularity_need_the_fewest_probes() {
    let means = [Allocation::Uniform, Allocation::Proportional, Allocation::SquareRoot].map(|allocation| {
        let mut scenario = asked_elsewhere(4_000, 1_024, 4_000);
        scenario.topology.as_mut().expect("a topology").degree = 30;
        scenario.workload.documents = 50;
        scenario.workload.copies = 160;
        scenario.workload.zipf = 1.0;
        scenario.workload.lookups_per_second = 50.0;
        let table = scenario.flooding.as_mut().expect("its table");
        (table.strategy, table.walkers, table.allocation) = (SearchStrategy::Walk, 1, allocation);
        let (expected, report) = (expected(&scenario), run_quietly(&scenario));
        let counted = report.query_messages_per_lookup.expect("lookups");
        assert!((counted / expected - 1.0).abs() < 0.06, "{allocation:?}: {counted} probes, not {expected}");
        expected
    });
    assert!(means[2] < 0.85 * means[0].min(means[1]), "{means:?}");
}

/// Mean probes without repetition until one of r copies among n nodes turns up, the first node asked being that of whoever
/// seeks, which costs none: (n + 1) / (r + 1) − 1.
fn expected(scenario: &Scenario) -> f64 {
    let copies = scenario.publishers();
    let weight = |rank: usize| 1.0 / f64::from(rank as u32 + 1);
    let sum: f64 = (0..copies.len()).map(weight).sum();
    let probes = |count: u32| (f64::from(scenario.nodes) + 1.0) / (f64::from(count) + 1.0) - 1.0;
    copies.iter().enumerate().map(|(rank, count)| weight(rank) / sum * probes(*count)).sum()
}

/// Check C15: copies along the path, deleted by lot, come to the square root of popularity. 10,000 nodes with room for one each,
/// 10 documents; the slope of one run has a standard error of about 0.04, and lies below the half because the most popular
/// document, at a fifth of all nodes, is often found in the own store.
#[test]
fn copies_along_the_path_come_to_the_square_root_of_popularity() {
    let mut scenario = asked_elsewhere(10_000, 1_024, 6_000);
    scenario.topology.as_mut().expect("a topology").degree = 20;
    scenario.workload.documents = 10;
    scenario.workload.zipf = 1.0;
    // So slowly that searches find what earlier ones have left: the first ones walk for minutes.
    scenario.workload.lookups_per_second = 5.0;
    let table = scenario.flooding.as_mut().expect("its table");
    (table.strategy, table.walkers, table.replication) = (SearchStrategy::Walk, 1, CopyKind::Path);
    (table.store_blocks, table.deletion) = (1, Deletion::Random);
    let exponent = run_quietly(&scenario).copies_exponent.expect("copies of documents of different popularity");
    assert!((exponent - 0.47).abs() < 0.12, "{exponent}");
}

fn contact(number: u32) -> Contact {
    Contact::new(NodeId([number as u8 + 1; 32]), address_of(number))
}

/// A chain of three: 0 – 1 – 2.
fn mesh() -> (Mesh<Flooding>, Vec<NodeId>) {
    let (config, mut mesh) = (Arc::new(Config { ping_ttl: 1, degree: 1, ..Config::default() }), Mesh::new(3));
    for number in 0..3_u32 {
        let me = contact(number);
        let entries = if number == 0 { Vec::new() } else { vec![contact(number - 1)] };
        let node = Flooding::newcomer(Arc::clone(&config), me.clone(), entries, true, [number as u8; 32]);
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(20));
    }
    (mesh, (0..3).map(|number| contact(number).id()).collect())
}

#[test]
fn a_hit_comes_back_along_the_chain_and_the_download_goes_straight() {
    let (mut mesh, ids) = mesh();
    let wanted = block(5);
    let ticket = mesh.command(ids[2], Command::Insert { block: wanted.clone() });
    mesh.run_until_answered(ticket, Duration::from_secs(10)).expect("stored");
    let ticket = mesh.command(ids[0], Command::Fetch { key: wanted.key(), own_store: true });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(20));
    assert_eq!(answer, Some(Answer::Found { block: wanted, hops: 2, own_store: false }));
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let (mut mesh, ids) = mesh();
    let never = CallId(u32::MAX);
    let (id, key, origin) = (Guid([9; 16]), RoutingKey([3; 32]), contact(1));
    let far = limits::FLOOD_HOPS;
    let walker = |left, hops| Message::Walk(Box::new(Walker { id, left, hops, key, origin: origin.clone() }));
    for (message, offence) in [
        (Message::Wanted { call: never, wanted: true }, Offence::Unasked),
        (Message::Connect { call: never, sender: contact(2) }, Offence::OutOfTurn),
        (Message::Query { id, round: 0, ttl: far, hops: 1, key }, Offence::Flood),
        (Message::Query { id, round: 0, ttl: 0, hops: 1, key }, Offence::Flood),
        (Message::Ping { id, ttl: far, hops: far }, Offence::Flood),
        (walker(limits::WALK_STEPS, 1), Offence::Flood),
        (walker(0, 1), Offence::Flood),
        (
            Message::Connected { call: never, taken: true, others: vec![contact(2); limits::CALL_CONTACTS + 1] },
            Offence::Flood,
        ),
    ] {
        suite::is_an_offence(&mut mesh, ids[1], ids[0], message, offence);
    }
}

#[test]
fn a_flood_of_queries_leaves_nothing_but_what_the_bounds_allow() {
    let (mut mesh, ids) = mesh();
    for number in 0..20_000_u32 {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let (id, key) = (Guid(id), RoutingKey([number as u8; 32]));
        mesh.inject(ids[1], ids[0], Message::Query { id, round: 0, ttl: 1, hops: 1, key });
        mesh.inject(ids[1], ids[0], Message::Get { call: CallId(number), key, along: Some(id) });
        let (open, remembered) = mesh.mode(&ids[0]).map_or((0, 0), |node| (node.open(), node.remembered()));
        assert!(open <= limits::CALL_READS + limits::CALLS && remembered <= 2 * limits::ROUTES, "{open} {remembered}");
    }
}

#[test]
fn whoever_is_no_neighbour_is_told_so_and_not_passed_on() {
    let (mut mesh, ids) = mesh();
    let reached = |mesh: &Mesh<Flooding>| mesh.mode(&ids[2]).map(|node| node.tally().reached);
    let before = reached(&mesh);
    let query = Message::Query { id: Guid([7; 16]), round: 0, ttl: 7, hops: 0, key: RoutingKey([3; 32]) };
    mesh.inject(ids[0], ids[2], query.clone());
    assert_eq!(reached(&mesh), before);
    mesh.inject(ids[1], ids[2], query);
    assert_eq!(reached(&mesh), before.map(|before| before + 1));
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let sender = suite::longest_contact();
    let (call, key, parcel, id) = (CallId(u32::MAX), RoutingKey([255; 32]), block(1).parcel(), Guid([255; 16]));
    let (ttl, hops) = (u8::MAX, u8::MAX);
    let all = [
        Message::Connect { call, sender: sender.clone() },
        Message::Connected { call, taken: true, others: vec![sender.clone(); limits::CALL_CONTACTS] },
        Message::Bye,
        Message::Ping { id, ttl, hops },
        Message::Pong { id, sender: sender.clone() },
        Message::Query { id, round: u8::MAX, ttl, hops, key },
        Message::Walk(Box::new(Walker { id, left: u16::MAX, hops: u16::MAX, key, origin: sender.clone() })),
        Message::Hit { id, hops: u16::MAX, holder: sender.clone() },
        Message::Found { call, id, hops: u16::MAX, holder: sender },
        Message::Check { call, id },
        Message::Wanted { call, wanted: true },
        Message::Get { call, key, along: Some(id) },
        Message::Data { call, parcel: parcel.clone() },
        Message::Copy { id, copy: Box::new(Copied { key, parcel: parcel.clone() }) },
        Message::Scatter { left: u16::MAX, copy: Box::new(Copied { key, parcel }) },
        Message::Missing { call },
    ];
    suite::fit_and_come_back(all);
}
