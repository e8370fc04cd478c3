//! Whether the witnesses of a certificate were the right ones (docs/protocol.md §5).
//!
//! Signatures alone prove little: anybody can find three friends who sign. So the places where the witnesses must lie
//! are asked, one small routed question each: the node reached answers with a witness's own reference if that witness is
//! among the examined nodes nearest the place. Two neighbours of distinct address groups that vouch spare the questions; they must
//! lie around the place of the peer, so that a lie does not travel. Results are cached. A node that is not linked well enough to ask
//! takes its first neighbours on the word of the node by which it enters, and examines them once it can.
//!
//! The rule: two witnesses confirmed, or two neighbours vouching; in a network with fewer than 50 nodes one of either, and any
//! live member may be a witness. Nobody answering is no proof either way, and a denial may mean that the network has grown: the
//! link is refused without a penalty. Who only holds a long link is not examined; see `inquiry`.
//!
//! What an attacker with a fraction f of the nodes can still do. A witness counts if it is among the four nearest of
//! its place, so a place falls with 1 − (1 − f)⁴, and two of six places suffice: a location is forged outright for a given
//! identity with 1 in 4,200 at f = 0.1 %, 1 in 48 at 1 %, 2 in 3 at 10 %. Identities cost nothing and tell their places in
//! advance, so one that suits can be sought offline; only `work_bits`, paid per announcement and not per identity tried,
//! stands against honest draws repeated. Within an honest draw, one colluding witness of three that withholds its seed
//! chooses between two locations, two choose among three. Two lying neighbours of distinct groups, of the eight nearest a place,
//! deceive a node about who else lies there, and through it others around that place.

use crate::id::{AddressGroup, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::certificate::{Certificate, Shown, Testimony};
use crate::overlay::freenet::announcement::{self, Digest};
use crate::overlay::freenet::core::{Core, Purpose};
use crate::overlay::freenet::examined::Good;
use crate::overlay::freenet::message::{Message, Question, Reply};
use crate::overlay::freenet::neighbours::Neighbour;
use crate::overlay::freenet::query::Queries;
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::freenet::shape::is_small_network;
use crate::overlay::freenet::sparse::Sparse;
use crate::time::Instant;

/// The certificates under examination, and those examined.
#[derive(Debug, Default)]
pub(super) struct Vouching {
    checks: Sparse<u64, Box<Check>>,
    deadlines: Schedule<u64>,
    examined: Good,
    next_id: u64,
}

/// What an examination finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The witnesses were the right ones, or nobody needs to say so.
    Rightful,
    /// The places asked do not know the witnesses.
    False,
    /// Too few answered.
    Unknown,
    /// Wait.
    Pending,
}

/// A finished examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Examined {
    pub(super) peer: NodeId,
    /// Digest of the certificate that it had shown.
    pub(super) certificate: Digest,
    pub(super) finding: Finding,
}

#[derive(Debug)]
struct Check {
    peer: NodeId,
    certificate: Shown,
    digest: Digest,
    stage: Stage,
    /// Whether the places did not confirm it at the first asking.
    is_doubted: bool,
    due: Instant,
}

#[derive(Debug)]
enum Stage {
    /// Neighbours that are linked to the peer are asked; the groups of those that vouch.
    Neighbours { asked: Vec<NodeId>, vouching: Vec<AddressGroup>, hearsay: u8 },
    /// The witness places are asked: as many at once as it takes, each further one when another has failed.
    Places { asked: usize, open: usize, confirmed: usize, denied: usize },
    /// The ring may have been in motion: all is asked once more.
    Again,
}

impl Vouching {
    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Examines the certificate that a linked peer has shown.
    pub(super) fn examine(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        peer: NodeId,
        certificate: Shown,
    ) -> Finding {
        let digest = certificate.digest();
        if self.examined.uses(&digest) {
            return Finding::Rightful;
        }
        if self.checks.values().any(|check| check.peer == peer && check.digest == digest) {
            return Finding::Pending;
        }
        if self.checks.len() >= limits::EXAMINATIONS {
            return Finding::Unknown;
        }
        let asked = acquainted(core, &peer, certificate.claim.location);
        for neighbour in &asked {
            core.send(*neighbour, Message::VouchFor { certificate: digest });
        }
        self.next_id += 1;
        let (id, due) = (self.next_id, now + limits::VOUCH_TIME);
        let is_known = asked.len() >= needed(core);
        let stage = Stage::Neighbours { asked, vouching: Vec::new(), hearsay: 0 };
        let check = Check { peer, certificate, digest, stage, is_doubted: false, due };
        self.checks.insert(id, Box::new(check));
        self.deadlines.add(due, id);
        if !is_known {
            self.ask_places(core, queries, now, id);
        }
        Finding::Pending
    }

