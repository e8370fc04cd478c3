//! A running node as its local clients are served by it: its jobs and its state.

use std::sync::Arc;

use super::data_dir::DataDir;
use super::documents::Documents;
use super::handle::Handle;
use super::jobs::Jobs;
use super::jobs::ledger::Ledger;
use super::keeper::Keeper;
use super::published::{Publication, Published};
use super::status::{Peer, Relay, Status};
use super::subspaces::{Shown, Subspaces};

/// What the local interface, or a program that runs nodes itself, has of a node.
#[derive(Debug)]
pub struct Served {
    handle: Handle,
    jobs: Jobs<Documents>,
    data: DataDir,
    keeper: Arc<Keeper>,
}

impl Served {
    /// Serves the node behind `handle`, whose subspaces lie in `data`.
    pub fn new(handle: &Handle, data: DataDir, keeper: Arc<Keeper>) -> Self {
        let documents = Documents::new(handle.clone(), data.clone(), Arc::clone(&keeper));
        let ledger = Ledger::new(data.clone(), Arc::clone(&keeper));
        Self { handle: handle.clone(), jobs: Jobs::new(documents, Some(ledger)), data, keeper }
    }

    /// The jobs of its clients.
    pub const fn jobs(&self) -> &Jobs<Documents> {
        &self.jobs
    }

    /// What its owner gives to others of the subspaces kept here.
    ///
    /// # Errors
    /// When they cannot be read, in a sentence.
    pub async fn keys(&self) -> Result<Vec<Shown>, String> {
        let (data, keeper) = (self.data.clone(), Arc::clone(&self.keeper));
        let shown = move || Subspaces::new(&data, &keeper).all_shown().map_err(|error| error.to_string());
        tokio::task::spawn_blocking(shown).await.map_err(|error| error.to_string())?
    }

    /// What its owner has published under names of their own.
    ///
    /// # Errors
    /// When the list cannot be read, in a sentence.
    pub async fn published(&self) -> Result<Vec<Publication>, String> {
        let published = Published::new(Arc::clone(&self.keeper));
        let listed = move || published.list().map_err(|error| error.to_string());
        tokio::task::spawn_blocking(listed).await.map_err(|error| error.to_string())?
    }

    /// Its state, unless it has stopped.
    pub async fn status(&self) -> Option<Status> {
        let mut status = self.handle.status().await.ok()?;
        status.requests.jobs = self.jobs.running() as u64;
        Some(status)
    }

    /// The relays it knows, unless it has stopped.
    pub async fn relays(&self) -> Option<Vec<Relay>> {
        self.handle.relays().await.ok()
    }

    /// Its links, unless it has stopped.
    pub async fn peers(&self) -> Option<Vec<Peer>> {
        self.handle.peers().await.ok()
    }
}
