//! Bounds of pre-routing: the directory, guards and middles, what a relay keeps for others, what a client waits for
//! (protocol.md §7).
//!
//! Whatever is beyond them is dropped without a word, as everything is that a relay does not pass on: a reason would tell
//! one cause from another.

use crate::limits::wire::CELL_PAYLOAD_BYTES;
use crate::time::Duration;

/// Relays in the directory. protocol.md §7: with 5 % relays, a million nodes. One more is not remembered.
pub const RELAYS: usize = 50_000;
/// Relays of one address group in the directory. Chosen: four times what counts when relays are drawn. One more is not
/// remembered, whoever vouches for it.
pub const RELAYS_PER_GROUP: usize = 16;
/// Relays of one group that count in full when relays are drawn, or as many as a small group has if that is fewer; more of
/// them share that weight. `anonymity.md` §6.7, bounded by what `lab directory-sybil` shows of networks with small groups.
pub const GROUP_WEIGHT: usize = 4;
/// Fewer usable relays than this, and the rules on groups, neighbours and ages yield, with a warning. protocol.md §7.
pub const FEW_RELAYS: usize = 50;
/// Other nodes without which there is no path of three relays and a spare exit. protocol.md §7.
pub const RELAYS_NEEDED: usize = 4;
/// A descriptor as it is sent, bytes.
pub const DESCRIPTOR_BYTES: usize = 208;
/// Descriptors in one message.
pub const DESCRIPTORS_PER_MESSAGE: usize = 5;
/// How long a descriptor holds: two lives of an onion key.
pub const DESCRIPTOR_LIFE: Duration = Duration::from_secs(12 * 3_600);
/// How far the clocks of two nodes may differ. A descriptor that holds for longer than its life and this is refused.
pub const CLOCK_SKEW: Duration = Duration::from_secs(3_600);
/// A newer descriptor of the same relay is taken once in this span, and in test networks.
pub const DESCRIPTOR_PAUSE: Duration = Duration::from_secs(60);
/// See [`DESCRIPTOR_PAUSE`].
pub const DESCRIPTOR_PAUSE_LOCAL: Duration = Duration::from_millis(500);

/// Parts into which a range of the directory is cut to be compared: six bits of the id.
pub const SKETCH_PARTS: usize = 64;
/// Entries of one range that are listed one by one. Chosen: 64 times at most 18 bytes would not fit; 48 do.
pub const LISTED: usize = 48;
/// Answers to one sketch. Chosen: the rest of the differences shows at the next one.
pub const SKETCH_ANSWERS: usize = 8;
/// How often a node compares its directory with one of its links, and in test networks.
pub const GOSSIP_EVERY: Duration = Duration::from_secs(60);
/// See [`GOSSIP_EVERY`].
pub const GOSSIP_EVERY_LOCAL: Duration = Duration::from_secs(2);
/// Links that a newly learned descriptor is passed to at once. Chosen: four reach everybody in a few rounds.
pub const RUMOUR_LINKS: usize = 4;
/// Words about the directory that one link may say at once, and in a second. More are not heard.
pub const GOSSIP_BURST: u32 = 512;
/// See [`GOSSIP_BURST`].
pub const GOSSIP_PER_SECOND: u32 = 32;

