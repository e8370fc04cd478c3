//! Keeping what an overlay wants remembered: sealed, replaced whole, off the event loop, the latest only.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{self, JoinHandle};
use tracing::warn;

use super::keeper::Keeper;

/// Writes the latest state to disk.
#[derive(Debug)]
pub(super) struct Memory {
    latest: watch::Sender<Arc<[u8]>>,
    writer: JoinHandle<()>,
}

impl Memory {
    /// Keeps state in the file `name`.
    pub(super) fn new(keeper: Arc<Keeper>, name: String) -> Self {
        let (latest, changes) = watch::channel(Arc::from([]));
        Self { latest, writer: tokio::spawn(write_latest(keeper, name, changes)) }
    }

    /// Replaces what is kept.
    pub(super) fn keep(&self, state: Vec<u8>) {
        self.latest.send_replace(state.into());
    }

    /// Waits until the latest is on disk.
    pub(super) async fn close(self) {
        drop(self.latest);
        // A panic of the writer was reported where it happened.
        let _ = self.writer.await;
    }
}

async fn write_latest(keeper: Arc<Keeper>, name: String, mut changes: watch::Receiver<Arc<[u8]>>) {
    while changes.changed().await.is_ok() {
        let state = changes.borrow_and_update().clone();
        let (keeper, file) = (keeper.clone(), name.clone());
        let written = task::spawn_blocking(move || keeper.write(&file, &state)).await;
        if let Ok(Err(error)) = written {
            warn!(%error, "the overlay's state cannot be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::data_dir::DataDir;

    #[tokio::test]
    async fn the_latest_state_is_on_disk_when_the_memory_closes() {
        let place = tempfile::tempdir().unwrap();
        let keeper = Arc::new(Keeper::open(&DataDir::new(place.path()), |_| None).unwrap());
        let memory = Memory::new(keeper.clone(), "overlay".into());
        for state in 0..50_u8 {
            memory.keep(vec![state]);
            task::yield_now().await;
        }
        memory.close().await;
        assert_eq!(keeper.read("overlay").unwrap().unwrap().as_slice(), [49]);
    }
}
