//! Sending: one stream per message, small messages ahead of blocks; or all of them in the rhythm of the link (`rhythm`).
//!
//! Guarantees: a small message never waits for a block of another message, only for QUIC's own window; bytes handed to
//! QUIC and not acknowledged are bounded per class. Leaves out loss and congestion: QUIC's.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use quinn::{Connection, SendStream};

use super::bucket::Bucket;
use super::queue::Queue;
use super::rhythm::{cells_of, send_in_rhythm};
use super::tempo::Tempo;
use crate::limits::{BLOCKS_UNDER_WAY, DATAGRAM_BYTES, SMALLS_UNDER_WAY};
use crate::message::class::Class;
use crate::time::Instant;
use crate::wire::frame::Frame;

/// The shared bandwidth limit of a node.
#[derive(Debug)]
pub(super) struct Throttle {
    bucket: Option<Mutex<Bucket>>,
    start: tokio::time::Instant,
}

impl Throttle {
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        Self { bucket: bytes_per_second.map(|rate| Mutex::new(Bucket::new(rate))), start: tokio::time::Instant::now() }
    }

    /// Waits until a message of `class` may leave.
    async fn pass(&self, class: Class) {
        let Some(bucket) = &self.bucket else { return };
        let now = Instant::EPOCH + self.start.elapsed() + HEAD_START;
        // A cell fills a datagram but for 64 bytes.
        let wait = bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now, class.cells() * DATAGRAM_BYTES);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Sends all that is queued, both classes side by side or in a rhythm; ends when the queue is closed and all of it has
/// arrived, or when the connection is gone.
pub(super) async fn send_all<M: Frame>(connection: &Connection, queue: &Queue<M>, throttle: &Throttle, tempo: &Tempo) {
    while connection.close_reason().is_none() {
        match tempo.rate() {
            Some(rate) => send_in_rhythm(connection, queue, rate, tempo).await,
            None => {
                tokio::join!(
                    send_class(connection, queue, throttle, tempo, Class::Small),
                    send_class(connection, queue, throttle, tempo, Class::Block),
                );
            }
        }
        if queue.closed().is_some() && queue.is_empty() {
            return;
        }
    }
}

/// Sends messages of a class as fast as they may leave, until the queue is closed or a rhythm begins.
async fn send_class<M: Frame>(
    connection: &Connection,
    queue: &Queue<M>,
    throttle: &Throttle,
    tempo: &Tempo,
    class: Class,
) {
    let most = under_way(class);
    let mut under_way = FuturesUnordered::new();
    let mut id = 0;
    loop {
        tokio::select! {
            biased;
            () = tempo.begins() => break,
            Some(_) = under_way.next(), if !under_way.is_empty() => {}
            message = queue.next(class), if under_way.len() < most => {
                let Some(message) = message else { break };
                let Some(cells) = cells_of(&message, id) else { continue };
                id = id.wrapping_add(1);
                throttle.pass(class).await;
                match send_one(connection, cells, class).await {
                    Ok(Some(stream)) => under_way.push(stream.stopped()),
                    Ok(None) => {}
                    Err(Gone) => return,
                }
            }
        }
    }
    while under_way.next().await.is_some() {}
}

/// Hands one message to QUIC. None if the peer does not want it and the link lives.
async fn send_one(connection: &Connection, cells: Bytes, class: Class) -> Result<Option<SendStream>, Gone> {
    let mut stream = connection.open_uni().await.map_err(|_| Gone)?;
    let _ = stream.set_priority(priority(class));
    match stream.write_chunk(cells).await {
        Ok(()) => {}
        Err(quinn::WriteError::Stopped(_)) => return Ok(None),
        Err(_) => return Err(Gone),
    }
    let _ = stream.finish();
    Ok(Some(stream))
}

/// The connection is gone.
struct Gone;

const fn under_way(class: Class) -> usize {
    match class {
        Class::Small => SMALLS_UNDER_WAY,
        Class::Block => BLOCKS_UNDER_WAY,
    }
}

const fn priority(class: Class) -> i32 {
    match class {
        Class::Small => 1,
        Class::Block => 0,
    }
}

/// Keeps the bucket's clock clear of zero, where its first burst would be cut short.
const HEAD_START: std::time::Duration = std::time::Duration::from_secs(60);
