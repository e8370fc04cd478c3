//! The bytes of a job's document as the body of an answer.

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;

/// What comes out of `output`; `keep` lives as long as it is read.
pub(super) fn body(output: mpsc::Receiver<Bytes>, keep: impl Send + 'static) -> Body {
    let pieces = stream::unfold((output, keep), |(mut output, keep)| async move {
        output.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), (output, keep)))
    });
    Body::from_stream(pieces)
}
