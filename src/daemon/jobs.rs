//! The work that local clients have given the node: bounded in number, cancelled with its client.
//!
//! Guarantees: at most [`RUNNING`] jobs at work and [`FINISHED`] remembered; a job whose data nobody sends or takes
//! for [`PATIENCE`] ends. What a job does is in `insert` and `fetch`. Leaves out persistence: jobs end with the node.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::job::{FailureKind, JobFailure, JobId, JobRequest, JobState, JobView, Opened, Progress};
use crate::time::Duration;

/// All jobs of a node.
#[derive(Debug)]
pub struct Jobs<W> {
    worker: W,
    table: Mutex<Table>,
}

/// Does the jobs.
pub trait Worker: Clone + Send + Sync + 'static {
    /// Runs one job to its end; dropping the future cancels it.
    fn run(
        self,
        request: JobRequest,
        report: Report,
        input: mpsc::Receiver<Feed>,
        output: mpsc::Sender<Bytes>,
    ) -> impl Future<Output = Result<JobState, JobFailure>> + Send;
}

/// A piece of a document on its way into the node.
#[derive(Clone, Debug)]
pub enum Feed {
    /// The next bytes.
    Chunk(Bytes),
    /// There are no more. Without it the document is not whole.
    End,
}

/// Where a job writes how far it is.
#[derive(Clone, Debug)]
pub struct Report(watch::Sender<JobView>);

/// Why a client's wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many jobs at work.
    #[error("{RUNNING} jobs are at work already; wait for one to end")]
    Busy,
    /// No such job, or forgotten.
    #[error("there is no such job")]
    Unknown,
    /// The job's data can be sent or taken only once.
    #[error("this job's data is not to be had, or is being transferred already")]
    Taken,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    jobs: BTreeMap<JobId, Job>,
}

#[derive(Debug)]
struct Job {
    view: watch::Receiver<JobView>,
    input: Option<mpsc::Sender<Feed>>,
    output: Option<mpsc::Receiver<Bytes>>,
    task: AbortHandle,
}

impl<W: Worker> Jobs<W> {
    /// No jobs yet; `worker` will do them.
    pub fn new(worker: W) -> Self {
        Self { worker, table: Mutex::new(Table::default()) }
    }

    /// Starts a job.
    ///
    /// # Errors
    /// [`Refusal::Busy`] at the bound.
    pub fn start(&self, request: JobRequest) -> Result<JobView, Refusal> {
        let mut table = self.table();
        if table.running() >= RUNNING {
            return Err(Refusal::Busy);
        }
        table.forget_old();
        let id = JobId(table.next);
        table.next += 1;
        let first = JobView { id, state: JobState::Running, progress: Progress::default(), opened: None };
        let (view, watcher) = watch::channel(first.clone());
        let (input, feed) = mpsc::channel(CHANNEL);
        let (drain, output) = mpsc::channel(CHANNEL);
        let (inserts, fetches) = (matches!(request, JobRequest::Insert(_)), matches!(request, JobRequest::Fetch(_)));
        let task = tokio::spawn(finish(self.worker.clone(), request, Report(view), feed, drain)).abort_handle();
        let job = Job { view: watcher, input: inserts.then_some(input), output: fetches.then_some(output), task };
        table.jobs.insert(id, job);
        Ok(first)
    }

    /// All jobs, oldest first.
    pub fn list(&self) -> Vec<JobView> {
        self.table().jobs.values().map(|job| job.view.borrow().clone()).collect()
    }

    /// How many jobs are at work.
    pub fn running(&self) -> usize {
        self.table().running()
    }

    /// Follows a job.
    ///
    /// # Errors
    /// [`Refusal::Unknown`].
    pub fn watch(&self, id: JobId) -> Result<watch::Receiver<JobView>, Refusal> {
        self.table().jobs.get(&id).map(|job| job.view.clone()).ok_or(Refusal::Unknown)
    }

    /// Where to send the document of an insert; once.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], or [`Refusal::Taken`] the second time and for a fetch.
    pub fn input(&self, id: JobId) -> Result<mpsc::Sender<Feed>, Refusal> {
        self.table().jobs.get_mut(&id).ok_or(Refusal::Unknown)?.input.take().ok_or(Refusal::Taken)
    }

    /// Where the document of a fetch comes out; once.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], or [`Refusal::Taken`] the second time and for an insert.
    pub fn output(&self, id: JobId) -> Result<mpsc::Receiver<Bytes>, Refusal> {
        self.table().jobs.get_mut(&id).ok_or(Refusal::Unknown)?.output.take().ok_or(Refusal::Taken)
    }

    /// Ends a job and forgets it.
    ///
    /// # Errors
    /// [`Refusal::Unknown`].
    pub fn cancel(&self, id: JobId) -> Result<(), Refusal> {
        let job = self.table().jobs.remove(&id).ok_or(Refusal::Unknown)?;
        job.task.abort();
        Ok(())
    }

