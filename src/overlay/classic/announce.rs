//! Joining as in 2001: a commitment walks from node to node at random, all reveal, and the exclusive or of the seeds is the
//! newcomer's key.
//!
//! The walk visits distinct nodes; each adds the newcomer under its key, and the newcomer adds each of them. The last node
//! only makes a seed. Every node checks the commitment it was given against the seeds revealed.

use crypto::hash::{Label, hash};
use rand::{Rng, RngExt};

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::classic::core::Core;
use crate::overlay::classic::exchange::SeenIds;
use crate::overlay::classic::message::{Message, Party, TransactionId};
use crate::overlay::mode::Offence;
use crate::time::{Duration, Instant};

/// The announcements that pass through one node, and its own.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    open: Vec<Walk>,
    seen: SeenIds,
}

/// One announcement at one node.
#[derive(Debug)]
struct Walk {
    id: TransactionId,
    /// Where it came from; absent for the newcomer itself.
    origin: Option<NodeId>,
    newcomer: Contact,
    /// As it arrived here; the newcomer's own holds nothing.
    commitment: [u8; 32],
    seed: [u8; 32],
    htl: u16,
    next: Option<Contact>,
    tried: Vec<Contact>,
    revealed: bool,
    deadline: Instant,
}

/// An announcement as it arrives.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    pub(super) id: TransactionId,
    pub(super) htl: u16,
    pub(super) newcomer: Contact,
    pub(super) commitment: [u8; 32],
}

impl Announcements {
    /// Announces this node through `first`.
    pub(super) fn begin(&mut self, core: &mut Core, now: Instant, first: &Contact) {
        let (id, seed) = (core.transaction_id(), draw_seed(core));
        let htl = core.config.announce_htl;
        let newcomer = core.me.clone();
        let (next, deadline) = (Some(first.clone()), now + time(htl));
        let walk = Walk {
            id,
            origin: None,
            newcomer: newcomer.clone(),
            commitment: [0; 32],
            seed,
            htl,
            next,
            tried: Vec::new(),
            revealed: false,
            deadline,
        };
        self.open.push(walk);
        let commitment = commit(None, &seed);
        core.contact(first, Message::Announce { id, htl, newcomer, commitment });
    }

    /// A newcomer's announcement arrives.
    pub(super) fn handle_announce(&mut self, core: &mut Core, now: Instant, from: NodeId, announced: Announced) {
        let Announced { id, htl, newcomer, commitment } = announced;
        if htl == 0 || htl > limits::ANNOUNCE_HOPS {
            return core.offence(from, Offence::OutOfTurn);
        }
        let known = self.seen.contains(id) || self.open.iter().any(|walk| walk.id == id);
        if known || core.place.is_none() || self.open.len() >= limits::CLASSIC_EXCHANGES {
            return core.reply(from, Message::Continue { id, htl });
        }
        let (seed, htl, deadline) = (draw_seed(core), htl - 1, now + time(htl));
        let walk = Walk {
            id,
            origin: Some(from),
            newcomer,
            commitment,
            seed,
            htl,
            next: None,
            tried: Vec::new(),
            revealed: false,
            deadline,
        };
        self.open.push(walk);
        self.walk_on(core, id);
    }

    /// The node drawn has seen the announcement before: another is drawn. Whether the id is an announcement's.
    pub(super) fn handle_continue(&mut self, core: &mut Core, from: NodeId, id: TransactionId) -> bool {
        let Some(walk) = self.find(id) else { return self.seen.contains(id) };
        if walk.awaits(&from) {
            self.walk_on(core, id);
        }
        true
    }

    /// The seeds from further on.
    pub(super) fn handle_reveal(&mut self, core: &mut Core, from: NodeId, id: TransactionId, parties: Vec<Party>) {
        let Some(walk) = self.find(id).filter(|walk| walk.awaits(&from)) else { return };
        if parties.is_empty() || parties.len() > usize::from(walk.htl) {
            return core.offence(from, Offence::OutOfTurn);
        }
        walk.revealed = true;
        let (origin, seed) = (walk.origin, walk.seed);
        match origin {
            Some(origin) => {
                let mut all = vec![party(core, seed)];
                all.extend(parties);
                core.reply(origin, Message::Reveal { id, parties: all });
            }
            None => self.settle(core, id, &parties),
        }
    }

    /// All seeds are known: the newcomer has its key.
    pub(super) fn handle_assign(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: TransactionId,
        seeds: Vec<[u8; 32]>,
    ) {
        let Some(at) = self.open.iter().position(|walk| walk.id == id && walk.origin == Some(from) && walk.revealed)
        else {
            return;
        };
        let walk = self.open.swap_remove(at);
        self.seen.insert(now, id);
        if !walk.agrees_with(&seeds) {
            return core.offence(from, Offence::BadCredential);
        }
        core.learn(key_of(&seeds), &walk.newcomer);
        if let Some(next) = &walk.next {
            core.contact(next, Message::Assign { id, seeds });
        }
    }

