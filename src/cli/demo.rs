//! `bolthole demo`: the newcomer's first minute, with real nodes and real packets.
//!
//! Starts nodes in this process, each with its own socket, store and identity; inserts a document at one, stops that
//! one, starts a fresh one that joins only now, fetches there and compares. Whatever happens, the nodes are stopped and
//! their directories removed.
#![allow(clippy::disallowed_types, reason = "a person waits in real time")]

mod document;
mod network;

use std::time::Instant;

use serde_json::{Value, json};

use self::document::Document;
use self::network::Network;
use super::arguments::DemoOptions;
use super::failure::Failure;
use super::interrupt;
use super::output::Output;
use crate::daemon::job::{Fetched, Inserted};
use crate::daemon::log;
use crate::daemon::quantity::Size;

/// Runs the command.
pub(crate) fn run(options: &DemoOptions, output: &mut Output) -> Result<(), Failure> {
    let document = match &options.file {
        Some(path) => Document::open(path)?,
        None => Document::generated(options.seed)?,
    };
    log::start(std::env::var("BOLTHOLE_LOG").ok().or_else(|| Some("error".into())).as_deref(), false)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let place = tempfile::Builder::new()
        .prefix("bolthole-demo-")
        .tempdir()
        .map_err(|error| Failure::failed(format!("cannot make a temporary directory: {error}")))?;
    let ended = runtime.block_on(async {
        let mut network = Network::new(place.path(), options, document.length(), !output.json());
        let told = tokio::select! {
            told = tell(&mut network, &document, output) => told,
            status = interrupt::signalled() => Err(Failure::interrupted(status)),
        };
        network.stop().await;
        told
    });
    runtime.shutdown_background();
    place.close().map_err(|error| Failure::failed(format!("cannot remove the temporary directory: {error}")))?;
    let (value, ok) = ended?;
    output.result(&value, "ok");
    if ok { Ok(()) } else { Err(Failure::failed("the document that came back is another one")) }
}

/// The story, step by step; what it found and whether the bytes are equal.
async fn tell(network: &mut Network, document: &Document, output: &Output) -> Result<(Value, bool), Failure> {
    let start = Instant::now();
    network.found().await?;
    output.line(&format!(
        "{} nodes joined one network in {}: each its own socket ({} …), identity and store on disk",
        network.len(),
        seconds(start),
        network.first_address(),
    ));
    let chosen = network.choose();
    let inserted = network.insert(chosen, document).await?;
    output.line(&format!(
        "inserted {} at node {chosen} as {} blocks ({} of them check blocks) in {:.2} s, each stored by at least {} other nodes\n  {}",
        Size(inserted.bytes), inserted.blocks, inserted.check_blocks, inserted.seconds, inserted.stored_at_least, inserted.uri,
    ));
    network.stop_node(chosen).await;
    let joining = Instant::now();
    network.join_fresh().await?;
    output.line(&format!("stopped node {chosen}; a fresh node joined in {}", seconds(joining)));
    let (fetched, equal) = network.fetch_at_the_fresh_one(&inserted.uri, document).await?;
    output.line(&format!(
        "fetched {} there in {:.2} s: {} blocks, {:.1} hops on average, {} from its own store",
        Size(fetched.bytes),
        fetched.seconds,
        fetched.blocks_fetched,
        fetched.hops,
        fetched.served_locally,
    ));
    output.line(if equal { "compared every byte: equal" } else { "compared every byte: NOT equal" });
    let packets = network.packets().await;
    output.line(&format!(
        "every block went through three relays; packets that carried cells had {:?} bytes",
        packets.sizes
    ));
    Ok((result(network, &inserted, &fetched, equal, &packets), equal))
}

fn result(network: &Network, inserted: &Inserted, fetched: &Fetched, equal: bool, packets: &network::Packets) -> Value {
    let direct = inserted.direct || fetched.direct;
    json!({
        "uri": inserted.uri, "bytes": inserted.bytes, "blocks": inserted.blocks, "check_blocks": inserted.check_blocks,
        "nodes": network.len(), "insert_seconds": inserted.seconds, "fetch_seconds": fetched.seconds,
        "hops": fetched.hops, "blocks_fetched": fetched.blocks_fetched, "blocks_repaired": fetched.blocks_repaired,
        "stored_at_least": inserted.stored_at_least, "served_locally": fetched.served_locally, "ok": equal,
        "packet_sizes": packets.sizes, "cell_packets": packets.cells, "other_packets": packets.others, "onion": !direct,
        "direct": direct,
    })
}

fn seconds(start: Instant) -> String {
    format!("{:.2} s", start.elapsed().as_secs_f64())
}
