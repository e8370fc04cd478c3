//! The jobs that end with their clients: bounded in number, their documents passed from hand to hand.
//!
//! Guarantees: at most [`RUNNING`] at work and [`FINISHED`] remembered; a job whose data nobody sends or takes for
//! [`super::feed::PATIENCE`] ends. Leaves out those that last (`lasting`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::feed::{CHANNEL, Feed};
use super::refusal::Refusal;
use super::report::Report;
use super::worker::Worker;
use crate::daemon::job::{JobId, JobRequest, JobState, JobView, Progress};

/// The jobs that end with their clients, of one node.
#[derive(Debug)]
pub(super) struct Attached<W> {
    worker: W,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    jobs: BTreeMap<JobId, Job>,
}

#[derive(Debug)]
struct Job {
    view: watch::Receiver<JobView>,
    input: Option<mpsc::Sender<Feed>>,
    output: Option<mpsc::Receiver<Bytes>>,
    task: AbortHandle,
}

impl<W: Worker> Attached<W> {
    pub(super) fn new(worker: W) -> Self {
        Self { worker, table: Mutex::default() }
    }

    /// Starts a job.
    pub(super) fn start(&self, id: JobId, request: JobRequest) -> Result<JobView, Refusal> {
        let mut table = self.table();
        if table.running() >= RUNNING {
            return Err(Refusal::Busy(RUNNING));
        }
        table.forget_old();
        let (state, progress) = (JobState::Running, Progress::default());
        let first = JobView { id, state, progress, opened: None, about: request.about() };
        let (report, watcher) = Report::new(first.clone());
        let (input, feed) = mpsc::channel(CHANNEL);
        let (drain, output) = mpsc::channel(CHANNEL);
        let (inserts, fetches) = (matches!(request, JobRequest::Insert(_)), matches!(request, JobRequest::Fetch(_)));
        let task = tokio::spawn(finish(self.worker.clone(), request, report, feed, drain)).abort_handle();
        let job = Job { view: watcher, input: inserts.then_some(input), output: fetches.then_some(output), task };
        table.jobs.insert(id, job);
        Ok(first)
    }

    pub(super) fn list(&self) -> Vec<JobView> {
        self.table().jobs.values().map(|job| job.view.borrow().clone()).collect()
    }

    pub(super) fn running(&self) -> usize {
        self.table().running()
    }

    pub(super) fn watch(&self, id: JobId) -> Option<watch::Receiver<JobView>> {
        self.table().jobs.get(&id).map(|job| job.view.clone())
    }

    /// Where to send the document of an insert; once. None if there is no such job.
    pub(super) fn input(&self, id: JobId) -> Option<Result<mpsc::Sender<Feed>, Refusal>> {
        self.table().jobs.get_mut(&id).map(|job| job.input.take().ok_or(Refusal::Taken))
    }

    /// Where the document of a fetch comes out; once. None if there is no such job.
    pub(super) fn output(&self, id: JobId) -> Option<Result<mpsc::Receiver<Bytes>, Refusal>> {
        self.table().jobs.get_mut(&id).map(|job| job.output.take().ok_or(Refusal::Taken))
    }

    /// Ends a job and forgets it; whether there was one.
    pub(super) fn cancel(&self, id: JobId) -> bool {
        let job = self.table().jobs.remove(&id);
        job.map(|job| job.task.abort()).is_some()
    }

    /// Ends all jobs.
    pub(super) fn cancel_all(&self) {
        let jobs = std::mem::take(&mut self.table().jobs);
        jobs.values().for_each(|job| job.task.abort());
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        // Every change to the table is a single step, so a panic elsewhere leaves it whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn running(&self) -> usize {
        self.jobs.values().filter(|job| job.is_running()).count()
    }

    fn forget_old(&mut self) {
        let finished: Vec<_> = self.jobs.iter().filter(|(_, job)| !job.is_running()).map(|(id, _)| *id).collect();
        let surplus = finished.len().saturating_sub(FINISHED - 1);
        for id in &finished[..surplus] {
            self.jobs.remove(id);
        }
    }
}

impl Job {
    fn is_running(&self) -> bool {
        self.view.borrow().state == JobState::Running
    }
}

async fn finish<W: Worker>(
    worker: W,
    request: JobRequest,
    report: Report,
    input: mpsc::Receiver<Feed>,
    output: mpsc::Sender<Bytes>,
) {
    let state = worker.run(request, report.clone(), input, output).await.unwrap_or_else(JobState::Failed);
    report.stands(state);
}

/// Jobs at work at once. Chosen: each holds a window of blocks in memory, about 10 MiB.
pub(super) const RUNNING: usize = 16;
/// Finished jobs that are remembered. Chosen.
const FINISHED: usize = 64;
