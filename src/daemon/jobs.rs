//! The work that local clients have given the node: jobs that end with their clients, and jobs that last.
//!
//! `attached` has the first, `lasting` the second, with the `book` of each in the data directory (`ledger`, `pieces`) and the
//! `order` in which they come. Numbers are given to both in one row. What a job does is a `worker`'s.

mod attached;
pub mod book;
pub mod feed;
mod lasting;
pub mod ledger;
mod order;
pub mod pieces;
mod refusal;
pub mod report;
pub mod worker;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use self::attached::Attached;
pub use self::feed::Feed;
use self::lasting::Lasting;
use self::ledger::Ledger;
pub use self::refusal::Refusal;
use self::worker::Worker;
use super::job::{JobChange, JobId, JobRequest, JobView};

/// All jobs of a node.
#[derive(Debug)]
pub struct Jobs<W> {
    next: AtomicU64,
    attached: Attached<W>,
    lasting: Lasting<W>,
}

impl<W: Worker> Jobs<W> {
    /// The jobs of a node: those that `ledger` has kept go on at once. `worker` does them. Needs a tokio runtime.
    pub fn new(worker: W, ledger: Option<Ledger>) -> Self {
        let (lasting, next) = Lasting::open(worker.clone(), ledger);
        Self { next: AtomicU64::new(next), attached: Attached::new(worker), lasting }
    }

    /// Starts a job.
    ///
    /// # Errors
    /// [`Refusal::Busy`] and [`Refusal::Full`] at the bounds; [`Refusal::Failed`] if one that is to last cannot be done.
    pub fn start(&self, request: JobRequest) -> Result<JobView, Refusal> {
        let id = JobId(self.next.fetch_add(1, Ordering::Relaxed));
        if request.lasts() { self.lasting.start(id, request) } else { self.attached.start(id, request) }
    }

    /// All jobs, oldest first.
    pub fn list(&self) -> Vec<JobView> {
        let mut all = [self.attached.list(), self.lasting.list()].concat();
        all.sort_unstable_by_key(|view| view.id);
        all
    }

    /// How many jobs are at work.
    pub fn running(&self) -> usize {
        self.attached.running() + self.lasting.running()
    }

    /// Follows a job.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] and [`Refusal::Gone`].
    pub fn watch(&self, id: JobId) -> Result<watch::Receiver<JobView>, Refusal> {
        self.attached.watch(id).or_else(|| self.lasting.watch(id)).ok_or_else(|| self.missing(id))
    }

    /// Where to send the document of an insert; once.
    ///
    /// # Errors
    /// As [`Jobs::watch`], or [`Refusal::Taken`] the second time and for a fetch.
    pub fn input(&self, id: JobId) -> Result<mpsc::Sender<Feed>, Refusal> {
        let input = self.attached.input(id).or_else(|| self.lasting.input(id));
        input.unwrap_or_else(|| Err(self.missing(id)))
    }

    /// Whether the document of a job that lasts has not come in yet, so that the job would not survive this node.
    pub fn is_receiving(&self, id: JobId) -> bool {
        self.lasting.is_receiving(id)
    }

    /// Where the document of a fetch comes out; once.
    ///
    /// # Errors
    /// As [`Jobs::watch`], or [`Refusal::Taken`] the second time, for an insert and for a fetch into a file.
    pub fn output(&self, id: JobId) -> Result<mpsc::Receiver<Bytes>, Refusal> {
        let lasts = || self.lasting.watch(id).map(|_| Err(Refusal::Taken));
        self.attached.output(id).or_else(lasts).unwrap_or_else(|| Err(self.missing(id)))
    }

    /// Ends a job and forgets it.
    ///
    /// # Errors
    /// As [`Jobs::watch`].
    pub fn cancel(&self, id: JobId) -> Result<(), Refusal> {
        if self.attached.cancel(id) || self.lasting.cancel(id) { Ok(()) } else { Err(self.missing(id)) }
    }

