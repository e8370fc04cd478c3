//! What is missing is rebuilt and handed out for reinsertion, as long as enough is left.

mod document_support;

use std::collections::BTreeSet;

use bolthole::document::coding;
use bolthole::document::fetch::{Fetcher, Input, Output, Why};
use bolthole::document::layout::{Geometry, Redundancy};
use bolthole::document::signed::{Reader, pointer};
use bolthole::key::RoutingKey;
use bolthole::key::uri::Uri;
use bolthole::limits::{BLOCK_ATTEMPTS, BLOCK_SEARCHES, STANDBYS};
use bolthole::message::block::Block;
use bolthole::time::Instant;
use bytes::Bytes;
use crypto::content::{PAYLOAD_BYTES, Root, SEALED_BYTES};
use document_support::{Network, SMALL, fetch, fetch_options, fetch_with, insert, listed, options, pattern, start};
use proptest::prelude::*;
use proptest::sample::subsequence;
use reed_solomon_simd::ReedSolomonEncoder;

const BLOCK: u64 = PAYLOAD_BYTES as u64;
/// Where a top is looked for: where the URI says, and where its standbys are named.
const PLACES_OF_A_TOP: u32 = 1 + STANDBYS as u32;

fn keys(blocks: &[Block]) -> BTreeSet<RoutingKey> {
    blocks.iter().map(Block::key).collect()
}

#[test]
fn check_blocks_are_raw_parity_over_sealed_blocks() {
    let data: Vec<Bytes> = (0..5).map(|seed| pattern(seed, 0..SEALED_BYTES as u64).into()).collect();
    let mut encoder = ReedSolomonEncoder::new(5, 4, SEALED_BYTES).expect("supported");
    data.iter().for_each(|block| encoder.add_original_shard(block).expect("one size"));
    let parity = encoder.encode().expect("all are there");
    let raw: Vec<_> = parity.recovery_iter().map(<[u8]>::to_vec).collect();
    assert_eq!(coding::check_blocks(&data, 4), raw);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sufficient_subset_of_a_segment_rebuilds_it(
        (data, check, kept) in (2..40_u32, 1..30_u32).prop_flat_map(|(data, check)| {
            let all: Vec<u32> = (0..data + check).collect();
            (Just(data), Just(check), subsequence(all, data as usize))
        })
    ) {
        let sealed: Vec<Bytes> = (0..data).map(|seed| pattern(seed.into(), 0..SEALED_BYTES as u64).into()).collect();
        let mut all = sealed.clone();
        all.extend(coding::check_blocks(&sealed, check).into_iter().map(Bytes::from));
        let found: Vec<_> = kept.iter().map(|index| (*index, all[*index as usize].clone())).collect();
        let rebuilt = coding::rebuild(data, check, &found).expect("enough are there");
        let missing: Vec<_> = (0..data).filter(|index| !kept.contains(index)).collect();
        prop_assert_eq!(rebuilt.iter().map(|(index, _)| *index).collect::<Vec<_>>(), missing);
        prop_assert!(rebuilt.iter().all(|(index, block)| block[..] == sealed[*index as usize][..]));
        prop_assert!(coding::rebuild(data, check, &found[1..]).is_none(), "one less does not");
    }

    #[test]
    fn a_document_with_enough_left_of_each_segment_comes_back_and_is_repaired(
        blocks in 2..30_u64, losses in prop::collection::vec(any::<prop::sample::Index>(), 4 * 16), race in 0..3_u32,
    ) {
        let length = blocks * BLOCK - 11;
        let (receipt, mut network) = insert(blocks, length, options(SMALL));
        let mut lost = BTreeSet::new();
        let mut lost_data = BTreeSet::new();
        for (data, check) in listed(&receipt.uri, &network, SMALL).segments {
            let all: Vec<_> = data.iter().chain(&check).copied().collect();
            // As many as may be lost, or fewer if the same is drawn twice.
            let drawn = losses.iter().cycle().skip(lost.len()).take(check.len()).map(|index| all[index.index(all.len())]);
            let drawn: BTreeSet<_> = drawn.collect();
            lost_data.extend(drawn.iter().filter(|key| data.contains(key)).copied());
            lost.extend(drawn);
        }
        network.lose(lost.iter().copied());
        let mut fetching = fetch_options(SMALL);
        fetching.race = race;
        let fetched = fetch_with(start(&receipt.uri), &network, fetching).expect("enough is left");
        prop_assert!(fetched.bytes == pattern(blocks, 0..length));
        let repaired = keys(&fetched.repaired);
        prop_assert_eq!(repaired.len(), fetched.repaired.len(), "nothing is repaired twice");
        prop_assert_eq!(fetched.summary.blocks_repaired, fetched.repaired.len() as u64);
        let asked: BTreeSet<_> = lost.intersection(&fetched.asked).copied().collect();
        prop_assert!(repaired.is_subset(&lost), "only what is missing is repaired");
        if race == 0 {
            // Who races may be through before a block is known to be missing.
            prop_assert!(asked.is_subset(&repaired), "all that was found missing is repaired");
            prop_assert!(lost_data.is_subset(&repaired), "data blocks are all asked for");
        }
        fetched.repaired.into_iter().for_each(|block| network.put(block));
        let again = fetch(&receipt.uri, &network, SMALL).expect("repaired").summary.blocks_repaired;
        prop_assert!(race > 0 || again == 0, "{again} more were repaired");
    }
}

