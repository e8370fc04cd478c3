//! Bounds of links: how many, how much is under way, how long anything may take (protocol.md §6).
//!
//! A peer beyond them is refused as full, slowed by QUIC, or malformed, as each says. Lengths on the wire are in `wire`.

use crate::limits::wire::{BLOCK_CELLS, CELL_PAYLOAD_BYTES};
use crate::time::Duration;

/// UDP payload of every datagram, bytes. RFC 9000: every path carries 1,200. A datagram of another length is dropped.
pub const DATAGRAM_BYTES: usize = 1_200;
/// Links at once. protocol.md §7: warm links to 128 exits, as many again for neighbours and clients. A further peer is
/// refused as full, a further dial fails.
pub const LINKS: usize = 256;
/// Links and handshakes with one address group. Chosen: one crowded building must not fill a node. A further one is
/// refused as full.
pub const LINKS_PER_GROUP: usize = 8;
/// Handshakes of strangers at once. Chosen: 64 cost 5 ms of signing. A further one is ignored.
pub const HANDSHAKES: usize = 64;
/// From this many handshakes on, a stranger first proves its address (Retry). Chosen.
pub const HANDSHAKES_UNPROVEN: usize = 16;
/// How long a handshake, a dial included, may take. Chosen: three lost packets at the starting estimate of a round trip.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(8);
/// Block messages under way to one peer, sent and not acknowledged. Measured: 4 MiB under way reach full speed.
pub const BLOCKS_UNDER_WAY: usize = 128;
/// Small messages under way to one peer. Chosen: as many as blocks, so that neither takes the other's streams.
pub const SMALLS_UNDER_WAY: usize = 128;
/// Messages of one peer being read at once; with a block each, 8.3 MiB. QUIC holds the peer to it.
pub const STREAMS_PER_LINK: usize = BLOCKS_UNDER_WAY + SMALLS_UNDER_WAY;
/// Bytes one peer may have sent that have not been read, over all its messages. Measured: 4 MiB reach full speed.
pub const LINK_WINDOW_BYTES: u32 = 4 << 20;
/// How long one message may take from its first byte to its last. Chosen. The peer that is slower is malformed.
pub const MESSAGE_TIME: Duration = Duration::from_secs(30);
/// Bytes waiting to be sent to one peer at which the link counts as behind. Chosen: a second at 4 MiB/s.
pub const QUEUE_HIGH_BYTES: usize = 4 << 20;
/// Bytes at which a link that was behind no longer is.
pub const QUEUE_LOW_BYTES: usize = 1 << 20;
/// Bytes waiting to be sent to one peer beyond which the newest message is dropped and counted. Chosen: what was under
/// way when the link fell behind still finds room.
pub const QUEUE_HARD_BYTES: usize = 8 << 20;
/// How long a link that is being closed may take to send what was queued.
pub const CLOSE_TIME: Duration = Duration::from_secs(5);
/// How long a second connection of a linked peer must live before it replaces the first: longer than the close of a
/// cancelled dial is on its way.
pub const REPLACE_AFTER: Duration = Duration::from_millis(500);
/// Rhythms that a node keeps at once because peers keep them. Chosen: at the fastest class 12 MB a second. A further link goes on
/// without, and its peer can see that.
pub const RHYTHMS_FOR_OTHERS: usize = 32;
/// Events waiting for the node. Chosen. While they wait, nothing more is read from the peers.
pub const LINK_EVENTS: usize = 256;
/// Largest genesis that is served and accepted, bytes: one small message.
pub const GENESIS_BYTES: usize = CELL_PAYLOAD_BYTES;

const _: () = assert!(QUEUE_LOW_BYTES < QUEUE_HIGH_BYTES && QUEUE_HIGH_BYTES < QUEUE_HARD_BYTES);
const _: () = assert!(LINK_WINDOW_BYTES as usize >= BLOCKS_UNDER_WAY * BLOCK_CELLS * 1_024);

/// A peer that says nothing for this long, not even a keepalive, is gone.
pub const LINK_IDLE: Duration = Duration::from_secs(12);
/// How often an idle link is kept alive.
pub const LINK_KEEPALIVE: Duration = Duration::from_secs(4);

const _: () = assert!(LINK_IDLE.as_secs() >= 3 * LINK_KEEPALIVE.as_secs());
