//! CAN: the suite, the zones that joining reaches, the published path length, takeover, misbehaving peers.

use std::sync::Arc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::{Location, RoutingKey};
use bolthole::limits;
use bolthole::message::contact::Contact;
use bolthole::overlay::can::{Can, Config, Goal, Message, Trail, Zone};
use bolthole::overlay::mode::Offence;
use bolthole::overlay::mode::calls::CallId;
use bolthole::sim::engine::address_of;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::overlays::{Network, Torus};
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{CanTable, FidelityChoice, Growth, ModeName, PublishKind, Scenario};

use crate::suite::{self, run_quietly, scenario, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Can;

// Ways around the dead are found before anybody takes their zones over.
suite!(MODE, after_loss: 0.99, with_churn: 0.99);

fn with(nodes: u32, seed: u64, table: CanTable) -> Scenario {
    Scenario { can: Some(table), ..scenario(MODE, nodes, seed, FidelityChoice::Values) }
}

#[test]
fn references_lead_to_whoever_published() {
    let report = run_quietly(&with(40, 5, CanTable { publish: PublishKind::Reference, ..CanTable::default() }));
    assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0));
}

#[test]
fn three_realities_hold_three_copies_and_shorten_the_way() {
    let hops = |realities| {
        let report: Report = run_quietly(&with(400, 6, CanTable { realities, ..CanTable::default() }));
        assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0));
        (report.hops.expect("lookups succeed").mean, report.copies_per_document.expect("documents").mean)
    };
    let (one, three) = (hops(1), hops(3));
    assert!(one.1 == 1.0 && three.1 > 2.9, "{one:?} {three:?}");
    assert!(three.0 < one.0 * 0.8, "{one:?} {three:?}");
}

/// One thousand nodes join one after the other: the same zones and the same neighbours as splits replayed at once.
#[test]
fn joining_reaches_the_zones_and_neighbours_of_a_settled_torus() {
    let scenario =
        with(1_000, 4, CanTable { realities: 2, dimensions: 3, update_seconds: 300.0, ..CanTable::default() });
    let settled = Network::<Torus>::new(&scenario, false);
    let mut grown = Network::<Torus>::founded(&scenario);
    while grown.engine.len() < 1_000 {
        grown.join();
        grown.run_for(Duration::from_secs(10));
    }
    for reality in 0..2 {
        let tables = |network: &Network<Torus>, node| network.engine.mode(node).expect("alive").tables(reality);
        let differing = (0..1_000).filter(|node| tables(&grown, *node) != tables(&settled, *node)).count();
        assert_eq!(differing, 0);
    }
    assert!(grown.engine.alarms.is_empty(), "{:?}", grown.engine.alarms.first());
}

/// Whether the zones of the living cover every place once.
fn check_cover(network: &Network<Torus>) {
    let zones = |node: &u32| network.engine.mode(*node).expect("alive").tables(0).0;
    let mut all: Vec<Zone> = network.live.iter().flat_map(zones).collect();
    all.sort_unstable();
    let after = |zone: &Zone| zone.start().0.wrapping_add(zone.last_offset()).wrapping_add(1);
    let next = all.iter().cycle().skip(1);
    let apart: Vec<(&Zone, &Zone)> = all.iter().zip(next).filter(|(one, next)| after(one) != next.start().0).collect();
    assert_eq!(apart, [], "zones that do not follow each other");
}

/// A tenth of all nodes dies at once.
#[test]
fn zones_of_the_dead_are_taken_over_until_the_torus_is_whole() {
    let mut scenario = with(300, 8, CanTable::default());
    (scenario.faults.fail_fraction, scenario.faults.repair_seconds) = (0.1, 1_200.0);
    let mut network = Network::<Torus>::new(&scenario, false);
    check_cover(&network);
    network.fail();
    assert_eq!(network.live.len(), 270);
    check_cover(&network);
    assert_eq!(run_quietly(&scenario).success_of_existing, Some(1.0));
}

/// Whoever leaves in order takes nothing along.
#[test]
fn a_graceful_leave_hands_zone_and_documents_over() {
    let mut scenario = with(60, 9, CanTable::default());
    scenario.churn.leaves_per_second = 0.05;
    scenario.workload.lookups_per_second = 0.5;
    let report = run_quietly(&scenario);
    assert!(report.presence.is_some_and(|presence| presence.departures > 20), "{:?}", report.presence);
    assert_eq!((report.misses.lost, report.success), (0, Some(1.0)), "{:?}", report.misses);
}

/// Check C10 at a size for tests: 0.84 of (d/4)·n^(1/d) at 2^10 nodes, and as many neighbours as published.
#[test]
fn the_path_is_shorter_than_that_of_equal_zones_by_a_sixth() {
    for (dimensions, ratio, width) in [(2, 0.84, 0.05), (3, 0.84, 0.06)] {
        let mut scenario = with(1_024, 1, CanTable { dimensions, update_seconds: 1e6, ..CanTable::default() });
        scenario.workload.documents = 1_000;
        scenario.workload.lookups = 2_000;
        scenario.workload.lookups_per_second = 400.0;
        let report = run_quietly(&scenario);
        let equal = dimensions as f64 / 4.0 * 1_024_f64.powf(1.0 / dimensions as f64);
        let hops = report.hops.expect("lookups succeed").mean / equal;
        assert!((hops - ratio).abs() < width, "{dimensions} dimensions: {hops}");
        if dimensions == 2 {
            let degree = report.degree.expect("neighbours").summary.mean;
            assert!((degree - 4.57).abs() < 0.3, "{degree}");
        }
    }
}