#[test]
fn a_full_segment_survives_the_loss_of_a_third_and_not_of_one_more() {
    let length = 200 * BLOCK;
    let (receipt, mut network) = insert(9, length, options(Geometry::STANDARD));
    let segments = listed(&receipt.uri, &network, Geometry::STANDARD).segments;
    let [(first_data, _), (data, check)] = &segments[..] else { panic!("two segments") };
    assert_eq!((first_data.len(), data.len(), check.len()), (104, 104, 52));
    network.lose(data[20..72].iter().copied());
    let fetched = fetch(&receipt.uri, &network, Geometry::STANDARD).expect("104 of 156 are left");
    assert!(fetched.bytes == pattern(9, 0..length));
    assert_eq!(keys(&fetched.repaired), data[20..72].iter().copied().collect());
    network.lose([check[51]]);
    let why = fetch(&receipt.uri, &network, Geometry::STANDARD).expect_err("103 are left");
    assert_eq!(why, Why::SegmentLost { segment: 1, reachable: 103, needed: 104 });
    assert_eq!(why.to_string(), "segment 1 is lost: 103 of its blocks can be found, 104 are needed");
}

/// A document of nine blocks, where its top is, and where its standbys are named.
fn with_standbys() -> (Uri, Root, RoutingKey, Vec<RoutingKey>, Network) {
    let (receipt, network) = insert(3, 9 * BLOCK, options(SMALL));
    let Uri::Chk { routing, root } = receipt.uri.duplicate() else { panic!("a content URI") };
    let pointers: Vec<_> = (1..=STANDBYS).map(|number| Reader::of_standby(&root, number).routing_key()).collect();
    assert!(pointers.iter().all(|pointer| network.blocks.contains_key(pointer)));
    (receipt.uri, root, routing, pointers, network)
}

#[test]
fn a_document_whose_top_is_lost_comes_back_by_any_standby_and_mends_its_top() {
    for number in 0..usize::from(STANDBYS) {
        let (uri, _, top, pointers, mut network) = with_standbys();
        network.lose([top]);
        network.lose(pointers.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, key)| *key));
        let fetched = fetch(&uri, &network, SMALL).expect("a standby is left");
        assert!(fetched.bytes == pattern(3, 0..9 * BLOCK));
        assert_eq!(keys(&fetched.repaired), [top].into());
    }
}

#[test]
fn a_document_without_its_top_and_all_standbys_is_not_found() {
    let (uri, _, top, pointers, mut network) = with_standbys();
    network.lose([top]);
    network.lose(pointers);
    assert_eq!(fetch(&uri, &network, SMALL).err(), Some(Why::NotFound));
}

#[test]
fn a_pointer_that_leads_nowhere_costs_only_itself() {
    let (uri, root, top, pointers, mut network) = with_standbys();
    let data = *network.order.first().expect("blocks went out");
    for wrong in [top, data, RoutingKey([7; 32])] {
        let forged = pointer(&root, 1, wrong, &[9; 24]);
        assert_eq!(forged.key(), pointers[0]);
        network.blocks.remove(&top);
        network.put(forged);
        assert!(fetch(&uri, &network, SMALL).expect("another is left").bytes == pattern(3, 0..9 * BLOCK));
    }
}

