//! Giving to peers: whom, and what they have asked for.
//!
//! Every ten seconds the peers that gave most in the last twenty are unchoked (a seed: those that took most), and one
//! more in turn whatever it gives. A free rider unchokes nobody. At most one part waits in a peer's link, so that
//! choking and cancelling take effect at once.

use super::config::Scheme;
use super::core::{Core, Reading};
use super::message::{Message, PART_BYTES, Place};
use super::torrent::Torrent;
use crate::id::NodeId;
use crate::limits;
use crate::message::block::Block;
use crate::message::fragment::Fragment;
use crate::overlay::mode::{Offence, StoreWork};
use crate::time::{Duration, Instant};

impl Torrent {
    /// A peer wants something of this node, or no longer.
    pub(super) fn on_interest(&mut self, core: &mut Core, now: Instant, from: NodeId, (order, wants): (u32, bool)) {
        let Some(at) = self.find(&from) else { return };
        let peer = &mut self.peers[at];
        if order <= peer.heard_interest {
            return;
        }
        peer.heard_interest = order;
        if wants && peer.wants {
            // Who insists may not have heard how it stands.
            return self.tell_choking(core, at);
        }
        if wants && !peer.wants && peer.is_choked {
            peer.standing = now;
        }
        peer.wants = wants;
        let is_choked = peer.is_choked;
        let served = self.peers.iter().filter(|peer| peer.wants && !peer.is_choked).count();
        let is_due = if wants { served <= core.config.unchoked } else { !is_choked };
        if is_due {
            self.rechoke(core, now);
        }
    }

    /// The next that is tried whatever it gives: the first in line that wants something and is choked.
    pub(super) fn rotate(&mut self) {
        let waits = |id: &NodeId| self.find(id).is_some_and(|at| self.peers[at].wants && self.peers[at].is_choked);
        if let Some(first) = self.order.iter().position(waits) {
            self.order.rotate_left(first);
        }
    }

    /// Chooses anew who is answered.
    pub(super) fn rechoke(&mut self, core: &mut Core, now: Instant) {
        if !core.config.gives {
            return;
        }
        let in_order: Vec<usize> = self.order.iter().filter_map(|id| self.find(id)).collect();
        let wanting: Vec<usize> = in_order.into_iter().filter(|at| self.peers[*at].wants).collect();
        let scheme = core.config.scheme;
        let ranked = wanting.iter().filter_map(|at| Some((self.rank(scheme, now, *at)?, *at)));
        let mut best: Vec<(u64, usize)> = ranked.collect();
        // Among those that rank equally, the order decides.
        best.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        let mut open = vec![false; self.peers.len()];
        // The schemes that tit for tat replaced know no turn.
        let regular = core.config.unchoked + usize::from(scheme != Scheme::TitForTat);
        best.iter().take(regular).for_each(|(_, at)| open[*at] = true);
        let room = core.config.unchoked + 1 - best.len().min(regular);
        let others: Vec<usize> = wanting.into_iter().filter(|at| !open[*at]).take(room).collect();
        others.into_iter().for_each(|at| open[at] = true);
        for (at, is_open) in open.into_iter().enumerate() {
            if self.peers[at].is_choked == is_open {
                self.set_choked(core, now, at, !is_open);
            }
        }
    }

    /// What a peer deserves; `None` if it is answered in turn only.
    fn rank(&mut self, scheme: Scheme, now: Instant, at: usize) -> Option<u64> {
        let is_seed = self.pieces.is_complete();
        let peer = &mut self.peers[at];
        match scheme {
            Scheme::TitForTat if is_seed => Some(peer.up.bytes(now).into()),
            Scheme::TitForTat => (!peer.is_snubbed).then(|| peer.down.bytes(now).into()),
            Scheme::Reported => Some(peer.claim.level.into()),
            Scheme::Credit if peer.is_choked => {
                let waited = now.since(peer.standing).as_millis() as u64;
                Some(waited * self.ledger.modifier(peer.claim.name))
            }
            // Who is answered stays so for a while, and then is the last in line.
            Scheme::Credit => Some(if peer.standing + SESSION > now { u64::MAX } else { 0 }),
        }
    }

