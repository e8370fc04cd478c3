//! What an exit does for others: runs one command of its own overlay for each packet, and seals the answer.
//!
//! Guarantees: each command is answered once, on the link that it came from, within the time the client gave it; how many
//! run at once is bounded. The exit knows what is asked and not for whom. Leaves out the command itself: to the overlay it
//! is one of this node's own.

use std::collections::BTreeMap;

use crypto::onion::reply::ExitReply;

use crate::id::NodeId;
use crate::limits;
use crate::onion::instruction::Outcome;
use crate::time::{Duration, Instant};

/// The commands of others at work.
#[derive(Debug, Default)]
pub(super) struct Exit {
    open: BTreeMap<u64, Errand>,
    next: u64,
}

#[derive(Debug)]
struct Errand {
    reply: ExitReply,
    back: NodeId,
    ends: Instant,
}

impl Exit {
    /// Begins a command whose answer goes `back`; what names it. If there are too many, what seals an answer at once comes back.
    pub(super) fn begin(&mut self, now: Instant, back: NodeId, reply: ExitReply) -> Result<u64, ExitReply> {
        if self.open.len() >= limits::EXIT_COMMANDS {
            return Err(reply);
        }
        self.next += 1;
        let ends = now + Duration::from_secs(u64::from(reply.lifetime_s()));
        self.open.insert(self.next, Errand { reply, back, ends });
        Ok(self.next)
    }

    /// A command has ended: the sealed answer and whom it goes to, unless its way back is forgotten by now.
    pub(super) fn end(&mut self, now: Instant, number: u64, outcome: &Outcome) -> Option<(NodeId, Vec<u8>)> {
        let errand = self.open.remove(&number)?;
        (now < errand.ends).then(|| (errand.back, seal(errand.reply, outcome)))
    }
}

/// The answer `outcome`, sealed for the client.
pub(super) fn seal(reply: ExitReply, outcome: &Outcome) -> Vec<u8> {
    let message = outcome.to_message();
    // Only what this node made of an answer that the class has no room for can be longer: a collision of content blocks.
    let fits = message.len() <= reply.class().reply_bytes();
    let message = if fits { message } else { Outcome::Unavailable.to_message() };
    reply.seal(&message).expect("what was cut to the class fits it")
}
