//! Receiving: one message per stream, read whole, decoded, handed on.
//!
//! Guarantees: refuses a stream at its first wrong byte, and one that stops half way or takes too long; reads at most a
//! block message of it, and at most [`STREAMS_PER_LINK`] streams at once; when the node is slow, reading stops and QUIC
//! holds the peer back. The time that the node itself held a stream up does not count. A stream that opens with a rhythm
//! goes on without end and is heard beside the others; there is one at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use quinn::{Connection, ConnectionError, ReadError, RecvStream};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::event::{LinkEvent, OffenceDetail};
use super::rhythm::{self, Listening};
use super::tempo::Tempo;
use crate::id::NodeId;
use crate::limits::{MESSAGE_TIME, STREAMS_PER_LINK};
use crate::wire::cell::Kind;
use crate::wire::frame::Frame;
use crate::wire::joiner::Joiner;
use crate::wire::malformed::Malformed;

/// Why receiving ended.
pub(super) enum End {
    /// The connection is gone.
    Gone(ConnectionError),
    /// The peer broke a rule.
    Offence(OffenceDetail),
}

/// Hands every message of `peer` to the node until the connection ends or a rule is broken.
pub(super) async fn receive_all<M: Frame>(
    connection: &Connection,
    peer: NodeId,
    events: &mpsc::Sender<LinkEvent<M>>,
    tempo: &Tempo,
) -> End {
    let mut listening: Option<Listening> = None;
    let mut reads = FuturesUnordered::new();
    let mut ages = Ages::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut gone = None;
    loop {
        if let (Some(error), true) = (&gone, reads.is_empty() && listening.is_none()) {
            return End::Gone(ConnectionError::clone(error));
        }
        tokio::select! {
            biased;
            _ = ticks.tick(), if !reads.is_empty() => {
                if ages.tick() {
                    return End::Offence(OffenceDetail::Stalled);
                }
            }
            Some((serial, read)) = reads.next(), if !reads.is_empty() => {
                ages.end(serial);
                match read {
                    Ok(Read::Message(message)) => hand_on(events, peer, message).await,
                    Ok(Read::Rhythm(opened)) if listening.is_none() => {
                        tempo.hear(Some(opened.rate()));
                        listening = Some(opened);
                    }
                    Ok(Read::Rhythm(_)) => return End::Offence(OffenceDetail::Malformed(Malformed::TooMany)),
                    Ok(Read::Nothing) => {}
                    Err(detail) => return End::Offence(detail),
                }
            }
            heard = rhythm::next::<M>(&mut listening), if listening.is_some() => match heard {
                Ok(Some(message)) => hand_on(events, peer, message).await,
                Ok(None) => {
                    listening = None;
                    tempo.hear(None);
                }
                Err(detail) => return End::Offence(detail),
            },
            stream = connection.accept_uni(), if gone.is_none() && reads.len() < STREAMS_PER_LINK => match stream {
                Ok(stream) => reads.push(read_one::<M>(ages.begin(), stream)),
                // What has arrived whole is still read.
                Err(error) => gone = Some(error),
            },
        }
    }
}

async fn hand_on<M: Frame>(events: &mpsc::Sender<LinkEvent<M>>, peer: NodeId, message: M) {
    // Nobody listens any more: the node stops, and so will this link.
    let _ = events.send(LinkEvent::Message { from: peer, message }).await;
}

/// What a stream turned out to be.
enum Read<M> {
    Message(M),
    Rhythm(Listening),
    /// The connection ended first.
    Nothing,
}

/// Reads one stream, or the first cell of a rhythm.
async fn read_one<M: Frame>(serial: u64, mut stream: RecvStream) -> (u64, Result<Read<M>, OffenceDetail>) {
    let mut joiner = Joiner::default();
    let mut chunks: [Bytes; CHUNKS] = std::array::from_fn(|_| Bytes::new());
    let mut is_begun = false;
    let read = loop {
        match stream.read_chunks(&mut chunks).await {
            Ok(Some(count)) => {
                let is_first = !std::mem::replace(&mut is_begun, true);
                if is_first && chunks[0].first() == Some(&Kind::Rhythm.to_byte()) {
                    break Listening::open(stream, &chunks[..count]).await.map(|opened| match opened {
                        Some(opened) => Read::Rhythm(opened),
                        None => Read::Nothing,
                    });
                }
                if let Err(malformed) = chunks[..count].iter().try_for_each(|chunk| joiner.take(chunk)) {
                    break Err(OffenceDetail::Malformed(malformed));
                }
            }
            Ok(None) => break joiner.finish().map(Read::Message).map_err(OffenceDetail::Malformed),
            Err(ReadError::ConnectionLost(_)) => break Ok(Read::Nothing),
            Err(_) => break Err(OffenceDetail::Abandoned),
        }
    };
    (serial, read)
}

/// How many ticks ago each unfinished stream began. Ticks pass only while this side is reading.
#[derive(Default)]
struct Ages {
    now: u32,
    next: u64,
    begun: BTreeMap<u64, u32>,
}

impl Ages {
    fn begin(&mut self) -> u64 {
        self.next += 1;
        self.begun.insert(self.next, self.now);
        self.next
    }

    fn end(&mut self, serial: u64) {
        self.begun.remove(&serial);
    }

    /// A tick has passed; whether the oldest stream is too old now.
    fn tick(&mut self) -> bool {
        self.now += 1;
        self.begun.first_key_value().is_some_and(|(_, begun)| self.now - begun > TICKS)
    }
}

/// Pieces taken from QUIC at once: a block arrives in 30 packets.
const CHUNKS: usize = 32;
const TICK: Duration = Duration::from_secs(5);
const TICKS: u32 = (MESSAGE_TIME.as_secs() / TICK.as_secs()) as u32;

const _: () = assert!(TICKS >= 2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_too_old_after_its_time_and_a_finished_one_never() {
        let mut ages = Ages::default();
        let finished = ages.begin();
        assert!(!ages.tick());
        let slow = ages.begin();
        ages.end(finished);
        for _ in 0..TICKS {
            assert!(!ages.tick());
        }
        assert!(ages.tick());
        ages.end(slow);
        assert!(!ages.tick());
    }
}
