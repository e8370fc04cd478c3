//! Every bound, its reason, and what happens at it.
//!
//! Whatever a peer or a caller can make grow is listed here (protocol.md §9). A bound names its source: measured, taken
//! from a paper, or plainly chosen. Relations between bounds are checked when the crate is compiled.

use crate::time::Duration;

// ---- networks and nodes -------------------------------------------------------------------------------------------

/// Longest name of a network, bytes. Chosen: a line of text. A longer one is refused.
pub const GENESIS_NAME_BYTES: usize = 64;
/// Most founding members. Chosen: a genesis (16 × 32 bytes and its parameters) fits one small message.
pub const GENESIS_MEMBERS: usize = 16;
/// Witnesses of a location. protocol.md §5: three, so that one colluder cannot decide it.
pub const WITNESSES: usize = 3;
/// Life of a certificate, days. protocol.md §5. An older one counts as none.
pub const CERTIFICATE_DAYS: u32 = 30;
/// Largest encoded certificate, bytes. protocol.md §5; a test encodes the largest.
pub const CERTIFICATE_BYTES: usize = 400;
/// Largest encoded node reference, bytes; a test encodes the largest. A signed block (640) and a reference share one
/// small message.
pub const NODE_REF_BYTES: usize = 160;

// ---- wire -----------------------------------------------------------------------------------------------------------

/// Payload of a small message and of each cell, bytes: one onion packet of the small class.
pub const CELL_PAYLOAD_BYTES: usize = 1_120;
/// Link header of a cell, bytes.
pub const CELL_HEADER_BYTES: usize = 16;
/// A cell as it travels, bytes (protocol.md §6).
pub const CELL_BYTES: usize = CELL_HEADER_BYTES + CELL_PAYLOAD_BYTES;
/// Cells of a message that carries a block.
pub const BLOCK_CELLS: usize = 30;
/// Payload of a block-class message, bytes.
pub const BLOCK_PAYLOAD_BYTES: usize = BLOCK_CELLS * CELL_PAYLOAD_BYTES;
/// Header of an onion packet with room for four layers, bytes. Onions come later; the room is reserved now.
pub const ONION_HEADER_BYTES: usize = 416;
/// Block-class messages of one link that may be begun and not finished. Chosen: 64 hold 2 MiB. The peer that begins one
/// more is malformed.
pub const ASSEMBLIES: usize = 64;

const _: () = assert!(CELL_BYTES == 1_136);
const _: () = assert!(BLOCK_PAYLOAD_BYTES == 33_600);
const _: () = assert!(BLOCK_PAYLOAD_BYTES - ONION_HEADER_BYTES == crypto::content::SEALED_BYTES + 400);
const _: () = assert!(CELL_PAYLOAD_BYTES - ONION_HEADER_BYTES == crypto::signed::SIGNED_BYTES + 64);

// ---- requests -------------------------------------------------------------------------------------------------------

/// Hops to live of a fresh request. Hyphanet ships 18; an ideal ring of 10^6 nodes needs 5.4 hops, so the rest is for
/// backtracking.
pub const MAX_HTL: u8 = 18;
/// Hops of one request that may lead no closer. protocol.md §3: a miss ends in bounded time.
pub const MAX_DETOURS: u8 = 4;
/// Open searches at one node. Chosen: 4,096 blocks are 128 MiB, what a node can pass on in a minute at 2 MiB/s. A
/// request beyond it is refused as overload.
pub const SEARCHES: usize = 4_096;
/// Open requests one peer may have at this node. Chosen: a document window of 128 blocks twice over. A request beyond
/// it is refused as overload.
pub const REQUESTS_PER_LINK: usize = 256;
/// Waiters on one pending key. Chosen. A further asker is refused and goes on elsewhere.
pub const WAITERS_PER_KEY: usize = 32;

