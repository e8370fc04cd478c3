//! A block from a node's own store goes over a link as late as one from further, the first time (protocol.md §3.6).

mod support;

use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::overlay::freenet::Freenet;
use bolthole::overlay::mode::Command;
use bolthole::sim::mesh::Mesh;
use support::{block, insert, is_found, trusted};

/// How long a fetch from the network takes at `id`.
fn took(mesh: &mut Mesh<Freenet>, id: NodeId, number: u32) -> Duration {
    let (wanted, begun) = (block(number), mesh.now());
    let ticket = mesh.command(id, Command::Fetch { key: wanted.key(), own_store: false });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(10));
    assert!(is_found(answer.as_ref(), &wanted), "{answer:?}");
    mesh.now().since(begun)
}

#[test]
fn the_first_hit_over_a_link_is_late_and_the_next_is_not() {
    let (mut mesh, ids) = trusted(2, &[(0, 1)], 5);
    let mut late = 0;
    for number in 0..60 {
        insert(&mut mesh, ids[0], &block(number)).expect("it is stored");
        assert!(mesh.shelf(&ids[1]).expect("alive").holds(&block(number).key()), "the only other node keeps it");
        let (first, second) = (took(&mut mesh, ids[0], number), took(&mut mesh, ids[0], number));
        assert!(first < second + Duration::from_millis(260), "{first:?} {second:?}");
        late += usize::from(first > second);
    }
    // Delays spread from nothing to a few round trips; the latency of this mesh varies as well.
    assert!(late >= 42, "{late} of 60 first hits were later than the next");
}

#[test]
fn an_own_client_is_answered_by_its_own_store_at_once() {
    let (mut mesh, ids) = trusted(2, &[(0, 1)], 5);
    insert(&mut mesh, ids[0], &block(1)).expect("it is stored");
    let (wanted, begun) = (block(1), mesh.now());
    let ticket = mesh.command(ids[1], Command::Fetch { key: wanted.key(), own_store: true });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(10));
    assert!(is_found(answer.as_ref(), &wanted));
    assert_eq!(mesh.now().since(begun), Duration::ZERO);
}
