//! What a document and a single block cost on their way through relays: the product, end to end.
//!
//! `cargo bench --bench path [-- MIB]` prints, for 1 and 3 relays over real UDP loopback, MB/s and CPU-seconds per GB of
//! a fetch, and the median time of single blocks beside one fdatasync of the same disk. `path_bare` has the bare chain.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]

#[path = "path/product.rs"]
mod product;

use std::io::Write;
use std::time::{Duration, Instant};

use product::Chain;

/// Single blocks per median: many more than a relay's store holds, so that most come from the far end.
const BLOCKS: usize = 400;

fn main() {
    let mib = std::env::args().skip(1).find_map(|text| text.parse::<usize>().ok()).unwrap_or(100);
    let sync = fdatasync();
    println!("one fdatasync of 32 KiB here: {:.2} ms (median)", millis(sync));
    for relays in [1, 3] {
        document(relays, mib << 20);
        single_blocks(relays, sync);
    }
}

fn document(relays: usize, bytes: usize) {
    let mut chain = Chain::new(relays, bytes);
    let uri = chain.put_document(bytes);
    chain.link_up();
    let cpu = cpu_seconds();
    let (time, hops) = chain.fetch(&uri, bytes);
    let cpu = cpu_seconds() - cpu;
    chain.stop();
    let (rate, cost) = (bytes as f64 / time.as_secs_f64() / 1e6, cpu / bytes as f64 * 1e9);
    println!("{relays} relay(s): {rate:.0} MB/s, {cost:.2} CPU-seconds per GB, {hops:.2} hops on average");
}

fn single_blocks(relays: usize, sync: Duration) {
    let mut chain = Chain::new(relays, BLOCKS * 2 * 32_784);
    let blocks = chain.blocks(BLOCKS, 1);
    chain.put_blocks(&blocks);
    chain.link_up();
    let fetched: Vec<Duration> = blocks.iter().filter_map(|block| chain.fetch_block(block)).collect();
    let inserted = chain.blocks(BLOCKS / 4, 2).iter().map(|block| chain.insert_block(block)).collect();
    chain.stop();
    let (count, fetch, insert) = (fetched.len(), median(fetched), median(inserted));
    println!(
        "{relays} relay(s): a block is fetched in {:.2} ms ({count} over the whole chain), inserted in {:.2} ms beyond one fdatasync (medians)",
        millis(fetch),
        millis(insert) - millis(sync),
    );
}

fn fdatasync() -> Duration {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let times = (0..BLOCKS / 4).map(|_| {
        file.write_all(&[7; 32_768]).expect("it can be written");
        let begun = Instant::now();
        file.sync_data().expect("it can be synced");
        begun.elapsed()
    });
    median(times.collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// User and system time of this process so far, as Linux tells it.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells of this process");
    let after_name = stat.rsplit(')').next().expect("the name ends in a parenthesis");
    let ticks = |field: usize| after_name.split_whitespace().nth(field).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
