//! A network of one map: drives an insert and a fetch, answers at once, and watches their bounds.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use bolthole::document::fetch::{self, Fetcher, Start};
use bolthole::document::handle::Handle;
use bolthole::document::header::Top;
use bolthole::document::insert::{self, Inserter, Keys, Receipt};
use bolthole::document::layout::{Copies, Geometry, Layout, Redundancy};
use bolthole::document::mime::Mime;
use bolthole::document::root;
use bolthole::document::signed::Reader;
use bolthole::document::tree::{Node, Tree};
use bolthole::key::RoutingKey;
use bolthole::key::uri::Uri;
use bolthole::message::block::Block;
use bolthole::time::Instant;
use crypto::content;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Segments of 4 blocks, 16 keys to a manifest block, at most 10 in the top: deep trees of small documents.
pub(crate) const SMALL: Geometry = Geometry::new(4, 16, 10);

pub(crate) const WINDOW: usize = 8;

/// Blocks by key, in the order in which they came.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) blocks: BTreeMap<RoutingKey, Block>,
    pub(crate) order: Vec<RoutingKey>,
}

impl Network {
    pub(crate) fn put(&mut self, block: Block) {
        self.order.push(block.key());
        self.blocks.insert(block.key(), block);
    }

    pub(crate) fn lose(&mut self, keys: impl IntoIterator<Item = RoutingKey>) {
        for key in keys {
            assert!(self.blocks.remove(&key).is_some(), "what is lost was there");
        }
    }
}

pub(crate) fn options(geometry: Geometry) -> insert::Options {
    insert::Options {
        mime: Mime::default(),
        redundancy: Redundancy::DEFAULT,
        copies: Copies::DEFAULT,
        length: None,
        keys: Keys::Random,
        writer: None,
        window: WINDOW,
        geometry,
    }
}

/// Bytes that do not repeat, from a seed.
pub(crate) fn pattern(seed: u64, range: Range<u64>) -> Vec<u8> {
    let word =
        |index: u64| (index ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d);
    range.map(|index| (word(index / 8) >> (index % 8 * 8)) as u8).collect()
}

/// Inserts `length` bytes of the pattern of `seed`.
pub(crate) fn insert(seed: u64, length: u64, options: insert::Options) -> (Receipt, Network) {
    let mut network = Network::default();
    let receipt = try_insert(seed, length, options, &mut network).expect("the insert succeeds");
    (receipt, network)
}

pub(crate) fn try_insert(
    seed: u64,
    length: u64,
    options: insert::Options,
    network: &mut Network,
) -> Result<Receipt, insert::Why> {
    let window = options.window;
    drive_insert(Inserter::new(options, &mut ChaCha8Rng::seed_from_u64(seed)), window, seed, length, network)
}

/// Drives an insert of `length` bytes of the pattern of `seed` to its end.
pub(crate) fn drive_insert(
    mut inserter: Inserter,
    window: usize,
    seed: u64,
    length: u64,
    network: &mut Network,
) -> Result<Receipt, insert::Why> {
    let (mut read, mut ended) = (0, false);
    let mut out: VecDeque<(Handle, Block)> = VecDeque::new();
    loop {
        assert!(inserter.held_bytes() <= inserter.most_held_bytes(), "{} bytes held", inserter.held_bytes());
        let input = match inserter.poll_output() {
            Some(insert::Output::WantData { bytes }) => {
                let end = length.min(read + bytes as u64);
                let data = pattern(seed, read..end);
                read = end;
                if data.is_empty() && !ended {
                    ended = true;
                    insert::Input::EndOfData
                } else {
                    insert::Input::Data(data.into())
                }
            }
            Some(insert::Output::Insert { handle, block }) => {
                out.push_back((handle, block));
                assert!(out.len() <= window, "more blocks are out than the window allows");
                continue;
            }
            Some(insert::Output::Progress { .. }) => continue,
            Some(insert::Output::Done(receipt)) => return Ok(receipt),
            Some(insert::Output::Failed(why)) => return Err(why),
            None => match out.pop_front() {
                Some((handle, block)) => {
                    network.put(block);
                    insert::Input::BlockStored { handle, stores: 3 }
                }
                // Less data came than was wanted.
                None => {
                    assert!(!ended, "the insert is stuck");
                    ended = true;
                    insert::Input::EndOfData
                }
            },
        };
        inserter.handle_input(Instant::EPOCH, input);
    }
}

/// What a fetch led to.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    pub(crate) summary: fetch::Summary,
    pub(crate) repaired: Vec<Block>,
    pub(crate) asked: BTreeSet<RoutingKey>,
}

