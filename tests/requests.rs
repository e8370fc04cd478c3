//! Requests and inserts in a mesh: the claims of protocol.md §3 and §4, on the production machine.

mod support;

use std::time::Duration;

use bolthole::overlay::mode::Answer;
use support::{block, fetch, founders, insert, is_found};

#[test]
fn a_block_inserted_in_networks_of_two_five_and_sixteen_is_found_from_every_other_node() {
    for count in [2, 5, 16] {
        let (mut mesh, ids) = founders(count, u64::from(count));
        for number in 0..10 {
            let block = block(number);
            let origin = ids[number as usize % ids.len()];
            let (stores, wanted) = insert(&mut mesh, origin, &block).expect("the insert is answered");
            assert_eq!(wanted, 3.min(u32::from(count) - 1), "{count} nodes");
            assert!(stores >= wanted, "{count} nodes: {stores} of {wanted} stores");
            for reader in ids.iter().filter(|id| **id != origin) {
                let answer = fetch(&mut mesh, *reader, &block);
                assert!(is_found(answer.as_ref(), &block), "{count} nodes: {answer:?}");
            }
        }
        assert_eq!(mesh.offences(), [], "honest nodes offend nobody");
    }
}

#[test]
fn a_block_survives_the_death_of_its_inserter() {
    let (mut mesh, ids) = founders(16, 1);
    let block = block(1);
    insert(&mut mesh, ids[3], &block).expect("the insert is answered");
    mesh.kill(ids[3]);
    let answer = fetch(&mut mesh, ids[9], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn a_search_for_what_nobody_has_ends_in_bounded_time() {
    let (mut mesh, ids) = founders(16, 2);
    let begun = mesh.now();
    let answer = fetch(&mut mesh, ids[0], &block(77));
    assert_eq!(answer, Some(Answer::NotFound));
    assert!(mesh.now().since(begun) < Duration::from_secs(10), "took {:?}", mesh.now().since(begun));
}