#[test]
fn without_check_blocks_one_missing_block_is_the_end() {
    let mut inserting = options(SMALL);
    inserting.redundancy = Redundancy::percent(0).expect("none is allowed");
    let (receipt, mut network) = insert(2, 6 * BLOCK, inserting);
    let lost = listed(&receipt.uri, &network, SMALL).segments[1].0[2];
    network.lose([lost]);
    let why = fetch(&receipt.uri, &network, SMALL).expect_err("it is lost");
    assert_eq!(why, Why::SegmentLost { segment: 1, reachable: 2, needed: 3 });
}

#[test]
fn a_range_in_a_damaged_segment_is_rebuilt() {
    let (receipt, mut network) = insert(7, 20 * BLOCK, options(SMALL));
    let lost = listed(&receipt.uri, &network, SMALL).segments[2].0[1];
    network.lose([lost]);
    let mut fetching = fetch_options(SMALL);
    fetching.range = Some(9 * BLOCK..10 * BLOCK);
    let fetched = fetch_with(start(&receipt.uri), &network, fetching).expect("it can be rebuilt");
    assert!(fetched.bytes == pattern(7, 9 * BLOCK..10 * BLOCK));
    assert_eq!(keys(&fetched.repaired), BTreeSet::from([lost]));
}

#[test]
fn a_manifest_block_lives_as_long_as_one_of_its_copies() {
    let (receipt, mut network) = insert(8, 100 * BLOCK, options(SMALL));
    let nodes = listed(&receipt.uri, &network, SMALL).nodes;
    assert!(nodes.len() > 10);
    for copies in &nodes {
        network.lose(copies[..3].iter().copied());
    }
    let fetched = fetch(&receipt.uri, &network, SMALL).expect("one copy of each is left");
    assert!(fetched.bytes == pattern(8, 0..100 * BLOCK));
    let lost: BTreeSet<_> = nodes.iter().flat_map(|copies| copies[..3].iter().copied()).collect();
    let missed: BTreeSet<_> = lost.intersection(&fetched.asked).copied().collect();
    assert!(!missed.is_empty());
    assert_eq!(keys(&fetched.repaired), missed, "the copies that were missed are sealed again as they were");
    network.lose([nodes[5][3]]);
    assert_eq!(fetch(&receipt.uri, &network, SMALL).expect_err("all copies are lost"), Why::ManifestLost);
}

#[test]
fn a_document_without_its_top_is_searched_a_few_times_and_not_found() {
    let (receipt, _) = insert(1, 5, options(SMALL));
    let mut fetcher = Fetcher::new(start(&receipt.uri), fetch_options(SMALL));
    let (mut now, mut searches) = (Instant::EPOCH, 0);
    let why = loop {
        match fetcher.poll_output() {
            Some(Output::Fetch { handle, .. }) => {
                searches += 1;
                fetcher.handle_input(now, Input::BlockMissing { handle });
            }
            Some(Output::Failed(why)) => break why,
            Some(other) => panic!("{other:?}"),
            None => {
                let later = fetcher.poll_timeout().expect("it rests");
                assert!(later > now);
                now = later;
                fetcher.handle_input(now, Input::Timeout);
            }
        }
    };
    assert_eq!((why, searches), (Why::NotFound, BLOCK_SEARCHES * PLACES_OF_A_TOP));
}

#[test]
fn a_busy_network_is_asked_again_and_again_but_not_for_ever() {
    let (receipt, _) = insert(1, 5, options(SMALL));
    let mut fetcher = Fetcher::new(start(&receipt.uri), fetch_options(SMALL));
    let (mut now, mut attempts) = (Instant::EPOCH, 0);
    loop {
        match fetcher.poll_output() {
            Some(Output::Fetch { handle, .. }) => {
                attempts += 1;
                fetcher.handle_input(now, Input::BlockFailed { handle });
            }
            Some(Output::Failed(why)) => {
                assert_eq!(why, Why::NotFound);
                break;
            }
            Some(other) => panic!("{other:?}"),
            None => {
                now = fetcher.poll_timeout().expect("it rests");
                fetcher.handle_input(now, Input::Timeout);
            }
        }
    }
    assert_eq!(attempts, BLOCK_ATTEMPTS * BLOCK_SEARCHES * PLACES_OF_A_TOP);
}

