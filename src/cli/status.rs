//! `bolthole status`, `bolthole peers` and `bolthole relays`: what the node is doing.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::json;

use super::arguments::ClientOptions;
use super::client::Client;
use super::failure::Failure;
use super::output::Output;
use crate::daemon::quantity::Size;
use crate::daemon::status::{Peer, Relay, Status};

/// Runs `bolthole status`.
pub(crate) fn status(options: &ClientOptions, output: &mut Output) -> Result<(), Failure> {
    let status: Status = Client::find(options)?.get("/v1/status")?;
    let value = serde_json::to_value(&status).expect("a status holds only plain values");
    output.result(&value, &describe(&status));
    Ok(())
}

/// Runs `bolthole peers`.
pub(crate) fn peers(options: &ClientOptions, output: &mut Output) -> Result<(), Failure> {
    let Peers { peers } = Client::find(options)?.get("/v1/peers")?;
    let mut text = format!("{} linked nodes", peers.len());
    for peer in &peers {
        let direction = if peer.inbound { "inbound" } else { "outbound" };
        let _ = write!(text, "\n  {}  {:<21}  {direction:<8}  {}", peer.node, peer.address, span(peer.seconds));
    }
    output.result(&json!({ "peers": peers }), &text);
    Ok(())
}

/// Runs `bolthole relays`.
pub(crate) fn relays(options: &ClientOptions, output: &mut Output) -> Result<(), Failure> {
    let Relays { relays } = Client::find(options)?.get("/v1/relays")?;
    let mut text = format!("{} relays", relays.len());
    for relay in &relays {
        let mark = if relay.guard { "guard" } else { "" };
        let _ =
            write!(text, "\n  {}  {:<21}  {mark:<5}  known {}", relay.node, relay.address, span(relay.known_seconds));
    }
    output.result(&json!({ "relays": relays }), &text);
    Ok(())
}

#[derive(Deserialize)]
struct Relays {
    relays: Vec<Relay>,
}

#[derive(Deserialize)]
struct Peers {
    peers: Vec<Peer>,
}

fn describe(status: &Status) -> String {
    let mut text = format!("node       {}\n", status.node);
    let store = &status.store;
    let lines = [
        ("reference", status.node_ref.clone()),
        ("network", format!("{} ({})", status.network_name, status.network)),
        ("location", status.location.clone().unwrap_or_else(|| "none yet: still joining".into())),
        ("running", span(status.uptime_seconds)),
        ("peers", status.peers.to_string()),
        (
            "store",
            format!(
                "{} of {}: {} blocks kept, {} cached{}",
                Size(store.bytes),
                Size(store.limit_bytes),
                store.kept_blocks,
                store.cache_blocks,
                store.fault.as_ref().map_or_else(String::new, |fault| format!("; takes nothing more: {fault}"))
            ),
        ),
        ("requests", format!("{} jobs, {} blocks under way", status.requests.jobs, status.requests.commands)),
        ("packets", packets(status)),
        ("relays", status.relays.to_string()),
        ("guard", status.guard.clone().unwrap_or_else(|| "none".into())),
        ("cover", cover(status)),
        ("disk", status.disk.note.clone()),
        ("anonymity", status.anonymity.note.clone()),
    ];
    for (name, value) in lines {
        let _ = writeln!(text, "{name:<10} {value}");
    }
    if status.gateways > 0 {
        let _ = writeln!(text, "{:<10} {} to the store", "gateways", status.gateways);
    }
    text
}

fn cover(status: &Status) -> String {
    let Some(cover) = status.cover else { return "off".to_owned() };
    format!(
        "{} cells a second{}: {} sent, {} of them padding, {} missed; loops: {} of {} came back",
        cover.cells_per_second,
        if cover.returned { " each way" } else { ", not returned by the guard" },
        cover.cells,
        cover.padding,
        cover.missed,
        cover.loops_came,
        cover.loops_sent
    )
}

fn packets(status: &Status) -> String {
    let sizes: Vec<String> =
        status.cell_packets.iter().map(|(length, count)| format!("{count} of {length} B")).collect();
    let others: u64 = status.other_packets.values().flat_map(|lengths| lengths.values()).sum();
    let cells = if sizes.is_empty() { "none".to_owned() } else { sizes.join(", ") };
    format!("with cells: {cells}; others: {others}")
}

fn span(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min", whole / 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}
