//! A running node as its local clients are served by it: its jobs and its state.

use std::sync::Arc;

use super::data_dir::DataDir;
use super::documents::Documents;
use super::handle::Handle;
use super::jobs::Jobs;
use super::keeper::Keeper;
use super::status::{Peer, Status};

/// What the local interface, or a program that runs nodes itself, has of a node.
#[derive(Debug)]
pub struct Served {
    handle: Handle,
    jobs: Jobs<Documents>,
}

impl Served {
    /// Serves the node behind `handle`, whose subspaces lie in `data`.
    pub fn new(handle: &Handle, data: DataDir, keeper: Arc<Keeper>) -> Self {
        let documents = Documents::new(handle.clone(), data, keeper);
        Self { handle: handle.clone(), jobs: Jobs::new(documents) }
    }

    /// The jobs of its clients.
    pub const fn jobs(&self) -> &Jobs<Documents> {
        &self.jobs
    }

    /// Its state, unless it has stopped.
    pub async fn status(&self) -> Option<Status> {
        let mut status = self.handle.status().await.ok()?;
        status.requests.jobs = self.jobs.running() as u64;
        Some(status)
    }

    /// Its links, unless it has stopped.
    pub async fn peers(&self) -> Option<Vec<Peer>> {
        self.handle.peers().await.ok()
    }
}