    /// This node's answer about the holder of a certificate that lies near it: its reference, if it was examined here.
    pub(super) fn known(&self, core: &Core, holder: &NodeId, certificate: &Digest) -> Reply {
        let neighbour = core.neighbours.get(holder).filter(|neighbour| neighbour.is_member());
        let shown =
            |neighbour: &&Neighbour| neighbour.certificate.as_ref().is_some_and(|own| own.digest() == *certificate);
        let is_good = self.examined.hearsay(certificate).is_some();
        let found = neighbour.filter(shown).filter(|_| is_good).and_then(Neighbour::reference);
        Reply::Vouched { reference: found.cloned() }
    }

    /// A neighbour asks whether this node vouches for a certificate.
    pub(super) fn handle_vouch_for(&self, core: &mut Core, from: NodeId, certificate: Digest) {
        let hearsay = self.examined.hearsay(&certificate);
        core.send(from, Message::VouchedFor { certificate, hearsay });
    }

    /// A neighbour vouches for a certificate, or does not.
    pub(super) fn handle_vouched_for(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        from: NodeId,
        answer: (Digest, Option<u8>),
    ) -> Option<Examined> {
        let (certificate, told) = answer;
        let group = core.neighbours.get(&from)?.reference()?.group();
        let id = *self.checks.iter().find(|(_, check)| check.digest == certificate && check.is_waiting_for(&from))?.0;
        let check = self.checks.get_mut(&id)?;
        let Stage::Neighbours { asked, vouching, hearsay } = &mut check.stage else { return None };
        asked.retain(|other| *other != from);
        if let Some(told) = told.filter(|told| *told < limits::HEARSAY && !vouching.contains(&group)) {
            vouching.push(group);
            *hearsay = (*hearsay).max(told + 1);
        }
        let needed = needed(core);
        if vouching.len() >= needed {
            let hearsay = *hearsay;
            return self.conclude(id, Finding::Rightful, hearsay);
        }
        if vouching.len() + asked.len() < needed {
            self.ask_places(core, queries, now, id);
        }
        None
    }

    /// A witness place has answered.
    pub(super) fn handle_reply(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        asked: (u64, u8),
        reply: Option<Reply>,
    ) -> Option<Examined> {
        let (id, index) = asked;
        // An answer to the first asking may come when all is asked once more.
        let check = self.checks.get_mut(&id).filter(|check| check.is_doubted == (index >= SECOND_ASKING))?;
        let witness = check.certificate.testimonies.get(usize::from(index % SECOND_ASKING))?.witness;
        let Stage::Places { asked, open, confirmed, denied } = &mut check.stage else { return None };
        *open -= 1;
        match reply {
            Some(Reply::Vouched { reference: Some(reference) })
                if reference.id == witness && core.me.has_signed(&reference) =>
            {
                *confirmed += 1;
            }
            Some(Reply::Vouched { .. }) => *denied += 1,
            _ => {}
        }
        let (asked, open, confirmed, denied) = (*asked, *open, *confirmed, *denied);
        let testimonies = check.certificate.testimonies.len();
        let is_short = confirmed + open < needed(core) && asked < testimonies;
        if is_short && self.ask_next_places(core, queries, now, id, 1) {
            return None;
        }
        let check = self.checks.get_mut(&id)?;
        let finding = judge(core, testimonies, open, confirmed, denied);
        match finding {
            Finding::Pending => None,
            Finding::False | Finding::Unknown if !check.is_doubted => {
                check.is_doubted = true;
                check.stage = Stage::Again;
                self.deadlines.cancel(check.due, id);
                check.due = now + limits::VOUCH_AGAIN;
                self.deadlines.add(check.due, id);
                None
            }
            _ => self.conclude(id, finding, 0),
        }
    }

    /// A neighbour that was asked stays silent: the places are asked.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        while let Some(id) = self.deadlines.pop_due(now) {
            if self.checks.get(&id).is_some_and(|check| !matches!(check.stage, Stage::Places { .. })) {
                self.ask_places(core, queries, now, id);
            }
        }
    }

    /// A link is gone.
    pub(super) fn handle_link_down(&mut self, peer: &NodeId) {
        let of_peer: Vec<u64> =
            self.checks.iter().filter(|(_, check)| check.peer == *peer).map(|(id, _)| *id).collect();
        for id in of_peer {
            if let Some(check) = self.checks.remove(&id) {
                self.deadlines.cancel(check.due, id);
            }
        }
    }

    fn ask_places(&mut self, core: &mut Core, queries: &mut Queries, now: Instant, id: u64) {
        let Some(check) = self.checks.get_mut(&id) else { return };
        check.stage = Stage::Places { asked: 0, open: 0, confirmed: 0, denied: 0 };
        self.ask_next_places(core, queries, now, id, needed(core));
    }

    /// Asks for further witnesses; whether there were any.
    fn ask_next_places(&mut self, core: &mut Core, queries: &mut Queries, now: Instant, id: u64, count: usize) -> bool {
        let Some(check) = self.checks.get_mut(&id) else { return false };
        let Stage::Places { asked, open, .. } = &mut check.stage else { return false };
        let next: Vec<_> = places(core, &check.certificate).into_iter().enumerate().skip(*asked).take(count).collect();
        let is_more = !next.is_empty();
        *asked += next.len();
        *open += next.len();
        for (index, (witness, place)) in next {
            let asking = if check.is_doubted { SECOND_ASKING } else { 0 };
            let purpose = Purpose::Vouch { check: id, testimony: asking + index as u8 };
            queries.ask(core, now, purpose, place, Question::Vouch { witness }, None);
        }
        is_more
    }

    fn conclude(&mut self, id: u64, finding: Finding, hearsay: u8) -> Option<Examined> {
        let check = self.checks.remove(&id)?;
        self.deadlines.cancel(check.due, id);
        if finding == Finding::Rightful {
            self.examined.put(check.digest, hearsay);
        }
        Some(Examined { peer: check.peer, certificate: check.digest, finding })
    }
}

