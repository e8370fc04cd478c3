//! `bolthole gateway`: a bridge between another overlay and the store, until it is told to stop.
//!
//! Says at its start what anonymity it gives up. Leaves out what is carried when (`gateway`) and how (`daemon`).

mod list;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use self::list::List;
use super::arguments::{GatewayOptions, Place, Way};
use super::client::Client;
use super::failure::Failure;
use super::interrupt;
use super::output::Output;
use super::secret;
use super::threads;
use crate::daemon::config::Cover;
use crate::daemon::data_dir::DataDir;
use crate::daemon::gateway::Gateway;
use crate::daemon::job::JobFailure;
use crate::daemon::log;
use crate::daemon::network;
use crate::daemon::overlay::OverlayName;
use crate::daemon::quantity::Size;
use crate::daemon::settings::{STORE_BYTES, Settings};
use crate::daemon::status::Status;
use crate::gateway::Policy;
use crate::message::reference::Introduction;

/// Runs the command.
pub(crate) fn run(options: GatewayOptions, output: &mut Output) -> Result<(), Failure> {
    let overlay = overlay(&options.to)?;
    let list = options.allow.as_deref().map(list::read).transpose()?;
    let join = introductions("--join", &options.join)?;
    log::start(options.log.as_deref(), false).map_err(|error| Failure::usage(error.to_string()))?;
    let node = store_network(&options)?;
    let place = gateway_directory(&options.client.place, overlay)?;
    let there = directory(&place, "overlay")?;
    let has_one_server = matches!(overlay, OverlayName::Central | OverlayName::Swarm);
    if has_one_server && join.is_empty() && network::resume(&there)?.is_none() {
        return Err(Failure::usage(format!(
            "a network of {overlay} depends on its first node, which carries nothing: start that one with `bolthole node \
             --mode {overlay}` and name it with --join"
        )));
    }
    let at = (options.listen, options.advertise);
    let overlay_settings = settings(there, overlay, join, at, options.store_size)?;
    let at = (options.node_listen, options.node_advertise);
    let node_settings = settings(directory(&place, "node")?, OverlayName::Freenet, node, at, options.store_size)?;
    let policy = Policy {
        answers: options.only != Some(Way::Insert),
        inserts: options.only != Some(Way::Answer),
        publishes: options.publish_found,
        allow: list.as_ref().map(|list| list.keys.iter().copied().collect::<BTreeSet<_>>()),
        hourly_bytes: options.limit.map(|limit| limit.0),
    };
    threads::run(serve((overlay_settings, node_settings, policy), &options, list, output))
}

/// Runs both nodes until a signal comes.
async fn serve(
    (there, here, policy): (Settings, Settings, Policy),
    options: &GatewayOptions,
    list: Option<List>,
    output: &mut Output,
) -> Result<(), Failure> {
    let stopping = interrupt::signalled();
    tokio::pin!(stopping);
    output.note(WARNING);
    let gateway = tokio::select! {
        started = Gateway::start(there, here, policy.clone()) => started?,
        _ = &mut stopping => return Ok(()),
    };
    let work = async {
        placed(&gateway, output).await;
        announce(&gateway, options, &policy, output);
        let listed = list.map(|list| list.uris).unwrap_or_default();
        copy_all(&gateway, options, listed, output).await;
        std::future::pending::<()>().await;
    };
    let broken = tokio::select! {
        _ = &mut stopping => false,
        () = gateway.ended() => true,
        () = work => false,
    };
    let status = gateway.overlay().handle().status().await.ok().and_then(|status| status.gateway);
    gateway.stop().await;
    if let Some(done) = status {
        output.note(&format!(
            "gave {} blocks from the store, had none for {} lookups, carried {} blocks into the store",
            done.given, done.missed, done.carried
        ));
    }
    if broken { Err(Failure::failed("a node of the gateway broke off; the log says where")) } else { Ok(()) }
}

/// Waits until both nodes are part of their networks, and says so when that takes long.
async fn placed(gateway: &Gateway, output: &Output) {
    let both = async { tokio::join!(gateway.overlay().placed(), gateway.node().placed()) };
    tokio::pin!(both);
    if tokio::time::timeout(PATIENCE, &mut both).await.is_err() {
        output.note("still joining: no node of one of the two networks has let this one in yet");
        both.await;
    }
}

fn announce(gateway: &Gateway, options: &GatewayOptions, policy: &Policy, output: &mut Output) {
    let [there, here] = [gateway.overlay(), gateway.node()].map(|node| node.about().introduction.clone());
    let text = format!(
        "a gateway between {} at {} and the store at {}\n  to join {0}       {there}\n  to join the store  {here}",
        options.to, there.address, here.address
    );
    let value = json!({
        "mode": options.to, "address": there.address.to_string(), "node_ref": there.to_string(),
        "network": there.network.to_string(), "store_address": here.address.to_string(),
        "store_ref": here.to_string(), "store_network": here.network.to_string(),
        "answers": policy.answers, "inserts": policy.inserts, "publishes_found": policy.publishes,
        "allow_list": policy.allow.is_some(), "hourly_bytes": policy.hourly_bytes, "warning": WARNING,
    });
    output.result(&value, &text);
}

