//! Manifests that lie are refused, at the cost of a few blocks.

mod document_support;

use std::collections::BTreeMap;

use bolthole::document::fetch::{Fetcher, Input, Output, Start, Why};
use bolthole::document::header::{Header, Malformed, Message, Top};
use bolthole::document::layout::{Copies, Geometry, Layout, OutOfBounds, Redundancy};
use bolthole::document::mime::Mime;
use bolthole::document::root;
use bolthole::document::tree::{Node, Tree};
use bolthole::key::RoutingKey;
use bolthole::key::uri::Uri;
use bolthole::limits::{DOCUMENT_BYTES, MANIFEST_TOP_KEYS, MIME_BYTES};
use bolthole::message::block::Block;
use bolthole::time::Instant;
use crypto::content::{self, PAYLOAD_BYTES, Root};
use crypto::hash::{Label, hash};
use crypto::signed::LONGEST_MESSAGE;
use document_support::{Network, SMALL, fetch, fetch_options, fetch_with, insert, listed, options, pattern};
use proptest::prelude::*;

const BLOCK: u64 = PAYLOAD_BYTES as u64;

fn root_key() -> Root {
    Root::from_bytes([7; 32])
}

fn sealed(key: &content::ContentKey, payload: &[u8]) -> Block {
    Block::new(content::seal(key, payload).expect("it fits").into()).expect("a sealed block")
}

/// A network with a top block of this payload, and where it is.
fn with_top(payload: &[u8]) -> (Uri, Network) {
    let block = sealed(&root::top_key(&root_key()), payload);
    let uri = Uri::Chk { routing: block.key(), root: root_key() };
    let mut network = Network::default();
    network.put(block);
    (uri, network)
}

fn refused(payload: &[u8]) -> Why {
    let (uri, network) = with_top(payload);
    fetch(&uri, &network, SMALL).expect_err("a hostile top")
}

fn header(length: u64) -> Header {
    Header { mime: Mime::default(), length, digest: [0; 32] }
}

/// `count` keys that lead nowhere.
fn keys(count: usize) -> Vec<RoutingKey> {
    (0..count).map(|index| RoutingKey(hash(Label::Work, &[&index.to_le_bytes()]))).collect()
}

fn split(length: u64, keys: Vec<RoutingKey>) -> Vec<u8> {
    Top::Split { header: header(length), redundancy: Redundancy::DEFAULT, copies: Copies::DEFAULT, keys }.encode()
}

/// A well-formed top of a splitfile of `length` bytes, with `change` applied to its payload.
fn changed(length: u64, change: impl FnOnce(&mut Vec<u8>)) -> Why {
    let layout = Layout::new(SMALL, length, Redundancy::DEFAULT).expect("short");
    let count = Tree::new(SMALL, Copies::DEFAULT, layout.keys()).listed_at_top();
    let mut payload = split(length, keys(count as usize));
    change(&mut payload);
    refused(&payload)
}

const KIND: usize = 1;
const LENGTH: usize = 2;
const MIME_LENGTH: usize = 42;
const MIME: usize = 43;
const AFTER_MIME: usize = MIME + "application/octet-stream".len();

#[test]
fn a_top_that_is_none_is_refused() {
    let inline = Top::Inline { header: header(5), content: b"hello"[..].into() }.encode();
    let with = |place: usize, byte: u8| {
        let mut payload = inline.clone();
        payload[place] = byte;
        refused(&payload)
    };
    assert_eq!(with(0, 9), Malformed::Version(9).into());
    assert_eq!(with(KIND, 9), Malformed::Kind(9).into());
    assert_eq!(with(KIND, 2), Malformed::Kind(2).into(), "a redirect stands in signed blocks only");
    assert_eq!(with(LENGTH, 4), Malformed::Padding.into(), "a byte after the end");
    assert_eq!(with(LENGTH + 3, 1), Malformed::Length.into(), "content longer than a block");
    assert_eq!(with(LENGTH + 7, 1), Malformed::Number(OutOfBounds::Length((1 << 56) + 5)).into());
    assert_eq!(with(MIME, b'\n'), Malformed::Mime.into());
    assert_eq!(with(MIME_LENGTH, (MIME_BYTES + 1) as u8), Malformed::Mime.into());
    assert_eq!(with(10, 1), Why::Digest, "another digest");
    assert_eq!(refused(&[]), Malformed::Version(0).into());
}

