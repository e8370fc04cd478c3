//! One document as it is traded: its metadata, what is here of it, the peers it is traded with.
//!
//! This file is about who is there and who wants what; asking is in `download`, giving in `upload`.

use std::collections::BTreeMap;

use super::bits::Bits;
use super::config::Scheme;
use super::core::{Core, Purpose};
use super::listing::Listing;
use super::message::{Message, Stage, Tag};
use super::peer::Peer;
use super::pieces::Pieces;
use super::scheme::{Claim, Ledger, MOST_LEVEL};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::message::contact::Contact;
use crate::overlay::mode::Offence;
use crate::time::{Duration, Instant};

/// A document.
#[derive(Debug)]
pub(super) struct Torrent {
    pub(super) tag: Tag,
    pub(super) metadata: Block,
    pub(super) listing: Listing,
    pub(super) pieces: Pieces,
    /// The blocks of the pieces that are here.
    pub(super) keys: Vec<Option<Box<[RoutingKey]>>>,
    pub(super) settling: BTreeMap<u16, Settling>,
    /// Sorted by id.
    pub(super) peers: Vec<Peer>,
    /// The order in which peers are unchoked optimistically.
    pub(super) order: Vec<NodeId>,
    /// Peers that were greeted, what was here then, and when it was.
    pub(super) greeted: BTreeMap<NodeId, (Bits, Instant)>,
    pub(super) rounds: u32,
    next_announce: Instant,
    /// When something was last gained.
    pub(super) progress: Instant,
    /// When the first part came.
    pub(super) first_part: Option<Instant>,
    /// Who gave and took.
    pub(super) ledger: Ledger,
    /// Peers so far.
    pub(super) met: u32,
    /// Whether the store has failed.
    pub(super) is_broken: bool,
}

/// How trade stands between a node and those of its peers that have not everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trades {
    /// Such peers.
    pub peers: u32,
    /// Those with which each has what the other lacks.
    pub mutual: u32,
    /// Those of them that answer each other.
    pub trading: u32,
}

/// A piece that is being stored.
#[derive(Debug)]
pub(super) struct Settling {
    pub(super) keys: Box<[RoutingKey]>,
    pub(super) waiting: u16,
    pub(super) is_durable: bool,
}

impl Torrent {
    /// A document whose metadata is here, and with `keys` everything else.
    pub(super) fn new(
        core: &Core,
        now: Instant,
        metadata: Block,
        listing: Listing,
        keys: Option<Vec<Box<[RoutingKey]>>>,
    ) -> Self {
        let pieces = Pieces::new(&listing, core.config.piece_choice, keys.is_some());
        let keys = match keys {
            Some(keys) => keys.into_iter().map(Some).collect(),
            None => vec![None; listing.pieces().into()],
        };
        Self {
            tag: Tag::of(&metadata.key()),
            metadata,
            listing,
            pieces,
            keys,
            settling: BTreeMap::new(),
            peers: Vec::new(),
            order: Vec::new(),
            greeted: BTreeMap::new(),
            rounds: 0,
            next_announce: now + limits::SWARM_ANNOUNCE,
            progress: now,
            first_part: None,
            ledger: Ledger::default(),
            met: 0,
            is_broken: false,
        }
    }

    pub(super) fn find(&self, id: &NodeId) -> Option<usize> {
        self.peers.binary_search_by(|peer| peer.id.cmp(id)).ok()
    }

    /// How trade stands.
    pub(super) fn trades(&self) -> Trades {
        let mut trades = Trades::default();
        for peer in self.peers.iter().filter(|peer| peer.bits.count() < self.pieces.count()) {
            let is_mutual = peer.useful > 0 && peer.wants;
            trades.peers += 1;
            trades.mutual += u32::from(is_mutual);
            trades.trading += u32::from(is_mutual && !peer.is_choked && !peer.chokes);
        }
        trades
    }

