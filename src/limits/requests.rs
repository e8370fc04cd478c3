//! Bounds of requests: how far, how long, how many, and what is remembered of them (protocol.md §3).
//!
//! Whatever a neighbour asks is refused beyond them, with the reason; memory stays as it is. Own commands have bounds of
//! their own, in `commands`.

use crate::limits::networks::NODE_REF_BYTES;
use crate::limits::wire::CELL_PAYLOAD_BYTES;
use crate::time::Duration;

/// Hops to live of a fresh request. Hyphanet ships 18; an ideal ring of 10^6 nodes needs 5.4 hops, so the rest is for
/// backtracking.
pub const MAX_HTL: u8 = 18;
/// Of so many keys a node ends the requests for one that have one hop to live; the others go on. Chosen: of probes with one hop
/// to live nearly all shall be answered as by the network. What goes on is bounded by the hops that may lead no closer.
pub const LAST_HOP_ENDS: u64 = 16;
/// Hops of one request that may lead no closer. protocol.md §3: a miss ends in bounded time.
pub const MAX_DETOURS: u8 = 4;
/// Open searches at one node. Chosen: sixteen links may use all that one link may. A request beyond it is refused as overload.
pub const SEARCHES: usize = 8_192;
/// Open requests one peer may have at this node. Chosen: half of that passes through a relay for a single asker (see
/// [`OWN_SHARE`] and protocol.md §9), which is the whole window of its node. A request beyond it is refused as overload.
pub const REQUESTS_PER_LINK: usize = 512;
/// One part in this many of what a neighbour takes from this node is left for this node's own requests and inserts, so
/// that a flood that passes through does not starve them. Chosen: 128 of 512, a window of 4 MiB.
pub const OWN_SHARE: usize = 4;
/// Waiters on one pending key. Chosen. A further asker is refused and goes on elsewhere.
pub const WAITERS_PER_KEY: usize = 32;

/// Life of a request, per hop it may still make. Chosen: a hop takes milliseconds, a silent neighbour two seconds.
pub const PATIENCE_PER_HOP: Duration = Duration::from_millis(1_500);
/// A search that takes longer than this is announced to its asker as going on. Measured: most end within milliseconds,
/// and a word for each would be one small message more a hop.
pub const ACCEPT_AFTER: Duration = Duration::from_millis(500);
/// A neighbour that has neither taken a request on nor answered it by now is silent; the next one is asked.
pub const ACCEPT_TIMEOUT: Duration = Duration::from_secs(2);
/// What each hop that a request may still make adds to that, for a neighbour that has taken it on; then the next one is
/// asked as well. Chosen: six seconds at the most, four such neighbours within the patience of the origin; and a node
/// goes on this much earlier than the one that asked it, time to be answered and to answer.
pub const ACCEPTED_PER_HOP: Duration = Duration::from_millis(250);
/// How long one hop of an insert may take, transfer of the block included.
pub const HOP_TIME: Duration = Duration::from_secs(1);
/// How long the sink waits for the nodes it offered a block to.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// Silent neighbours that an insert further down may have to step over before this node gives its own next hop up.
pub const INSERT_SILENCES: u8 = 2;
/// A neighbour that refused for load is not asked for this long.
pub const REST_AFTER_OVERLOAD: Duration = Duration::from_millis(200);
/// How often a request or insert of this node's own waits for such a rest to pass before it is answered as unavailable.
/// Chosen: two seconds in all.
pub const RESTS_FOR_LOAD: u8 = 10;
/// A neighbour that stayed silent is not asked for this long.
pub const REST_AFTER_SILENCE: Duration = Duration::from_secs(5);
/// A neighbour that broke a rule is not asked for this long.
pub const REST_AFTER_FAULT: Duration = Duration::from_secs(10);
/// Exchange ids remembered of late, so that a late answer is told from one nobody asked for. Chosen: 64 KiB, what a busy
/// node begins in seconds. An answer later than that counts as unasked.
pub const ISSUED_IDS: usize = 8_192;
/// How long they are remembered at least. Chosen: twice the patience of a request with all its hops to live.
pub const ISSUED_LIFE: Duration = Duration::from_secs(60);
/// Answers that nobody asked for, before the link is closed. Some may be too late to be recognised.
pub const UNASKED_TOLERATED: u32 = 256;
/// Blocks that do not match their key, before the link is closed.
pub const BAD_BLOCKS_TOLERATED: u32 = 2;
/// A key pending for longer than this binds nobody: the next asker gets a search of its own.
pub const PENDING_BINDS: Duration = Duration::from_secs(2);
/// Wait for a pending key before any answer time is known. protocol.md §3 rule 6.
pub const WAIT_START: Duration = Duration::from_millis(50);
/// Shortest wait for a pending key. Chosen: below it a refusal only adds traffic.
pub const WAIT_MIN: Duration = Duration::from_millis(2);
/// Longest wait for a pending key. protocol.md §3 rule 6.
pub const WAIT_MAX: Duration = Duration::from_millis(300);
/// Answer times remembered.
pub const ANSWER_TIMES: usize = 64;
/// The longest delay of a block from a node's own store that goes over a link for the first time, and how many times as long
/// as the shortest recent answer from one hop further it may be. Chosen: the cost of a fetch is half of that for each block;
/// and the spread has to be wide beside the hop that it hides. protocol.md §7 of the design, `anonymity.md` A8.
pub const HIT_DELAY_MOST: Duration = Duration::from_millis(250);
/// See [`HIT_DELAY_MOST`].
pub const HIT_DELAY_SPREAD: u32 = 4;
/// Blocks kept in memory while they are held back: 8 MiB. Chosen: as many as a link may ask for at once. At it a block is read
/// from the store once more instead.
pub const HITS_HELD_BACK: usize = 256;
/// What went over which link, remembered in all. Chosen: half a megabyte; what is forgotten is delayed once more.
pub const HITS_REMEMBERED: usize = 8_192;
/// Keys in the failed-recently table; beyond it failures are not remembered.
pub const FAILED_RECENTLY: usize = 4_096;
/// Life of a failed-recently entry. protocol.md §3: seconds, so that what is inserted now is found now.
pub const FAILED_RECENTLY_LIFE: Duration = Duration::from_secs(5);
/// One answer in this many names the passing node as its source. Hyphanet resets one in 20.
pub const SOURCE_SUBSTITUTION: u32 = 16;
/// Learned sources. Chosen: 72 bytes each.
pub const ROUTING_ENTRIES: usize = 10_000;
/// References in one reply: seven times 140 bytes fit a small message.
pub const REFERENCES_PER_REPLY: usize = 7;

const _: () = assert!(
    4 * (ACCEPT_TIMEOUT.as_millis() + MAX_HTL as u128 * ACCEPTED_PER_HOP.as_millis())
        < (MAX_HTL as u128 + 2) * PATIENCE_PER_HOP.as_millis()
);
const _: () = assert!((ACCEPT_AFTER.as_millis() + WAIT_MAX.as_millis()) * 2 < ACCEPT_TIMEOUT.as_millis());
const _: () = assert!(PATIENCE_PER_HOP.as_millis() * (MAX_HTL as u128 + 2) * 2 <= ISSUED_LIFE.as_millis());
const _: () = assert!(HIT_DELAY_MOST.as_millis() < ACCEPT_AFTER.as_millis());
const _: () = assert!(WAIT_MAX.as_millis() * 4 < ACCEPT_TIMEOUT.as_millis());
const _: () = assert!(REFERENCES_PER_REPLY * NODE_REF_BYTES <= CELL_PAYLOAD_BYTES);
