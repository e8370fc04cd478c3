//! Why a client's wish is refused, in the words that it reads.

use crate::daemon::job::{JobFailure, JobId};

/// Why a client's wish is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many jobs at work.
    #[error("{0} jobs are at work already; wait for one to end")]
    Busy(usize),
    /// Too many jobs that last.
    #[error("{0} jobs are kept already, and none of them has ended: cancel some, or wait")]
    Full(usize),
    /// There has been no such job.
    #[error("there is no such job")]
    Unknown,
    /// There was one.
    #[error("job {} is not there any more: it was cancelled, or has ended and was forgotten", .0.0)]
    Gone(JobId),
    /// The job's data can be sent or taken only once.
    #[error("this job's data is not to be had, or is being transferred already")]
    Taken,
    /// The job ends with its client.
    #[error("job {} ends with the command that began it: it can be cancelled, not paused or put in another order", .0.0)]
    NotLasting(JobId),
    /// The document of the job is not there yet.
    #[error("the document of this job is still coming in: pause it when that is done, or cancel it")]
    Receiving,
    /// Nothing is left to be paused or resumed.
    #[error("this job has ended already")]
    Ended,
    /// The node keeps no jobs.
    #[error("this node keeps no jobs")]
    NotHere,
    /// It cannot be begun.
    #[error(transparent)]
    Failed(JobFailure),
}