pub(crate) fn start(uri: &Uri) -> Start {
    match uri.duplicate() {
        Uri::Chk { routing, root } => Start::Content { routing, root },
        Uri::Ssk { subspace, name } => Start::Signed(Reader::of_name(subspace, &name)),
        Uri::Ksk { word } => Start::Signed(Reader::of_word(&crypto::keyword::subspace(word.as_str()))),
        other => panic!("{other} has no start"),
    }
}

pub(crate) fn fetch_options(geometry: Geometry) -> fetch::Options {
    fetch::Options { window: WINDOW, race: 0, order: 1, range: None, geometry }
}

pub(crate) fn fetch(uri: &Uri, network: &Network, geometry: Geometry) -> Result<Fetched, fetch::Why> {
    fetch_with(start(uri), network, fetch_options(geometry))
}

pub(crate) fn fetch_with(start: Start, network: &Network, options: fetch::Options) -> Result<Fetched, fetch::Why> {
    let window = options.window;
    drive_fetch(Fetcher::new(start, options), window, network)
}

/// Drives a fetch to its end. Time passes only while the fetch waits for it.
pub(crate) fn drive_fetch(mut fetcher: Fetcher, window: usize, network: &Network) -> Result<Fetched, fetch::Why> {
    let mut now = Instant::EPOCH;
    let (mut bytes, mut repaired, mut asked) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut open: VecDeque<(Handle, RoutingKey)> = VecDeque::new();
    let mut untaken = 0;
    loop {
        assert!(fetcher.held_bytes() <= fetcher.most_held_bytes(), "{} bytes held", fetcher.held_bytes());
        match fetcher.poll_output() {
            Some(fetch::Output::Fetch { handle, key }) => {
                asked.insert(key);
                open.push_back((handle, key));
                assert!(open.len() <= window, "more blocks are asked for than the window allows");
                continue;
            }
            Some(fetch::Output::Cancel { handle }) => {
                open.retain(|(other, _)| *other != handle);
                continue;
            }
            Some(fetch::Output::Deliver(data)) => {
                bytes.extend(&data);
                untaken += data.len();
                continue;
            }
            Some(fetch::Output::Repair { block }) => {
                repaired.push(block);
                continue;
            }
            Some(fetch::Output::Opened { .. }) => continue,
            Some(fetch::Output::Done(summary)) => return Ok(Fetched { bytes, summary, repaired, asked }),
            Some(fetch::Output::Failed(why)) => return Err(why),
            None => {}
        }
        let input = if let Some((handle, key)) = open.pop_front() {
            match network.blocks.get(&key) {
                Some(block) => fetch::Input::BlockFound { handle, block: block.clone() },
                None => fetch::Input::BlockMissing { handle },
            }
        } else if untaken > 0 {
            fetch::Input::Delivered { bytes: std::mem::take(&mut untaken) }
        } else {
            now = fetcher.poll_timeout().expect("a fetch waits for a block, a consumer or the clock");
            fetch::Input::Timeout
        };
        fetcher.handle_input(now, input);
    }
}

/// The routing keys of a splitfile, as its manifest lists them.
pub(crate) struct Listed {
    /// By segment: data blocks, then check blocks.
    pub(crate) segments: Vec<(Vec<RoutingKey>, Vec<RoutingKey>)>,
    /// By manifest block: its copies.
    pub(crate) nodes: Vec<Vec<RoutingKey>>,
}

/// Reads a manifest the plain way: the whole tree, level by level from the top.
pub(crate) fn listed(uri: &Uri, network: &Network, geometry: Geometry) -> Listed {
    let Uri::Chk { routing, root } = uri else { panic!("a content URI") };
    let payload = content::open(&root::top_key(root), network.blocks[routing].body()).expect("our own top block");
    let Ok(Top::Split { header, redundancy, copies, mut keys }) = Top::decode(&payload, geometry) else {
        panic!("a splitfile")
    };
    let layout = Layout::new(geometry, header.length, redundancy).expect("not too long");
    let tree = Tree::new(geometry, copies, layout.keys());
    let width = usize::from(copies.count());
    let mut nodes = Vec::new();
    for level in (0..tree.depth()).rev() {
        let mut below = Vec::new();
        for (index, group) in keys.chunks(width).enumerate() {
            let node = Node { level: level as u8, index: index as u64 };
            let sealed = network.blocks[&group[0]].body();
            let list = content::open(&root::node_key(root, &tree, node, 0), sealed).expect("our own node");
            let count = tree.listed(node);
            below.extend(list.as_chunks::<32>().0[..count].iter().map(|key| RoutingKey(*key)));
            nodes.push(group.to_vec());
        }
        keys = below;
    }
    let segment = |index| {
        let segment = layout.segment(index);
        let first = segment.first_key as usize;
        let listed = &keys[first..first + segment.blocks() as usize];
        let (data, check) = listed.split_at(segment.data as usize);
        (data.to_vec(), check.to_vec())
    };
    Listed { segments: (0..layout.segments()).map(segment).collect(), nodes }
}
