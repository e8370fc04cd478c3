//! One fetch: blocks from the network into the machine, bytes from the machine to the client.
//!
//! Memory is bounded by the machine, which goes on when the client has taken what was delivered. What it rebuilt is
//! reinserted beside the fetch, which does not wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use crypto::reader::ReaderKey;
use data_encoding::BASE64URL_NOPAD;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet, yield_now};

use super::carrier::{Carrier, Sought};
use crate::daemon::chance;
use crate::daemon::handle::Stopped;
use crate::daemon::job::{FailureKind, Fetched, JobFailure, Opened};
use crate::daemon::jobs::feed::PATIENCE;
use crate::daemon::jobs::report::Report;
use crate::document::fetch::{Fetcher, Input, Options, Output, Start, Summary, Why};
use crate::document::handle::Handle;
use crate::document::layout::Geometry;
use crate::document::mime::Mime;
use crate::message::block::Block;

/// Beside what and when, how to fetch.
#[derive(Debug)]
pub(super) struct Way {
    /// The bytes wanted; all if none.
    pub(super) range: Option<Range<u64>>,
    /// What the client is told that the document is, where it is only a part of what is fetched.
    pub(super) file: Option<Opened>,
    /// Whether the node's own store may answer.
    pub(super) own_store: bool,
    /// Keys that what is sealed to readers is tried with.
    pub(super) readers: Vec<ReaderKey>,
    /// Bytes that the client has had from an earlier start of the job; they count as fetched.
    pub(super) begun: u64,
    /// Permits to reinsert rebuilt blocks.
    pub(super) repairs: Arc<Semaphore>,
}

/// Fetches the document that begins at `start` into `output`.
pub(super) async fn run(
    carrier: Carrier,
    start: Start,
    mut way: Way,
    report: Report,
    output: mpsc::Sender<Bytes>,
) -> Result<Fetched, JobFailure> {
    let began = carrier.now();
    let options = Options {
        window: carrier.window(),
        race: 0,
        order: u64::from_le_bytes(chance::bytes()),
        range: way.range.clone(),
        geometry: Geometry::STANDARD,
    };
    let machine = Fetcher::new(start, options).for_readers(std::mem::take(&mut way.readers));
    let out = Out { tasks: JoinSet::new(), handles: BTreeMap::new() };
    let (ready, seen, search) = (VecDeque::new(), Seen::default(), None);
    let mut job = Fetch { carrier, machine, way, report, output, ready, out, seen, search };
    let summary = job.run().await?;
    let seen = &job.seen;
    Ok(Fetched {
        found: None,
        bytes: summary.bytes,
        mime: Some(summary.mime.to_string()),
        blocks_fetched: summary.blocks_fetched,
        blocks_repaired: summary.blocks_repaired,
        served_locally: seen.own_store,
        hops: seen.hops as f64 / (seen.blocks.max(1)) as f64,
        seconds: job.carrier.now().since(began).as_secs_f64(),
        direct: job.carrier.is_direct(),
    })
}

struct Fetch {
    carrier: Carrier,
    machine: Fetcher,
    way: Way,
    report: Report,
    output: mpsc::Sender<Bytes>,
    /// Delivered by the machine and not yet taken by the client.
    ready: VecDeque<Bytes>,
    out: Out,
    seen: Seen,
    search: Option<(u32, u32)>,
}

/// Blocks that are being looked for.
struct Out {
    tasks: JoinSet<(Handle, Result<Sought, Stopped>)>,
    handles: BTreeMap<Handle, AbortHandle>,
}

/// What the answers said.
#[derive(Debug, Default)]
struct Seen {
    blocks: u64,
    hops: u64,
    own_store: u64,
}

impl Fetch {
    async fn run(&mut self) -> Result<Summary, JobFailure> {
        loop {
            if let Some(end) = self.drain().await {
                let summary = end?;
                self.hand_out_rest().await?;
                return Ok(summary);
            }
            self.wait().await?;
        }
    }

    /// Does what the machine wants; how the fetch ended, if it has.
    async fn drain(&mut self) -> Option<Result<Summary, JobFailure>> {
        self.machine.set_window(self.carrier.window());
        loop {
            // A step opens or rebuilds for up to a few milliseconds; others of this thread have their turn between two.
            yield_now().await;
            self.tell_search();
            match self.machine.poll_output()? {
                Output::Fetch { handle, key } => {
                    let (carrier, own_store) = (self.carrier.clone(), self.way.own_store);
                    let task = self.out.tasks.spawn(async move { (handle, carrier.fetch(key, own_store).await) });
                    self.out.handles.insert(handle, task);
                }
                Output::Cancel { handle } => {
                    if let Some(task) = self.out.handles.remove(&handle) {
                        task.abort();
                    }
                }
                Output::Opened { mime, length, digest } => self.opened(&mime, length, &digest),
                Output::Deliver(bytes) => self.ready.push_back(bytes),
                Output::Repair { block } => self.repair(block),
                Output::Done(summary) => return Some(Ok(summary)),
                Output::Failed(why) => return Some(Err(failure(why))),
            }
        }
    }