#[test]
fn a_network_grows_while_it_is_used() {
    let mut scenario = with(100, 3, CanTable::default());
    scenario.growth = Some(Growth { start: 5, operations_per_join: 2 });
    let report = run_quietly(&scenario);
    assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0));
}

fn contact(number: u32) -> Contact {
    Contact::new(NodeId([number as u8 * 70 + 1; 32]), address_of(number))
}

fn mesh() -> (Mesh<Can>, Vec<NodeId>) {
    let (config, mut mesh) = (Arc::new(Config::default()), Mesh::new(3));
    for number in 0..3 {
        let (me, seed) = (contact(number), [number as u8 * 90; 32]);
        let node = match number {
            0 => Can::founder(Arc::clone(&config), me.clone(), &seed),
            _ => Can::newcomer(Arc::clone(&config), me.clone(), vec![contact(0)], &seed),
        };
        mesh.add(me.id(), me.address(), node);
        mesh.run_for(Duration::from_secs(10));
    }
    (mesh, (0..3).map(|number| contact(number).id()).collect())
}

fn update(sender: Contact, zones: usize, neighbours: usize) -> Message {
    let deepest = Zone::around(Location(u64::MAX), limits::CAN_DEPTH).expect("there are zones that small");
    let neighbours = vec![(sender.clone(), deepest); neighbours];
    Message::Update { sender, reality: 0, version: u64::MAX, zones: vec![deepest; zones], page: u8::MAX, neighbours }
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let (mut mesh, ids) = mesh();
    let (never, key) = (CallId(u32::MAX), RoutingKey([3; 32]));
    let join = Message::Join { call: never, sender: contact(2), reality: 0, place: Location(0) };
    for (message, offence) in [
        (Message::Missing { call: never }, Offence::Unasked),
        (Message::Taken { call: never, upkeep: false }, Offence::Unasked),
        (Message::Stuck { call: never, upkeep: false, trail: Trail::START }, Offence::Unasked),
        (update(contact(1), limits::CAN_ZONES + 1, 0), Offence::Flood),
        (update(contact(1), 0, limits::CAN_NAMED + 1), Offence::Flood),
        (update(contact(2), 1, 0), Offence::OutOfTurn),
        (join, Offence::OutOfTurn),
        (Message::Put { call: never, key, parcel: block(1).parcel() }, Offence::BadBlock),
    ] {
        suite::is_an_offence(&mut mesh, ids[1], ids[0], message, offence);
    }
}

#[test]
fn a_flood_of_questions_and_claims_leaves_nothing_behind() {
    let (mut mesh, ids) = mesh();
    for number in 0..20_000_u32 {
        let call = CallId(number);
        let goal = Goal { place: Location(u64::from(number) << 48), reality: None };
        let (upkeep, trail, route) = (false, Trail::START, u64::from(number));
        mesh.inject(ids[1], ids[0], Message::Route { call, route, goal, upkeep, trail });
        mesh.inject(ids[1], ids[0], Message::Get { call, key: RoutingKey([number as u8; 32]) });
        let nobody = Contact::new(NodeId(block(number).key().0), address_of(number));
        mesh.inject(nobody.id(), ids[0], update(nobody, 1, limits::CAN_NAMED));
        let (open, entries) = mesh.mode(&ids[0]).map_or((0, 0), |can| (can.open(), can.entries()));
        assert!(open <= limits::CALL_READS + limits::CALL_RELAYS * 2 + limits::CALLS, "{open}");
        assert!(entries <= limits::CAN_NEIGHBOURS * (limits::CAN_NEIGHBOURS + 1), "{entries}");
    }
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let sender = suite::longest_contact();
    let zone = Zone::around(Location(u64::MAX), limits::CAN_DEPTH).expect("there are zones that small");
    let (call, key, parcel, upkeep) = (CallId(u32::MAX), RoutingKey([255; 32]), block(1).parcel(), true);
    let trail = Trail { hops: u16::MAX, timeouts: u16::MAX, detours: u8::MAX };
    let goal = Goal { place: Location(u64::MAX), reality: Some(u8::MAX) };
    let all = [
        Message::Route { call, route: u64::MAX, goal, upkeep, trail },
        Message::Taken { call, upkeep },
        Message::Arrived { call, upkeep, owner: sender.clone(), trail },
        Message::Stuck { call, upkeep, trail },
        Message::Join { call, sender: sender.clone(), reality: u8::MAX, place: Location(u64::MAX) },
        Message::Given { call, zone, neighbours: vec![(sender.clone(), zone); limits::CAN_NAMED] },
        Message::Elsewhere { call },
        update(sender.clone(), limits::CAN_ZONES, limits::CAN_NAMED),
        Message::Leave { reality: u8::MAX },
        Message::Put { call, key, parcel: parcel.clone() },
        Message::Refer { call, key, holder: sender.clone() },
        Message::Stored { call, durable: true },
        Message::Get { call, key },
        Message::Data { call, parcel },
        Message::Held { call, holder: sender },
        Message::Missing { call },
    ];
    suite::fit_and_come_back(all);
}
