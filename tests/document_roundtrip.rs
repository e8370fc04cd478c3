//! What was inserted comes back, whatever its length, and both ends keep within their bounds.

mod document_support;

use bolthole::document::header::Header;
use bolthole::document::layout::{Copies, Geometry, Layout, Redundancy, padme};
use bolthole::document::mime::Mime;
use bolthole::document::tree::Tree;
use bolthole::limits::STANDBYS;
use crypto::content::PAYLOAD_BYTES;
use document_support::{SMALL, fetch, fetch_options, fetch_with, insert, options, pattern, start};
use proptest::prelude::*;

const BLOCK: u64 = PAYLOAD_BYTES as u64;

/// A document of `length` bytes comes back whole; as many blocks were stored and fetched as the layout says.
fn check(length: u64, known: bool, geometry: Geometry) {
    let mut options = options(geometry);
    options.length = known.then_some(length);
    let (receipt, network) = insert(length, length, options);
    assert_eq!(receipt.bytes, length);
    assert_eq!(receipt.blocks, network.blocks.len() as u64, "no two blocks are alike");
    assert_eq!(receipt.stored_at_least, 3);
    let fetched = fetch(&receipt.uri, &network, geometry).expect("everything is there");
    assert!(fetched.bytes == pattern(length, 0..length), "{length} bytes come back as they were");
    assert_eq!(fetched.summary.bytes, length);
    assert_eq!(fetched.summary.blocks_repaired, 0);
    let (blocks, fetches) = counts(length, geometry);
    assert_eq!((receipt.blocks, fetched.summary.blocks_fetched), (blocks, fetches), "{length} bytes");
}

/// Blocks stored and fetched when nothing is missing.
fn counts(length: u64, geometry: Geometry) -> (u64, u64) {
    if length <= Header::inline_room(&Mime::default()) as u64 {
        return (1, 1);
    }
    let layout = Layout::new(geometry, length, Redundancy::DEFAULT).expect("not too long");
    let tree = Tree::new(geometry, Copies::DEFAULT, layout.keys());
    let copies = u64::from(Copies::DEFAULT.count());
    (1 + 2 * u64::from(STANDBYS) + layout.keys() + tree.blocks(), 1 + layout.data_blocks() + tree.blocks() / copies)
}

#[test]
fn every_length_around_a_border_comes_back() {
    let inline = Header::inline_room(&Mime::default()) as u64;
    let borders = [0, 1, 5, inline - 1, inline, inline + 1, BLOCK - 1, BLOCK, BLOCK + 1];
    let segments = [4 * BLOCK - 1, 4 * BLOCK, 4 * BLOCK + 1, 5 * BLOCK, 8 * BLOCK, 8 * BLOCK + 1, 12 * BLOCK];
    for length in borders.into_iter().chain(segments) {
        for known in [false, true] {
            check(length, known, SMALL);
            check(length, known, Geometry::STANDARD);
        }
    }
}

#[test]
fn one_segment_and_one_block_more_or_less_come_back() {
    for length in [127 * BLOCK, 128 * BLOCK, 128 * BLOCK + 1, 129 * BLOCK] {
        check(length, false, Geometry::STANDARD);
    }
}

#[test]
fn three_full_segments_come_back() {
    check(3 * 128 * BLOCK, false, Geometry::STANDARD);
    check(3 * 128 * BLOCK, true, Geometry::STANDARD);
}

#[test]
fn trees_of_three_levels_come_back() {
    for blocks in [24, 33, 100, 257] {
        let length = blocks * BLOCK - 7;
        let layout = Layout::new(SMALL, length, Redundancy::DEFAULT).expect("not too long");
        let tree = Tree::new(SMALL, Copies::DEFAULT, layout.keys());
        assert!(blocks < 100 || tree.depth() >= 3, "{blocks} blocks need {} levels", tree.depth());
        check(length, false, SMALL);
    }
}

#[test]
fn a_manifest_of_the_standard_geometry_grows_a_level_and_the_memory_stays_bounded() {
    // 50 MiB: the window is a fifth of it, which the drivers in `document_support` check at every step.
    let length = 50 << 20;
    let (receipt, network) = insert(1, length, options(Geometry::STANDARD));
    assert!(receipt.blocks > 1_017, "the top block cannot list them all");
    let fetched = fetch(&receipt.uri, &network, Geometry::STANDARD).expect("everything is there");
    assert!(fetched.bytes == pattern(1, 0..length));
}

