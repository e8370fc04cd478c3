//! `bolthole node`: a node until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crypto::secret::Secret;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::arguments::NodeOptions;
use super::client::{Door, TOKEN};
use super::failure::Failure;
use super::interrupt;
use super::output::Output;
use super::secret;
use super::{place, threads};
use crate::api::{self, Access};
use crate::daemon::chance;
use crate::daemon::config::{Config, TEMPLATE};
use crate::daemon::data_dir::DataDir;
use crate::daemon::joining::JoinError;
use crate::daemon::log;
use crate::daemon::network;
use crate::daemon::overlay::{NoSuchOverlay, OverlayName};
use crate::daemon::running::{Running, StartError};
use crate::daemon::served::Served;
use crate::daemon::settings::{STORE_BYTES, Settings};
use crate::disk::OpenError;
use crate::message::reference::Introduction;

/// Runs the command.
pub(crate) fn run(options: NodeOptions, output: &mut Output) -> Result<(), Failure> {
    if options.print_config {
        output.result(&json!({ "config": TEMPLATE }), TEMPLATE);
        return Ok(());
    }
    let data = options.place.directory()?;
    let config = merged(options, place::config(&data)?);
    log::start(config.log.as_deref(), config.log_json).map_err(|error| Failure::usage(error.to_string()))?;
    let settings = settings(data, &config)?;
    threads::run(serve(settings, &config, output))
}

/// What the command line says wins over the file.
fn merged(options: NodeOptions, file: Config) -> Config {
    Config {
        network: options.network.map(|path| std::path::absolute(&path).unwrap_or(path)).or(file.network),
        listen: options.listen.or(file.listen),
        advertise: options.advertise.or(file.advertise),
        api: options.api.or(file.api),
        join: if options.join.is_empty() { file.join } else { options.join },
        profile: options.profile.or(file.profile),
        store_size: options.store_size.or(file.store_size),
        bandwidth: options.bandwidth.or(file.bandwidth),
        cover: options.cover.or(file.cover),
        mode: options.mode.or(file.mode),
        log: options.log.or(file.log),
        log_json: file.log_json,
    }
}

/// Checks everything that can be checked before anything is made, then opens the directory and the secret.
fn settings(data: DataDir, config: &Config) -> Result<Settings, Failure> {
    let overlay = config.mode.as_deref().map_or(Ok(OverlayName::default()), str::parse);
    let overlay = overlay.map_err(|error: NoSuchOverlay| Failure::usage(error.to_string()))?;
    if let Some(api) = config.api.filter(|address| !address.ip().is_loopback()) {
        return Err(Failure::usage(format!("the local interface listens on loopback only, not on {api}")));
    }
    let join = config.join.iter().map(|text| introduction(text)).collect::<Result<Vec<_>, _>>()?;
    let network = config.network.as_ref().map(|path| network::read(&place::resolve(&data, path))).transpose()?;
    data.create()?;
    let lock = data.lock()?;
    let keeper = Arc::new(secret::open(&data)?);
    place::explain(&data)?;
    Ok(Settings {
        data,
        lock,
        keeper,
        network,
        join,
        listen: config.listen,
        advertise: config.advertise,
        overlay,
        profile: config.profile,
        store_bytes: config.store_size.map_or(STORE_BYTES, |size| size.0),
        bandwidth: config.bandwidth.map(|rate| rate.0).filter(|rate| *rate > 0),
        cover: config.cover.unwrap_or_default(),
    })
}

fn introduction(text: &str) -> Result<Introduction, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("--join: {error}")))
}

/// Runs the node and its interface until a signal comes.
async fn serve(settings: Settings, config: &Config, output: &mut Output) -> Result<(), Failure> {
    let stopping = interrupt::signalled();
    tokio::pin!(stopping);
    let data = settings.data.clone();
    let listener = listen(config.api).await?;
    let address = listener.local_addr().map_err(|error| Failure::failed(format!("the local interface: {error}")))?;
    let keeper = settings.keeper.clone();
    let node = tokio::select! {
        started = Running::start(settings) => started?,
        _ = &mut stopping => return Ok(()),
    };
    let door = Door { address, token: std::path::absolute(data.file(TOKEN)).unwrap_or_else(|_| data.file(TOKEN)) };
    let access = Access::new(new_token(&data)?, address);
    let stop = CancellationToken::new();
    let served = Arc::new(Served::new(node.handle(), data.clone(), keeper));
    let server = api::serve(listener, served.clone(), access, stop.clone());
    door.open(&data)?;
    let ready = async {
        let place = placed(&node, output).await;
        announce(&node, address, place, output);
        std::future::pending::<()>().await;
    };
    let broken = tokio::select! {
        _ = &mut stopping => false,
        () = node.ended() => true,
        () = ready => false,
    };
    door.close(&data);
    served.jobs().stop();
    stop.cancel();
    node.stop().await;
    // The server ends within its grace; how is of no interest any more.
    let _ = server.await;
    if broken { Err(Failure::failed("the node broke off; the log says where")) } else { Ok(()) }
}

/// Waits for the node's place on the ring, and says so when that takes long.
async fn placed(node: &Running, output: &Output) -> String {
    let place = async {
        match node.placed().await {
            Some(place) => place.to_string(),
            // It has ended, which is told elsewhere.
            None => std::future::pending().await,
        }
    };
    tokio::pin!(place);
    if let Ok(place) = tokio::time::timeout(PATIENCE, &mut place).await {
        return place;
    }
    output.note("still joining: none of the nodes named with --join, or known from before, has let this one in yet");
    place.await
}

async fn listen(wanted: Option<SocketAddr>) -> Result<TcpListener, Failure> {
    let address = wanted.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::failed(format!("the local interface cannot listen on {address}: {error}")))
}

/// A token for this run, in a file that its owner alone can read.
fn new_token(data: &DataDir) -> Result<Secret<32>, Failure> {
    let token = Secret::from_bytes(chance::bytes());
    data.replace(TOKEN, BASE64URL_NOPAD.encode(token.expose()).as_bytes())?;
    Ok(token)
}

fn announce(node: &Running, api: SocketAddr, location: String, output: &mut Output) {
    let introduction = &node.about().introduction;
    let (reference, network) = (introduction.to_string(), introduction.network.to_string());
    let text = format!("ready at {location} in {network}\n  reference  {reference}\n  api        http://{api}");
    let value = json!({
        "node_ref": reference, "api": format!("http://{api}"), "location": location, "network": network,
        "node": introduction.id.to_string(), "listen": introduction.address.to_string(),
    });
    output.result(&value, &text);
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let sentence = error.to_string();
        match error {
            StartError::Join(JoinError::Unreachable(_)) => Self::unreachable(sentence),
            StartError::Join(JoinError::NotAFounder { .. } | JoinError::OpenNeedsNetwork)
            | StartError::NoWayIn(_)
            | StartError::NoAddress(_)
            | StartError::Store(OpenError::TooSmall(_)) => Self::usage(sentence),
            _ => Self::failed(sentence),
        }
    }
}

/// When a person begins to wonder. Chosen.
const PATIENCE: Duration = Duration::from_secs(10);
