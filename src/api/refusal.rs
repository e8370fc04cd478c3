//! Errors as clients read them: a status and `{"error": sentence}`.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::daemon::job::{FailureKind, JobFailure};
use crate::daemon::jobs::Refusal;

/// A refusal on its way out.
pub(super) type Refused = (StatusCode, Json<Value>);

/// A refusal in a sentence.
pub(super) fn refusal(status: StatusCode, sentence: &str) -> Refused {
    (status, Json(json!({ "error": sentence })))
}

/// A refusal of the table of jobs.
pub(super) fn refused(reason: Refusal) -> Refused {
    let status = match &reason {
        Refusal::Busy(_) | Refusal::Full(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unknown | Refusal::Gone(_) => StatusCode::NOT_FOUND,
        Refusal::Taken | Refusal::NotLasting(_) | Refusal::Receiving | Refusal::Ended => StatusCode::CONFLICT,
        Refusal::NotHere => StatusCode::NOT_IMPLEMENTED,
        Refusal::Failed(failure) => return failed(failure),
    };
    refusal(status, &reason.to_string())
}

/// The end of a job that failed.
pub(super) fn failed(failure: &JobFailure) -> Refused {
    let status = match failure.kind {
        FailureKind::BadRequest => StatusCode::BAD_REQUEST,
        FailureKind::NotFound => StatusCode::NOT_FOUND,
        FailureKind::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
        FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FailureKind::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        FailureKind::Cancelled | FailureKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refusal(status, &failure.sentence)
}

/// The job is not there any more.
pub(super) fn ended() -> Refused {
    refusal(StatusCode::GONE, "the job has ended")
}

/// The node is on its way out.
pub(super) fn stopping() -> Refused {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "the node is stopping")
}