/// Copies the documents that the operator named, and learns the blocks of those on the list.
async fn copy_all(gateway: &Gateway, options: &GatewayOptions, mut listed: Vec<String>, output: &Output) {
    let largest = options.largest.map(|largest| largest.0);
    for uri in &options.insert {
        tell(output, "inserted into the store", uri, gateway.insert(uri, largest).await.map(|copied| copied.bytes));
    }
    for uri in &options.publish {
        tell(output, "published in the overlay", uri, gateway.publish(uri, largest).await.map(|copied| copied.bytes));
    }
    while !listed.is_empty() {
        let mut missing = Vec::new();
        for uri in listed {
            match gateway.allow(&uri, largest).await {
                Ok(found) => tell(output, "may cross", &uri, Ok(found.bytes)),
                Err(failure) => {
                    tell(output, "", &uri, Err(failure));
                    missing.push(uri);
                }
            }
        }
        listed = missing;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn tell(output: &Output, what: &str, uri: &str, came: Result<u64, JobFailure>) {
    // The rest of a URI opens the document, and notes end up in logs.
    let name: String = uri.chars().take(NAME).collect();
    match came {
        Ok(bytes) => output.note(&format!("{name}… {what}: {}", Size(bytes))),
        Err(failure) => output.note(&format!("{name}…: {}", failure.sentence)),
    }
}

fn overlay(name: &str) -> Result<OverlayName, Failure> {
    match name {
        "freenet" => Err(Failure::usage(
            "freenet is the overlay of the store itself: a gateway leads to another one, such as chord",
        )),
        "classic" => Err(Failure::usage("classic runs in the simulator only, so no gateway leads there")),
        other => other.parse().map_err(|_| {
            let all: Vec<String> = OverlayName::ALL[1..].iter().map(ToString::to_string).collect();
            Failure::usage(format!("no gateway leads to \"{other}\": the overlays are {}", all.join(", ")))
        }),
    }
}

/// Whom to join in the network of the store: who was named, or the node that runs here.
fn store_network(options: &GatewayOptions) -> Result<Vec<Introduction>, Failure> {
    if !options.node.is_empty() {
        return introductions("--node", &options.node);
    }
    let status: Status = Client::find(&options.client)?.get("/v1/status")?;
    if status.mode != OverlayName::Freenet.to_string() {
        return Err(Failure::usage(format!(
            "the running node is one of {}, not of the store: name the store's with --data, --api or --node",
            status.mode
        )));
    }
    introductions("the node's reference", &[status.node_ref])
}

fn introductions(what: &str, texts: &[String]) -> Result<Vec<Introduction>, Failure> {
    let read = |text: &String| text.parse::<Introduction>().map_err(|error| Failure::usage(format!("{what}: {error}")));
    texts.iter().map(read).collect()
}

fn gateway_directory(place: &Place, overlay: OverlayName) -> Result<DataDir, Failure> {
    let data = place.directory()?;
    let own = DataDir::new(data.path().join(format!("gateway-{overlay}")));
    own.create()?;
    Ok(own)
}

fn directory(place: &DataDir, name: &str) -> Result<DataDir, Failure> {
    let data = DataDir::new(place.path().join(name));
    data.create()?;
    Ok(data)
}

fn settings(
    data: DataDir,
    overlay: OverlayName,
    join: Vec<Introduction>,
    (listen, advertise): (Option<SocketAddr>, Option<SocketAddr>),
    store_size: Option<Size>,
) -> Result<Settings, Failure> {
    let lock = data.lock()?;
    let keeper = Arc::new(secret::open(&data)?);
    Ok(Settings {
        data,
        lock,
        keeper,
        network: None,
        join,
        listen,
        advertise,
        overlay,
        profile: None,
        store_bytes: store_size.map_or(STORE_BYTES, |size| size.0),
        bandwidth: None,
        cover: Cover::Off,
    })
}

/// What whoever runs or uses a gateway must know.
const WARNING: &str = "a gateway hides nobody: in the other overlay everybody sees who asks for and publishes which keys; the \
    gateway sees it of all who use it, and does it in the store's network under its own name; what it carries stays sealed";
/// When a person begins to wonder. Chosen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a document on the list is looked for that was not found. Chosen.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Characters of a URI that are shown: its kind and the beginning of its key.
const NAME: usize = 12;
