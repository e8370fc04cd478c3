//! How long the first byte of a part of a document takes: of a large one beside a small one, through one relay.
//!
//! `cargo bench --bench range -- 1024` measures a document of 1,024 MiB (the default is 256) beside one of 1 MiB; requests for the
//! two take turns, at places drawn from a fixed row. A large document has a tree of manifests, of which a path is read first.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]

#[path = "path/product.rs"]
mod product;

use std::time::Duration;

use product::Chain;

/// Requests per median.
const REQUESTS: u64 = 60;
const MEBIBYTE: usize = 1 << 20;
/// Bytes asked for: less than a block.
const PART: u64 = 1_000;

fn main() {
    let large = std::env::args().filter_map(|word| word.parse::<usize>().ok()).next().unwrap_or(256) * MEBIBYTE;
    let mut chain = Chain::new(1, large + MEBIBYTE);
    let [one, other] = chain.put_documents([MEBIBYTE, large]);
    let documents = [(one, MEBIBYTE as u64), (other, large as u64)];
    chain.link_up();
    let mut times = [Vec::new(), Vec::new()];
    for request in 0..REQUESTS {
        for ((uri, bytes), times) in documents.iter().zip(&mut times) {
            // Steps by the golden ratio reach every part of the document.
            let at = (request as f64 * 0.618_033_988_749_895).fract() * (bytes - PART) as f64;
            times.push(chain.first_byte(uri, at as u64..at as u64 + PART));
        }
    }
    chain.stop();
    let [small, large] = times.map(median);
    println!(
        "first byte of {PART} in 1 MiB: {:.2} ms; in {} MiB: {:.2} ms; ratio {:.2} (medians of {REQUESTS} requests each)",
        small.as_secs_f64() * 1e3,
        documents[1].1 / MEBIBYTE as u64,
        large.as_secs_f64() * 1e3,
        large.as_secs_f64() / small.as_secs_f64()
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
