//! Runs nodes on threads of their own until the command is told to stop.

use super::failure::Failure;
use crate::daemon::threads;

/// Runs `work` to its end. Blocking work that is still under way then has nobody left to tell.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let threads = threads::start().map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let ended = threads.block_on(work);
    threads.shutdown_background();
    ended
}
