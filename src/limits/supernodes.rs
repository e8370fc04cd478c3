//! Bounds of the overlay `supernode`: what supernodes keep for their leaves, and the figures of dynamic querying.
//!
//! The figures are those of the proposal for Gnutella 0.6 (Fisk 2003).

use crate::limits::calls::CALL_CONTACTS;
use crate::limits::wire::CELL_PAYLOAD_BYTES;
use crate::time::Duration;

/// Leaves that a supernode takes for each that the network means it to have. Chosen: so that those of a dead neighbour
/// find a place. A further one is refused.
pub const LEAVES_OVER: usize = 2;
/// How often a supernode has one of its leaves rise, at most. Chosen: newcomers have found the one before by then.
pub const PROMOTION_EVERY: Duration = Duration::from_secs(60);
/// Documents that one leaf can have listed. A further one is not listed. Chosen: as at an index server.
pub const LEAF_SHARES: usize = 1 << 16;
/// Keys that one message lists.
pub const KEYS_PER_SHARE: usize = 32;
/// Searches that a supernode leads at once. A further one is over at once.
pub const LED_SEARCHES: usize = 4_096;
/// Searches that it leads for one leaf. For a further one that gives way which has found something and has gone on longest;
/// if there is none, the further one is over at once.
pub const SEARCHES_PER_LEAF: usize = 64;
/// Links that the probe of a search goes to.
pub const PROBE_LINKS: usize = 3;
/// Hops of the probe.
pub const PROBE_TTL: u8 = 2;
/// How long its hits are waited for.
pub const PROBE_WAIT: Duration = Duration::from_secs(6);
/// How long hits are waited for after each further link, for each hop of the query.
pub const DYNAMIC_HOP_WAIT: Duration = Duration::from_millis(2_400);
/// A search that nobody has ended is given up after this long. Chosen: forty links at four hops.
pub const LED_TIME: Duration = Duration::from_secs(400);
/// How long a hit is waited for after the end of its search was told. Chosen: longer than nearly any way between two nodes.
pub const OVER_GRACE: Duration = Duration::from_secs(2);
/// Most hops of a query among supernodes.
pub const SUPERNODE_HOPS: u8 = 4;
/// Most results that a search may want.
pub const RESULTS_MOST: u32 = 10_000;
/// Holders that one supernode names of one document, in as many messages as it takes. Further ones are not named.
pub const HOLDERS_NAMED: usize = 10 * CALL_CONTACTS;

const _: () = assert!(KEYS_PER_SHARE * 32 + 40 <= CELL_PAYLOAD_BYTES);
const _: () = assert!(PROBE_TTL <= SUPERNODE_HOPS);