impl Check {
    fn is_waiting_for(&self, neighbour: &NodeId) -> bool {
        matches!(&self.stage, Stage::Neighbours { asked, .. } if asked.contains(neighbour))
    }
}

/// This node's answer about a witness: its reference, if it lies among the nodes nearest the place asked, as far as
/// this node knows. Being linked is not enough: an attacker can link whom it likes, but not lie where it likes. Nor does one
/// count, or stand in the way, that was not examined.
pub(super) fn vouched(core: &Core, target: Location, witness: &NodeId) -> Reply {
    if !core.me.placed {
        return Reply::Declined;
    }
    let own = (core.location().distance(target), core.me.id, &core.me.reference);
    let considered = if is_small_network(core) { usize::MAX } else { limits::WITNESS_NEIGHBOURHOOD };
    let members = core.neighbours.trusted_nearest_to(target).take(considered);
    let mut nodes: Vec<_> = members
        .filter_map(|(id, neighbour, place)| Some((place.distance(target), *id, neighbour.reference()?)))
        .chain([own])
        .collect();
    nodes.sort_by_key(|(distance, id, _)| (*distance, *id));
    let found = nodes.into_iter().take(considered).find(|(_, id, _)| id == witness);
    Reply::Vouched { reference: found.map(|(_, _, reference)| reference.clone()) }
}

/// How many confirmations it takes.
fn needed(core: &Core) -> usize {
    if is_small_network(core) { 1 } else { limits::CONFIRMATIONS }
}

fn judge(core: &Core, testimonies: usize, open: usize, confirmed: usize, denied: usize) -> Finding {
    let needed = needed(core);
    if confirmed >= needed {
        Finding::Rightful
    } else if testimonies - denied < needed {
        Finding::False
    } else if open == 0 {
        Finding::Unknown
    } else {
        Finding::Pending
    }
}

/// Neighbours of distinct address groups that say they are linked to the peer: those nearest to it that count. A node far
/// from the place has no say, or whoever is linked could bring in anybody anywhere.
pub(super) fn acquainted(core: &Core, peer: &NodeId, place: Location) -> Vec<NodeId> {
    let mut groups: Vec<AddressGroup> = Vec::new();
    let around = core.neighbours.trusted_nearest_to(place).filter(|(id, _, _)| *id != peer);
    let linked = around
        .take(limits::VOUCHING_NEIGHBOURHOOD)
        .filter(|(_, neighbour, _)| neighbour.ahead().as_slice().binary_search(&place).is_ok());
    let distinct = linked.filter_map(|(id, neighbour, _)| {
        let group = neighbour.reference()?.group();
        let is_new = !groups.contains(&group);
        groups.push(group);
        is_new.then_some(*id)
    });
    distinct.take(limits::VOUCHERS_ASKED).collect()
}

/// Each witness with the place to ask for it: of the places that count, the one nearest to where it says it lies, and no
/// place twice; three friends around one place are one witness. A small network has witnesses anywhere.
fn places(core: &Core, certificate: &Certificate) -> Vec<(NodeId, Location)> {
    let claim = &certificate.claim;
    let place = |index| announcement::witness_place(&core.me.network, &claim.node, claim.day, index);
    let mut free: Vec<Location> = (1..=limits::WITNESS_PLACES).map(place).collect();
    let is_small = is_small_network(core);
    let mut nearest = |testimony: &Testimony| {
        let index = (0..free.len()).min_by_key(|index| free[*index].distance(testimony.location))?;
        Some(free.swap_remove(index))
    };
    let place_of = |testimony: &Testimony| if is_small { Some(testimony.location) } else { nearest(testimony) };
    let mut place_of = place_of;
    certificate.testimonies.iter().filter_map(|testimony| Some((testimony.witness, place_of(testimony)?))).collect()
}

/// Marks answers to the second asking.
const SECOND_ASKING: u8 = 128;