/// How long an onion key is the key of its relay.
pub const ONION_KEY_LIFE: Duration = Duration::from_secs(6 * 3_600);
/// How long before and after that it is accepted as well: who has another clock, or an old descriptor, still gets through.
pub const ONION_KEY_OVERLAP: Duration = Duration::from_secs(600);
/// Replay tags of one onion key; 16 bytes each, about 12 MiB. At three quarters the relay takes its next key; at the
/// bound it refuses packets.
pub const REPLAY_TAGS: usize = 1 << 19;
/// Packets that one link may send through this relay at once, and in a second. Chosen: 32 MiB/s of blocks. What is over
/// that is dropped.
pub const PACKET_BURST: u32 = 4_096;
/// See [`PACKET_BURST`].
pub const PACKETS_PER_SECOND: u32 = 1_024;
/// Packets that this node sends over one link at once, and in a second. Chosen: three quarters and fifteen sixteenths of what
/// the relay at its end lets pass, so that none is dropped there if the network bunches a second's worth.
pub const PACED_BURST: u32 = PACKET_BURST / 4 * 3;
/// See [`PACED_BURST`].
pub const PACED_PER_SECOND: u32 = PACKETS_PER_SECOND / 16 * 15;
/// Packets of others that wait for their time to leave over one link, and over all; a quarter of a second's worth. One more
/// is dropped.
pub const PACED_PER_LINK: usize = 256;
/// See [`PACED_PER_LINK`].
pub const PACED_PACKETS: usize = 1_024;
/// Ways back that a relay keeps; about 200 bytes each. A packet that needs one more is dropped.
pub const REPLY_ENTRIES: usize = 65_536;
/// Ways back kept for one link.
pub const REPLY_ENTRIES_PER_LINK: usize = 8_192;
/// Packets that a relay holds back for their delay. One more goes on at once.
pub const DELAYED_PACKETS: usize = 1_024;
/// The longest that a relay holds a packet back, whatever its slot asks for.
pub const LONGEST_DELAY: Duration = Duration::from_secs(1);
/// The mean delay of a small packet at each relay. `anonymity.md` §6.6. Blocks are not delayed.
pub const MEAN_DELAY_MS: f64 = 20.0;
/// Commands that an exit runs for others at once. Chosen: below what a node queues for itself. One more is answered as
/// unavailable.
pub const EXIT_COMMANDS: usize = 1_024;

/// Links that serve nothing but pre-routing and stay open for the next packet. protocol.md §7. Beyond it the one that
/// has been idle for longest is closed.
pub const RELAY_LINKS: usize = 128;
/// Such a link is closed after this long without a packet. `anonymity.md` §6.7.
pub const RELAY_LINK_IDLE: Duration = Duration::from_secs(300);
/// Packets that wait for one link to open, and for all. Chosen: a window of blocks; 8 MiB. One more is dropped.
pub const WAITING_PER_RELAY: usize = 128;
/// See [`WAITING_PER_RELAY`].
pub const WAITING_PACKETS: usize = 256;