/// Life of a request, per hop it may still make. Chosen: a hop takes milliseconds, a silent neighbour two seconds.
pub const PATIENCE_PER_HOP: Duration = Duration::from_millis(1_500);
/// A search that takes longer than this is announced to its asker as going on. Measured: most end within milliseconds,
/// and a word for each would be one small message more a hop.
pub const ACCEPT_AFTER: Duration = Duration::from_millis(500);
/// A neighbour that has neither taken a request on nor answered it by now is silent; the next one is asked.
pub const ACCEPT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one hop of an insert may take, transfer of the block included.
pub const HOP_TIME: Duration = Duration::from_secs(1);
/// How long the sink waits for the nodes it offered a block to.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// Silent neighbours that an insert further down may have to step over before this node gives its own next hop up.
pub const INSERT_SILENCES: u8 = 2;
/// A neighbour that refused for load is not asked for this long.
pub const REST_AFTER_OVERLOAD: Duration = Duration::from_millis(200);
/// A neighbour that stayed silent is not asked for this long.
pub const REST_AFTER_SILENCE: Duration = Duration::from_secs(5);
/// A neighbour that broke a rule is not asked for this long.
pub const REST_AFTER_FAULT: Duration = Duration::from_secs(10);
/// Answers that nobody asked for, before the link is closed. Late answers to questions given up are honest.
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

const _: () = assert!((ACCEPT_AFTER.as_millis() + WAIT_MAX.as_millis()) * 2 < ACCEPT_TIMEOUT.as_millis());
const _: () = assert!(WAIT_MAX.as_millis() * 4 < ACCEPT_TIMEOUT.as_millis());
const _: () = assert!(REFERENCES_PER_REPLY * NODE_REF_BYTES <= CELL_PAYLOAD_BYTES);

// ---- inserts --------------------------------------------------------------------------------------------------------

/// Distinct stores, other than the inserter's, that make an insert a success where so many exist. protocol.md §4.
pub const STORES_WANTED: usize = 3;
/// Places that the sink offers a block to. protocol.md §4: six, so that with the sink seven nodes keep it.
pub const OFFERS: usize = 6;
/// Open inserts at one node, and from one link. Beyond it an insert is refused as overload.
pub const INSERTS: usize = 2_048;
/// Open inserts from one link.
pub const INSERTS_PER_LINK: usize = 256;
/// Open offers from one link. A sink offers each block to six.
pub const OFFERS_PER_LINK: usize = 512;

/// Keys of one survey of what is kept near a new neighbour.
pub const REOFFER_KEYS: usize = 256;
/// Re-offers under way at once. Chosen: a join must not slow down what people wait for.
pub const REOFFERS_AT_ONCE: usize = 4;

// ---- neighbours -----------------------------------------------------------------------------------------------------

/// Most neighbours of a node. The ideal of the literature at 10^6 nodes: 3 + 3 near ones, about 36 long ones, and room
/// for those who come.
pub const DEGREE_MAX: usize = 48;
/// Near neighbours on either side of the ring.
pub const NEAR_PER_SIDE: usize = 3;
/// Neighbours whose references are kept for the next start. Chosen: 2 KiB, enough that one is likely still there.
pub const REMEMBERED_NEIGHBOURS: usize = 16;
/// Links that may be open without being accepted yet, newcomers' errands included. Beyond it a link is closed as full.
pub const GUESTS: usize = 32;
/// How often the topology is looked after in open networks.
pub const UPKEEP: Duration = Duration::from_secs(30);
/// How often the topology is looked after in test networks.
pub const UPKEEP_LOCAL: Duration = Duration::from_secs(2);