#[test]
fn numbers_out_of_bounds_are_refused() {
    let length = 10 * BLOCK;
    assert_eq!(
        changed(length, |payload| payload[LENGTH..LENGTH + 8].fill(0xff)),
        Malformed::Number(OutOfBounds::Length(u64::MAX)).into()
    );
    assert_eq!(changed(length, |payload| payload[LENGTH..LENGTH + 8].fill(0)), Malformed::NotSmallest.into());
    assert_eq!(
        changed(length, |payload| payload[AFTER_MIME] = 201),
        Malformed::Number(OutOfBounds::Redundancy(201)).into()
    );
    for copies in [0, 9, 255] {
        let why = changed(length, |payload| payload[AFTER_MIME + 2] = copies);
        assert_eq!(why, Malformed::Number(OutOfBounds::Copies(copies)).into());
    }
}

#[test]
fn a_length_that_does_not_match_the_keys_is_refused() {
    let claimed = |length: u64, claimed: u64| {
        let bytes = claimed.to_le_bytes();
        changed(length, |payload: &mut Vec<u8>| payload[LENGTH..LENGTH + 8].copy_from_slice(&bytes))
    };
    // More keys than the length asks for, and fewer: the zeros that follow are keys then, one like the other.
    assert_eq!(claimed(10 * BLOCK, 3 * BLOCK), Malformed::Padding.into());
    assert_eq!(claimed(4 * BLOCK, 3 * BLOCK), Malformed::Padding.into());
    assert_eq!(claimed(2 * BLOCK, 4 * BLOCK), Malformed::DuplicateKey.into());
}

#[test]
fn a_key_listed_twice_is_refused() {
    let change = |payload: &mut Vec<u8>| payload.copy_within(AFTER_MIME + 3..AFTER_MIME + 35, AFTER_MIME + 35);
    assert_eq!(changed(3 * BLOCK, change), Malformed::DuplicateKey.into());
}

#[test]
fn billions_of_blocks_cost_a_few_questions_and_little_memory() {
    let layout = Layout::new(Geometry::STANDARD, DOCUMENT_BYTES, Redundancy::DEFAULT).expect("the bound itself");
    assert!(layout.keys() > 800_000_000);
    let tree = Tree::new(Geometry::STANDARD, Copies::DEFAULT, layout.keys());
    let payload = split(DOCUMENT_BYTES, keys(tree.listed_at_top() as usize));
    let (uri, network) = with_top(&payload);
    let Uri::Chk { routing, root } = uri else { panic!("a content URI") };
    let start = Start::Content { routing, root };
    let mut fetcher = Fetcher::new(start, fetch_options(Geometry::STANDARD));
    let (mut asked, mut now) = (0, Instant::EPOCH);
    loop {
        match fetcher.poll_output() {
            Some(Output::Fetch { handle, key }) => {
                asked += 1;
                let found = network.blocks.get(&key).cloned();
                let missing = Input::BlockMissing { handle };
                fetcher.handle_input(now, found.map_or(missing, |block| Input::BlockFound { handle, block }));
            }
            Some(Output::Failed(why)) => {
                assert_eq!(why, Why::ManifestLost);
                break;
            }
            Some(_) => {}
            None => {
                now = fetcher.poll_timeout().expect("it rests");
                fetcher.handle_input(now, Input::Timeout);
            }
        }
        assert!(fetcher.held_bytes() < 1 << 20);
    }
    assert!(asked < 20, "{asked} questions");
}

