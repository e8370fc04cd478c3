//! Moves 100 MiB in blocks through k relays over UDP loopback: bare QUIC, `link` alone, and the whole product, in one run.
//!
//! Every endpoint and node has threads of its own, as a process of `bolthole node` has.
//!
//! `cargo bench --bench path [-- MIB [ROUNDS [KIND]]]` prints MB/s, CPU-seconds per GB and the ratio to the bare chain with
//! the same UDP payload. Medians of the rounds; the rounds of all kinds alternate. With KIND only the kinds whose names
//! contain it run. The bare chain does not let QUIC fill acknowledgements (`pad_to_mtu`): they would fill the congestion
//! window of its receivers and stop it for good, which `link` prevents (docs/wire.md).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]

#[path = "path/bare.rs"]
mod bare;
#[path = "path/links.rs"]
mod links;
#[path = "path/product.rs"]
mod product;

use std::time::Instant;

use bare::Wire;
use product::Chain;

/// What moves the bytes.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Bare(Wire),
    Links,
    /// A document fetched through relays that verify and store each block.
    Product,
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
}

const KINDS: [(&str, Kind); 5] = [
    ("bare, 1,200", Kind::Bare(Wire { payload: 1_200, shim: false })),
    ("bare, 1,200, our socket", Kind::Bare(Wire { payload: 1_200, shim: true })),
    ("bare, 1,452", Kind::Bare(Wire { payload: 1_452, shim: false })),
    ("link", Kind::Links),
    ("bolthole, a document fetched", Kind::Product),
];

/// Payload of a stream of the bare chain; a message of `link` carries as much and 480 bytes of headers.
const STREAM_BYTES: usize = 33_600;
/// What a block message can carry beside its own few bytes of postcard.
const BODY_BYTES: usize = STREAM_BYTES - 8;

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let bytes = arguments.first().copied().unwrap_or(100) << 20;
    let rounds = arguments.get(1).copied().unwrap_or(5);
    let wanted = std::env::args().skip(1).find(|text| !text.starts_with('-') && text.parse::<usize>().is_err());
    let kinds: Vec<_> = KINDS.into_iter().filter(|(name, _)| name.contains(wanted.as_deref().unwrap_or(""))).collect();
    println!("{} MiB, medians of {rounds} rounds", bytes >> 20);
    for relays in [1, 3] {
        let costs = measure(&kinds, relays, bytes, rounds);
        let base = costs[0];
        println!("\n{relays} relay(s)                        | MB/s | CPU-s per GB | rate to bare | CPU to bare");
        for ((name, _), cost) in kinds.iter().zip(&costs) {
            let (rate, cpu) = (bytes as f64 / cost.seconds / 1e6, cost.cpu_seconds / bytes as f64 * 1e9);
            let (faster, dearer) = (base.seconds / cost.seconds, cost.cpu_seconds / base.cpu_seconds);
            println!("{name:34} | {rate:4.0} | {cpu:12.2} | {faster:12.2} | {dearer:11.2}");
        }
    }
}

fn measure(kinds: &[(&str, Kind)], relays: usize, bytes: usize, rounds: usize) -> Vec<Cost> {
    let mut all = vec![Vec::new(); kinds.len()];
    for _ in 0..rounds {
        for (costs, (_, kind)) in all.iter_mut().zip(kinds) {
            costs.push(run(*kind, relays, bytes));
        }
    }
    all.into_iter().map(median).collect()
}

/// One run; no task of it is still about when it returns.
fn run(kind: Kind, relays: usize, bytes: usize) -> Cost {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let threads = match kind {
        Kind::Bare(wire) => bare::run(relays, wire, bytes / STREAM_BYTES, STREAM_BYTES),
        Kind::Links => links::run(relays, bytes / BODY_BYTES, BODY_BYTES),
        Kind::Product => return fetched(relays, bytes),
    };
    let cost = Cost { seconds: start.elapsed().as_secs_f64(), cpu_seconds: cpu_seconds() - cpu };
    // Waits for its tasks to stop.
    drop(threads);
    cost
}

/// One document, fetched over a chain of its own; only the fetch counts.
fn fetched(relays: usize, bytes: usize) -> Cost {
    let mut chain = Chain::new(relays, bytes);
    let uri = chain.put_document(bytes);
    chain.link_up();
    let cpu = cpu_seconds();
    let before = chain.packets();
    let (time, hops) = chain.fetch(&uri, bytes);
    let cost = Cost { seconds: time.as_secs_f64(), cpu_seconds: cpu_seconds() - cpu };
    let blocks = (bytes / BODY_BYTES) as f64;
    let sent = chain.packets().into_iter().map(|(kind, after)| (after - before.get(&kind).copied().unwrap_or(0), kind));
    let sent: Vec<String> = sent
        .map(|(count, kind)| format!("{:.1} {kind}", count as f64 / blocks / f64::from(relays as u32 + 1)))
        .collect();
    println!("  (over {hops:.2} hops on average; packets a block and link: {})", sent.join(", "));
    chain.stop();
    cost
}

fn median(mut costs: Vec<Cost>) -> Cost {
    let middle = costs.len() / 2;
    costs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let seconds = costs[middle].seconds;
    costs.sort_by(|one, other| one.cpu_seconds.total_cmp(&other.cpu_seconds));
    Cost { seconds, cpu_seconds: costs[middle].cpu_seconds }
}

/// User and system time of this process so far, from /proc; 0 where there is none.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // Fields 14 and 15, of which two stand before the closing parenthesis; in ticks of 10 ms.
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
