//! The jobs that outlive their clients and the node's restarts: kept in books, some of them at work, the others waiting.
//!
//! Guarantees: at most [`LASTING`] are kept and [`AT_WORK`] at work, those of the highest priority first; one that is told to
//! rest, or has to make room, stops where it is and goes on there. What it needs and does not find, such as another node, it
//! waits for. A full disk makes it rest. Leaves out the work itself (`worker`) and what is written down (`book`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::warn;

use super::book::{Book, Kept, Print, Standing};
use super::feed::{CHANNEL, Feed, next_piece};
use super::ledger::Ledger;
use super::order;
use super::refusal::Refusal;
use super::report::Report;
use super::worker::Worker;
use crate::daemon::chance;
use crate::daemon::job::{
    FailureKind, JobChange, JobFailure, JobId, JobRequest, JobState, JobView, Priority, Progress,
};
use crate::time::Duration;

/// The jobs that last, of one node.
#[derive(Debug)]
pub(super) struct Lasting<W>(Arc<Inner<W>>);

#[derive(Debug)]
struct Inner<W> {
    worker: W,
    ledger: Option<Ledger>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    jobs: BTreeMap<JobId, Entry>,
    is_stopping: bool,
}

#[derive(Debug)]
struct Entry {
    book: Book,
    report: Report,
    standing: Standing,
    priority: Priority,
    /// Where its document is to be sent, until somebody does.
    input: Option<mpsc::Sender<Feed>>,
    /// The task that does it now.
    work: Option<JoinHandle<()>>,
    /// The task before, which may not quite have ended.
    before: Option<JoinHandle<()>>,
    /// Counts the tasks, so that the end of one that was stopped is not taken for the end of another.
    turn: u64,
}

impl<W: Worker> Lasting<W> {
    /// Those of `ledger`, which go on at once; and the first number that none of them has.
    pub(super) fn open(worker: W, ledger: Option<Ledger>) -> (Self, u64) {
        let (books, next) = ledger.as_ref().map_or((BTreeMap::new(), 0), Ledger::open);
        let jobs = books.into_iter().map(|(id, book)| (id, Entry::of(id, book))).collect();
        let table = Mutex::new(Table { jobs, is_stopping: false });
        let all = Self(Arc::new(Inner { worker, ledger, table }));
        all.0.arrange(&mut all.0.table());
        (all, next)
    }

    /// Takes a job in.
    pub(super) fn start(&self, id: JobId, request: JobRequest) -> Result<JobView, Refusal> {
        let ledger = self.0.ledger.as_ref().ok_or(Refusal::NotHere)?;
        self.0.worker.check(&request).map_err(Refusal::Failed)?;
        let mut table = self.0.table();
        table.make_room()?;
        let about = request.about();
        let needs_document = matches!(&request, JobRequest::Insert(insert) if insert.file.is_none());
        let total_bytes = match &request {
            JobRequest::Insert(insert) => insert.length,
            _ => None,
        };
        let kept = Kept {
            request,
            seed: chance::bytes(),
            began: self.0.worker.unix_seconds(),
            priority: about.priority,
            standing: if needs_document { Standing::Receiving } else { Standing::Ready },
            source: None,
            edition: None,
            found: None,
            opened: None,
            part: None,
            progress: Progress { total_bytes, ..Progress::default() },
        };
        let mut entry = Entry::of_new(id, ledger.begin(id, kept).map_err(Refusal::Failed)?);
        if needs_document {
            let (input, feed) = mpsc::channel(CHANNEL);
            entry.input = Some(input);
            entry.work = Some(tokio::spawn(receive(Arc::clone(&self.0), id, entry.book.clone(), feed)));
        }
        table.jobs.insert(id, entry);
        self.0.arrange(&mut table);
        table.jobs.get(&id).map(|entry| entry.report.view()).ok_or(Refusal::Unknown)
    }

    /// All of them.
    pub(super) fn list(&self) -> Vec<JobView> {
        self.0.table().jobs.values().map(|entry| entry.report.view()).collect()
    }

    /// How many are at work.
    pub(super) fn running(&self) -> usize {
        self.0.table().jobs.values().filter(|entry| entry.work.is_some()).count()
    }

    pub(super) fn watch(&self, id: JobId) -> Option<watch::Receiver<JobView>> {
        self.0.table().jobs.get(&id).map(|entry| entry.report.watcher())
    }

    /// Where to send the document of a job; once. None if there is no such job.
    pub(super) fn input(&self, id: JobId) -> Option<Result<mpsc::Sender<Feed>, Refusal>> {
        self.0.table().jobs.get_mut(&id).map(|entry| entry.input.take().ok_or(Refusal::Taken))
    }

