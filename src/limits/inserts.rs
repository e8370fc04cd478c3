//! Bounds of inserts and of the offers that end them (protocol.md §4).
//!
//! An insert or offer beyond them is refused as overload. How long a step may take is told beside the requests, whose
//! way an insert goes.

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
