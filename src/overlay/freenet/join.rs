//! How a newcomer gets its place: commit, reveal, certify (docs/protocol.md §5).
//!
//! The newcomer commits to a seed, up to three witnesses that it did not choose commit to theirs, the newcomer reveals
//! first, everybody checks everything, and the exclusive or of all seeds is the location. A witness that disappears
//! before anything is revealed is replaced by the next place; later, the majority that is left suffices. An attempt that
//! fails costs a fresh proof of work and a longer wait.

use crypto::hash::Label;
use crypto::work;
use rand::Rng;

use crate::id::{AddressGroup, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::certificate::{Certificate, Claim, Shown, Testimony};
use crate::message::genesis::named_location;
use crate::overlay::freenet::announcement::{self, Digest};
use crate::overlay::freenet::core::{Core, Purpose};
use crate::overlay::freenet::message::{Certify, Commit, Question, Reply, Reveal};
use crate::overlay::freenet::query::Queries;
use crate::time::{Day, Instant};

/// The announcement of this node.
#[derive(Debug, Default)]
pub(super) struct Joining {
    attempt: Option<Attempt>,
    attempts: u32,
    failures: u32,
    not_before: Instant,
}

#[derive(Debug)]
struct Attempt {
    /// The node by which a newcomer enters; none for a member that renews its certificate.
    entry: Option<NodeId>,
    day: Day,
    seed: Digest,
    commit: Commit,
    stage: Stage,
    witnesses: Vec<Witness>,
    /// The place to look for the next witness at.
    next_place: u8,
    /// Whether live members have been asked for.
    sought: bool,
    /// Live members heard of, for networks too small to have a witness at every place.
    members: Option<Vec<Location>>,
    open: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Working { next: u64 },
    Committing,
    Revealing,
    Certifying,
}

#[derive(Debug)]
struct Witness {
    id: NodeId,
    location: Location,
    commitment: Digest,
    seed: Option<Digest>,
    testimony: Option<Testimony>,
}

impl Joining {
    /// Whether an attempt may begin.
    pub(super) fn may_begin(&self, now: Instant) -> bool {
        self.attempt.is_none() && now >= self.not_before
    }

    /// When the proof of work goes on: at once.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let is_working = self.attempt.as_ref().is_some_and(|attempt| matches!(attempt.stage, Stage::Working { .. }));
        is_working.then_some(Instant::EPOCH)
    }

    /// Begins an attempt by way of `entry`, or by this node's own links.
    pub(super) fn begin(&mut self, core: &mut Core, now: Instant, entry: Option<NodeId>) {
        if !self.may_begin(now) {
            return;
        }
        self.attempts += 1;
        let mut seed = [0; 32];
        core.random.fill_bytes(&mut seed);
        let (node, group) = (core.me.id, AddressGroup::of(&core.config.address));
        let commitment = announcement::commitment(&core.me.network, &node, &node, group, &seed);
        let commit = Commit { node, group, commitment, work: 0 };
        self.attempt = Some(Attempt {
            entry,
            day: now.day(),
            seed,
            commit,
            stage: Stage::Working { next: 0 },
            witnesses: Vec::new(),
            next_place: 1,
            sought: false,
            members: None,
            open: 0,
        });
    }

    /// The next slice of the proof of work.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        let Some(attempt) = &mut self.attempt else { return };
        let Stage::Working { next } = attempt.stage else { return };
        let challenge = announcement::challenge(&core.me.network, &attempt.commit);
        let bits = u32::from(core.config.genesis.work_bits);
        match work::search(Label::Announcement, &challenge, bits, next, limits::WORK_SLICE) {
            None => attempt.stage = Stage::Working { next: next.wrapping_add(limits::WORK_SLICE) },
            Some(nonce) => {
                attempt.commit.work = nonce;
                attempt.stage = Stage::Committing;
                for _ in 0..limits::WITNESSES {
                    self.ask_next_place(core, queries, now);
                }
            }
        }
    }

    /// A question of the announcement has ended. Returns the certificate if it is complete.
    pub(super) fn handle_reply(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        asked: (u32, u8),
        reply: Option<Reply>,
    ) -> Option<Shown> {
        let (number, index) = asked;
        let attempt = self.attempt.as_mut().filter(|_| number == self.attempts)?;
        attempt.open -= 1;
        match attempt.stage {
            Stage::Working { .. } => None,
            Stage::Committing => {
                self.on_committed(core, queries, now, reply);
                None
            }
            Stage::Revealing => {
                attempt.on_revealed(core, index, reply);
                if attempt.open == 0 {
                    self.certify(core, queries, now);
                }
                None
            }
            Stage::Certifying => {
                attempt.on_signed(core, index, reply);
                if attempt.open == 0 { self.finish(core, now) } else { None }
            }
        }
    }

    // -- committing -----------------------------------------------------------------------------------------------------

    fn on_committed(&mut self, core: &mut Core, queries: &mut Queries, now: Instant, reply: Option<Reply>) {
        let Some(attempt) = &mut self.attempt else { return };
        match reply {
            Some(Reply::Committed { witness, location, commitment }) if attempt.is_new(core, &witness) => {
                attempt.witnesses.push(Witness { id: witness, location, commitment, seed: None, testimony: None });
            }
            Some(Reply::Seen { references }) => {
                let known: Vec<NodeId> = attempt.witnesses.iter().map(|witness| witness.id).collect();
                let others =
                    references.iter().filter(|reference| reference.id != core.me.id && !known.contains(&reference.id));
                attempt.members = Some(others.map(|reference| reference.location).collect());
            }
            _ => {}
        }
        let missing = limits::WITNESSES.saturating_sub(attempt.witnesses.len() + attempt.open);
        for _ in 0..missing {
            self.ask_next_place(core, queries, now);
        }
        let attempt = self.attempt.as_ref().expect("asking ends no attempt");
        if attempt.open == 0 {
            if attempt.witnesses.is_empty() { self.fail(core, now) } else { self.reveal(core, queries, now) }
        }
    }

    /// Asks at the next witness place; when these are used up, the members that are known to live.
    fn ask_next_place(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        let number = self.attempts;
        let Some(attempt) = &mut self.attempt else { return };
        let purpose = Purpose::Announce { attempt: number, place: attempt.next_place };
        let (target, question) = if attempt.next_place <= limits::WITNESS_PLACES {
            let index = attempt.next_place;
            attempt.next_place += 1;
            let place = announcement::witness_place(&core.me.network, &core.me.id, attempt.day, index);
            (place, Question::Commit(attempt.commit))
        } else {
            match &mut attempt.members {
                Some(members) => {
                    let Some(place) = members.pop() else { return };
                    (place, Question::Commit(attempt.commit))
                }
                // Asked once: an entry that has gone meanwhile would be asked for ever.
                None if attempt.open > 0 || attempt.sought => return,
                None => {
                    attempt.sought = true;
                    (named_location(&core.me.network, &core.me.id), Question::Seek { announced: None })
                }
            }
        };
        attempt.open += 1;
        queries.ask(core, now, purpose, target, question, attempt.entry);
    }

    // -- revealing and certifying -----------------------------------------------------------------------------------------

    fn reveal(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        let Some(attempt) = &mut self.attempt else { return };
        attempt.stage = Stage::Revealing;
        let commitments: Vec<_> = attempt.witnesses.iter().map(|witness| (witness.id, witness.commitment)).collect();
        let (node, seed) = (core.me.id, attempt.seed);
        let question = |witness: &Witness| {
            Question::Reveal(Reveal { witness: witness.id, node, seed, commitments: commitments.clone() })
        };
        attempt.ask_witnesses(core, queries, now, self.attempts, question);
    }

    fn certify(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        let Some(attempt) = &mut self.attempt else { return };
        let listed = attempt.witnesses.len();
        attempt.witnesses.retain(|witness| witness.seed.is_some());
        if attempt.witnesses.len() * 2 <= listed {
            return self.fail(core, now);
        }
        attempt.stage = Stage::Certifying;
        let seeds: Vec<_> = attempt.witnesses.iter().filter_map(|witness| Some((witness.id, witness.seed?))).collect();
        let claim = attempt.claim();
        let question =
            |witness: &Witness| Question::Certify(Certify { witness: witness.id, seeds: seeds.clone(), claim });
        attempt.ask_witnesses(core, queries, now, self.attempts, question);
    }

    fn finish(&mut self, core: &Core, now: Instant) -> Option<Shown> {
        let attempt = self.attempt.as_ref()?;
        let claim = attempt.claim();
        let mut testimonies: Vec<Testimony> =
            attempt.witnesses.iter().filter_map(|witness| witness.testimony.clone()).collect();
        // Held for weeks, by everybody around.
        testimonies.shrink_to_fit();
        let certificate = Certificate { claim, testimonies };
        let is_enough = certificate.testimonies.len() * 2 > attempt.witnesses.len();
        if !is_enough || !certificate.verifies_by(&*core.me.key, &core.me.network) {
            self.fail(core, now);
            return None;
        }
        self.attempt = None;
        self.failures = 0;
        Some(certificate.into())
    }

    fn fail(&mut self, core: &Core, now: Instant) {
        let base = if core.config.is_lenient() { limits::ANNOUNCE_AGAIN_LOCAL } else { limits::ANNOUNCE_AGAIN };
        self.not_before = now + base * (1 << self.failures.min(limits::PAUSE_DOUBLINGS));
        self.failures += 1;
        self.attempt = None;
    }
}

