//! Bounds of gateways between an overlay and the store: what is known of them, asked of them, and carried by them.
//!
//! Nobody who asks a gateway in vain costs the network behind it more than is said here.

use crate::limits::calls::CALL_CONTACTS;
use crate::limits::commands::COMMANDS_QUEUED;
use crate::time::Duration;

/// Gateways that one node knows. Chosen. Hearsay of a further one is ignored; one that speaks for itself displaces hearsay. A
/// message that names more is a flood.
pub const GATEWAYS_KNOWN: usize = 8;
/// Nodes that one node greets at its start to hear of gateways. Chosen.
pub const GATEWAYS_GREETED: usize = 4;
/// A gateway that did not answer is not believed in for this long, whoever names it. Chosen: a restart takes less.
pub const GATEWAY_RESTS: Duration = Duration::from_secs(300);
/// Lookups of this node that ask gateways at once. A further one ends as not found. Chosen: every command that may wait.
pub const LAST_RESORTS: usize = COMMANDS_QUEUED;
/// Blocks that a gateway seeks in the store at once. Beyond it whoever asks is told to come again. Chosen: a window of a
/// document twice over.
pub const GATEWAY_FETCHES: usize = 256;
/// Lookups of one node that a gateway works on at once. Beyond it that node is told to come again. Chosen: half of all.
pub const GATEWAY_FETCHES_PER_PEER: usize = 128;
/// Nodes that wait for one block at a gateway. A further one is told to come again.
pub const GATEWAY_WAITERS: usize = 64;
/// How long a gateway lets others wait for a block from the store. A request of `freenet` ends in 30 s.
pub const GATEWAY_PATIENCE: Duration = Duration::from_secs(40);
/// Lookups of one node in a minute that the store may answer with nothing. Beyond it that node is told that there is nothing,
/// and the store is not asked. Chosen: a document of 128 blocks that is not there, twice over.
pub const GATEWAY_MISSES: u32 = 256;
/// Nodes whose lookups and misses a gateway counts. A further one is told to come again.
pub const GATEWAY_ASKERS: usize = 4_096;
/// What the store did not have is not sought again for this long, twice at the most. protocol.md §3: seconds.
pub const GATEWAY_MISSED_LIFE: Duration = Duration::from_secs(5);
/// Keys that a gateway remembers in each of two generations, as missed or as carried. Beyond it the older is forgotten early.
pub const GATEWAY_REMEMBERED: usize = 1 << 16;
/// A generation of keys that were carried: they are not carried again. Chosen: overlays republish every hour.
pub const GATEWAY_CARRIED_LIFE: Duration = Duration::from_secs(3600);
/// Publications that wait to be carried into the store. A further one is not taken, and its publisher asks another gateway.
/// Chosen: 2 GiB of documents.
pub const GATEWAY_QUEUE: usize = 1 << 16;
/// Those of them that one node may have named. Chosen: a quarter.
pub const GATEWAY_QUEUE_PER_PEER: usize = GATEWAY_QUEUE / 4;
/// Blocks on their way into the store at once. Chosen: the window of an insert at its start.
pub const GATEWAY_INSERTS: usize = 32;
/// How often a publication is tried that could not be carried, and how long is waited in between.
pub const GATEWAY_TRIES: u8 = 3;
/// See [`GATEWAY_TRIES`].
pub const GATEWAY_TRY_AGAIN: Duration = Duration::from_secs(10);
/// The time for which a budget of bytes is given.
pub const GATEWAY_BUDGET_TIME: Duration = Duration::from_secs(3600);
/// Keys and names on one list of what a gateway may carry. A longer list is refused.
pub const GATEWAY_ALLOWED: usize = 1 << 20;
/// Blocks of a document that are held until its length is known: its top block and manifests. Beyond it the document is not
/// carried.
pub const GATEWAY_HELD: usize = 256;

const _: () = assert!(GATEWAYS_KNOWN <= CALL_CONTACTS);
const _: () = assert!(GATEWAY_FETCHES_PER_PEER < GATEWAY_FETCHES);
