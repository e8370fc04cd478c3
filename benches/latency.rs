//! How long a single block takes through relays: fetched and inserted, beside one fdatasync of the same disk.
//!
//! `cargo bench --bench latency` prints medians for 1 and 3 relays over real UDP loopback. What a document costs on the
//! same path is in `path`.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]

#[path = "path/product.rs"]
mod product;

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use product::Chain;

/// Single blocks per median: many more than a relay's store holds, so that most come from the far end.
const BLOCKS: usize = 400;

fn main() {
    let sync = fdatasync();
    println!("one fdatasync of 32 KiB here: {:.2} ms (median)", millis(sync));
    for relays in [1, 3] {
        single_blocks(relays, sync);
    }
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
        "{relays} relay(s): a block is fetched in {:.2} ms ({count} over the whole chain), inserted in {:.2} ms, {:.2} ms beyond one fdatasync (medians)",
        millis(fetch),
        millis(insert),
        millis(insert) - millis(sync),
    );
}

/// Over blocks that have their place already, as the slots of a store have.
fn fdatasync() -> Duration {
    let file = tempfile::tempfile().expect("a temporary file");
    let write =
        |slot: usize| file.write_all_at(&[slot as u8; 32_784], slot as u64 * 32_784).expect("it can be written");
    (0..BLOCKS / 4).for_each(write);
    file.sync_all().expect("it can be synced");
    let times = (0..BLOCKS / 4).map(|slot| {
        write(slot);
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

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
