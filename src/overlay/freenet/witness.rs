//! The other side of a newcomer's announcement: adding a seed, revealing it in turn, signing the outcome.
//!
//! A witness reveals only after it has seen the newcomer's seed and its own commitment among those listed; it signs one
//! outcome. Pending announcements are few, short-lived, and rationed by address group; whoever knows the seeds, signed or
//! abandoned, is barred from new ones for a while (docs/protocol.md §5). Whether this node was the right one to ask is half its own to
//! judge: the place asked must be a witness place.

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
use crate::overlay::freenet::shape::is_small_network;
use crate::overlay::freenet::sparse::Sparse;
use crate::time::{Day, Duration, Instant};

/// All announcements that this node is a witness of.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    pending: Sparse<NodeId, Box<Pending>>,
    groups: Sparse<AddressGroup, Quota>,
    /// Newcomers that have seen this node's seed a while ago.
    barred: Sparse<NodeId, Instant>,
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
        let pending = Pending { began: now, group, theirs, seed, revealed: None, signed: None };
        self.pending.insert(commit.node, Box::new(pending));
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
        Reply::Signed { testimony: Testimony::sign(&*core.me.key, &core.me.network, core.location(), &claim) }
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
    let is_small = is_small_network(core);
    let days = [today.0.saturating_sub(1), today.0, today.0 + 1];
    let place = |day, index| announcement::witness_place(&core.me.network, node, Day(day), index);
    is_small || days.iter().any(|day| (1..=limits::WITNESS_PLACES).any(|index| place(*day, index) == target))
}

fn penalty(core: &Core) -> Duration {
    if core.config.is_lenient() { limits::ABANDONED_WAIT_LOCAL } else { limits::ABANDONED_WAIT }
}

#[cfg(test)]
mod tests {
    use crypto::identity::NodeKey;
    use crypto::secret::Secret;

    use super::*;
    use crate::message::genesis::{Genesis, PROTOCOL_VERSION};
    use crate::overlay::freenet::config::{Config, Profile};

    const GROUP: AddressGroup = AddressGroup::V4([10, 1]);
    const NOON: Instant = Instant::from_micros(1_795_348_800_000_000);

    fn id(number: u8) -> NodeId {
        NodeId(NodeKey::from_seed(Secret::from_bytes([number; 32])).id())
    }

    /// A founder alone, asked to be a witness.
    fn witness(profile: Profile, work_bits: u8) -> (Core, Witnesses) {
        let members = vec![id(1)];
        let (name, nonce, local) = ("test".to_owned(), [0; 16], profile == Profile::Local);
        let genesis = Genesis { protocol: PROTOCOL_VERSION, name, nonce, work_bits, local, members };
        let address = "10.9.0.1:1".parse().expect("a literal address");
        let key = NodeKey::from_seed(Secret::from_bytes([1; 32]));
        (Core::new(Config::new(genesis, profile, address), Box::new(key), [1; 32]), Witnesses::default())
    }

    fn commit_of(core: &Core, newcomer: NodeId, seed: u8) -> Commit {
        let commitment = announcement::commitment(&core.me.network, &newcomer, &newcomer, GROUP, &[seed; 32]);
        let mut commit = Commit { node: newcomer, group: GROUP, commitment, work: 0 };
        let challenge = announcement::challenge(&core.me.network, &commit);
        commit.work = work::solve(Label::Announcement, &challenge, u32::from(core.config.genesis.work_bits), 0);
        commit
    }

    /// Commits and gives what the witness committed to.
    fn committed(core: &mut Core, witnesses: &mut Witnesses, newcomer: NodeId, seed: u8) -> Option<Digest> {
        let commit = commit_of(core, newcomer, seed);
        match witnesses.handle_commit(core, NOON, Location(0), commit) {
            Reply::Committed { commitment, .. } => Some(commitment),
            _ => None,
        }
    }

    fn reveal_of(core: &Core, seed: u8, commitments: &[(NodeId, Digest)]) -> Reveal {
        Reveal { witness: core.me.id, node: id(9), seed: [seed; 32], commitments: commitments.to_vec() }
    }

    /// An announcement of node 9 with another witness, up to the seeds.
    fn revealed(core: &mut Core, witnesses: &mut Witnesses) -> (Digest, Vec<(NodeId, Digest)>) {
        let own = committed(core, witnesses, id(9), 5).expect("the first announcement is taken");
        let other = announcement::commitment(&core.me.network, &id(2), &id(9), GROUP, &[6; 32]);
        let commitments = vec![(core.me.id, own), (id(2), other)];
        match witnesses.handle_reveal(core, NOON, reveal_of(core, 5, &commitments)) {
            Reply::Revealed { seed } => (seed, commitments),
            reply => panic!("not revealed: {reply:?}"),
        }
    }

    fn certify_of(core: &Core, seeds: &[(NodeId, Digest)], newcomer_seed: Digest) -> Certify {
        let location = announcement::location(seeds.iter().map(|(_, seed)| seed).chain([&newcomer_seed]));
        let claim = Claim { node: id(9), location, day: NOON.day(), group: GROUP };
        Certify { witness: core.me.id, seeds: seeds.to_vec(), claim }
    }

    #[test]
    fn a_witness_signs_what_follows_from_all_seeds_and_only_once() {
        let (mut core, mut witnesses) = witness(Profile::Local, 0);
        let (seed, _) = revealed(&mut core, &mut witnesses);
        let seeds = [(core.me.id, seed), (id(2), [6; 32])];
        let certify = certify_of(&core, &seeds, [5; 32]);
        let Reply::Signed { testimony } = witnesses.handle_certify(&core, NOON, &certify) else { panic!("not signed") };
        assert!(testimony.verifies_by(&*core.me.key, &core.me.network, &certify.claim));
        assert_eq!(witnesses.handle_certify(&core, NOON, &certify), Reply::Signed { testimony }, "a lost answer");
        let other_day = Claim { day: Day(NOON.day().0 - 1), ..certify.claim };
        let again = Certify { claim: other_day, ..certify };
        assert_eq!(witnesses.handle_certify(&core, NOON, &again), Reply::Declined);
    }