    /// A peer speaks of itself.
    pub(super) fn on_claim(&mut self, from: &NodeId, claim: Claim) {
        if let Some(at) = self.find(from) {
            self.peers[at].claim = claim;
        }
    }

    /// Says of this node what the scheme asks for: the truth, or what serves a cheat.
    fn claim_all(&self, core: &mut Core) {
        let cheats = core.config.cheats;
        let level = if cheats { MOST_LEVEL } else { self.ledger.level() };
        for peer in &self.peers {
            let others = self.peers.len() - 1;
            // A stolen name is that of anybody but who is told.
            let stolen = (cheats && others > 0).then(|| {
                let place = core.dice.below(others);
                let place = place + usize::from(self.peers[place..].first().is_some_and(|p| p.id >= peer.id));
                name_of(&self.peers[place].id)
            });
            let claim = Claim { level, name: stolen.unwrap_or_else(|| name_of(&core.me.id())) };
            core.calls.reply(peer.id, Message::Claim { tag: self.tag, claim });
        }
    }

    /// The tracker names peers: some are greeted.
    pub(super) fn meet(&mut self, core: &mut Core, now: Instant, contacts: Vec<Contact>) {
        // Where all that is there comes from a seed that is full, those who stay behind must find it when it has room.
        let most = if self.is_stuck() { limits::SWARM_PEERS } else { limits::SWARM_DIALS };
        for contact in contacts {
            let id = contact.id();
            if self.peers.len() + self.greeted.len() >= most {
                break;
            }
            if id == core.me.id() || self.find(&id).is_some() || self.greeted.contains_key(&id) {
                continue;
            }
            let bits = self.pieces.have().clone();
            self.greeted.insert(id, (bits.clone(), now));
            core.calls.tell(&contact, Message::Hello { tag: self.tag, bits });
        }
    }

