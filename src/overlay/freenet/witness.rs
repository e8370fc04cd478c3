//! The other side of a newcomer's announcement: adding a seed, revealing it in turn, signing the outcome.
//!
//! A witness reveals only after it has seen the newcomer's seed and its own commitment among those listed; it signs one
//! outcome. Pending announcements are few, short-lived, and rationed by address group; whoever knows the seeds, signed or
//! abandoned, is barred from new ones for a while (docs/protocol.md §5). Whether this node was the right one to ask is half its own to
//! judge: the place asked must be a witness place.

use std::collections::BTreeMap;

use crypto::hash::Label;
use crypto::work;
use rand::Rng;

use crate::id::{AddressGroup, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::certificate::{Claim, Testimony};
use crate::overlay::freenet::announcement::{self, Digest};
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::message::{Certify, Commit, Reply, Reveal};
use crate::time::{Day, Duration, Instant};

/// All announcements that this node is a witness of.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    pending: BTreeMap<NodeId, Pending>,
    groups: BTreeMap<AddressGroup, Quota>,
    /// Newcomers that have seen this node's seed a while ago.
    barred: BTreeMap<NodeId, Instant>,
}

#[derive(Debug)]
struct Pending {
    began: Instant,
    group: AddressGroup,
    /// The newcomer's commitment.
    theirs: Digest,
    /// This node's seed.
    seed: Digest,
    revealed: Option<Revealed>,
    signed: Option<Claim>,
}

/// What is fixed once this node has revealed its seed.
#[derive(Debug)]
struct Revealed {
    newcomer_seed: Digest,
    commitments: Vec<(NodeId, Digest)>,
}

#[derive(Clone, Copy, Debug)]
struct Quota {
    since: Instant,
    used: u32,
}

impl Witnesses {
    /// A newcomer asks for a seed.
    pub(super) fn handle_commit(&mut self, core: &mut Core, now: Instant, target: Location, commit: Commit) -> Reply {
        self.expire(core, now);
        if !core.me.placed || commit.node == core.me.id || !has_worked(core, &commit) || self.is_barred(&commit.node) {
            return Reply::Declined;
        }
        if !is_witness_place(core, target, &commit.node, now.day()) {
            return Reply::Declined;
        }
        let is_open = match self.pending.get(&commit.node) {
            // Asked again by another place that coincides, or because the answer was lost.
            Some(pending) if pending.theirs == commit.commitment => pending.group == commit.group,
            // Who has seen the seeds would draw again until the place suits.
            Some(pending) if pending.revealed.is_some() => false,
            _ => self.begin(core, now, &commit),
        };
        if !is_open {
            return Reply::Declined;
        }
        let Some(pending) = self.pending.get(&commit.node) else { return Reply::Declined };
        let witness = core.me.id;
        let commitment =
            announcement::commitment(&core.me.network, &witness, &commit.node, pending.group, &pending.seed);
        Reply::Committed { witness, location: core.location(), commitment }
    }

    fn begin(&mut self, core: &mut Core, now: Instant, commit: &Commit) -> bool {
        if self.pending.len() >= limits::ANNOUNCEMENTS || !self.spend(core, now, commit.group) {
            return false;
        }
        let mut seed = [0; 32];
        core.random.fill_bytes(&mut seed);
        let (group, theirs) = (commit.group, commit.commitment);
        self.pending.insert(commit.node, Pending { began: now, group, theirs, seed, revealed: None, signed: None });
        true
    }

    /// The newcomer reveals its seed and lists all commitments.
    pub(super) fn handle_reveal(&mut self, core: &Core, now: Instant, reveal: Reveal) -> Reply {
        self.expire(core, now);
        let (network, me) = (core.me.network, core.me.id);
        let Some(pending) = self.pending.get_mut(&reveal.node).filter(|_| reveal.witness == me) else {
            return Reply::Declined;
        };
        let opened = announcement::commitment(&network, &reveal.node, &reveal.node, pending.group, &reveal.seed);
        let own = announcement::commitment(&network, &me, &reveal.node, pending.group, &pending.seed);
        if opened != pending.theirs || !is_sound(&reveal.commitments) || !reveal.commitments.contains(&(me, own)) {
            return Reply::Declined;
        }
        match &pending.revealed {
            // Another list would be a second choice of companions.
            Some(revealed) if revealed.commitments != reveal.commitments => Reply::Declined,
            _ => {
                let (newcomer_seed, commitments) = (reveal.seed, reveal.commitments);
                pending.revealed = Some(Revealed { newcomer_seed, commitments });
                Reply::Revealed { seed: pending.seed }
            }
        }
    }