/// Distinct guards within the span. protocol.md §7.
pub const GUARDS: usize = 3;
/// The span in which no more than [`GUARDS`] are ever used.
pub const GUARD_SPAN: Duration = Duration::from_secs(90 * 86_400);
/// The same in test networks, whose nodes live for minutes.
pub const GUARD_SPAN_LOCAL: Duration = Duration::from_secs(60);
/// A guard that cannot be reached is passed over for this long.
pub const GUARD_REST: Duration = Duration::from_secs(60);
/// The same in test networks.
pub const GUARD_REST_LOCAL: Duration = Duration::from_secs(5);
/// Middles that are pinned at a time. protocol.md §7.
pub const MIDDLES: usize = 4;
/// The shortest and the longest life of a pinned middle; what is drawn is the longer of two draws. `anonymity.md` §6.1.
pub const MIDDLE_LIFE: (Duration, Duration) = (Duration::from_secs(3 * 86_400), Duration::from_secs(14 * 86_400));
/// Paths after which a guard is judged by how many of them succeeded.
pub const GUARD_TRIALS: u32 = 100;
/// Middles pinned at once, those included that are missing or rest and for which others were drawn: so much, and no more,
/// can a guard bring about that drops packets.
pub const MIDDLES_EVER: usize = 2 * MIDDLES;
/// A middle that is missing from the directory for this long is given up, and in test networks. `anonymity.md` §6.1.
pub const MIDDLE_ABSENCE: Duration = Duration::from_secs(48 * 3_600);
/// See [`MIDDLE_ABSENCE`].
pub const MIDDLE_ABSENCE_LOCAL: Duration = Duration::from_secs(10);
/// How long a node that starts waits for its pinned relays to appear in the directory before it draws others, and in test
/// networks.
pub const DIRECTORY_TIME: Duration = Duration::from_secs(120);
/// How long a node that has never had a guard listens, from its first link on, before it chooses one: what it knows in the first
/// second is what one peer has told it. Chosen. In test networks it chooses at once.
pub const DIRECTORY_SETTLE: Duration = Duration::from_secs(10);
/// See [`DIRECTORY_TIME`].
pub const DIRECTORY_TIME_LOCAL: Duration = Duration::from_secs(3);
/// Witnesses that a node asks for how long they have known relays. `anonymity.md` §6.7.
pub const AGE_WITNESSES: usize = 5;
/// How many of them must have known a relay for so long.
pub const AGE_WITNESSES_AGREED: usize = 3;
/// How often a node dials a relay to see whether it is there: twenty a day; it vouches for no other. `anonymity.md` §6.7.
pub const AUDIT_SPAN: Duration = Duration::from_secs(86_400 / 20);
/// A relay that has not been heard of for this long is forgotten and would be new. Chosen: a holiday.
pub const ACQUAINTANCE_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// How often what a node remembers of relays is written down; a crash makes relays younger by as much. Chosen.
pub const ACQUAINTANCES_SAVED: Duration = Duration::from_secs(3_600);
/// For how long a relay must have been known before it is drawn as guard, middle or exit. `anonymity.md` §6.7.
pub const GUARD_AGE: Duration = Duration::from_secs(14 * 86_400);
/// See [`GUARD_AGE`].
pub const MIDDLE_AGE: Duration = Duration::from_secs(7 * 86_400);
/// See [`GUARD_AGE`].
pub const EXIT_AGE: Duration = Duration::from_secs(86_400);
/// An exit through which nothing came back, and a relay that could not be dialled, is not drawn for this long, unless it
/// says something new.
pub const EXIT_REST: Duration = Duration::from_secs(600);
/// Relays remembered as the one, and as the other: so many of each; one more is not.
pub const RESTING_RELAYS: usize = 256;

/// The mean time between two loops of a client whose link to the guard keeps a rhythm. `anonymity.md` §6.6: the slowest rhythm
/// has a hundred beats in it.
pub const LOOP_EVERY: Duration = Duration::from_secs(20);
/// Packets sent for one block before its command is answered as unavailable. `anonymity.md` §6.1.
pub const ATTEMPTS: u8 = 3;
/// Own commands in the hands of pre-routing. Chosen: as many as a node queues. One more is answered as unavailable.
pub const ROUTED_COMMANDS: usize = 4_096;
/// The least and the most that an answer is waited for before the next attempt; a half more is drawn on top. Chosen: a
/// miss takes seconds, the relays keep the way back for 90.
pub const ANSWER_PATIENCE: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(24));
/// What an answer is taken to need before any has come.
pub const ANSWER_START: Duration = Duration::from_millis(1_500);

const _: () = assert!(DESCRIPTORS_PER_MESSAGE * DESCRIPTOR_BYTES + 8 <= CELL_PAYLOAD_BYTES);
const _: () = assert!(LISTED * 20 + 16 <= CELL_PAYLOAD_BYTES && SKETCH_PARTS * 15 + 16 <= CELL_PAYLOAD_BYTES);
const _: () = assert!(LISTED * 13 + 16 <= CELL_PAYLOAD_BYTES && AGE_WITNESSES_AGREED * 2 > AGE_WITNESSES);
const _: () = assert!(RELAYS_NEEDED > 3 && GROUP_WEIGHT <= RELAYS_PER_GROUP);
const _: () = assert!(ANSWER_PATIENCE.1.as_secs() * 3 / 2 < crypto::onion::layout::LONGEST_LIFETIME_S as u64);
