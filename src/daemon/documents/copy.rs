//! One document from one network to another, block by block as it is: what a gateway does with documents that its operator
//! names.
//!
//! Its length is known before the first block is copied. Check blocks are copied only where a data block was missing.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::carrier::{Carrier, Stored};
use super::fetch::{self, Way};
use crate::daemon::handle::Stopped;
use crate::daemon::job::{FailureKind, JobFailure};
use crate::daemon::jobs::report::Report;
use crate::document::fetch::Start;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;

/// A document that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its length in bytes.
    pub bytes: u64,
    /// The keys of its blocks.
    pub keys: Vec<RoutingKey>,
}

/// Reads the document that begins at `start` through `source` and stores its blocks through `target`.
pub(super) async fn run(
    source: Carrier,
    (start, way): (Start, Way),
    target: Option<Carrier>,
    largest: Option<u64>,
) -> Result<Copied, JobFailure> {
    let (report, view) = Report::alone();
    let (witness, mut found) = mpsc::channel(AT_ONCE);
    let (output, content) = mpsc::channel(AT_ONCE);
    let reading = fetch::run(source.seen_by(witness), start, way, report, output);
    let copying = async {
        let mut copy = Copy { target, held: Vec::new(), keys: Vec::new(), out: JoinSet::new(), room: room() };
        while let Some(block) = found.recv().await {
            copy.keys.push(block.key());
            let length = view.borrow().progress.total_bytes;
            copy.take(block, length, largest).await?;
        }
        let length = view.borrow().progress.total_bytes;
        copy.end(length, largest).await
    };
    let (read, keys, ()) = tokio::try_join!(reading, copying, drain(content))?;
    Ok(Copied { bytes: read.bytes, keys })
}

/// Blocks on their way.
struct Copy {
    target: Option<Carrier>,
    /// Found before the length of the document was known.
    held: Vec<Block>,
    keys: Vec<RoutingKey>,
    out: JoinSet<Result<Stored, Stopped>>,
    room: Arc<Semaphore>,
}

impl Copy {
    async fn take(&mut self, block: Block, length: Option<u64>, largest: Option<u64>) -> Result<(), JobFailure> {
        self.held.push(block);
        match length {
            None if self.held.len() > limits::GATEWAY_HELD => {
                Err(failed(FailureKind::Failed, "the document does not say how long it is".to_owned()))
            }
            None => Ok(()),
            Some(length) => {
                check(length, largest)?;
                self.send().await
            }
        }
    }

    async fn send(&mut self) -> Result<(), JobFailure> {
        for block in std::mem::take(&mut self.held) {
            let Some(target) = self.target.clone() else { continue };
            let room = self.room.clone().acquire_owned().await.expect("the semaphore is never closed");
            self.out.spawn(async move {
                let stored = target.insert(block).await;
                drop(room);
                stored
            });
            while let Some(done) = self.out.try_join_next() {
                judge(done)?;
            }
        }
        Ok(())
    }

    async fn end(mut self, length: Option<u64>, largest: Option<u64>) -> Result<Vec<RoutingKey>, JobFailure> {
        if let Some(length) = length {
            check(length, largest)?;
            self.send().await?;
        }
        while let Some(done) = self.out.join_next().await {
            judge(done)?;
        }
        Ok(self.keys)
    }
}

fn check(length: u64, largest: Option<u64>) -> Result<(), JobFailure> {
    match largest.filter(|largest| length > *largest) {
        Some(largest) => {
            let sentence = format!("the document has {length} bytes, and the largest to be carried has {largest}");
            Err(failed(FailureKind::BadRequest, sentence))
        }
        None => Ok(()),
    }
}

fn judge(done: Result<Result<Stored, Stopped>, tokio::task::JoinError>) -> Result<(), JobFailure> {
    match done {
        // Where another block stands it is the same one, or a name that somebody else has written.
        Ok(Ok(Stored::Enough(_) | Stored::Collided(_))) => Ok(()),
        _ => Err(failed(FailureKind::Unavailable, "too few nodes keep a block of the document".to_owned())),
    }
}

/// Takes the content and forgets it.
async fn drain(mut content: mpsc::Receiver<Bytes>) -> Result<(), JobFailure> {
    while content.recv().await.is_some() {}
    Ok(())
}

fn room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_ONCE))
}

const fn failed(kind: FailureKind, sentence: String) -> JobFailure {
    JobFailure { kind, sentence }
}

/// Blocks stored at once. Chosen: half the window of an insert at its start.
const AT_ONCE: usize = 16;
