//! The threads on which a command runs nodes until it is told to stop.

use super::failure::Failure;

/// Runs `work` to its end. Blocking work that is still under way then has nobody left to tell.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let ended = runtime.block_on(work);
    runtime.shutdown_background();
    ended
}

/// Threads beside those of the disks. Chosen: one for the event loops, one for links and clients.
const WORKERS: usize = 2;
/// Threads for work that blocks, such as stretching a passphrase; they end when idle. Chosen.
const BLOCKING: usize = 8;
