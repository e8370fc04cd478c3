//! Bounds of the store: its size, and how much may be under way to its disk (protocol.md §8).
//!
//! Beyond them the answer is "absent" or "not durable", never a wait without end. Slots and files have no bound of their
//! own: the size limit holds to the block.

use crate::time::Duration;

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
/// Blocks used longest ago among which a full clustered cache chooses the one that lies farthest from its node. Chosen: a
/// search through a cache of millions for every block that passes would cost more than the block.
pub const CLUSTER_CHOICE: usize = 64;
