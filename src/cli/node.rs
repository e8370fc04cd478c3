//! `bolthole node`: a node until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::arguments::NodeOptions;
use super::client::{Door, TOKEN};
use super::failure::Failure;
use super::interrupt;
use super::output::Output;
use super::place;
use super::secret;
use crate::api::{self, Access};
use crate::daemon::chance;
use crate::daemon::config::{Config, TEMPLATE};
use crate::daemon::data_dir::DataDir;
use crate::daemon::listen;
use crate::daemon::log;
use crate::daemon::network;
use crate::daemon::running::{Running, StartError};
use crate::daemon::settings::Settings;
use crate::message::reference::Introduction;
use crypto::secret::Secret;

/// Runs the command.
pub(crate) fn run(options: NodeOptions, output: &mut Output) -> Result<(), Failure> {
    if options.print_config {
        output.result(&json!({ "config": TEMPLATE }), TEMPLATE);
        return Ok(());
    }
    let data = options.place.directory()?;
    let config = merged(options, place::config(&data)?);
    let settings = settings(&data, &config)?;
    log::start(config.log.as_deref(), config.log_json).map_err(|error| Failure::usage(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let ended = runtime.block_on(serve(settings, &config, output));
    // Blocking work that is still under way has nobody left to tell.
    runtime.shutdown_background();
    ended
}
