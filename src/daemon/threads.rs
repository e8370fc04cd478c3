//! The threads of one node, beside those of its disk.
//!
//! Leaves out what runs on them.

use std::io;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::task::JoinHandle;

/// Threads that work until this is dropped. Blocking work that is still under way then has nobody left to tell.
#[derive(Debug)]
pub struct Threads(Option<Runtime>);

impl Threads {
    /// Starts them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(WORKERS).max_blocking_threads(BLOCKING).enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `work` to its end on the calling thread, and what it starts on these.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().block_on(work)
    }

    /// Runs `work` on them.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime().spawn(work)
    }

    /// Lets what is started while the guard lives run on these threads.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime().enter()
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only on dropping")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Dropping it would wait, which no task may.
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// Threads for tasks. Chosen: one for the event loop, one for links and clients.
const WORKERS: usize = 2;
/// Threads for work that blocks, such as stretching a passphrase; they end when idle. Chosen.
const BLOCKING: usize = 8;