/// Links of one address group, near ones apart, once the network is no longer small. Chosen: an eighth of the degree, so
/// that no group is a majority anywhere.
pub const NEIGHBOURS_PER_GROUP: usize = DEGREE_MAX / 8;
/// Networks with fewer nodes count as small: any live member may witness, and groups are not rationed. protocol.md §5.
pub const SMALL_NETWORK: usize = 50;
/// References of nodes that passed by, kept as possible neighbours; the oldest leaves. Chosen: 140 bytes each.
pub const ACQUAINTANCES: usize = 64;
/// Peers remembered as hard to reach; beyond it the one nearest to its next try is forgotten.
pub const RETRIES: usize = 256;
/// Searches for long links that run at once.
pub const LONG_SEEKS: usize = 3;
/// Doublings of a pause between vain tries: dials of one peer, searches that find nobody new. Chosen: 16 × the upkeep
/// period, 8 minutes in an open network.
pub const PAUSE_DOUBLINGS: u32 = 4;
/// One in this many links that would make a full table worse is taken all the same. Zhang, Goel, Govindan 2004: 0.03.
pub const LIGHT_RANDOMNESS: u32 = 32;
/// A changed neighbourhood is looked at after this long, so that a burst of changes is one look.
pub const NEIGHBOURHOOD_SETTLES: Duration = Duration::from_millis(200);
/// A dial without an outcome is forgotten after this long.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(15);
/// A link that is not accepted is closed after this long. An announcement takes seconds.
pub const GUEST_LIFE: Duration = Duration::from_secs(60);
/// Folding offers followed: one in this span in open networks, and in test networks.
pub const FOLD_PAUSE: Duration = Duration::from_secs(30);
/// See [`FOLD_PAUSE`].
pub const FOLD_PAUSE_LOCAL: Duration = Duration::from_secs(2);

// ---- questions --------------------------------------------------------------------------------------------------------

/// Hops to live of a routed question. It only ever comes closer and cannot loop; this bounds what a network without
/// long links makes of it.
pub const QUERY_HTL: u8 = 40;
/// What each hop adds to the patience with a question.
pub const QUERY_HOP_TIME: Duration = Duration::from_millis(250);
/// Open questions at one node. Beyond it a question is refused.
pub const QUERIES: usize = 1_024;
/// Open questions from one neighbour. Beyond it a question is refused.
pub const QUERIES_PER_LINK: usize = 64;
/// Open questions from a link that is not accepted. An announcement asks three at once, and once more for each place
/// that coincides.
pub const QUERIES_PER_GUEST: usize = 8;
/// Questions in all from a link that is not accepted, before it is closed. An announcement needs some 20.
pub const QUESTIONS_OF_A_GUEST: u32 = 64;

// ---- announcements ----------------------------------------------------------------------------------------------------

/// Places at which a newcomer may look for its witnesses: three, and three more where places coincide or a witness
/// disappears. Raising it lets an attacker choose among more witnesses.
pub const WITNESS_PLACES: u8 = 6;
/// Announcements that one node witnesses at once. Beyond it a newcomer goes on to the next place.
pub const ANNOUNCEMENTS: usize = 256;
/// How long an announcement may take. A few questions across the network take seconds.
pub const ANNOUNCEMENT_LIFE: Duration = Duration::from_secs(60);
/// The span in which announcements of one address group are counted.
pub const ANNOUNCEMENT_WINDOW: Duration = Duration::from_secs(3_600);
/// Announcements of one address group that one node witnesses in that span: in open networks, and in test networks.
pub const ANNOUNCEMENTS_PER_GROUP: u32 = 8;
/// See [`ANNOUNCEMENTS_PER_GROUP`].
pub const ANNOUNCEMENTS_PER_GROUP_LOCAL: u32 = 256;
/// Address groups counted; beyond it newcomers of further groups go on to the next place.
pub const ANNOUNCING_GROUPS: usize = 4_096;
/// Newcomers barred from another draw because they know the seeds; beyond it no further ones are remembered.
pub const BARRED: usize = 1_024;
/// How long they are barred, from their commitment on: in open networks, and in test networks.
pub const ABANDONED_WAIT: Duration = Duration::from_secs(600);
/// See [`ABANDONED_WAIT`].
pub const ABANDONED_WAIT_LOCAL: Duration = Duration::from_secs(10);
/// How long a newcomer waits after a vain attempt, doubled each time: in open networks, and in test networks.
pub const ANNOUNCE_AGAIN: Duration = Duration::from_secs(60);
/// See [`ANNOUNCE_AGAIN`].
pub const ANNOUNCE_AGAIN_LOCAL: Duration = Duration::from_secs(1);
/// Nonces tried at a time: some 10 ms of work, so that the node stays responsive.
pub const WORK_SLICE: u64 = 65_536;
/// Nodes around a place that count as its witness, as far as the node reached knows them: the nearest when the certificate
/// was signed need not be the nearest now.
pub const WITNESS_NEIGHBOURHOOD: usize = 4;
/// Witnesses, or vouching neighbours, that make a certificate good: a majority of three.
pub const CONFIRMATIONS: usize = 2;
/// Neighbours asked whether they vouch for a certificate.
pub const VOUCHERS_ASKED: usize = 6;
/// Hands through which the word that a certificate is good may have passed before it counts no more.
pub const HEARSAY: u8 = 3;
/// How long they have to answer, before the witnesses' places are asked.
pub const VOUCH_TIME: Duration = Duration::from_secs(1);
/// When the places did not confirm a certificate, they are asked once more after this long: the ring may have been in motion.
pub const VOUCH_AGAIN: Duration = Duration::from_secs(2);
/// Certificates under examination at once. Beyond it a link is closed as full.
pub const EXAMINATIONS: usize = 64;
/// Examined certificates remembered; the least recently used leaves. Chosen: 40 bytes each.
pub const EXAMINED: usize = 1_024;
/// Nodes, of as many address groups, that could not confirm this node's certificate, before it announces itself anew.
pub const REFUSALS_OF_A_CERTIFICATE: usize = 3;
/// A full table gives up a link that has not been useful for this long for a folding offer.
pub const USELESS_AFTER: Duration = Duration::from_secs(600);
/// Age at which a certificate is renewed, days: five days of tries before it ends.
pub const CERTIFICATE_RENEWAL_DAYS: u32 = 25;