    /// Ends all jobs.
    pub fn cancel_all(&self) {
        let jobs = std::mem::take(&mut self.table().jobs);
        jobs.values().for_each(|job| job.task.abort());
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        // Every change to the table is a single step, so a panic elsewhere leaves it whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report {
    /// One that nobody reads: for a part of a job that is not what the client waits for.
    pub(super) fn unseen() -> Self {
        Self::alone().0
    }

    /// Of a job that has no client; the other end tells how far it is.
    pub fn alone() -> (Self, watch::Receiver<JobView>) {
        let (id, state, progress) = (JobId(0), JobState::Running, Progress::default());
        let (view, watcher) = watch::channel(JobView { id, state, progress, opened: None });
        (Self(view), watcher)
    }

    /// Changes how far the job is.
    pub fn progress(&self, change: impl FnOnce(&mut Progress)) {
        self.0.send_modify(|view| change(&mut view.progress));
    }

    /// The document says what it is.
    pub(super) fn opened(&self, opened: Opened) {
        self.0.send_modify(|view| view.opened = Some(opened));
    }

    fn end(&self, state: JobState) {
        self.0.send_modify(|view| view.state = state);
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
    report.end(state);
}

/// Receives the next piece of a document, as long as the client is patient enough.
///
/// # Errors
/// When the client stops sending.
pub async fn next_piece(input: &mut mpsc::Receiver<Feed>) -> Result<Feed, JobFailure> {
    match tokio::time::timeout(PATIENCE, input.recv()).await {
        Ok(Some(feed)) => Ok(feed),
        _ => Err(cancelled("the client stopped sending the document")),
    }
}

fn cancelled(sentence: &str) -> JobFailure {
    JobFailure { kind: FailureKind::Cancelled, sentence: sentence.to_owned() }
}

/// Jobs at work at once. Chosen: each holds a window of blocks in memory, about 10 MiB.
pub const RUNNING: usize = 16;
/// Finished jobs that are remembered. Chosen.
pub const FINISHED: usize = 64;
/// How long a job waits for its client. Chosen: longer than a person needs to unblock a pipe.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Pieces between a client and its job. Chosen: enough to overlap reading and sealing.
const CHANNEL: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::job::{FetchRequest, InsertRequest};
    use super::*;

    #[derive(Clone, Debug)]
    struct Echo;

    impl Worker for Echo {
        async fn run(
            self,
            _: JobRequest,
            report: Report,
            mut input: mpsc::Receiver<Feed>,
            _: mpsc::Sender<Bytes>,
        ) -> Result<JobState, JobFailure> {
            while let Feed::Chunk(bytes) = next_piece(&mut input).await? {
                report.progress(|progress| progress.bytes += bytes.len() as u64);
            }
            Err(JobFailure { kind: FailureKind::NotFound, sentence: "the end".into() })
        }
    }

    fn insert() -> JobRequest {
        JobRequest::Insert(InsertRequest::default())
    }

    #[tokio::test]
    async fn a_job_reports_progress_and_its_end() {
        let jobs = Jobs::new(Echo);
        let id = jobs.start(insert()).unwrap().id;
        let input = jobs.input(id).unwrap();
        assert_eq!(jobs.input(id).unwrap_err(), Refusal::Taken);
        assert_eq!(jobs.output(id).unwrap_err(), Refusal::Taken);
        input.send(Feed::Chunk(Bytes::from_static(b"five!"))).await.unwrap();
        input.send(Feed::End).await.unwrap();
        let mut view = jobs.watch(id).unwrap();
        let end = view.wait_for(|view| view.state != JobState::Running).await.unwrap().clone();
        assert_eq!(end.progress.bytes, 5);
        assert!(matches!(end.state, JobState::Failed(failure) if failure.kind == FailureKind::NotFound));
    }

    #[tokio::test]
    async fn a_document_that_breaks_off_fails_its_job() {
        let jobs = Jobs::new(Echo);
        let id = jobs.start(insert()).unwrap().id;
        drop(jobs.input(id).unwrap());
        let mut view = jobs.watch(id).unwrap();
        let end = view.wait_for(|view| view.state != JobState::Running).await.unwrap().clone();
        assert!(matches!(end.state, JobState::Failed(failure) if failure.kind == FailureKind::Cancelled));
    }

    #[tokio::test]
    async fn jobs_at_work_are_bounded_and_cancelling_makes_room() {
        let jobs = Jobs::new(Echo);
        let fetch = || JobRequest::Fetch(FetchRequest::of(String::new()));
        let ids: Vec<_> = (0..RUNNING).map(|_| jobs.start(insert()).unwrap().id).collect();
        assert_eq!(jobs.start(fetch()).unwrap_err(), Refusal::Busy);
        jobs.cancel(ids[0]).unwrap();
        assert_eq!(jobs.watch(ids[0]).unwrap_err(), Refusal::Unknown);
        assert!(jobs.start(fetch()).is_ok());
    }
}
