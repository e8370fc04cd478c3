//! Claims of joining and topology (docs/protocol.md §5), on networks of production machines.

mod rings;

use std::time::Duration;

use bolthole::overlay::freenet::Profile;
use rings::Network;

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
        network.run(Duration::from_secs(600));
        let (sent, dials) = (network.mesh.sent_in_all(), network.dials());
        network.run(Duration::from_secs(600));
        let per_node_and_minute = (network.mesh.sent_in_all() - sent) as f64 / f64::from(count) / 10.0;
        println!(
            "{count} nodes: {per_node_and_minute:.1} messages per node and minute, {} links made",
            network.dials() - dials
        );
        assert!(per_node_and_minute < 60.0, "{count} nodes send {per_node_and_minute} messages per node and minute");
        assert!(network.dials() - dials <= u64::from(count), "{count} nodes made {} links", network.dials() - dials);
    }
}
