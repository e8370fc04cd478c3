//! What does the jobs: handed a request and the two ends of its document, or the book of a job that lasts.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::book::Book;
use super::feed::Feed;
use super::report::Report;
use crate::daemon::job::{JobFailure, JobRequest, JobState};

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

    /// Goes on with a job that lasts, from where its book says that it was. Dropping the future stops it there.
    fn go_on(self, book: Book, report: Report) -> impl Future<Output = Result<JobState, JobFailure>> + Send;

    /// What is wrong with a job that is to last, if that can be seen at once.
    ///
    /// # Errors
    /// In a sentence.
    fn check(&self, request: &JobRequest) -> Result<(), JobFailure>;

    /// The time, in seconds since 1970.
    fn unix_seconds(&self) -> u64;
}