    /// The newcomer shows all seeds and asks for a signature.
    pub(super) fn handle_certify(&mut self, core: &Core, now: Instant, certify: &Certify) -> Reply {
        self.expire(core, now);
        let claim = certify.claim;
        let Some(pending) = self.pending.get_mut(&claim.node).filter(|_| certify.witness == core.me.id) else {
            return Reply::Declined;
        };
        let follows = pending.revealed.as_ref().is_some_and(|revealed| follows(core, pending.group, revealed, certify));
        let is_dated = claim.day.since(now.day()) <= 1 && now.day().since(claim.day) <= 1;
        let is_first = pending.signed.is_none_or(|signed| signed == claim);
        if !follows || !is_dated || !is_first || claim.group != pending.group {
            return Reply::Declined;
        }
        pending.signed = Some(claim);
        Reply::Signed { testimony: Testimony::sign(&core.me.key, &core.me.network, core.location(), &claim) }
    }

    // -- bounds -------------------------------------------------------------------------------------------------------

    fn is_barred(&self, node: &NodeId) -> bool {
        self.barred.contains_key(node)
    }

    /// Takes one announcement from the share of an address group.
    fn spend(&mut self, core: &Core, now: Instant, group: AddressGroup) -> bool {
        self.groups.retain(|_, quota| now.since(quota.since) < limits::ANNOUNCEMENT_WINDOW);
        if self.groups.len() >= limits::ANNOUNCING_GROUPS && !self.groups.contains_key(&group) {
            return false;
        }
        let share = if core.config.is_lenient() {
            limits::ANNOUNCEMENTS_PER_GROUP_LOCAL
        } else {
            limits::ANNOUNCEMENTS_PER_GROUP
        };
        let quota = self.groups.entry(group).or_insert(Quota { since: now, used: 0 });
        quota.used += 1;
        quota.used <= share
    }

    /// Forgets what is over. Whoever saw the seed is barred.
    fn expire(&mut self, core: &Core, now: Instant) {
        self.barred.retain(|_, until| *until > now);
        let life = limits::ANNOUNCEMENT_LIFE.min(penalty(core));
        let is_over = |pending: &Pending| now.since(pending.began) >= life;
        let over: Vec<NodeId> =
            self.pending.iter().filter(|(_, pending)| is_over(pending)).map(|(node, _)| *node).collect();
        for node in over {
            let revealed = self.pending.remove(&node).filter(|pending| pending.revealed.is_some());
            let until = revealed.map(|pending| pending.began + penalty(core)).filter(|until| *until > now);
            if let Some(until) = until
                && self.barred.len() < limits::BARRED
            {
                self.barred.insert(node, until);
            }
        }
    }
}

/// Whether the claimed location follows from seeds that were committed to, this node's among them. A witness that
/// vanished after its commitment is left out; a majority of those listed must stand.
fn follows(core: &Core, group: AddressGroup, revealed: &Revealed, certify: &Certify) -> bool {
    let (network, claim) = (&core.me.network, &certify.claim);
    let opens = |(owner, seed): &(NodeId, Digest)| {
        let made = announcement::commitment(network, owner, &claim.node, group, seed);
        revealed.commitments.contains(&(*owner, made))
    };
    let seeds = certify.seeds.iter().map(|(_, seed)| seed).chain([&revealed.newcomer_seed]);
    is_sound(&certify.seeds)
        && certify.seeds.iter().all(opens)
        && certify.seeds.iter().any(|(owner, _)| *owner == core.me.id)
        && certify.seeds.len() * 2 > revealed.commitments.len()
        && announcement::location(seeds) == claim.location
}

/// One to three entries of distinct witnesses.
fn is_sound(entries: &[(NodeId, Digest)]) -> bool {
    let is_new = |index: usize| entries[..index].iter().all(|(earlier, _)| *earlier != entries[index].0);
    (1..=limits::WITNESSES).contains(&entries.len()) && (0..entries.len()).all(is_new)
}

fn has_worked(core: &Core, commit: &Commit) -> bool {
    let challenge = announcement::challenge(&core.me.network, commit);
    work::verify(Label::Announcement, &challenge, u32::from(core.config.genesis.work_bits), commit.work)
}

/// Whether `target` is where a witness of `node` is looked for. In a small network any live member may be asked.
fn is_witness_place(core: &Core, target: Location, node: &NodeId, today: Day) -> bool {
    let is_small = core.neighbours.reachable(core.location()) + 1 < limits::SMALL_NETWORK;
    let days = [today.0.saturating_sub(1), today.0, today.0 + 1];
    let place = |day, index| announcement::witness_place(&core.me.network, node, Day(day), index);
    is_small || days.iter().any(|day| (1..=limits::WITNESS_PLACES).any(|index| place(*day, index) == target))
}

fn penalty(core: &Core) -> Duration {
    if core.config.is_lenient() { limits::ABANDONED_WAIT_LOCAL } else { limits::ABANDONED_WAIT }
}
