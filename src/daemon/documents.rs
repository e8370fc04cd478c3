//! Does the jobs of local clients: documents to blocks and blocks to documents, over a running node.
//!
//! `insert` and `fetch` drive the machines of `document`; `carrier` brings single blocks to the network and back;
//! `name` turns what the client wrote into what a document is stored under. Nothing here runs on the event loop.

mod carrier;
mod fetch;
mod insert;
mod name;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use self::carrier::Carrier;
use super::clock::Clock;
use super::data_dir::DataDir;
use super::handle::Handle;
use super::job::{JobFailure, JobRequest, JobState};
use super::jobs::{Feed, Report, Worker};
use super::keeper::Keeper;

/// Does the jobs of one node.
#[derive(Clone, Debug)]
pub struct Documents {
    node: Handle,
    data: DataDir,
    keeper: Arc<Keeper>,
    clock: Clock,
    repairs: Arc<Semaphore>,
}

impl Documents {
    /// Works over `node`; writes in the subspaces kept in `data`.
    pub fn new(node: Handle, data: DataDir, keeper: Arc<Keeper>) -> Self {
        Self { node, data, keeper, clock: Clock::start(), repairs: Arc::new(Semaphore::new(REPAIRS)) }
    }
}

impl Worker for Documents {
    async fn run(
        self,
        request: JobRequest,
        report: Report,
        input: mpsc::Receiver<Feed>,
        output: mpsc::Sender<Bytes>,
    ) -> Result<JobState, JobFailure> {
        let carrier = Carrier::new(self.node, self.clock);
        match request {
            JobRequest::Insert(request) => {
                let writer = name::writer(request.name.as_deref(), self.data, self.keeper).await?;
                insert::run(carrier, request, writer, report, input).await.map(JobState::Inserted)
            }
            JobRequest::Fetch(request) => {
                let start = name::start(&request.uri).await?;
                let readers = name::readers(self.data, self.keeper).await?;
                let way = fetch::Way { own_store: request.own_store, readers, repairs: self.repairs };
                fetch::run(carrier, start, way, report, output).await.map(JobState::Fetched)
            }
        }
    }
}

/// Rebuilt blocks being reinserted at once, for all fetches together. Chosen: repair must not crowd out requests.
const REPAIRS: usize = 16;
