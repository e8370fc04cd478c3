//! What a relay does with the packets of others: opens each once, passes it on or hands it to the exit, takes answers back.
//!
//! Guarantees: every packet that is not passed on is dropped alike and without a word, whatever was wrong with it; nothing
//! leaves before its replay tag is entered; an answer goes back once, to where its packet came from. Leaves out what an exit
//! does (`exit`) and how a packet reaches the next relay (`pool`).

use crypto::onion::layout::{Class, HEADER_BYTES};
use crypto::onion::process::Step;
use crypto::onion::reply::ExitReply;
use rand::rngs::ChaCha20Rng;

use crate::id::NodeId;
use crate::limits;
use crate::onion::allowance::Allowances;
use crate::onion::keys::Keys;
use crate::onion::timed::Timed;
use crate::onion::ways::Ways;
use crate::time::{Duration, Instant};

/// One relay.
#[derive(Debug)]
pub(super) struct Relay {
    me: NodeId,
    keys: Keys,
    ways: Ways,
    allowances: Allowances,
    /// Packets held back for the delay they ask for.
    delayed: Timed,
}

/// What becomes of a packet that is not dropped.
#[derive(Debug)]
pub(super) enum Passage {
    /// It goes on now.
    On(NodeId, Vec<u8>),
    /// It goes on later: see [`Relay::take_due`].
    Later,
    /// It ends here: its class, its body, and what seals the answer.
    Here(Class, Vec<u8>, Option<ExitReply>),
}

impl Relay {
    pub(super) fn new(me: NodeId, now: Instant, random: &mut ChaCha20Rng) -> Self {
        Self {
            me,
            keys: Keys::new(now, random),
            ways: Ways::default(),
            allowances: Allowances::new(limits::PACKETS_PER_SECOND, limits::PACKET_BURST),
            delayed: Timed::default(),
        }
    }

    /// Its keys as a descriptor names them: of this epoch, of the next, and when they change.
    pub(super) const fn public(&self) -> ([u8; 32], [u8; 32], Instant) {
        self.keys.public()
    }

    /// Lets time pass; whether the keys have changed.
    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut ChaCha20Rng) -> bool {
        self.ways.expire(now);
        self.keys.turn(now, random)
    }

    /// When time should pass next.
    pub(super) fn deadline(&self) -> Instant {
        self.delayed.deadline().map_or(self.keys.deadline(), |due| due.min(self.keys.deadline()))
    }

    /// A packet that has waited long enough.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(NodeId, Vec<u8>)> {
        self.delayed.take_due(now)
    }

    /// A packet has come from `from`. `knows` tells whom this relay passes packets to.
    pub(super) fn handle_packet(
        &mut self,
        now: Instant,
        from: NodeId,
        mut packet: Vec<u8>,
        knows: impl Fn(&NodeId) -> bool,
    ) -> Option<Passage> {
        if !self.allowances.take(now, from) {
            return None;
        }
        let class = Class::of_length(packet.len())?;
        let opened = self.keys.open(now, &self.me, &mut packet)?;
        match opened.act(&mut packet).ok()? {
            Step::Discard => None,
            Step::Deliver { reply } => Some(Passage::Here(class, packet.split_off(HEADER_BYTES), reply)),
            Step::Relay { next, delay_ms, reply } => {
                let next = NodeId(next);
                if next == self.me || next == from || !knows(&next) {
                    return None;
                }
                if reply.is_some_and(|reply| !self.ways.keep(now, next, from, reply)) {
                    return None;
                }
                Some(self.hold(now, next, packet, Duration::from_millis(u64::from(delay_ms))))
            }
        }
    }

    /// An answer has come from `from`: whom it goes to, if anybody waits for it.
    pub(super) fn handle_answer(&mut self, now: Instant, from: NodeId, packet: &mut [u8]) -> Option<NodeId> {
        self.ways.pass_back(now, from, packet)
    }

    /// A link is gone. Ways back stay: they are the peer's, whichever link it comes by.
    pub(super) fn handle_link_down(&mut self, peer: &NodeId) {
        self.allowances.forget(peer);
    }

    fn hold(&mut self, now: Instant, next: NodeId, packet: Vec<u8>, delay: Duration) -> Passage {
        if delay.is_zero() || self.delayed.len() >= limits::DELAYED_PACKETS {
            return Passage::On(next, packet);
        }
        self.delayed.put(now + delay.min(limits::LONGEST_DELAY), next, packet);
        Passage::Later
    }
}

#[cfg(test)]
mod tests;
