//! What a node finds out about the relays of its directory: which of its dials reach them, and for how long others have known
//! them (protocol.md §7.3).
//!
//! Guarantees: at most one dial to look in so many hours, and none while links are short; a new node waits for its witnesses
//! for so long and no longer. In a test network, where ages do not count, nobody is asked and nobody dialled. Leaves out who is
//! chosen (`guards`) and what is remembered (`directory`).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::id::NodeId;
use crate::limits;
use crate::onion::directory::Directory;
use crate::onion::gossip::Gossip;
use crate::onion::pool::Pool;
use crate::onion::witnesses::Witnesses;
use crate::time::Instant;

/// What one node does to find out.
#[derive(Debug)]
pub(super) struct Observer {
    counts_ages: bool,
    /// Whether there is nothing left to wait for: the directory came whole, with ages.
    is_settled: bool,
    witnesses: Witnesses,
    /// Dials under way.
    dialled: BTreeSet<NodeId>,
    /// When the first link was opened.
    linked: Option<Instant>,
    next_audit: Option<Instant>,
    next_save: Option<Instant>,
}

impl Observer {
    /// One that has found out nothing; `counts_ages` but in test networks.
    pub(super) fn new(counts_ages: bool) -> Self {
        let (witnesses, dialled) = (Witnesses::default(), BTreeSet::new());
        Self { counts_ages, is_settled: false, witnesses, dialled, linked: None, next_audit: None, next_save: None }
    }

    /// The node begins.
    pub(super) fn begin(&mut self, now: Instant, random: &mut ChaCha20Rng) {
        self.next_audit = Some(now + limits::AUDIT_SPAN.mul_f64(random.random_range(0.5..1.5)));
        self.next_save = Some(now + limits::ACQUAINTANCES_SAVED);
    }

    /// The directory has come whole, with the ages of all relays.
    pub(super) const fn settle(&mut self) {
        self.is_settled = true;
    }

    /// A link is open.
    pub(super) fn on_link_up(&mut self, now: Instant, peer: &NodeId, directory: &mut Directory) {
        self.linked.get_or_insert(now);
        self.on_dialled(now, peer, true, directory);
    }

    /// A relay is being dialled.
    pub(super) fn on_dial(&mut self, peer: NodeId) {
        self.dialled.insert(peer);
    }

    /// A dial has reached a relay, or has not. A link that the relay opened says nothing.
    pub(super) fn on_dialled(&mut self, now: Instant, peer: &NodeId, is_reached: bool, directory: &mut Directory) {
        if self.dialled.remove(peer) {
            directory.dialled(now, peer, is_reached);
        }
    }

    /// Whether a node that has no guard yet should hear first which relays there are, and where there are enough for ages to
    /// count, how old they are; for as long as a start may take.
    pub(super) fn awaits_witnesses(&self, now: Instant, directory: &Directory) -> bool {
        if !self.counts_ages || self.is_settled {
            return false;
        }
        let Some(linked) = self.linked else { return true };
        let is_starting = now < linked + limits::DIRECTORY_TIME && directory.len() >= limits::FEW_RELAYS;
        let have_spoken = || self.witnesses.have_answered() && self.witnesses.have_gone_round(now, directory);
        now < linked + limits::DIRECTORY_SETTLE || (is_starting && !have_spoken())
    }

    /// Whether witnesses are awaited and nothing has been asked of them.
    pub(super) fn should_consult(&self, now: Instant, directory: &Directory) -> bool {
        let counts = directory.len() >= limits::FEW_RELAYS && !self.witnesses.are_busy();
        counts && self.awaits_witnesses(now, directory)
    }

    /// Asks others for how long they have known relays.
    pub(super) fn consult(
        &mut self,
        now: Instant,
        pool: &Pool,
        directory: &Directory,
        random: &mut ChaCha20Rng,
    ) -> Vec<(NodeId, Gossip)> {
        if !self.counts_ages {
            return Vec::new();
        }
        self.witnesses.choose(&pool.peers(), directory, random);
        self.witnesses.ask(now, directory)
    }

    /// A witness has spoken. Whether enough of them have by now.
    pub(super) fn on_ages(
        &mut self,
        now: Instant,
        from: NodeId,
        ages: &[(u64, u16)],
        directory: &mut Directory,
    ) -> bool {
        for (relay, since) in self.witnesses.hear(now, from, ages, directory) {
            directory.witness(&relay, since);
        }
        self.witnesses.have_answered()
    }

    /// A relay to dial now, that nothing else is asked of, to see whether it is there.
    pub(super) fn audit(
        &mut self,
        now: Instant,
        pool: &Pool,
        directory: &Directory,
        random: &mut ChaCha20Rng,
    ) -> Option<(NodeId, SocketAddr)> {
        self.next_audit.filter(|due| self.counts_ages && *due <= now)?;
        self.next_audit = Some(now + limits::AUDIT_SPAN.mul_f64(random.random_range(0.5..1.5)));
        if pool.peers().len() >= limits::LINKS / 2 {
            return None;
        }
        let drawn = directory.draw(random, |entry| !pool.is_open(&entry.descriptor.words.id))?;
        directory.relay(&drawn).map(|entry| (drawn, entry.descriptor.words.address))
    }

    /// Whether it is time to write down since when relays are known.
    pub(super) fn should_save(&mut self, now: Instant) -> bool {
        let is_due = self.next_save.is_some_and(|due| due <= now);
        if is_due {
            self.next_save = Some(now + limits::ACQUAINTANCES_SAVED);
        }
        is_due
    }
}