    /// A peer wants to trade, or agrees to.
    pub(super) fn on_hello(&mut self, core: &mut Core, now: Instant, from: NodeId, bits: Bits) {
        if self.find(&from).is_some() || !bits.fits(self.pieces.count()) {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        let greeted = self.greeted.remove(&from);
        let is_useless = self.pieces.is_complete() && bits.count() == self.pieces.count();
        if is_useless || self.peers.len() >= limits::SWARM_PEERS {
            return core.calls.reply(from, Message::Bye { tag: self.tag });
        }
        self.met += 1;
        self.pieces.saw(&bits);
        let useful = bits.beyond(self.pieces.have());
        let at = self.peers.partition_point(|peer| peer.id < from);
        self.peers.insert(at, Peer::new(from, bits, useful, now));
        // A newcomer is three times as likely to be the next that is tried.
        let place = core.dice.below(self.order.len() + 3).saturating_sub(2);
        self.order.insert(place, from);
        match greeted {
            // What has come since the greeting is not known to the peer yet.
            Some((then, _)) => {
                let new: Vec<u16> = self.pieces.have().iter().filter(|piece| !then.has(*piece)).collect();
                let tag = self.tag;
                new.into_iter().for_each(|piece| core.calls.reply(from, Message::Have { tag, piece }));
            }
            None => {
                let bits = self.pieces.have().clone();
                core.calls.reply(from, Message::Hello { tag: self.tag, bits });
            }
        }
        if useful > 0 {
            self.tell_interest(core, at, true);
        }
    }

    /// A peer has another piece.
    pub(super) fn on_have(&mut self, core: &mut Core, now: Instant, from: NodeId, piece: u16) {
        let Some(at) = self.find(&from) else { return };
        if piece >= self.pieces.count() {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        let peer = &mut self.peers[at];
        if peer.bits.has(piece) {
            return;
        }
        peer.bits.set(piece);
        self.pieces.saw_one(piece);
        if self.pieces.have().has(piece) {
            return;
        }
        peer.useful += 1;
        if peer.useful == 1 {
            self.tell_interest(core, at, true);
        }
        self.fill(core, now, at);
    }

    pub(super) fn tell_interest(&mut self, core: &mut Core, at: usize, interested: bool) {
        let peer = &mut self.peers[at];
        let order = peer.say();
        core.calls.reply(peer.id, Message::Interest { tag: self.tag, order, interested });
    }

    /// Says once more what is wanted, where nobody answers: over links whose messages may pass each other, the word came before the
    /// greeting and was not heard, or the answer was.
    fn insist(&mut self, core: &mut Core) {
        if self.peers.iter().any(|peer| peer.useful > 0 && !peer.chokes) {
            return;
        }
        let useful: Vec<usize> = (0..self.peers.len()).filter(|at| self.peers[*at].useful > 0).collect();
        useful.into_iter().for_each(|at| self.tell_interest(core, at, true));
    }

    /// A peer is gone, or never came.
    pub(super) fn on_gone(&mut self, core: &mut Core, now: Instant, id: &NodeId) {
        self.greeted.remove(id);
        let Some(at) = self.find(id) else { return };
        let mut peer = self.peers.remove(at);
        self.order.retain(|other| other != id);
        self.pieces.lost(&peer.bits);
        peer.withdraw_all().into_iter().for_each(|place| self.pieces.release(place));
        self.pieces.abandon(id);
        self.fill_all(core, now);
        if !peer.is_choked {
            self.rechoke(core, now);
        }
    }

    /// Takes leave of the peers that `which` chooses.
    pub(super) fn part_with(&mut self, core: &mut Core, now: Instant, which: impl Fn(&Peer) -> bool) {
        let leaving: Vec<NodeId> = self.peers.iter().filter(|peer| which(peer)).map(|peer| peer.id).collect();
        for id in leaving {
            core.calls.reply(id, Message::Bye { tag: self.tag });
            self.on_gone(core, now, &id);
        }
    }

    /// Ten seconds have passed.
    pub(super) fn on_round(&mut self, core: &mut Core, now: Instant) {
        self.greeted.retain(|_, (_, at)| *at + GREETING > now);
        self.note_snubs(core, now);
        if self.rounds.is_multiple_of(OPTIMISTIC_ROUNDS) {
            self.rotate();
            self.insist(core);
            if core.config.scheme != Scheme::TitForTat {
                self.claim_all(core);
            }
        }
        self.rounds = self.rounds.wrapping_add(1);
        self.rechoke(core, now);
        self.announce_if_due(core, now);
    }

    fn announce_if_due(&mut self, core: &mut Core, now: Instant) {
        let is_short = self.peers.len() < limits::SWARM_FEW_PEERS || self.is_stuck();
        let again = self.next_announce - limits::SWARM_ANNOUNCE + limits::SWARM_ASK_AGAIN;
        if self.next_announce <= now || (is_short && again <= now) {
            self.announce(core, now);
        }
    }

    /// Whether something is missing that no peer has.
    fn is_stuck(&self) -> bool {
        !self.pieces.is_complete() && self.peers.iter().all(|peer| peer.useful == 0)
    }

    /// Tells the tracker how far this is.
    pub(super) fn announce(&mut self, core: &mut Core, now: Instant) {
        self.next_announce = now + limits::SWARM_ANNOUNCE;
        let stage = if self.pieces.is_complete() { Stage::Seed } else { Stage::Leech };
        let key = self.metadata.key();
        core.announce(now, key, stage, Purpose::Routine(key));
    }
}

/// The name under which an honest node is known.
fn name_of(id: &NodeId) -> u64 {
    id.0.iter().take(8).fold(0, |name, byte| (name << 8) | u64::from(*byte))
}

/// How long a greeting may go without an answer. Chosen: two failed dials.
const GREETING: Duration = Duration::from_secs(20);
/// Choking rounds between two optimistic choices: 30 s (BEP 3).
const OPTIMISTIC_ROUNDS: u32 = 3;
