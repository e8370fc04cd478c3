//! Who keeps what: the sink, the nodes nearest the key, and those who come later (protocol.md §2, §4).

mod support;

use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::Location;
use bolthole::message::block::Block;
use bolthole::sim::mesh::Mesh;
use support::{add_founder, block, fetch, founders, insert, is_found, place};

/// The numbers, counted from 0, of the `most` founders nearest the block's key.
fn nearest(count: u8, block: &Block, most: usize) -> Vec<u8> {
    let target: Location = block.key().location();
    let mut numbers: Vec<u8> = (0..count).collect();
    numbers.sort_by_key(|number| place(count, *number).distance(target));
    numbers.truncate(most);
    numbers
}

#[test]
fn a_block_is_kept_by_the_seven_nodes_nearest_its_key() {
    let (mut mesh, ids) = founders(16, 1);
    for number in 0..20 {
        let block = block(number);
        insert(&mut mesh, ids[0], &block).expect("the insert is answered");
        let expected: Vec<NodeId> = nearest(16, &block, 7).into_iter().map(|number| ids[usize::from(number)]).collect();
        let keepers: Vec<NodeId> =
            ids.iter().copied().filter(|id| mesh.shelf(id).expect("alive").keeps(&block.key())).collect();
        assert!(expected.iter().all(|id| keepers.contains(id)), "block {number}: {} keep it", keepers.len());
        assert_eq!(keepers.len(), 7);
    }
}

#[test]
fn a_block_inserted_twice_is_stored_by_as_many_others_as_there_are() {
    let (mut mesh, ids) = founders(3, 5);
    for number in 0..12 {
        let block = block(number);
        for _ in 0..2 {
            assert_eq!(insert(&mut mesh, ids[0], &block), Some((2, 2)), "block {number}");
        }
    }
}

#[test]
fn an_insert_counts_what_the_others_keep_where_the_own_disk_is_full() {
    let (mut mesh, ids) = founders(3, 6);
    mesh.fill(&ids[0]);
    for number in 0..12 {
        let block = block(number);
        assert_eq!(insert(&mut mesh, ids[0], &block), Some((2, 2)), "block {number}");
    }
}

#[test]
fn a_newcomer_is_offered_what_it_should_keep() {
    let (mut mesh, ids) = founders_of(12, 11, 2);
    let blocks: Vec<Block> = (0..60).map(block).collect();
    for block in &blocks {
        insert(&mut mesh, ids[0], block).expect("the insert is answered");
    }
    let newcomer = add_founder(&mut mesh, 12, 12);
    mesh.run_for(Duration::from_secs(120));
    let (mut due, mut held) = (0, 0);
    for block in &blocks {
        if nearest(12, block, 7).contains(&11) {
            due += 1;
            held += usize::from(mesh.shelf(&newcomer).expect("alive").keeps(&block.key()));
        }
    }
    assert!(due > 20, "the newcomer should keep about seven of twelve blocks, not {due} of 60");
    assert_eq!(held, due);
}

#[test]
fn what_the_last_of_the_seven_keeps_outlives_all_the_others() {
    let (mut mesh, ids) = founders(16, 3);
    let block = block(5);
    insert(&mut mesh, ids[0], &block).expect("the insert is answered");
    for victim in nearest(16, &block, 6) {
        mesh.kill(ids[usize::from(victim)]);
    }
    mesh.run_for(Duration::from_secs(30));
    let reader =
        mesh.ids().into_iter().find(|id| !mesh.shelf(id).expect("alive").keeps(&block.key())).expect("a reader");
    let answer = fetch(&mut mesh, reader, &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

/// The first `running` of `count` founders.
fn founders_of(count: u8, running: u8, seed: u64) -> (Mesh<bolthole::overlay::freenet::Freenet>, Vec<NodeId>) {
    let mut mesh = Mesh::new(seed);
    let ids = (1..=running).map(|number| add_founder(&mut mesh, count, number)).collect();
    mesh.run_for(Duration::from_secs(10));
    (mesh, ids)
}
