//! Bounds of the overlay `classic`, where the paper of 2001 gives or needs one.
//!
//! Beyond them an exchange is sent back or forgotten, as each says. `freenet` shares none of these.

use crate::limits::links::HANDSHAKE_TIME;
use crate::time::Duration;

/// Most nodes on the walk of an announcement. The paper's figure; their seeds and names fit one small message.
pub const ANNOUNCE_HOPS: u16 = 10;
/// Links that a `classic` node keeps open. Chosen: half of [`LINKS`](super::LINKS). The one used longest ago is closed beyond it.
pub const CLASSIC_LINKS: usize = 128;
/// Open exchanges at one `classic` node. A further one is sent back as if its id had been seen.
pub const CLASSIC_EXCHANGES: usize = 4_096;
/// Ended exchanges whose ids a `classic` node remembers. Beyond it the oldest id is forgotten, and a loop costs hops.
pub const CLASSIC_SEEN: usize = 4_096;
/// Expected time to contact one node: the timer of an exchange is this times its hops to live. Chosen: a dial that fails,
/// and a round trip across the world besides, or a search past dead nodes would be given up by those who wait for it.
pub const CLASSIC_CONTACT: Duration = Duration::from_secs(10);

const _: () = assert!(CLASSIC_CONTACT.as_secs() > HANDSHAKE_TIME.as_secs());
