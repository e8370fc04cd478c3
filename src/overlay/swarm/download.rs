//! Asking peers for parts, and putting pieces together.
//!
//! Guarantees that nothing is kept that does not match its digest. Who sent all of a piece that does not match has
//! broken a rule; a piece that several sent is asked of one peer alone next time. Which part is asked for next is in
//! `pieces`.

use super::core::{Core, Reading};
use super::message::{Message, PART_BYTES, Place};
use super::pieces::Arrival;
use super::torrent::{Settling, Torrent};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::message::fragment::Fragment;
use crate::overlay::mode::{Offence, StoreWork};
use crate::time::{Duration, Instant};

impl Torrent {
    /// A peer chokes this node, or no longer.
    pub(super) fn on_choking(&mut self, core: &mut Core, now: Instant, from: NodeId, (order, choked): (u32, bool)) {
        let Some(at) = self.find(&from) else { return };
        let peer = &mut self.peers[at];
        if order <= peer.heard_choking {
            return;
        }
        peer.heard_choking = order;
        peer.chokes = choked;
        if choked {
            self.release_all(at);
            self.fill_all(core, now);
        } else {
            self.fill(core, now, at);
        }
    }

    fn release_all(&mut self, at: usize) {
        for place in self.peers[at].withdraw_all() {
            self.pieces.release(place);
        }
        self.pieces.abandon(&self.peers[at].id);
    }

    /// Asks a peer for as much as may be under way.
    pub(super) fn fill(&mut self, core: &mut Core, now: Instant, at: usize) {
        let peer = &mut self.peers[at];
        if peer.chokes || peer.useful == 0 || self.is_broken {
            return;
        }
        while peer.outstanding.len() < limits::SWARM_PIPELINE {
            let Some(place) = self.pieces.next(&peer.id, (&peer.bits, &peer.outstanding), &mut core.dice) else {
                return;
            };
            if peer.outstanding.is_empty() {
                peer.since = now;
            }
            peer.outstanding.push(place);
            core.calls.reply(peer.id, Message::Request { tag: self.tag, place });
        }
    }

    pub(super) fn fill_all(&mut self, core: &mut Core, now: Instant) {
        (0..self.peers.len()).for_each(|at| self.fill(core, now, at));
    }

    /// A part has come.
    pub(super) fn on_part(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (place, fragment): (Place, Fragment),
    ) {
        let Some(at) = self.find(&from) else { return };
        let peer = &mut self.peers[at];
        let Some(is_asked) = peer.receive(place) else { return };
        peer.down.add(now, PART_BYTES as u32);
        self.ledger.gave(core.config.scheme, peer.claim.name, PART_BYTES);
        peer.since = now;
        peer.is_snubbed = false;
        let (others, whole) = match self.pieces.arrived(place, from, fragment, is_asked) {
            Arrival::Unwanted => return self.fill(core, now, at),
            Arrival::Taken(others) => (others, None),
            Arrival::Completed(others, parts) => (others, Some(parts)),
        };
        self.progress = now;
        self.first_part.get_or_insert(now);
        if others > 0 {
            self.cancel(core, now, place);
        }
        if let Some(parts) = whole {
            self.verify(core, now, place.piece, parts);
        }
        if let Some(at) = self.find(&from) {
            self.fill(core, now, at);
        }
    }

    /// Others that are asked for a part need not send it.
    fn cancel(&mut self, core: &mut Core, now: Instant, place: Place) {
        for at in 0..self.peers.len() {
            if self.peers[at].withdraw(place) {
                core.calls.reply(self.peers[at].id, Message::Cancel { tag: self.tag, place });
                self.fill(core, now, at);
            }
        }
    }

    fn verify(&mut self, core: &mut Core, now: Instant, piece: u16, parts: Vec<(NodeId, Fragment)>) {
        let (pairs, _) = parts.as_chunks::<2>();
        let joined: Result<Vec<Block>, _> =
            pairs.iter().map(|[(_, first), (_, second)]| Fragment::join(first, second)).collect();
        let blocks = joined.unwrap_or_default();
        let keys: Box<[RoutingKey]> = blocks.iter().map(Block::key).collect();
        if !self.listing.matches(piece, &keys) {
            let first = parts.first().map(|(from, _)| *from);
            let sole = first.filter(|first| parts.iter().all(|(from, _)| from == first));
            self.pieces.failed(piece, sole.is_none());
            if let Some(from) = sole {
                core.calls.offence(from, Offence::BadBlock);
            }
            return self.fill_all(core, now);
        }
        self.settling.insert(piece, Settling { keys, waiting: blocks.len() as u16, is_durable: true });
        for block in blocks {
            core.store(Reading::Settled(self.tag, piece), |token| StoreWork::Keep { token, block });
        }
    }

    /// A block of a piece is stored, or cannot be.
    pub(super) fn on_settled(&mut self, core: &mut Core, now: Instant, piece: u16, durable: bool) {
        let Some(settling) = self.settling.get_mut(&piece) else { return };
        settling.waiting -= 1;
        settling.is_durable &= durable;
        if settling.waiting > 0 {
            return;
        }
        let Some(Settling { keys, is_durable, .. }) = self.settling.remove(&piece) else { return };
        if is_durable {
            self.keys[usize::from(piece)] = Some(keys);
            self.gain(core, now, piece);
        } else {
            self.pieces.failed(piece, false);
            self.is_broken = true;
        }
    }

    /// A piece is here: those who lack it hear of it, and those who have nothing else are no longer wanted.
    fn gain(&mut self, core: &mut Core, now: Instant, piece: u16) {
        self.pieces.stored(piece);
        for at in 0..self.peers.len() {
            let peer = &mut self.peers[at];
            if !peer.bits.has(piece) {
                core.calls.reply(peer.id, Message::Have { tag: self.tag, piece });
                continue;
            }
            peer.useful -= 1;
            if peer.useful == 0 {
                self.tell_interest(core, at, false);
            }
        }
        if self.pieces.is_complete() {
            let count = self.pieces.count();
            self.part_with(core, now, |peer| peer.bits.count() == count);
        }
    }

    /// Who owes a part for too long is snubbed, and what it was asked for is asked of others.
    pub(super) fn note_snubs(&mut self, core: &mut Core, now: Instant) {
        for at in 0..self.peers.len() {
            let peer = &mut self.peers[at];
            if !peer.outstanding.is_empty() && peer.since + SNUBBED <= now {
                peer.is_snubbed = true;
                self.release_all(at);
                self.fill_others(core, now, at);
            }
        }
    }

    fn fill_others(&mut self, core: &mut Core, now: Instant, but: usize) {
        (0..self.peers.len()).filter(|at| *at != but).for_each(|at| self.fill(core, now, at));
        // Last in line, so that it gets only what nobody else is asked for.
        self.fill(core, now, but);
    }
}

/// A peer that sends nothing for so long though it is asked has snubbed this node (BEP 3).
const SNUBBED: Duration = Duration::from_secs(60);
