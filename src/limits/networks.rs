//! Bounds of what names a network and its nodes: genesis, references, certificates.
//!
//! All of it is shown by strangers, so each has a length that fits one small message. What exceeds it is malformed. What
//! an announcement may cost is in `announcements`.

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
/// Nodes that a node remembers over a restart to find its network again. Beyond it those linked last are left out.
pub const LAST_LINKS: usize = 20;
