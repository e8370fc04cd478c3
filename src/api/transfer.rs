//! The bytes of a job's document, as the body of a request and of an answer.
//!
//! Guarantees that whoever stops sending is not waited for longer than a job waits for its client.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::refusal::{Refused, refusal};
use crate::daemon::jobs::feed::PATIENCE;

/// What comes out of `output`; `keep` lives as long as it is read.
pub(super) fn body(output: mpsc::Receiver<Bytes>, keep: impl Send + 'static) -> Body {
    let pieces = stream::unfold((output, keep), |(mut output, keep)| async move {
        output.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), (output, keep)))
    });
    Body::from_stream(pieces)
}

/// The next piece of what a client sends.
pub(super) async fn next<P>(pieces: &mut (impl Stream<Item = P> + Unpin)) -> Result<Option<P>, Refused> {
    let late = |_| refusal(StatusCode::REQUEST_TIMEOUT, "the document stopped coming");
    tokio::time::timeout(PATIENCE, pieces.next()).await.map_err(late)
}