    /// A node cannot be reached or is gone.
    pub(super) fn handle_gone(&mut self, core: &mut Core, peer: &NodeId) {
        let waiting = self.open.iter().filter(|walk| walk.awaits(peer) && !walk.revealed);
        let ids: Vec<TransactionId> = waiting.map(|walk| walk.id).collect();
        for id in ids {
            if self.find(id).is_some_and(|walk| walk.origin.is_some()) {
                self.walk_on(core, id);
            } else {
                // The newcomer's first contact: the timer of the whole announcement tries again.
                self.open.retain(|walk| walk.id != id);
            }
        }
    }

    /// Timers that have run out: whoever was silent has left the walk.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.open.retain(|walk| walk.deadline > now);
    }

    /// When the next timer runs out.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.open.iter().map(|walk| walk.deadline).min()
    }

    /// Whether an announcement needs the link to `peer`.
    pub(super) fn uses(&self, peer: &NodeId) -> bool {
        self.open.iter().any(|walk| walk.awaits(peer) || walk.origin == Some(*peer))
    }

    /// Whether this node's own announcement is under way.
    pub(super) fn is_announcing(&self) -> bool {
        self.open.iter().any(|walk| walk.origin.is_none())
    }

    fn walk_on(&mut self, core: &mut Core, id: TransactionId) {
        let Some(walk) = self.open.iter_mut().find(|walk| walk.id == id) else { return };
        let next = if walk.htl == 0 { None } else { walk.draw(core) };
        walk.next.clone_from(&next);
        match next {
            Some(next) => {
                walk.tried.push(next.clone());
                let (htl, newcomer) = (walk.htl, walk.newcomer.clone());
                let commitment = commit(Some(&walk.commitment), &walk.seed);
                core.contact(&next, Message::Announce { id, htl, newcomer, commitment });
            }
            None => {
                walk.revealed = true;
                let (origin, seed) = (walk.origin, walk.seed);
                if let Some(origin) = origin {
                    let parties = vec![party(core, seed)];
                    core.reply(origin, Message::Reveal { id, parties });
                }
            }
        }
    }

    /// The newcomer takes its key, learns of all, and tells them.
    fn settle(&mut self, core: &mut Core, id: TransactionId, parties: &[Party]) {
        let Some(at) = self.open.iter().position(|walk| walk.id == id) else { return };
        let walk = self.open.swap_remove(at);
        let seeds: Vec<[u8; 32]> = std::iter::once(walk.seed).chain(parties.iter().map(|party| party.seed)).collect();
        core.place = Some(key_of(&seeds));
        for party in parties {
            core.learn(party.key, &party.contact);
        }
        if let Some(next) = &walk.next {
            core.contact(next, Message::Assign { id, seeds });
        }
    }

    fn find(&mut self, id: TransactionId) -> Option<&mut Walk> {
        self.open.iter_mut().find(|walk| walk.id == id)
    }
}

impl Walk {
    fn awaits(&self, peer: &NodeId) -> bool {
        self.next.as_ref().is_some_and(|next| next.id() == *peer)
    }

    /// A uniformly random entry of the table, drawn again while it leads to a node known to be on the walk.
    fn draw(&self, core: &mut Core) -> Option<Contact> {
        let open = |contact: &&Contact| {
            !self.tried.contains(contact) && **contact != self.newcomer && self.origin != Some(contact.id())
        };
        let choices: Vec<&Contact> = core.table.contacts().iter().filter(open).collect();
        if choices.is_empty() {
            return None;
        }
        Some(choices[core.random.random_range(0..choices.len())].clone())
    }

    /// Whether the seeds open the commitment that was given to this node, and hold its own seed in its place.
    fn agrees_with(&self, seeds: &[[u8; 32]]) -> bool {
        let mut commitment = None;
        for seed in seeds {
            if commitment == Some(self.commitment) {
                return *seed == self.seed;
            }
            commitment = Some(commit(commitment.as_ref(), seed));
        }
        false
    }
}

/// The hash of a seed, combined with the commitment so far: c' = H(s XOR c).
fn commit(before: Option<&[u8; 32]>, seed: &[u8; 32]) -> [u8; 32] {
    let mixed = before.map_or(*seed, |before| xor(before, seed));
    hash(Label::LocationCommitment, &[&mixed])
}

fn key_of(seeds: &[[u8; 32]]) -> Location {
    let all = seeds.iter().fold([0; 32], |sum, seed| xor(&sum, seed));
    let mut first = [0; 8];
    first.copy_from_slice(&all[..8]);
    Location(u64::from_be_bytes(first))
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| a[at] ^ b[at])
}

fn party(core: &Core, seed: [u8; 32]) -> Party {
    let key = core.place.expect("a node without a place takes no announcement");
    Party { contact: core.me.clone(), key, seed }
}

fn draw_seed(core: &mut Core) -> [u8; 32] {
    let mut seed = [0; 32];
    core.random.fill_bytes(&mut seed);
    seed
}

/// The timer of a walk: every node may have to try several others.
fn time(htl: u16) -> Duration {
    limits::CLASSIC_CONTACT * 4 * (u32::from(htl) + 1)
}
