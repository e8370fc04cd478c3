//! Bounds of overlays whose nodes keep standing links and pass on what their neighbours ask.
//!
//! What does not fit is not passed on, and nobody is told: a flood has no refusals.

use crate::limits::calls::CALL_LINKS;
use crate::time::Duration;

/// Most hops of a flooded message. Chosen: Gnutella used 7; chains of nodes as long as this occur in tests alone. A message
/// that claims more is an offence.
pub const FLOOD_HOPS: u8 = 64;
/// Most steps of a walker. Lv, Cao, Cohen, Li, Shenker 2002: 1,024. A walker that claims more is an offence.
pub const WALK_STEPS: u16 = 1_024;
/// Most walkers of one search. Chosen: four times the 32 of the same paper.
pub const WALKERS: u16 = 128;
/// Steps after which a walker asks whether to go on. The same paper's figure.
pub const WALK_CHECK: u16 = 4;
/// Steps between two copies that a walk leaves. Chosen: neighbours of a holder are no further away than it is.
pub const SCATTER_STEPS: u16 = 4;
/// Ids of messages that a node remembers with their way back, in each of two generations. Beyond it the older generation is
/// forgotten early, and a late duplicate passes for new.
pub const ROUTES: usize = 4_096;
/// A generation's time. Chosen: longer than a flood of 7 hops and its answers take on the slowest links, 7 s.
pub const ROUTE_LIFE: Duration = Duration::from_secs(15);
/// How long a search waits for its first hit, for each hop its query may make and one more. Yang and Garcia-Molina 2002 wait
/// 6 s at 5 hops.
pub const FLOOD_HOP_WAIT: Duration = Duration::from_secs(1);
/// How long it waits for each step of its walkers. Chosen: two ways at the median of 156 ms, the check of every fourth step
/// included, and as much again.
pub const WALK_STEP_WAIT: Duration = Duration::from_millis(400);
/// Hosts that a node remembers of those that pongs named. The oldest leaves beyond it.
pub const FLOOD_HOSTS: usize = 32;
/// Hits of one search that wait to be asked for the document. A further one is dropped.
pub const HITS_KEPT: usize = 32;
/// Standing links of one node, however many it started with. A further one is refused.
pub const STANDING_LINKS: usize = 1 << 16;
/// What a node of a network that is set up at once waits before it links to others, so that all are there.
pub const SETTLED_WAIT: Duration = Duration::from_millis(10);
/// A node that lacks links looks for others after this long, and half as long again by chance.
pub const LINK_SEEK: Duration = Duration::from_secs(2);
/// The longest pause between two vain tries: each doubles it.
pub const LINK_SEEK_MOST: Duration = Duration::from_secs(256);

const _: () = assert!(STANDING_LINKS > CALL_LINKS);
const _: () = assert!(WALK_CHECK < WALK_STEPS);