const _: () = assert!(CERTIFICATE_RENEWAL_DAYS < CERTIFICATE_DAYS);
const _: () = assert!(CONFIRMATIONS * 2 > WITNESSES && CONFIRMATIONS <= VOUCHERS_ASKED);
const _: () = assert!(WITNESS_PLACES as usize >= WITNESSES);
const _: () = assert!(ANNOUNCEMENT_LIFE.as_secs() <= GUEST_LIFE.as_secs());

// ---- overlay classic --------------------------------------------------------------------------------------------------

/// Most nodes on the walk of an announcement. The paper's figure; their seeds and names fit one small message.
pub const ANNOUNCE_HOPS: u16 = 10;
/// Links that a `classic` node keeps open. Chosen: half of [`LINKS`]. The one used longest ago is closed beyond it.
pub const CLASSIC_LINKS: usize = 128;
/// Open exchanges at one `classic` node. A further one is sent back as if its id had been seen.
pub const CLASSIC_EXCHANGES: usize = 4_096;
/// Ended exchanges whose ids a `classic` node remembers. Beyond it the oldest id is forgotten, and a loop costs hops.
pub const CLASSIC_SEEN: usize = 4_096;
/// Messages that wait at a `classic` node for one link to open. A further one is dropped.
pub const CLASSIC_WAITING: usize = 256;
/// Expected time to contact one node: the timer of an exchange is this times its hops to live. Chosen: a dial and a
/// round trip across the world, twice over.
pub const CLASSIC_CONTACT: Duration = Duration::from_secs(2);

// ---- own commands -----------------------------------------------------------------------------------------------------

/// Blocks that a node asks or inserts for itself at once, at the start.
pub const WINDOW_START: u32 = 32;
/// The least and the most it ever does at once.
pub const WINDOW_MIN: u32 = 4;
/// See [`WINDOW_MIN`].
pub const WINDOW_MAX: u32 = 256;
/// Local commands that may wait for their turn. The driver is told "unavailable" beyond it.
pub const COMMANDS_QUEUED: usize = 4_096;

// ---- documents --------------------------------------------------------------------------------------------------------