    /// Lets a job that lasts rest or go on, or puts it in another order.
    ///
    /// # Errors
    /// As [`Jobs::watch`]; [`Refusal::NotLasting`], [`Refusal::Ended`] and [`Refusal::Receiving`] where that makes no sense.
    pub fn change(&self, id: JobId, change: JobChange) -> Result<JobView, Refusal> {
        if let Some(changed) = self.lasting.change(id, change) {
            return changed;
        }
        Err(if self.attached.watch(id).is_some() { Refusal::NotLasting(id) } else { self.missing(id) })
    }

    /// Stops everything: jobs that last where they are, the others for good.
    pub fn stop(&self) {
        self.attached.cancel_all();
        self.lasting.stop();
    }

    fn missing(&self, id: JobId) -> Refusal {
        if id.0 < self.next.load(Ordering::Relaxed) { Refusal::Gone(id) } else { Refusal::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::super::data_dir::DataDir;
    use super::super::job::{FailureKind, FetchRequest, Fetched, InsertRequest, JobFailure, JobState, Priority};
    use super::super::keeper::Keeper;
    use super::attached::RUNNING;
    use super::book::Book;
    use super::feed::next_piece;
    use super::report::Report;
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

        /// Takes a byte at a time until it has as many as the URI says; of none, the disk is full.
        async fn go_on(self, book: Book, report: Report) -> Result<JobState, JobFailure> {
            let JobRequest::Fetch(request) = book.kept().request else { panic!("only fetches") };
            let bytes: u64 = request.uri.parse().expect("a number");
            if bytes == 0 {
                return Err(JobFailure { kind: FailureKind::DiskFull, sentence: "no room".into() });
            }
            while book.written() < bytes {
                book.on_written(book.written() + 1)?;
                report.progress(|progress| progress.bytes = book.written());
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            let (hops, seconds, direct, mime, found) = (0.0, 0.0, true, None, None);
            let (blocks_fetched, blocks_repaired, served_locally) = (0, 0, 0);
            let done =
                Fetched { found, bytes, mime, blocks_fetched, blocks_repaired, served_locally, hops, seconds, direct };
            Ok(JobState::Fetched(done))
        }

        fn check(&self, _: &JobRequest) -> Result<(), JobFailure> {
            Ok(())
        }

        fn unix_seconds(&self) -> u64 {
            0
        }
    }

    /// A fetch that lasts, of so many bytes.
    fn lasting(bytes: u64, priority: Priority) -> JobRequest {
        let file = Some("/nowhere".into());
        JobRequest::Fetch(FetchRequest { file, priority, ..FetchRequest::of(bytes.to_string()) })
    }

    async fn until(jobs: &Jobs<Echo>, id: JobId, is: impl Fn(&JobView) -> bool) -> JobView {
        jobs.watch(id).unwrap().wait_for(|view| is(view)).await.unwrap().clone()
    }

    fn ledger(place: &tempfile::TempDir) -> Ledger {
        let data = DataDir::new(place.path());
        let keeper = std::sync::Arc::new(Keeper::open(&data, |_| None).unwrap());
        Ledger::new(data, keeper)
    }

    #[tokio::test]
    async fn a_job_that_lasts_goes_on_where_it_was_after_a_pause_and_a_restart() {
        let place = tempfile::tempdir().unwrap();
        let jobs = Jobs::new(Echo, Some(ledger(&place)));
        let id = jobs.start(lasting(1 << 40, Priority::Normal)).unwrap().id;
        until(&jobs, id, |view| view.progress.bytes > 3).await;
        let pause = |paused| JobChange { paused: Some(paused), priority: None };
        let paused = jobs.change(id, pause(true)).unwrap();
        assert_eq!(paused.state, JobState::Paused { sentence: None });
        assert_eq!(jobs.running(), 0);
        // What ends without a word, as a process that is killed, leaves what was done.
        let again = Jobs::new(Echo, Some(ledger(&place)));
        let view = again.list().remove(0);
        assert!(view.state == paused.state && view.progress.bytes >= paused.progress.bytes, "{view:?}");
        let resumed = again.change(id, pause(false)).unwrap();
        assert_eq!(resumed.state, JobState::Running);
        until(&again, id, |view| view.progress.bytes > paused.progress.bytes).await;
        again.stop();
        let third = Jobs::new(Echo, Some(ledger(&place)));
        assert!(third.list()[0].state == JobState::Running, "it goes on by itself");
        assert_eq!(third.start(lasting(1, Priority::Low)).unwrap().id, JobId(id.0 + 1), "numbers are not used again");
        third.cancel(id).unwrap();
        assert_eq!(third.cancel(id).unwrap_err(), Refusal::Gone(id));
        assert_eq!(third.cancel(JobId(99)).unwrap_err(), Refusal::Unknown);
        let end = until(&third, JobId(id.0 + 1), |view| view.state.is_end()).await;
        assert!(matches!(end.state, JobState::Fetched(_)), "{end:?}");
        assert_eq!(third.change(end.id, pause(true)).unwrap_err(), Refusal::Ended);
        third.cancel(end.id).unwrap();
        assert_eq!(std::fs::read_dir(place.path().join("jobs")).unwrap().count(), 0, "nothing is left behind");
    }

    #[tokio::test]
    async fn a_job_of_higher_priority_takes_the_place_of_a_lower_one() {
        let place = tempfile::tempdir().unwrap();
        let jobs = Jobs::new(Echo, Some(ledger(&place)));
        let low: Vec<_> =
            (0..lasting::AT_WORK).map(|_| jobs.start(lasting(1 << 40, Priority::Low)).unwrap().id).collect();
        let high = jobs.start(lasting(5, Priority::High)).unwrap();
        assert_eq!(high.state, JobState::Running);
        let states = |id| jobs.watch(id).unwrap().borrow().state.clone();
        assert_eq!(states(*low.last().unwrap()), JobState::waiting(), "the last of them makes room");
        until(&jobs, high.id, |view| view.state.is_end()).await;
        until(&jobs, *low.last().unwrap(), |view| view.state == JobState::Running).await;
        let change = JobChange { paused: None, priority: Some(Priority::High) };
        assert_eq!(jobs.change(low[0], change).unwrap().about.priority, Priority::High);
        jobs.stop();
    }

    #[tokio::test]
    async fn a_full_disk_makes_a_job_rest() {
        let place = tempfile::tempdir().unwrap();
        let jobs = Jobs::new(Echo, Some(ledger(&place)));
        let id = jobs.start(lasting(0, Priority::Normal)).unwrap().id;
        let rests = until(&jobs, id, |view| matches!(view.state, JobState::Paused { .. })).await;
        assert!(matches!(rests.state, JobState::Paused { sentence: Some(why) } if why.contains("no room")));
        jobs.stop();
    }

    #[tokio::test]
    async fn a_document_that_breaks_off_on_its_way_in_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let jobs = Jobs::new(Echo, Some(ledger(&place)));
        let request = InsertRequest { lasting: true, ..InsertRequest::default() };
        let id = jobs.start(JobRequest::Insert(request)).unwrap().id;
        assert_eq!(jobs.change(id, JobChange { paused: Some(true), priority: None }).unwrap_err(), Refusal::Receiving);
        let input = jobs.input(id).unwrap();
        input.send(Feed::Chunk(Bytes::from_static(b"half"))).await.unwrap();
        drop(input);
        let end = until(&jobs, id, |view| view.state.is_end()).await;
        assert!(matches!(end.state, JobState::Failed(failure) if failure.kind == FailureKind::Cancelled));
        let left = std::fs::read_dir(place.path().join("jobs")).unwrap().count();
        assert_eq!(left, 1, "only its description");
        assert!(Jobs::new(Echo, None).start(lasting(1, Priority::Low)).is_err_and(|why| why == Refusal::NotHere));
    }

    #[tokio::test]
    async fn a_document_is_taken_in_only_when_the_job_would_survive_the_node() {
        let place = tempfile::tempdir().unwrap();
        let jobs = Jobs::new(Echo, Some(ledger(&place)));
        let insert = || JobRequest::Insert(InsertRequest { lasting: true, ..InsertRequest::default() });
        let [whole, half] = [(); 2].map(|()| jobs.start(insert()).unwrap().id);
        let [first, second] = [whole, half].map(|id| jobs.input(id).unwrap());
        for input in [&first, &second] {
            input.send(Feed::Chunk(Bytes::from_static(b"hello"))).await.unwrap();
        }
        first.send(Feed::End).await.unwrap();
        first.closed().await;
        assert!(!jobs.is_receiving(whole) && jobs.is_receiving(half));
        jobs.stop();
        second.closed().await;
        assert!(jobs.is_receiving(half), "who sent it must not be told that it arrived");
    }

    #[tokio::test]
    async fn jobs_that_are_kept_are_bounded_and_those_that_have_ended_make_room() {
        let place = tempfile::tempdir().unwrap();
        let jobs = Jobs::new(Echo, Some(ledger(&place)));
        let first = jobs.start(lasting(1, Priority::Normal)).unwrap().id;
        until(&jobs, first, |view| view.state.is_end()).await;
        for _ in 1..lasting::LASTING {
            jobs.start(lasting(1 << 40, Priority::Low)).unwrap();
        }
        let last = jobs.start(lasting(1 << 40, Priority::Low)).unwrap().id;
        assert_eq!(jobs.watch(first).unwrap_err(), Refusal::Gone(first));
        assert_eq!(jobs.start(lasting(1, Priority::High)).unwrap_err(), Refusal::Full(lasting::LASTING));
        jobs.cancel(last).unwrap();
        assert!(jobs.start(lasting(1, Priority::High)).is_ok());
        jobs.stop();
    }

    fn insert() -> JobRequest {
        JobRequest::Insert(InsertRequest::default())
    }

    #[tokio::test]
    async fn a_job_reports_progress_and_its_end() {
        let jobs = Jobs::new(Echo, None);
        let id = jobs.start(insert()).unwrap().id;
        let input = jobs.input(id).unwrap();
        assert_eq!(jobs.input(id).unwrap_err(), Refusal::Taken);
        assert_eq!(jobs.output(id).unwrap_err(), Refusal::Taken);
        input.send(Feed::Chunk(Bytes::from_static(b"five!"))).await.unwrap();
        input.send(Feed::End).await.unwrap();
        let mut view = jobs.watch(id).unwrap();
        let end = view.wait_for(|view| view.state.is_end()).await.unwrap().clone();
        assert_eq!(end.progress.bytes, 5);
        assert!(matches!(end.state, JobState::Failed(failure) if failure.kind == FailureKind::NotFound));
    }

    #[tokio::test]
    async fn a_document_that_breaks_off_fails_its_job() {
        let jobs = Jobs::new(Echo, None);
        let id = jobs.start(insert()).unwrap().id;
        drop(jobs.input(id).unwrap());
        let mut view = jobs.watch(id).unwrap();
        let end = view.wait_for(|view| view.state.is_end()).await.unwrap().clone();
        assert!(matches!(end.state, JobState::Failed(failure) if failure.kind == FailureKind::Cancelled));
    }

    #[tokio::test]
    async fn jobs_at_work_are_bounded_and_cancelling_makes_room() {
        let jobs = Jobs::new(Echo, None);
        let fetch = || JobRequest::Fetch(FetchRequest::of(String::new()));
        let ids: Vec<_> = (0..RUNNING).map(|_| jobs.start(insert()).unwrap().id).collect();
        assert_eq!(jobs.start(fetch()).unwrap_err(), Refusal::Busy(RUNNING));
        jobs.cancel(ids[0]).unwrap();
        assert_eq!(jobs.watch(ids[0]).unwrap_err(), Refusal::Gone(ids[0]));
        assert!(jobs.start(fetch()).is_ok());
    }
}