    /// Whether the document of a job is still coming in, or was when the node was told to stop.
    pub(super) fn is_receiving(&self, id: JobId) -> bool {
        self.0.table().jobs.get(&id).is_some_and(|entry| entry.standing == Standing::Receiving)
    }

    /// Ends a job and forgets it; whether there was one.
    pub(super) fn cancel(&self, id: JobId) -> bool {
        let mut table = self.0.table();
        let Some(mut entry) = table.jobs.remove(&id) else { return false };
        entry.halt();
        entry.book.burn();
        entry.report.stands(JobState::Failed(cancelled()));
        self.0.arrange(&mut table);
        true
    }

    /// Changes how a job goes on. None if there is no such job.
    pub(super) fn change(&self, id: JobId, change: JobChange) -> Option<Result<JobView, Refusal>> {
        let mut table = self.0.table();
        let entry = table.jobs.get_mut(&id)?;
        let changed = entry.change(id, change);
        self.0.arrange(&mut table);
        let view = table.jobs.get(&id)?.report.view();
        Some(changed.map(|()| view))
    }

    /// Stops all of them where they are; they go on when the node starts again.
    pub(super) fn stop(&self) {
        let mut table = self.0.table();
        table.is_stopping = true;
        for entry in table.jobs.values_mut().filter(|entry| entry.work.is_some()) {
            entry.rest();
        }
    }
}

impl<W: Worker> Inner<W> {
    /// Puts to work those whose turn it is, and lets the others rest.
    fn arrange(self: &Arc<Self>, table: &mut Table) {
        if table.is_stopping {
            return;
        }
        let wishes = table.jobs.iter().filter(|(_, entry)| entry.standing == Standing::Ready);
        let chosen = order::chosen(wishes.map(|(id, entry)| (entry.priority, *id)), AT_WORK);
        for (id, entry) in &mut table.jobs {
            match (chosen.contains(id), entry.work.is_some()) {
                (true, false) => {
                    entry.turn += 1;
                    entry.report.stands(JobState::Running);
                    let before = entry.before.take();
                    let work =
                        work(Arc::clone(self), *id, entry.turn, before, entry.book.clone(), entry.report.clone());
                    entry.work = Some(tokio::spawn(work));
                }
                (false, true) if entry.standing == Standing::Ready => {
                    entry.rest();
                    entry.report.stands(JobState::waiting());
                }
                _ => {}
            }
        }
    }

    /// The task `turn` of a job has come to an end.
    fn ended(self: &Arc<Self>, id: JobId, turn: u64, end: Standing) {
        let mut table = self.table();
        if table.is_stopping {
            return;
        }
        let Some(entry) = table.jobs.get_mut(&id).filter(|entry| entry.turn == turn) else { return };
        entry.work = None;
        entry.stand(id, end);
        self.arrange(&mut table);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Every change to the table is a single step, so a panic elsewhere leaves it whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets the oldest that has ended if there are too many.
    fn make_room(&mut self) -> Result<(), Refusal> {
        if self.jobs.len() < LASTING {
            return Ok(());
        }
        let ended = self.jobs.iter().find(|(_, entry)| matches!(entry.standing, Standing::Ended(_)));
        let id = ended.map(|(id, _)| *id).ok_or(Refusal::Full(LASTING))?;
        if let Some(entry) = self.jobs.remove(&id) {
            entry.book.burn();
        }
        Ok(())
    }
}

impl Entry {
    /// One that was kept from before.
    fn of(id: JobId, book: Book) -> Self {
        let mut entry = Self::of_new(id, book);
        if entry.standing == Standing::Receiving {
            let sentence = "the node stopped before it had the whole document: cancel the job and insert it again";
            let failure = JobFailure { kind: FailureKind::Cancelled, sentence: sentence.to_owned() };
            entry.stand(id, Standing::Ended(JobState::Failed(failure)));
        }
        entry
    }

    fn of_new(id: JobId, book: Book) -> Self {
        let kept = book.kept();
        let progress = Progress {
            blocks: kept.progress.blocks.max(book.stored_blocks()),
            bytes: kept.progress.bytes.max(book.written()),
            ..kept.progress
        };
        let mut about = kept.request.about();
        about.priority = kept.priority;
        let state = state(&kept.standing);
        let (report, _) = Report::new(JobView { id, state, progress, opened: kept.opened, about });
        let (standing, priority) = (kept.standing, kept.priority);
        Self { book, report, standing, priority, input: None, work: None, before: None, turn: 0 }
    }

