//! Bounds of the topology: how many neighbours, of what kind, and how often they are sought (protocol.md §5).
//!
//! What passes by and does not fit is forgotten, oldest first. How many connections a node holds at all is in `links`.

use crate::time::Duration;

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

/// Changes of the neighbours are told to those that are not near once in this many upkeep periods. Measured: at every one they were
/// a third of what a join costs. Raising it lets look-ahead grow old.
pub const LOCATIONS_EVERY: u32 = 4;
/// Links of one address group, near ones apart, once the network is no longer small. Chosen: an eighth of the degree, so
/// that no group is a majority anywhere.
pub const NEIGHBOURS_PER_GROUP: usize = DEGREE_MAX / 8;
/// Networks with fewer nodes count as small: any live member may witness, and groups are not rationed. protocol.md §5.
pub const SMALL_NETWORK: usize = 50;
/// References of nodes that passed by, kept as possible neighbours; the oldest leaves. Chosen: 140 bytes each.
pub const ACQUAINTANCES: usize = 64;
/// Near neighbours that are gone and called again: twice as many as there are.
pub const MISSED: usize = 4 * NEAR_PER_SIDE;
/// How long they are called. Chosen: a day, in which one that stays away is called about twelve times.
pub const MISSED_LIFE: Duration = Duration::from_secs(86_400);
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