/// A splitfile of 20 small segments with the keys of one block of its manifest rewritten.
fn with_rewritten_leaf(rewrite: impl FnOnce(&mut Vec<RoutingKey>, &BTreeMap<RoutingKey, Block>)) -> Why {
    let (receipt, mut network) = insert(1, 24 * BLOCK, options(SMALL));
    let Uri::Chk { routing, root } = &receipt.uri else { panic!("a content URI") };
    let payload = content::open(&root::top_key(root), network.blocks[routing].body()).expect("our own");
    let Ok(Top::Split { header, redundancy, copies, keys: top }) = Top::decode(&payload, SMALL) else {
        panic!("split")
    };
    let layout = Layout::new(SMALL, header.length, redundancy).expect("short");
    let tree = Tree::new(SMALL, copies, layout.keys());
    let leaf = Node { level: 0, index: 0 };
    let mut list: Vec<_> = listed(&receipt.uri, &network, SMALL)
        .segments
        .into_iter()
        .flat_map(|(data, check)| [data, check].concat())
        .collect();
    list.truncate(tree.listed(leaf));
    rewrite(&mut list, &network.blocks);
    let bytes: Vec<_> = list.iter().flat_map(|key| key.0).collect();
    let mut new = Vec::new();
    for copy in 0..4 {
        new.push(sealed(&root::node_key(root, &tree, leaf, copy), &bytes));
    }
    // Up the tree: every list above must name the new copies.
    let mut node = leaf;
    loop {
        let listing = tree.listing(node);
        let keys: Vec<_> = new.iter().map(Block::key).collect();
        new.drain(..).for_each(|block| network.put(block));
        let Some(parent) = listing.parent else {
            let mut top = top;
            top[listing.first..listing.first + 4].copy_from_slice(&keys);
            let payload = Top::Split { header, redundancy, copies, keys: top }.encode();
            let block = sealed(&root::top_key(root), &payload);
            let start = Start::Content { routing: block.key(), root: root.duplicate() };
            network.put(block);
            return fetch_with(start, &network, fetch_options(SMALL)).expect_err("a hostile manifest");
        };
        let old = parent_payload(&network, &tree, &top, root, parent);
        let mut bytes = old;
        for (index, key) in keys.iter().enumerate() {
            bytes[(listing.first + index) * 32..][..32].copy_from_slice(&key.0);
        }
        new.extend((0..4).map(|copy| sealed(&root::node_key(root, &tree, parent, copy), &bytes)));
        node = parent;
    }
}

/// The payload of a node as it was inserted, found from the top.
fn parent_payload(network: &Network, tree: &Tree, top: &[RoutingKey], root: &Root, node: Node) -> Vec<u8> {
    let listing = tree.listing(node);
    let key = match listing.parent {
        None => top[listing.first],
        Some(parent) => {
            let list = parent_payload(network, tree, top, root, parent);
            RoutingKey(*list[listing.first * 32..].first_chunk().expect("a key"))
        }
    };
    content::open(&root::node_key(root, tree, node, 0), network.blocks[&key].body()).expect("our own")
}

#[test]
fn manifests_that_turn_in_a_circle_or_swap_blocks_are_refused() {
    assert_eq!(with_rewritten_leaf(|list, _| list.swap(0, 1)), Why::NotVerified, "two blocks in each other's place");
    assert_eq!(with_rewritten_leaf(|list, _| list[1] = list[0]), Malformed::DuplicateKey.into());
    // A manifest block as a data block: a block opens in its own place only, so no circle can be walked.
    let circle = |list: &mut Vec<RoutingKey>, blocks: &BTreeMap<RoutingKey, Block>| {
        let foreign = blocks.keys().find(|key| !list.contains(key)).expect("there are others");
        list[0] = *foreign;
    };
    assert_eq!(with_rewritten_leaf(circle), Why::NotVerified);
}

#[test]
fn parity_of_other_blocks_is_found_out() {
    let why = with_rewritten_leaf(|list, blocks| {
        // The first data block is lost, and a check block is some other block.
        list[0] = RoutingKey([1; 32]);
        for check in 4..8 {
            let foreign = blocks.keys().filter(|key| !list.contains(key)).nth(check).expect("there are others");
            list[check] = *foreign;
        }
    });
    assert_eq!(why, Why::Inconsistent);
}

