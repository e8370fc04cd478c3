//! What the socket saw: datagrams by kind and length, and what was thrown away.
//!
//! Guarantees that counting never blocks and never fails. The kinds of 1-RTT packets are told apart before they are
//! encrypted (`kind`), the rest at the socket.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::DATAGRAM_BYTES;

/// What a packet is there for, by the most telling frame in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketKind {
    /// Carries stream bytes: cells.
    Cells,
    /// Sets a connection up or keeps its identifiers fresh.
    Handshake,
    /// Acknowledgements and flow control only.
    Ack,
    /// Asks for a sign of life: keepalives and loss probes without data.
    Probe,
    /// Ends a connection.
    Close,
}

/// How many datagrams there were, by UDP payload length.
pub type Lengths = BTreeMap<usize, u64>;

/// Packets that were sent, by kind, each with its UDP payload length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Packets that carried cells. One length is expected.
    pub cells: Lengths,
    /// Handshake packets, counted by datagram.
    pub handshake: Lengths,
    /// Packets with nothing but acknowledgements and flow control.
    pub ack: Lengths,
    /// Keepalives and loss probes without data. A loss probe with data carries cells.
    pub probe: Lengths,
    /// Packets that end a connection.
    pub close: Lengths,
}

/// Counters shared by the socket and the connections of one node.
#[derive(Debug, Default)]
pub struct Counters {
    cells: AtomicU64,
    handshake: AtomicU64,
    ack: AtomicU64,
    probe: AtomicU64,
    close: AtomicU64,
    sent: AtomicU64,
    resets: AtomicU64,
    dropped: AtomicU64,
    retries: AtomicU64,
}

impl Counters {
    /// A datagram left; `handshake` by its first byte, `full` if QUIC had filled it itself.
    pub(super) fn on_datagram(&self, handshake: bool, full: bool) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if handshake {
            self.handshake.fetch_add(1, Ordering::Relaxed);
        } else if !full {
            self.resets.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A 1-RTT packet was built.
    pub(super) fn on_packet(&self, kind: PacketKind) {
        self.of(kind).fetch_add(1, Ordering::Relaxed);
    }

    /// A datagram came in that no node sent.
    pub(super) fn on_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// A stranger was asked to prove its address first.
    pub(super) fn on_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Strangers asked to prove their address.
    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Datagrams sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Stateless resets: what a peer gets that speaks on a connection this node has forgotten. Nothing else after the
    /// handshake is short of a full datagram; resets are padded like the handshake, and an observer can tell that they were.
    pub(super) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Relaxed)
    }

    /// Datagrams received and thrown away.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Packets by kind so far. The socket lets no other length out than the one stated here.
    pub(super) fn packets(&self) -> Packets {
        let lengths = |kind| match self.of(kind).load(Ordering::Relaxed) {
            0 => Lengths::new(),
            count => Lengths::from([(DATAGRAM_BYTES, count)]),
        };
        Packets {
            cells: lengths(PacketKind::Cells),
            handshake: lengths(PacketKind::Handshake),
            ack: lengths(PacketKind::Ack),
            probe: lengths(PacketKind::Probe),
            close: lengths(PacketKind::Close),
        }
    }

    const fn of(&self, kind: PacketKind) -> &AtomicU64 {
        match kind {
            PacketKind::Cells => &self.cells,
            PacketKind::Handshake => &self.handshake,
            PacketKind::Ack => &self.ack,
            PacketKind::Probe => &self.probe,
            PacketKind::Close => &self.close,
        }
    }
}