    fn change(&mut self, id: JobId, change: JobChange) -> Result<(), Refusal> {
        if let Some(priority) = change.priority {
            self.book.amend(|kept| kept.priority = priority).map_err(Refusal::Failed)?;
            self.priority = priority;
            self.report.about(|about| about.priority = priority);
        }
        match (change.paused, &self.standing) {
            (None, _) | (Some(false), Standing::Ready) | (Some(true), Standing::Paused(None)) => Ok(()),
            (Some(_), Standing::Receiving) => Err(Refusal::Receiving),
            (Some(true), Standing::Ended(_)) => Err(Refusal::Ended),
            (Some(false), Standing::Ended(state)) if state.is_done() => Err(Refusal::Ended),
            (Some(true), _) => {
                self.rest();
                self.stand(id, Standing::Paused(None));
                Ok(())
            }
            (Some(false), _) => {
                self.stand(id, Standing::Ready);
                Ok(())
            }
        }
    }

    /// Writes down how the job stands from now on.
    fn stand(&mut self, id: JobId, standing: Standing) {
        let progress = self.report.view().progress;
        self.report.stands(state(&standing));
        self.standing = standing.clone();
        let opened = self.report.view().opened;
        let is_done = matches!(&standing, Standing::Ended(state) if state.is_done());
        let written = self.book.amend(|kept| {
            kept.standing = standing;
            kept.progress = progress;
            kept.opened = opened;
        });
        if let Err(failure) = written {
            warn!(job = id.0, %failure, "how a job stands could not be written down");
        } else if is_done {
            self.book.clear();
        }
    }

    /// Stops its task and writes down how far it is.
    fn rest(&mut self) {
        self.halt();
        let progress = self.report.view().progress;
        // If it cannot be written, the log of what was done still says it.
        let _ = self.book.amend(|kept| kept.progress = progress);
    }

    fn halt(&mut self) {
        self.turn += 1;
        if let Some(task) = self.work.take() {
            task.abort();
            self.before = Some(task);
        }
    }
}

/// How a job that is kept like that is shown.
fn state(standing: &Standing) -> JobState {
    match standing {
        Standing::Receiving => JobState::Waiting { sentence: Some("its document is coming in".to_owned()) },
        Standing::Ready => JobState::waiting(),
        Standing::Paused(sentence) => JobState::Paused { sentence: sentence.clone() },
        Standing::Ended(state) => state.clone(),
    }
}

/// Does a job, as often as what it needs is not there.
async fn work<W: Worker>(
    all: Arc<Inner<W>>,
    id: JobId,
    turn: u64,
    before: Option<JoinHandle<()>>,
    book: Book,
    report: Report,
) {
    if let Some(before) = before {
        // Two at once would write into the same files.
        let _ = before.await;
    }
    let mut pause = FIRST_PAUSE;
    let end = loop {
        match all.worker.clone().go_on(book.clone(), report.clone()).await {
            Ok(state) => break Standing::Ended(state),
            Err(JobFailure { kind: FailureKind::Unavailable, sentence }) => {
                report.stands(JobState::Waiting { sentence: Some(sentence) });
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                report.stands(JobState::Running);
            }
            Err(JobFailure { kind: FailureKind::DiskFull, sentence }) => {
                break Standing::Paused(Some(format!("{sentence}; make room, then resume the job")));
            }
            Err(failure) => break Standing::Ended(JobState::Failed(failure)),
        }
    };
    all.ended(id, turn, end);
}

/// Takes in the document of an insert. The feed closes when the job would survive the node.
async fn receive<W: Worker>(all: Arc<Inner<W>>, id: JobId, book: Book, mut feed: mpsc::Receiver<Feed>) {
    let end = match copy(&book, &mut feed).await {
        Ok(length) => {
            let source = Some(Print { length, digest: None });
            match book.amend(|kept| (kept.source, kept.progress.total_bytes) = (source, Some(length))) {
                Ok(()) => Standing::Ready,
                Err(failure) => Standing::Ended(JobState::Failed(failure)),
            }
        }
        Err(failure) => {
            book.clear();
            Standing::Ended(JobState::Failed(failure))
        }
    };
    all.ended(id, 0, end);
}

async fn copy(book: &Book, feed: &mut mpsc::Receiver<Feed>) -> Result<u64, JobFailure> {
    let mut copy = book.new_copy()?;
    while let Feed::Chunk(bytes) = next_piece(feed).await? {
        copy.take(&bytes)?;
    }
    copy.end()
}

fn cancelled() -> JobFailure {
    JobFailure { kind: FailureKind::Cancelled, sentence: "it was cancelled".to_owned() }
}

/// Jobs that are kept at once, those that have ended among them. Chosen: a page that lists them stays light.
pub(super) const LASTING: usize = 1_000;
/// Jobs that last at work at once. Chosen: each holds a window of blocks in memory, about 10 MiB.
pub(super) const AT_WORK: usize = 4;
/// How long to wait for what is not there. Chosen: a node that has just started hears of others in the first seconds.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Chosen: a person who has mended what was wrong still waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
