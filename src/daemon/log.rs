//! The log: structured, on standard error, silent about documents at its default level.
//!
//! What names a document's key is logged at `debug` or `trace` only.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Why the log cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("\"{filter}\" is no log filter: {cause}")]
pub struct BadFilter {
    filter: String,
    cause: String,
}

/// Starts the log; `filter` wins over `BOLTHOLE_LOG`, which wins over the default.
///
/// # Errors
/// When the filter cannot be parsed.
pub fn start(filter: Option<&str>, json: bool) -> Result<(), BadFilter> {
    let filter = filter.map(str::to_owned).or_else(|| std::env::var("BOLTHOLE_LOG").ok());
    let filter = filter.filter(|text| !text.is_empty()).unwrap_or_else(|| DEFAULT.to_owned());
    let parsed: EnvFilter = filter
        .parse()
        .map_err(|error: tracing_subscriber::filter::ParseError| BadFilter { filter, cause: error.to_string() })?;
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let base = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(io::stderr).with_ansi(colour);
    // A log that is already there stays: several nodes in one process share it.
    let _ = if json { base.json().try_init() } else { base.try_init() };
    Ok(())
}

/// `info` of this program, warnings of everything below it.
const DEFAULT: &str = "warn,bolthole=info";
