//! The UDP socket under QUIC: every datagram that leaves has one length, and none of another length comes in.
//!
//! Guarantees: segmentation offload stays on in both directions, and a batch of full datagrams, which is what cells
//! travel in, passes without a copy. Leaves out the kinds of packets, which only QUIC can tell (see `count`).

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

use super::count::Counters;
use super::datagram::{inner_bytes, is_full, is_handshake, padded};
use crate::limits::DATAGRAM_BYTES;

/// Wraps the socket that QUIC would use itself.
pub struct PaddedSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    counters: Arc<Counters>,
    /// Padded datagrams taken out of a batch, each on its way to QUIC on its own. Bounded by one batch.
    short: Mutex<VecDeque<(RecvMeta, Vec<u8>)>>,
}

impl PaddedSocket {
    /// Wraps `inner` and reports to `counters`.
    pub fn new(inner: Arc<dyn AsyncUdpSocket>, counters: Arc<Counters>) -> Self {
        Self { inner, counters, short: Mutex::default() }
    }

    fn send_padded(&self, transmit: &Transmit<'_>, segment: usize) -> io::Result<()> {
        let segments = transmit.contents.len().div_ceil(segment);
        let mut contents = Vec::with_capacity(segments * DATAGRAM_BYTES);
        for inner in transmit.contents.chunks(segment) {
            match is_full(inner) {
                true => contents.extend_from_slice(inner),
                false => padded(inner, &mut contents),
            }
        }
        let segment_size = (segments > 1).then_some(DATAGRAM_BYTES);
        self.inner.try_send(&Transmit { contents: &contents, segment_size, ..transmit.clone() })
    }

    /// Hands out what an earlier batch left behind.
    fn take_short(&self, bufs: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta]) -> usize {
        let mut short = self.short.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = 0;
        for (buf, meta) in bufs.iter_mut().zip(metas) {
            let Some((from, bytes)) = short.pop_front() else { break };
            buf[..bytes.len()].copy_from_slice(&bytes);
            *meta = from;
            taken += 1;
        }
        taken
    }

    /// Leaves the full datagrams of a received batch in place, closed up, and sets the others aside or drops them.
    fn sort(&self, buf: &mut [u8], meta: &mut RecvMeta) {
        let (len, stride) = (meta.len, meta.stride.max(1));
        meta.len = 0;
        meta.stride = DATAGRAM_BYTES;
        for start in (0..len).step_by(stride) {
            let datagram = &mut buf[start..len.min(start + stride)];
            match inner_bytes(datagram) {
                Some(DATAGRAM_BYTES) => {
                    if meta.len != start {
                        buf.copy_within(start..start + DATAGRAM_BYTES, meta.len);
                    }
                    meta.len += DATAGRAM_BYTES;
                }
                Some(inner) => self.set_aside(&datagram[..inner], meta),
                None => self.counters.on_dropped(),
            }
        }
    }

    fn set_aside(&self, inner: &[u8], meta: &RecvMeta) {
        let alone = RecvMeta { len: inner.len(), stride: inner.len(), ..*meta };
        self.short.lock().unwrap_or_else(PoisonError::into_inner).push_back((alone, inner.to_vec()));
    }
}

impl AsyncUdpSocket for PaddedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.inner.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len());
        if segment == DATAGRAM_BYTES && transmit.contents.len().is_multiple_of(DATAGRAM_BYTES) {
            self.inner.try_send(transmit)?;
        } else {
            self.send_padded(transmit, segment)?;
        }
        for inner in transmit.contents.chunks(segment) {
            self.counters.on_datagram(is_handshake(inner), is_full(inner));
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let left = self.take_short(bufs, metas);
        if left > 0 {
            return Poll::Ready(Ok(left));
        }
        let received = ready!(self.inner.poll_recv(cx, bufs, metas))?;
        for (buf, meta) in bufs.iter_mut().zip(metas).take(received) {
            self.sort(buf, meta);
        }
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}

impl fmt::Debug for PaddedSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PaddedSocket").field("inner", &self.inner).finish_non_exhaustive()
    }
}