#[test]
fn a_wrong_block_never_gets_through() {
    let length = 20 * BLOCK;
    let (receipt, mut network) = insert(6, length, options(SMALL));
    let (_, other) = insert(60, length, options(SMALL));
    let keys: Vec<_> = listed(&receipt.uri, &network, SMALL).segments.iter().map(|(data, _)| data[0]).collect();
    for (key, wrong) in keys.iter().zip(other.blocks.values()) {
        network.blocks.insert(*key, wrong.clone());
    }
    let fetched = fetch(&receipt.uri, &network, SMALL).expect("the right ones are rebuilt");
    assert!(fetched.bytes == pattern(6, 0..length));
    assert_eq!(fetched.summary.blocks_repaired, keys.len() as u64);
    let Uri::Chk { routing, root } = receipt.uri.duplicate() else { panic!("a content URI") };
    network.blocks.insert(routing, other.blocks.values().next().expect("there are blocks").clone());
    assert!(fetch(&receipt.uri, &network, SMALL).expect("a standby is right").bytes == pattern(6, 0..length));
    network.lose((1..=STANDBYS).map(|number| Reader::of_standby(&root, number).routing_key()));
    assert_eq!(fetch(&receipt.uri, &network, SMALL).expect_err("a wrong top"), Why::NotFound);
}

#[test]
fn a_race_does_not_wait_for_the_slowest_and_cancels_it() {
    let (receipt, network) = insert(6, 4 * BLOCK, options(SMALL));
    let slow: BTreeSet<_> = listed(&receipt.uri, &network, SMALL).segments[0].0[1..3].iter().copied().collect();
    let mut options = fetch_options(SMALL);
    options.race = 2;
    let mut fetcher = Fetcher::new(start(&receipt.uri), options);
    let (mut waiting, mut cancelled) = (BTreeSet::new(), BTreeSet::new());
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(output) = fetcher.poll_output() {
        match output {
            Output::Fetch { handle, key } if slow.contains(&key) => assert!(waiting.insert(handle)),
            Output::Fetch { handle, key } => {
                let block = network.blocks[&key].clone();
                fetcher.handle_input(Instant::EPOCH, Input::BlockFound { handle, block });
            }
            Output::Cancel { handle } => assert!(cancelled.insert(handle)),
            Output::Deliver(data) => bytes.extend(&data),
            Output::Repair { .. } => panic!("what is slow is not missing"),
            Output::Opened { .. } | Output::Done(_) => {}
            Output::Failed(why) => panic!("{why}"),
        }
    }
    assert!(bytes == pattern(6, 0..4 * BLOCK));
    assert_eq!(waiting, cancelled);
    assert_eq!(waiting.len(), 2);
}

#[test]
fn nothing_is_delivered_beyond_what_the_consumer_takes() {
    let length = 100 * BLOCK;
    let (receipt, network) = insert(6, length, options(Geometry::STANDARD));
    let mut fetcher = Fetcher::new(start(&receipt.uri), fetch_options(Geometry::STANDARD));
    let mut delivered = 0;
    while let Some(output) = fetcher.poll_output() {
        match output {
            Output::Fetch { handle, key } => {
                let block = network.blocks[&key].clone();
                fetcher.handle_input(Instant::EPOCH, Input::BlockFound { handle, block });
            }
            Output::Deliver(data) => delivered += data.len(),
            Output::Opened { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(delivered >= bolthole::limits::DELIVERY_BYTES);
    assert!(delivered < bolthole::limits::DELIVERY_BYTES + PAYLOAD_BYTES, "{delivered}");
}

#[test]
fn lost_blocks_are_what_the_helper_says() {
    // The other tests lose blocks by key: this one shows that such a loss is one.
    let mut network = Network::default();
    let (receipt, whole) = insert(1, 5, options(SMALL));
    assert!(fetch(&receipt.uri, &network, SMALL).is_err());
    whole.blocks.into_values().for_each(|block| network.put(block));
    assert!(fetch(&receipt.uri, &network, SMALL).is_ok());
}