    #[test]
    fn a_seed_changed_after_the_commitments_is_detected_whoever_changes_it() {
        let (mut core, mut witnesses) = witness(Profile::Local, 0);
        let own = committed(&mut core, &mut witnesses, id(9), 5).expect("taken");
        let changed = reveal_of(&core, 7, &[(core.me.id, own)]);
        assert_eq!(witnesses.handle_reveal(&core, NOON, changed), Reply::Declined, "the newcomer's");
        let (seed, _) = revealed(&mut core, &mut witnesses);
        let me = core.me.id;
        let attempts = [
            ("the other witness's", vec![(me, seed), (id(2), [7; 32])], [5; 32]),
            ("this witness's", vec![(me, [7; 32]), (id(2), [6; 32])], [5; 32]),
            ("the newcomer's", vec![(me, seed), (id(2), [6; 32])], [7; 32]),
            ("a stranger's", vec![(me, seed), (id(3), [6; 32])], [5; 32]),
            ("one twice", vec![(me, seed), (me, seed)], [5; 32]),
            ("all but one of two left out", vec![(me, seed)], [5; 32]),
        ];
        for (whose, seeds, newcomer_seed) in attempts {
            let certify = certify_of(&core, &seeds, newcomer_seed);
            assert_eq!(witnesses.handle_certify(&core, NOON, &certify), Reply::Declined, "{whose}");
        }
        let mut chosen = certify_of(&core, &[(me, seed), (id(2), [6; 32])], [5; 32]);
        chosen.claim.location = Location(42);
        assert_eq!(witnesses.handle_certify(&core, NOON, &chosen), Reply::Declined, "a chosen location");
    }

    #[test]
    fn a_witness_reveals_only_after_the_newcomer_and_only_for_one_list() {
        let (mut core, mut witnesses) = witness(Profile::Local, 0);
        let own = committed(&mut core, &mut witnesses, id(9), 5).expect("taken");
        let other =
            |core: &Core, seed: u8| announcement::commitment(&core.me.network, &id(2), &id(9), GROUP, &[seed; 32]);
        let without_own = [(id(2), other(&core, 6))];
        assert_eq!(witnesses.handle_reveal(&core, NOON, reveal_of(&core, 5, &without_own)), Reply::Declined);
        let (_, list) = revealed(&mut core, &mut witnesses);
        assert!(matches!(witnesses.handle_reveal(&core, NOON, reveal_of(&core, 5, &list)), Reply::Revealed { .. }));
        let other_companion = [(core.me.id, own), (id(2), other(&core, 8))];
        assert_eq!(witnesses.handle_reveal(&core, NOON, reveal_of(&core, 5, &other_companion)), Reply::Declined);
    }

    #[test]
    fn whoever_abandons_a_reveal_waits_and_whoever_was_not_answered_does_not() {
        let (mut core, mut witnesses) = witness(Profile::Open, 0);
        assert!(committed(&mut core, &mut witnesses, id(9), 4).is_some());
        assert!(committed(&mut core, &mut witnesses, id(9), 5).is_some(), "nothing was revealed: a new draw is free");
        revealed(&mut core, &mut witnesses);
        for passed in [limits::ANNOUNCEMENT_LIFE / 2, limits::ANNOUNCEMENT_LIFE * 2, limits::ABANDONED_WAIT / 2] {
            let again = commit_of(&core, id(9), 6);
            let reply = witnesses.handle_commit(&mut core, NOON + passed, Location(0), again);
            assert_eq!(reply, Reply::Declined, "after {passed:?}");
        }
        let again = commit_of(&core, id(9), 6);
        let reply = witnesses.handle_commit(&mut core, NOON + limits::ABANDONED_WAIT, Location(0), again);
        assert!(matches!(reply, Reply::Committed { .. }));
    }

    #[test]
    fn an_announcement_costs_work() {
        let (mut core, mut witnesses) = witness(Profile::Open, 12);
        let mut commit = commit_of(&core, id(9), 5);
        commit.work = commit.work.wrapping_add(1);
        assert_eq!(witnesses.handle_commit(&mut core, NOON, Location(0), commit), Reply::Declined);
        let stolen = Commit { node: id(8), ..commit_of(&core, id(9), 5) };
        assert_eq!(witnesses.handle_commit(&mut core, NOON, Location(0), stolen), Reply::Declined);
        assert!(committed(&mut core, &mut witnesses, id(9), 5).is_some());
    }

    #[test]
    fn a_flood_of_announcements_from_one_group_is_bounded_and_others_still_pass() {
        let (mut core, mut witnesses) = witness(Profile::Open, 0);
        let taken = (10..200).filter(|number| committed(&mut core, &mut witnesses, id(*number), 5).is_some()).count();
        assert_eq!(taken, limits::ANNOUNCEMENTS_PER_GROUP as usize);
        let commitment = [0; 32];
        let other = Commit { node: id(201), group: AddressGroup::V4([10, 2]), commitment, work: 0 };
        let reply = witnesses.handle_commit(&mut core, NOON, Location(0), other);
        assert!(matches!(reply, Reply::Committed { .. }));
        assert!(witnesses.pending.len() <= limits::ANNOUNCEMENTS);
    }
}
