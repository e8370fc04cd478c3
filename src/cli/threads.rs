//! Runs nodes until the command is told to stop.

use super::failure::Failure;
use crate::daemon::threads::Threads;

/// Runs `work` to its end.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let threads = Threads::start().map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    threads.block_on(work)
}