#[test]
fn bytes_beyond_the_end_are_refused() {
    let length = 2 * BLOCK;
    let (receipt, mut network) = insert(1, length, options(SMALL));
    let Uri::Chk { routing, root } = &receipt.uri else { panic!("a content URI") };
    let payload = content::open(&root::top_key(root), network.blocks[routing].body()).expect("our own");
    let Ok(Top::Split { mut header, redundancy, copies, keys }) = Top::decode(&payload, SMALL) else { panic!("split") };
    header.length -= 1;
    let block = sealed(&root::top_key(root), &Top::Split { header, redundancy, copies, keys }.encode());
    let start = Start::Content { routing: block.key(), root: root.duplicate() };
    network.put(block);
    let why = fetch_with(start, &network, fetch_options(SMALL)).expect_err("one byte too many");
    assert_eq!(why, Malformed::Padding.into());
}

#[test]
fn a_digest_of_other_bytes_is_found_out_at_the_end() {
    let (receipt, mut network) = insert(1, 9 * BLOCK, options(SMALL));
    let Uri::Chk { routing, root } = &receipt.uri else { panic!("a content URI") };
    let mut payload = content::open(&root::top_key(root), network.blocks[routing].body()).expect("our own");
    payload[10] ^= 1;
    let block = sealed(&root::top_key(root), &payload);
    let start = Start::Content { routing: block.key(), root: root.duplicate() };
    network.put(block);
    assert_eq!(fetch_with(start, &network, fetch_options(SMALL)).expect_err("other bytes"), Why::Digest);
}

#[test]
fn a_wrong_root_opens_nothing() {
    let (receipt, network) = insert(1, 9 * BLOCK, options(SMALL));
    let Uri::Chk { routing, .. } = receipt.uri else { panic!("a content URI") };
    let wrong = Uri::Chk { routing, root: root_key() };
    assert_eq!(fetch(&wrong, &network, SMALL).expect_err("a wrong key"), Why::NotVerified);
}

#[test]
fn the_longest_header_and_the_most_keys_fit_into_a_top() {
    let mime = Mime::new(&format!("a/{}", "b".repeat(MIME_BYTES - 2))).expect("the longest");
    let header = Header { mime, length: 1, digest: [0; 32] };
    let (redundancy, copies) = (Redundancy::DEFAULT, Copies::DEFAULT);
    let keys = keys(MANIFEST_TOP_KEYS as usize);
    let most = Top::Split { header: header.clone(), redundancy, copies, keys }.encode().len();
    assert!(most <= PAYLOAD_BYTES && most + 32 > PAYLOAD_BYTES, "{most}");
    let content = pattern(1, 0..Header::signed_room(&header.mime) as u64).into();
    assert_eq!(Message::Inline { header, content }.encode().len(), LONGEST_MESSAGE);
}

proptest! {
    #[test]
    fn any_bytes_as_a_top_are_read_in_one_way_or_refused(bytes: Vec<u8>, kind in 0..3_u8) {
        let mut payload = vec![1, kind];
        payload.extend(bytes);
        for payload in [&payload[..], &payload[2..]] {
            if let Ok(top) = Top::decode(payload, SMALL) {
                let encoded = top.encode();
                prop_assert_eq!(&payload[..encoded.len()], encoded);
                prop_assert!(payload[top.encode().len()..].iter().all(|byte| *byte == 0));
            }
            if let Ok(message) = Message::decode(payload) {
                prop_assert_eq!(message.encode(), payload);
            }
        }
    }

    #[test]
    fn a_top_with_a_changed_byte_is_refused_or_another_one(length in 0..200_u64, at: prop::sample::Index, byte: u8) {
        let content = pattern(length, 0..length);
        let top = Top::Inline { header: header(length), content: content.into() };
        let mut payload = top.encode();
        let at = at.index(payload.len());
        prop_assume!(payload[at] != byte);
        payload[at] = byte;
        if let Ok(other) = Top::decode(&payload, SMALL) {
            prop_assert_ne!(other, top);
        }
    }
}
