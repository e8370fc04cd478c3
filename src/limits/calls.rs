//! Bounds of overlays whose nodes ask whomever their tables name and wait for the answer.

use crate::limits::wire::CELL_PAYLOAD_BYTES;
use crate::time::Duration;

/// How long an answer is waited for, opening a link included: then the node asked counts as dead. Chosen: four ways at 300 ms
/// of median round trip, the slowest pair in 4,096.
pub const CALL_TIME: Duration = Duration::from_secs(4);
/// How much longer the answer is waited for of a node that has said that it passes the question on. Chosen: a way of 700 zones
/// (a million nodes, two dimensions) at 78 ms there and back.
pub const TAKEN_TIME: Duration = Duration::from_secs(120);
/// Questions of others that a node passes on at once. A further one is turned back.
pub const CALL_RELAYS: usize = 1_024;
/// Links that such a node keeps open. Chosen: half of [`LINKS`](super::LINKS). The one used longest ago is closed beyond it.
pub const CALL_LINKS: usize = 128;
/// Messages that wait at a node for one link to open. A further one is dropped.
pub const LINK_WAITING: usize = 256;
/// Questions of one node that wait for their answers. Beyond it local commands are answered as too busy.
pub const CALLS: usize = 4_096;
/// Answers of the store that a node waits for on behalf of others. A further question is left without an answer.
pub const CALL_READS: usize = 1_024;
/// Ended commands whose costs a node remembers for whoever measures it. The oldest is forgotten beyond it.
pub const CALL_COSTS: usize = 64;
/// Nodes that one message names. What fits one small message, with the longest addresses.
pub const CALL_CONTACTS: usize = 20;
/// References to documents of others that one node keeps. A further one is refused.
pub const REFERENCES_KEPT: usize = 1 << 20;
/// Clients that one index server knows. A further one is refused.
pub const CENTRAL_CLIENTS: usize = 1 << 21;
/// Documents that one client can have listed. A further one is refused. Chosen: two hundred times what Napster's users shared.
pub const CENTRAL_SHARES: usize = 1 << 16;
/// Bytes of a node's name with the longest address: id, address, member of the ring.
const CONTACT_BYTES: usize = 32 + 1 + 16 + 3 + 1;

const _: () = assert!(CALL_CONTACTS * CONTACT_BYTES + 40 <= CELL_PAYLOAD_BYTES);