    fn set_choked(&mut self, core: &mut Core, now: Instant, at: usize, choked: bool) {
        let peer = &mut self.peers[at];
        peer.is_choked = choked;
        peer.standing = now;
        if choked {
            peer.drop_requests();
        }
        self.tell_choking(core, at);
    }

    fn tell_choking(&mut self, core: &mut Core, at: usize) {
        let peer = &mut self.peers[at];
        let (order, choked) = (peer.say(), peer.is_choked);
        core.calls.reply(peer.id, Message::Choking { tag: self.tag, order, choked });
    }

    /// A peer asks for a part.
    pub(super) fn on_request(&mut self, core: &mut Core, from: NodeId, place: Place) {
        let Some(at) = self.find(&from) else { return };
        if !self.pieces.is_part(place) || self.keys[usize::from(place.piece)].is_none() {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        let peer = &mut self.peers[at];
        // It may not have heard yet.
        if peer.is_choked {
            return;
        }
        if peer.asked.len() >= limits::SWARM_ASKED {
            return core.calls.offence(from, Offence::Flood);
        }
        peer.asked.push_back(place);
        self.serve(core, at);
    }

    /// A peer no longer asks for a part.
    pub(super) fn on_cancel(&mut self, core: &mut Core, now: Instant, from: NodeId, place: Place) {
        let Some(at) = self.find(&from) else { return };
        let peer = &mut self.peers[at];
        peer.asked.retain(|other| *other != place);
        peer.ready.take_if(|(ready, _)| *ready == place);
        self.send_ready(core, now, at);
    }

    /// The store has read what a peer asked for.
    pub(super) fn on_read(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (place, block): (Place, Option<Block>),
    ) {
        let Some(at) = self.find(&from) else { return };
        let peer = &mut self.peers[at];
        // It may have been choked since.
        if peer.reading != Some(place) {
            return;
        }
        peer.reading = None;
        peer.ready = block.map(|block| (place, Fragment::of(&block, place.part % 2 == 1)));
        self.send_ready(core, now, at);
    }

    /// The link of a peer is behind, or no longer.
    pub(super) fn on_congestion(&mut self, core: &mut Core, now: Instant, id: &NodeId, behind: bool) {
        let Some(at) = self.find(id) else { return };
        self.peers[at].is_behind = behind;
        self.send_ready(core, now, at);
    }

    fn send_ready(&mut self, core: &mut Core, now: Instant, at: usize) {
        let peer = &mut self.peers[at];
        if !peer.is_behind
            && let Some((place, fragment)) = peer.ready.take()
        {
            peer.up.add(now, PART_BYTES as u32);
            self.ledger.took(core.config.scheme, peer.claim.name, PART_BYTES);
            core.calls.reply(peer.id, Message::Part { tag: self.tag, place, fragment });
        }
        self.serve(core, at);
    }

    /// Reads what a peer asked for next, one part at a time.
    fn serve(&mut self, core: &mut Core, at: usize) {
        let peer = &mut self.peers[at];
        if peer.ready.is_some() || peer.reading.is_some() {
            return;
        }
        let Some(place) = peer.asked.pop_front() else { return };
        let blocks = self.keys[usize::from(place.piece)].as_deref().unwrap_or_default();
        let Some(key) = blocks.get(usize::from(place.part / 2)).copied() else { return };
        peer.reading = Some(place);
        core.store(Reading::Part(peer.id, self.tag, place), |token| StoreWork::Copy { token, key });
    }
}

/// How long a peer is answered for its credit. Chosen: what eMule gave at once takes longer than a whole piece here.
const SESSION: Duration = Duration::from_secs(60);
