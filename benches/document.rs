//! What a document costs beside the least it could cost: the bare primitives on the same bytes, in the same run.
//!
//! Run with `cargo bench --bench document`. Both sides take turns; printed are the medians, in MB of document a second,
//! and the median of the ratios of ours to the limit (1.00 is the limit itself). Leaves out the network: blocks are
//! stored and found at once.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::print_stdout, reason = "a benchmark reports on the terminal")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant as Clock};

use bolthole::document::fetch::{self, Fetcher, Start};
use bolthole::document::insert::{self, Inserter, Keys, Receipt};
use bolthole::document::layout::{Copies, Geometry, Redundancy};
use bolthole::document::mime::Mime;
use bolthole::document::{coding, root};
use bolthole::key::RoutingKey;
use bolthole::key::uri::Uri;
use bolthole::message::block::Block;
use bolthole::time::Instant;
use bytes::Bytes;
use crypto::content::{self, BlockKind, ContentKey, PAYLOAD_BYTES, Root, SEALED_BYTES, block_key};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

const ROUNDS: usize = 9;
const DATA: usize = 128;
const CHECK: usize = 64;
/// Two full segments.
const DOCUMENT: usize = 2 * DATA * PAYLOAD_BYTES;

fn main() {
    erasure_coding();
    inserting();
    fetching();
}

/// Runs both in turns and prints how they compare.
fn compare(name: &str, bytes: usize, mut ours: impl FnMut(), limit_name: &str, mut limit: impl FnMut()) {
    let (mut own, mut least, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (a, b) = (timed(&mut ours), timed(&mut limit));
        if round > 0 {
            own.push(a.as_secs_f64());
            least.push(b.as_secs_f64());
            ratios.push(b.as_secs_f64() / a.as_secs_f64());
        }
    }
    let speed = |times: Vec<f64>| bytes as f64 / 1e6 / median(times);
    let (own, least) = (speed(own), speed(least));
    println!("{name:<34} {own:>8.0} MB/s   {limit_name:<34} {least:>8.0} MB/s   {:.2} of it", median(ratios));
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let start = Clock::now();
    work();
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect()
}

fn sealed_segment() -> Vec<Bytes> {
    (0..DATA).map(|seed| pattern(SEALED_BYTES + seed).split_off(seed).into()).collect()
}

fn erasure_coding() {
    let data = sealed_segment();
    let bytes = DATA * SEALED_BYTES;
    let mut encoder = ReedSolomonEncoder::new(DATA, CHECK, SEALED_BYTES).expect("supported");
    let raw = || {
        data.iter().for_each(|block| encoder.add_original_shard(block).expect("one size"));
        black_box(encoder.encode().expect("all are there").recovery(0));
    };
    let ours = || drop(black_box(coding::check_blocks(&data, CHECK as u32)));
    compare("check blocks of a segment", bytes, ours, "raw reed-solomon encode", raw);

    let check = coding::check_blocks(&data, CHECK as u32);
    let mut found: Vec<(u32, Bytes)> = (CHECK..DATA).map(|index| (index as u32, data[index].clone())).collect();
    found.extend(check.into_iter().enumerate().map(|(index, block)| ((DATA + index) as u32, block.into())));
    let mut decoder = ReedSolomonDecoder::new(DATA, CHECK, SEALED_BYTES).expect("supported");
    let raw = || {
        for (index, block) in &found {
            match (*index as usize).checked_sub(DATA) {
                None => decoder.add_original_shard(*index as usize, block).expect("one size"),
                Some(index) => decoder.add_recovery_shard(index, block).expect("one size"),
            }
        }
        black_box(decoder.decode().expect("enough are there").restored_original(0));
    };
    let ours = || drop(black_box(coding::rebuild(DATA as u32, CHECK as u32, &found)));
    compare("a segment rebuilt, 64 missing", bytes, ours, "raw reed-solomon decode", raw);
}

fn key_of(root: &Root, index: usize) -> ContentKey {
    block_key(root, BlockKind::Data, 0, index as u32)
}

/// The same work by bare primitives: seal, hash, digest, parity, hash of parity; a copy of the data and one of the parity.
fn primitives(document: &Bytes) {
    let root = Root::from_bytes([1; 32]);
    let mut digester = root::digester();
    for segment in document.chunks(DATA * PAYLOAD_BYTES) {
        let mut sealed = Vec::new();
        for (index, payload) in segment.chunks(PAYLOAD_BYTES).enumerate() {
            digester.update(payload);
            let block = content::seal(&key_of(&root, index), payload).expect("it fits");
            black_box(content::routing_key(&block));
            sealed.push(Bytes::from(block));
        }
        let mut encoder = ReedSolomonEncoder::new(sealed.len(), sealed.len() / 2, SEALED_BYTES).expect("supported");
        sealed.iter().for_each(|block| encoder.add_original_shard(block).expect("one size"));
        let parity = encoder.encode().expect("all are there");
        for block in parity.recovery_iter().map(<[u8]>::to_vec) {
            black_box(content::routing_key(&block));
        }
    }
    black_box(digester.finish());
}