#[test]
fn an_insert_holds_less_than_two_coded_segments() {
    let inserter = bolthole::document::insert::Inserter::new(options(Geometry::STANDARD), &mut rng());
    assert!(inserter.most_held_bytes() <= 2 * (128 + 64) * crypto::content::SEALED_BYTES + (1 << 20));
}

#[test]
fn documents_without_redundancy_come_back() {
    let mut options = options(SMALL);
    options.redundancy = Redundancy::percent(0).expect("none is allowed");
    let (receipt, network) = insert(3, 30 * BLOCK, options);
    assert_eq!(receipt.check_blocks, 0);
    assert!(fetch(&receipt.uri, &network, SMALL).expect("all is there").bytes == pattern(3, 0..30 * BLOCK));
}

#[test]
fn the_number_of_data_blocks_is_a_padme_number() {
    let blocks = |length| Layout::new(Geometry::STANDARD, length, Redundancy::DEFAULT).expect("short").data_blocks();
    for (count, padded) in [(1, 2), (2, 2), (3, 3), (9, 10), (17, 18), (100, 104), (129, 144), (2_049, 2_176)] {
        assert_eq!(blocks(count * BLOCK), padded, "{count} blocks");
    }
    for count in 2..100_000_u64 {
        let padded = padme(count);
        assert_eq!(padme(padded), padded, "padding again adds nothing");
        assert!(padded >= count && (padded - count) * 100 <= count * 12, "{count} became {padded}");
        let significant = u64::BITS - padded.leading_zeros() - padded.trailing_zeros();
        assert!(significant <= count.ilog2().ilog2() + 2, "{padded} tells {significant} bits");
    }
}

#[test]
fn segments_are_even_and_cover_everything_once() {
    for length in (2..1_000).chain([40_000, 65_537]).map(|blocks| blocks * BLOCK) {
        let layout = Layout::new(Geometry::STANDARD, length, Redundancy::DEFAULT).expect("short");
        let (mut block, mut key) = (0, 0);
        for index in 0..layout.segments() {
            let segment = layout.segment(index);
            assert_eq!((segment.first_block, segment.first_key), (block, key));
            assert_eq!(layout.segment_of(block), segment);
            assert_eq!(layout.segment_of(block + u64::from(segment.data) - 1), segment);
            assert!(segment.data <= 128 && (segment.data >= 64 || layout.segments() == 1), "{segment:?}");
            assert!(segment.check >= segment.data.div_ceil(2) && segment.check >= segment.data.min(4));
            block += u64::from(segment.data);
            key += u64::from(segment.blocks());
        }
        assert_eq!((block, key), (layout.data_blocks(), layout.keys()));
    }
}

#[test]
fn a_range_needs_only_the_blocks_it_touches() {
    let length = 257 * BLOCK;
    let (receipt, network) = insert(4, length, options(SMALL));
    for range in [0..1, 0..length, 5 * BLOCK - 1..5 * BLOCK + 1, 100 * BLOCK..101 * BLOCK, length - 1..length + 9] {
        let mut options = fetch_options(SMALL);
        options.range = Some(range.clone());
        let fetched = fetch_with(start(&receipt.uri), &network, options).expect("everything is there");
        let end = range.end.min(length);
        assert!(fetched.bytes == pattern(4, range.start..end), "{range:?}");
        let touched = end.div_ceil(BLOCK) - range.start / BLOCK;
        if touched < 3 {
            let most = touched + 1 + 4 * 8;
            assert!(fetched.summary.blocks_fetched <= most, "{range:?}: {}", fetched.summary.blocks_fetched);
        }
    }
}

#[test]
fn a_range_beyond_the_end_is_out_of_range() {
    for length in [0, 5, 9 * BLOCK] {
        let (receipt, network) = insert(5, length, options(SMALL));
        let mut options = fetch_options(SMALL);
        options.range = Some(length..length + 1);
        let why = fetch_with(start(&receipt.uri), &network, options).expect_err("nothing is there");
        assert_eq!(why, bolthole::document::fetch::Why::OutOfRange { length });
    }
}

fn rng() -> rand::rngs::ChaCha8Rng {
    rand::SeedableRng::seed_from_u64(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_length_in_any_small_geometry_comes_back(
        length in 0..60 * BLOCK, segment in 3..9_u32, node in 16..40_u32, top in 8..15_u32, known: bool,
    ) {
        check(length, known, Geometry::new(segment, node, top));
    }
}