impl Attempt {
    fn is_new(&self, core: &Core, witness: &NodeId) -> bool {
        *witness != core.me.id && self.witnesses.iter().all(|known| known.id != *witness)
    }

    fn claim(&self) -> Claim {
        let seeds = self.witnesses.iter().filter_map(|witness| witness.seed.as_ref());
        let location = announcement::location(seeds.chain([&self.seed]));
        Claim { node: self.commit.node, location, day: self.day, group: self.commit.group }
    }

    fn ask_witnesses(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        attempt: u32,
        question: impl Fn(&Witness) -> Question,
    ) {
        for (index, witness) in self.witnesses.iter().enumerate() {
            self.open += 1;
            let purpose = Purpose::Announce { attempt, place: index as u8 };
            queries.ask(core, now, purpose, witness.location, question(witness), self.entry);
        }
    }

    /// A seed counts only if it opens what its owner committed to.
    fn on_revealed(&mut self, core: &Core, index: u8, reply: Option<Reply>) {
        let (node, group) = (self.commit.node, self.commit.group);
        let Some(witness) = self.witnesses.get_mut(usize::from(index)) else { return };
        if let Some(Reply::Revealed { seed }) = reply
            && announcement::commitment(&core.me.network, &witness.id, &node, group, &seed) == witness.commitment
        {
            witness.seed = Some(seed);
        }
    }

    fn on_signed(&mut self, core: &Core, index: u8, reply: Option<Reply>) {
        let claim = self.claim();
        let Some(witness) = self.witnesses.get_mut(usize::from(index)) else { return };
        if let Some(Reply::Signed { testimony }) = reply
            && testimony.witness == witness.id
            && testimony.verifies_by(&*core.me.key, &core.me.network, &claim)
        {
            witness.testimony = Some(testimony);
        }
    }
}