fn insert(document: &Bytes, mut keep: impl FnMut(Block)) -> (Receipt, Duration) {
    let options = insert::Options {
        mime: Mime::default(),
        redundancy: Redundancy::DEFAULT,
        copies: Copies::DEFAULT,
        length: Some(document.len() as u64),
        keys: Keys::Random,
        writer: None,
        window: 64,
        geometry: Geometry::STANDARD,
    };
    let mut inserter = Inserter::new(options, &mut ChaCha8Rng::seed_from_u64(1));
    let (mut read, mut longest) = (0, Duration::ZERO);
    loop {
        let start = Clock::now();
        let output = inserter.poll_output().expect("everything is answered at once");
        longest = longest.max(start.elapsed());
        let input = match output {
            insert::Output::WantData { .. } if read == document.len() => insert::Input::EndOfData,
            insert::Output::WantData { bytes } => {
                let end = document.len().min(read + bytes);
                insert::Input::Data(document.slice(std::mem::replace(&mut read, end)..end))
            }
            insert::Output::Insert { handle, block } => {
                keep(block);
                insert::Input::BlockStored { handle, stores: 3 }
            }
            insert::Output::Progress { .. } => continue,
            insert::Output::Done(receipt) => return (receipt, longest),
            insert::Output::Failed(why) => panic!("{why}"),
        };
        let start = Clock::now();
        let at_end = matches!(input, insert::Input::Data(_)) && read == document.len();
        inserter.handle_input(Instant::EPOCH, input);
        longest = longest.max(start.elapsed());
        if at_end {
            inserter.handle_input(Instant::EPOCH, insert::Input::EndOfData);
        }
    }
}

fn inserting() {
    let document = Bytes::from(pattern(DOCUMENT));
    let mut longest = Duration::ZERO;
    let mut ours = || longest = longest.max(insert(&document, drop).1);
    compare("an insert", DOCUMENT, &mut ours, "the same by bare primitives", || primitives(&document));
    let root = Root::from_bytes([1; 32]);
    let seal = || {
        for (index, payload) in document.chunks(PAYLOAD_BYTES).enumerate() {
            black_box(content::seal(&key_of(&root, index), payload).expect("it fits"));
        }
    };
    compare("an insert", DOCUMENT, ours, "sealing alone", seal);
    println!("the longest call of an insert took {longest:?}");
}

fn fetch(uri: &Uri, network: &BTreeMap<RoutingKey, Block>) -> (u64, Duration) {
    let Uri::Chk { routing, root } = uri.duplicate() else { panic!("a content URI") };
    let options = fetch::Options { window: 64, race: 0, order: 1, range: None, geometry: Geometry::STANDARD };
    let mut fetcher = Fetcher::new(Start::Content { routing, root }, options);
    let mut longest = Duration::ZERO;
    loop {
        let start = Clock::now();
        let output = fetcher.poll_output().expect("everything is answered at once");
        longest = longest.max(start.elapsed());
        let input = match output {
            fetch::Output::Fetch { handle, key } => match network.get(&key) {
                Some(block) => fetch::Input::BlockFound { handle, block: block.clone() },
                None => fetch::Input::BlockMissing { handle },
            },
            fetch::Output::Deliver(data) => fetch::Input::Delivered { bytes: black_box(data).len() },
            fetch::Output::Done(summary) => return (summary.blocks_repaired, longest),
            fetch::Output::Failed(why) => panic!("{why}"),
            _ => continue,
        };
        fetcher.handle_input(Instant::EPOCH, input);
    }
}

fn fetching() {
    let document = Bytes::from(pattern(DOCUMENT));
    let (mut network, mut order) = (BTreeMap::new(), Vec::new());
    let (receipt, _) = insert(&document, |block| {
        order.push(block.key());
        network.insert(block.key(), block);
    });
    let mut longest = Duration::ZERO;
    let open = || {
        let root = Root::from_bytes([1; 32]);
        let mut digester = root::digester();
        for payload in document.chunks(PAYLOAD_BYTES) {
            // Decrypting costs what encrypting does.
            black_box(content::seal(&key_of(&root, 0), payload).expect("it fits"));
            digester.update(payload);
        }
    };
    let ours = || longest = longest.max(fetch(&receipt.uri, &network).1);
    compare("a fetch", DOCUMENT, ours, "opening and digest alone", open);
    println!("the longest call of a fetch took {longest:?}");

    // Every third block of those that left first: data blocks of the first segment, a full third of it.
    let lost = order.iter().take(DATA).step_by(2).copied().collect::<Vec<_>>();
    network.retain(|key, _| !lost.contains(key));
    let mut longest = Duration::ZERO;
    let ours = || {
        let (repaired, call) = fetch(&receipt.uri, &network);
        assert_eq!(repaired, lost.len() as u64);
        longest = longest.max(call);
    };
    compare("a fetch that rebuilds 64 blocks", DOCUMENT, ours, "opening and digest alone", open);
    println!("the longest call of a fetch that rebuilds took {longest:?}");
}
