//! Padded acknowledgements must not count as data under way.
//!
//! A packet that is padded counts as in flight (RFC 9002 §2), yet nobody acknowledges a packet that holds nothing but
//! acknowledgements. A node that mostly receives would fill its congestion window with them and then send nothing
//! any more; under loss two nodes fall silent for good. So each connection knows how many such packets are under way
//! and widens its window by exactly their bytes. Leaves congestion control itself to QUIC's own controller.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig};
use quinn_proto::RttEstimator;

use crate::limits::DATAGRAM_BYTES;

/// The packets of one connection that hold nothing but acknowledgements and have not been passed by an acknowledged one.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    packets: Mutex<VecDeque<u64>>,
    bytes: AtomicU64,
}

impl Unanswered {
    /// A packet of nothing but acknowledgements leaves.
    pub(super) fn on_sent(&self, packet: u64) {
        self.change(|packets| {
            packets.push_back(packet);
            // QUIC forgets the oldest at the same number.
            if packets.len() > QUIC_REMEMBERS {
                packets.pop_front();
            }
        });
    }

    /// The peer has acknowledged `largest`: QUIC settles everything before it as arrived or lost.
    pub(super) fn on_acknowledged(&self, largest: u64) {
        if self.bytes() > 0 {
            self.change(|packets| {
                while packets.front().is_some_and(|&packet| packet <= largest) {
                    packets.pop_front();
                }
            });
        }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut VecDeque<u64>)) {
        let mut packets = self.packets.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut packets);
        self.bytes.store((packets.len() * DATAGRAM_BYTES) as u64, Ordering::Relaxed);
    }
}

/// Makes the congestion controller of one connection.
#[derive(Debug)]
pub(super) struct WidenedFactory(pub(super) Arc<Unanswered>);

impl ControllerFactory for WidenedFactory {
    #[expect(clippy::disallowed_types, reason = "the signature is QUIC's")]
    fn build(self: Arc<Self>, now: std::time::Instant, current_mtu: u16) -> Box<dyn Controller> {
        let inner = Arc::new(CubicConfig::default()).build(now, current_mtu);
        Box::new(Widened { inner, unanswered: self.0.clone() })
    }
}

/// A congestion controller whose window does not shrink by acknowledgements under way.
struct Widened {
    inner: Box<dyn Controller>,
    unanswered: Arc<Unanswered>,
}

#[expect(clippy::disallowed_types, reason = "the signatures are QUIC's")]
impl Controller for Widened {
    fn on_sent(&mut self, now: std::time::Instant, bytes: u64, last_packet_number: u64) {
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: std::time::Instant,
        sent: std::time::Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.inner.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: std::time::Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        let in_flight = in_flight.saturating_sub(self.unanswered.bytes());
        self.inner.on_end_acks(now, in_flight, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: std::time::Instant,
        sent: std::time::Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.inner.on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.inner.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        self.inner.window() + self.unanswered.bytes()
    }

    fn metrics(&self) -> ControllerMetrics {
        self.inner.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { inner: self.inner.clone_box(), unanswered: self.unanswered.clone() })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// quinn-proto 0.11.19, `connection/spaces.rs`: so many packets without an acknowledged successor are remembered.
const QUIC_REMEMBERS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_acknowledged_packet_has_passed_no_longer_counts() {
        let unanswered = Unanswered::default();
        for packet in [3, 5, 9] {
            unanswered.on_sent(packet);
        }
        assert_eq!(unanswered.bytes(), 3 * DATAGRAM_BYTES as u64);
        unanswered.on_acknowledged(5);
        assert_eq!(unanswered.bytes(), DATAGRAM_BYTES as u64);
        unanswered.on_acknowledged(20);
        assert_eq!(unanswered.bytes(), 0);
    }

    #[test]
    fn no_more_are_counted_than_quic_remembers() {
        let unanswered = Unanswered::default();
        (0..5_000).for_each(|packet| unanswered.on_sent(packet));
        assert_eq!(unanswered.bytes(), (QUIC_REMEMBERS * DATAGRAM_BYTES) as u64);
    }
}