    /// Tells the client which search is going on.
    fn tell_search(&mut self) {
        let search = self.machine.search();
        if search != self.search {
            self.search = search;
            self.report.progress(|progress| progress.search = search);
        }
    }

    /// Tells the client what comes.
    fn opened(&self, mime: &Mime, length: u64, digest: &[u8; 32]) {
        let range = self.way.range.clone().unwrap_or(0..length);
        let wanted = range.end.min(length).saturating_sub(range.start);
        self.report.progress(|progress| progress.total_bytes = Some(self.way.begun + wanted));
        let whole = || Opened { mime: mime.to_string(), length, digest: BASE64URL_NOPAD.encode(digest) };
        self.report.opened(self.way.file.clone().unwrap_or_else(whole));
    }

    /// Waits for the network, the client or the machine's own timer.
    async fn wait(&mut self) -> Result<(), JobFailure> {
        let timer = self.machine.poll_timeout().map(|due| self.carrier.timer(due));
        tokio::select! {
            Some(ended) = self.out.tasks.join_next() => {
                // A task that was cancelled has nothing to say.
                if let Ok((handle, sought)) = ended {
                    self.out.handles.remove(&handle);
                    self.on_sought(handle, sought.map_err(|_| stopping())?)?;
                }
            }
            room = room(self.output.clone()), if !self.ready.is_empty() => {
                let piece = self.ready.pop_front().unwrap_or_default();
                let bytes = piece.len();
                room?.send(piece);
                self.on_handed_out(bytes);
            }
            () = rings(timer) => self.machine.handle_input(self.carrier.now(), Input::Timeout),
        }
        Ok(())
    }

    fn on_sought(&mut self, handle: Handle, sought: Sought) -> Result<(), JobFailure> {
        let input = match sought {
            Sought::Found { block, hops, own_store } => {
                self.seen.blocks += 1;
                self.seen.hops += u64::from(hops);
                self.seen.own_store += u64::from(own_store);
                self.report.progress(|progress| progress.blocks += 1);
                Input::BlockFound { handle, block }
            }
            Sought::Missing => Input::BlockMissing { handle },
            Sought::Nobody => return Err(nobody()),
        };
        self.machine.handle_input(self.carrier.now(), input);
        Ok(())
    }

    fn on_handed_out(&mut self, bytes: usize) {
        self.report.progress(|progress| progress.bytes += bytes as u64);
        self.machine.handle_input(self.carrier.now(), Input::Delivered { bytes });
    }

    async fn hand_out_rest(&mut self) -> Result<(), JobFailure> {
        while let Some(piece) = self.ready.pop_front() {
            let bytes = piece.len();
            room(self.output.clone()).await?.send(piece);
            self.report.progress(|progress| progress.bytes += bytes as u64);
        }
        Ok(())
    }

    /// Reinserts a rebuilt block if few others are being reinserted; a later fetch will rebuild it again otherwise.
    fn repair(&self, block: Block) {
        if let Ok(permit) = self.way.repairs.clone().try_acquire_owned() {
            let carrier = self.carrier.clone();
            tokio::spawn(async move {
                // Whether it worked shows when the next one looks for the block.
                let _ = carrier.insert(block).await;
                drop(permit);
            });
        }
    }
}

/// Waits until the client takes more, as long as is reasonable.
async fn room(output: mpsc::Sender<Bytes>) -> Result<mpsc::OwnedPermit<Bytes>, JobFailure> {
    match tokio::time::timeout(PATIENCE, output.reserve_owned()).await {
        Ok(Ok(room)) => Ok(room),
        _ => Err(JobFailure {
            kind: FailureKind::Cancelled,
            sentence: "the client stopped taking the document".to_owned(),
        }),
    }
}

/// Rings at `timer`; never if there is none.
pub(super) async fn rings(timer: Option<tokio::time::Instant>) {
    match timer {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn failure(why: Why) -> JobFailure {
    let kind = match why {
        Why::NotFound | Why::ManifestLost | Why::SegmentLost { .. } => FailureKind::NotFound,
        Why::OutOfRange { .. } => FailureKind::OutOfRange,
        _ => FailureKind::Failed,
    };
    let sentence = match why {
        Why::NotVerified => "the document does not open: the key in the URI is wrong".to_owned(),
        other => other.to_string(),
    };
    JobFailure { kind, sentence }
}

pub(super) fn nobody() -> JobFailure {
    JobFailure {
        kind: FailureKind::Unavailable,
        sentence: "no other node could be asked: is this node linked to any?".to_owned(),
    }
}

pub(super) fn stopping() -> JobFailure {
    JobFailure { kind: FailureKind::Unavailable, sentence: "the node is stopping".to_owned() }
}
