//! A document on its way into a job, piece by piece.
//!
//! Guarantees that a document that breaks off is told from one that ends. Leaves out where the pieces come from.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::daemon::job::{FailureKind, JobFailure};
use crate::time::Duration;

/// A piece of a document on its way into the node.
#[derive(Clone, Debug)]
pub enum Feed {
    /// The next bytes.
    Chunk(Bytes),
    /// There are no more. Without it the document is not whole. The job closes its end once it has the whole document, on disk
    /// if it lasts.
    End,
    /// The rest cannot be had.
    Broken(JobFailure),
}

/// Receives the next piece of a document, as long as the client is patient enough.
///
/// # Errors
/// When the client stops sending, or what it sends breaks off.
pub async fn next_piece(input: &mut mpsc::Receiver<Feed>) -> Result<Feed, JobFailure> {
    match tokio::time::timeout(PATIENCE, input.recv()).await {
        Ok(Some(Feed::Broken(failure))) => Err(failure),
        Ok(Some(feed)) => Ok(feed),
        _ => Err(JobFailure {
            kind: FailureKind::Cancelled,
            sentence: "the client stopped sending the document".to_owned(),
        }),
    }
}

/// How long a job waits for its client. Chosen: longer than a person needs to unblock a pipe.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Pieces between a client and its job. Chosen: enough to overlap reading and sealing.
pub const CHANNEL: usize = 8;