/// Data blocks of a full segment: 4 MiB. protocol.md §2. More would lose less, and need more memory on both ends.
pub const SEGMENT_BLOCKS: u32 = 128;
/// Most check blocks, in per cent of the data blocks. Chosen: beyond it a second insert serves better. Refused.
pub const REDUNDANCY_MAX_PERCENT: u16 = 200;
/// Least check blocks of a segment, or as many as it has data blocks if those are fewer. Chosen so that a document of two
/// blocks is lost about as rarely as one of twelve when each block is lost with probability 0.1 (0.4 %).
pub const CHECK_FLOOR: u32 = 4;
/// Keys in a manifest block: 1,023 × 32 bytes fill its payload to the byte.
pub const MANIFEST_NODE_KEYS: u32 = 1_023;
/// Most keys in a top block: what the longest header leaves.
pub const MANIFEST_TOP_KEYS: u32 = 1_017;
/// Most copies of a manifest block; four are made. A document that wants more is refused as malformed.
pub const MANIFEST_COPIES: u8 = 8;
/// Longest document, bytes. Chosen: 16 TiB, far beyond any disk of today, and every count of blocks stays below 2^32. An
/// insert fails at it; a header beyond it is refused as malformed.
pub const DOCUMENT_BYTES: u64 = 1 << 44;
/// Longest media type, bytes. Chosen: the registry's longest has 84. A longer one is refused.
pub const MIME_BYTES: usize = 128;
/// Segments that a fetch works on at once. Chosen: the next one fills the window while the last blocks of this one come.
pub const FETCH_SEGMENTS: usize = 2;
/// Segments ahead of those for which manifest blocks are asked, so that no segment waits for its keys.
pub const FETCH_LEAD: u64 = 4;
/// Bytes delivered by a fetch that the consumer has not taken yet. Chosen: 1 MiB. At it nothing more is delivered.
pub const DELIVERY_BYTES: usize = 1 << 20;
/// Data blocks that an insert asks for at once. Chosen: sealing them takes a fifth of a millisecond.
pub const INSERT_CHUNK_BLOCKS: u32 = 16;
/// How often a block that the network could not take, or search for, is tried before it counts as failed: 21 s of rests.
pub const BLOCK_ATTEMPTS: u32 = 10;
/// How often a block that was not found is searched for, in all: later tries go out through other exits.
pub const BLOCK_SEARCHES: u32 = 3;
/// First rest before such a block is tried again; doubled each time.
pub const BLOCK_RETRY_FIRST: Duration = Duration::from_millis(100);
/// Longest rest.
pub const BLOCK_RETRY_LONGEST: Duration = Duration::from_secs(5);

// ---- store ----------------------------------------------------------------------------------------------------------

/// Smallest size limit of a store that is accepted, bytes. Chosen: 64 blocks and their index.
pub const STORE_MIN_BYTES: u64 = 4 << 20;
/// Blocks on their way to the disk. Chosen: 16 MiB of memory, 20 ms of a disk of 800 MB/s. At half of it the cache takes
/// nothing, at the whole nothing is kept (answered as not durable).
pub const STORE_WRITES: usize = 512;
/// Reads that wait for the disk. Chosen: 32 MiB of blocks at once. A further one is answered as absent.
pub const STORE_READS: usize = 1_024;
/// Who may wait for one block to become durable. Chosen. A further one is answered as not durable.
pub const STORE_WAITERS: usize = 32;
/// How often the order of use is saved. protocol.md §8: it survives a restart to within a minute.
pub const STORE_ORDER_INTERVAL: Duration = Duration::from_secs(60);

// ---- time -----------------------------------------------------------------------------------------------------------

/// A peer that says nothing for this long, not even a keepalive, is gone.
pub const LINK_IDLE: Duration = Duration::from_secs(12);
/// How often an idle link is kept alive.
pub const LINK_KEEPALIVE: Duration = Duration::from_secs(4);

const _: () = assert!(LINK_IDLE.as_secs() >= 3 * LINK_KEEPALIVE.as_secs());

// ---- links ----------------------------------------------------------------------------------------------------------

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
/// Events waiting for the node. Chosen. While they wait, nothing more is read from the peers.
pub const LINK_EVENTS: usize = 256;
/// Largest genesis that is served and accepted, bytes: one small message.
pub const GENESIS_BYTES: usize = CELL_PAYLOAD_BYTES;

const _: () = assert!(QUEUE_LOW_BYTES < QUEUE_HIGH_BYTES && QUEUE_HIGH_BYTES < QUEUE_HARD_BYTES);
const _: () = assert!(LINK_WINDOW_BYTES as usize >= BLOCKS_UNDER_WAY * BLOCK_CELLS * 1_024);
