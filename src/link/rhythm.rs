//! A rhythm on its connection: one stream that opens with its announcement and carries a cell at every beat.
//!
//! Guarantees: what is handed to QUIC, and when, does not depend on what waits (`wire::rhythm`), and neither do streams and
//! flow control, because all cells are on one stream. Leaves out what QUIC adds: acknowledgements follow from what comes,
//! repetitions from what is lost.

use bytes::{Bytes, BytesMut};
use quinn::{Connection, ReadError, RecvStream};
use tokio::time::{Instant as Timer, sleep_until};

use super::event::OffenceDetail;
use super::queue::Queue;
use super::tempo::Tempo;
use crate::limits::CELL_BYTES;
use crate::time::Instant;
use crate::wire::cell::Cell;
use crate::wire::codec::{Budget, encode};
use crate::wire::frame::Frame;
use crate::wire::rhythm::{Heard, Rate, Rhythm};

/// Sends what is queued at `rate` until another one is wanted, the queue is closed and empty, or the connection is gone.
pub(super) async fn send_in_rhythm<M: Frame>(connection: &Connection, queue: &Queue<M>, rate: Rate, tempo: &Tempo) {
    let Ok(mut stream) = connection.open_uni().await else { return };
    let _ = stream.set_priority(PRIORITY);
    if stream.write_chunk(Rhythm::announcement(rate)).await.is_err() {
        return;
    }
    let (start, mut id) = (Timer::now(), 0_u32);
    let mut rhythm = Rhythm::new(rate, Instant::EPOCH);
    loop {
        sleep_until(start + rhythm.deadline().since(Instant::EPOCH)).await;
        let is_over = tempo.rate() != Some(rate) || (queue.closed().is_some() && queue.is_empty());
        if is_over && !rhythm.is_amid() {
            break;
        }
        let mut supply = |class| {
            id = id.wrapping_add(1);
            // One that cannot be encoded is a bug of ours, reported there; padding goes in its place.
            queue.pop(class).and_then(|message| cells_of(&message, id))
        };
        let Some(cell) = rhythm.beat(Instant::EPOCH + start.elapsed(), &mut supply) else { continue };
        tempo.note(rhythm.beats());
        if stream.write_chunk(cell).await.is_err() {
            return;
        }
    }
    let _ = stream.finish();
    // Either all of it has arrived, or the connection is gone.
    let _ = stream.stopped().await;
}

/// The cells of a message, in a rhythm or without; none if it cannot be encoded.
pub(super) fn cells_of<M: Frame>(message: &M, id: u32) -> Option<Bytes> {
    // A bound of the message type is wrong: our own bug, and no reason to lose the link.
    encode(message, id, Budget::LINK).inspect_err(|error| tracing::error!(%error, "a message is not sent")).ok()
}

/// A rhythm that is heard.
#[derive(Debug)]
pub(super) struct Listening {
    stream: RecvStream,
    rate: Rate,
    /// Of the next cell, what has come.
    buffer: BytesMut,
    heard: Heard,
}

impl Listening {
    /// Reads the announcement, of which `begun` has come already. None if the connection ended first.
    pub(super) async fn open(stream: RecvStream, begun: &[Bytes]) -> Result<Option<Self>, OffenceDetail> {
        let mut buffer = BytesMut::with_capacity(2 * CELL_BYTES);
        begun.iter().for_each(|chunk| buffer.extend_from_slice(chunk));
        let mut listening = Self { stream, rate: Rate::Slowest, buffer, heard: Heard::default() };
        let Some(cell) = listening.cell().await? else { return Ok(None) };
        let header = Cell::from_bytes(&cell).map_err(OffenceDetail::Malformed)?.header;
        listening.rate = Rate::of_cells(header.id).unwrap_or(Rate::Slowest);
        Ok(Some(listening))
    }

    /// At which rate it was announced.
    pub(super) const fn rate(&self) -> Rate {
        self.rate
    }

    /// The next cell; none at the end of the stream or of the connection. May be given up and called again.
    async fn cell(&mut self) -> Result<Option<Bytes>, OffenceDetail> {
        while self.buffer.len() < CELL_BYTES {
            match self.stream.read_chunk(CELL_BYTES, true).await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk.bytes),
                Ok(None) if self.buffer.is_empty() => return Ok(None),
                Err(ReadError::ConnectionLost(_)) => return Ok(None),
                Ok(None) | Err(_) => return Err(OffenceDetail::Abandoned),
            }
        }
        Ok(Some(self.buffer.split_to(CELL_BYTES).freeze()))
    }
}

/// The next message of a rhythm; none when it is over. May be given up and called again.
pub(super) async fn next<M: Frame>(listening: &mut Option<Listening>) -> Result<Option<M>, OffenceDetail> {
    let Some(listening) = listening else { return Ok(None) };
    loop {
        let Some(cell) = listening.cell().await? else { return Ok(None) };
        if let Some(message) = listening.heard.take(&cell).map_err(OffenceDetail::Malformed)? {
            return Ok(Some(message));
        }
    }
}

/// Ahead of what was still being sent when the rhythm began.
const PRIORITY: i32 = 2;
