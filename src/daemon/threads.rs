//! The threads of one node, beside those of its disk.
//!
//! Leaves out what runs on them, and who ends them.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Starts them.
///
/// # Errors
/// When the system gives no thread.
pub fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(WORKERS).max_blocking_threads(BLOCKING).enable_all().build()
}

/// Threads for tasks. Measured: two carry more than one (docs/benchmarks.md).
const WORKERS: usize = 2;
/// Threads for work that blocks, such as stretching a passphrase; they end when idle. Chosen.
const BLOCKING: usize = 8;
