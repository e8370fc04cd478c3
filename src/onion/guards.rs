//! Whom a client sends through: one pinned guard with ordered backups, a pinned set of middles, an exit for each block.
//!
//! Guarantees: never more than [`limits::GUARDS`] distinct guards within the span, over restarts too; guard, middle, exit and
//! this node are four; they stand in distinct address groups, and the exit is no neighbour, unless fewer than
//! [`limits::FEW_RELAYS`] relays are known. Leaves out when a packet counts as lost (`client`).

use std::collections::BTreeSet;

use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::id::NodeId;
use crate::limits;
use crate::onion::contract::Shape;
use crate::onion::descriptor::seconds;
use crate::onion::directory::{Directory, Entry};
use crate::onion::pinned::{Guard, Middle, Pinned, Rules};
use crate::onion::rests::Rests;
use crate::time::{Duration, Instant};

/// The pinned relays of one client.
#[derive(Debug)]
pub(crate) struct Guards {
    rules: Rules,
    pinned: Pinned,
    /// Relays that are passed over.
    rests: Rests,
    /// Whether the directory is too small for all rules.
    few: bool,
    ages: [Duration; 3],
    fit: [usize; 3],
    /// Until then the directory is still being learned: what is pinned and missing from it is waited for.
    patient_until: Option<Instant>,
    changed: bool,
    pub(crate) shape: Shape,
}

/// Three relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) guard: NodeId,
    pub(crate) middle: NodeId,
    pub(crate) exit: NodeId,
}

/// Who must not be drawn, and from what.
pub(crate) struct Surroundings<'a> {
    pub(crate) me: NodeId,
    pub(crate) directory: &'a Directory,
    /// Those the overlay is linked to.
    pub(crate) neighbours: &'a BTreeSet<NodeId>,
    /// Whether a first guard has to wait until witnesses have said how old relays are.
    pub(crate) awaits_witnesses: bool,
}

impl Path {
    /// The relays of it, in order.
    pub(super) fn relays(&self) -> Vec<NodeId> {
        let is_one = self.guard == self.exit;
        if is_one { vec![self.exit] } else { vec![self.guard, self.middle, self.exit] }
    }
}

impl Guards {
    /// What an earlier run remembered; bytes that are none are as good as nothing.
    pub(crate) fn new(rules: Rules, remembered: Option<&[u8]>) -> Self {
        let mut pinned: Pinned = remembered.and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default();
        pinned.guards.truncate(limits::GUARDS);
        pinned.middles.truncate(limits::MIDDLES_EVER);
        let (rests, ages) = (Rests::default(), [Duration::ZERO; 3]);
        let (patient_until, shape) = (None, Shape::Pinned);
        Self { rules, pinned, rests, few: true, ages, fit: [0; 3], patient_until, changed: false, shape }
    }

    /// What a restart should find.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.pinned).expect("plain values always encode")
    }

    /// Whether that has changed since it was last asked.
    pub(super) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// Looks at how large the directory is: which rules can be kept.
    pub(crate) fn survey(&mut self, now: Instant, directory: &Directory) {
        self.patient_until.get_or_insert(now + self.rules.patience);
        self.few = directory.len() < limits::FEW_RELAYS;
        self.fit = self.rules.ages.map(|age| directory.older_than(now, age));
        for (at, age) in self.rules.ages.into_iter().enumerate() {
            self.ages[at] = if self.fit[at] < limits::FEW_RELAYS { Duration::ZERO } else { age };
        }
        self.rests.expire(now);
    }

    /// How many relays are old enough to be a guard, a middle and an exit.
    pub(super) const fn fit(&self) -> [usize; 3] {
        self.fit
    }

    /// Whether the rules on groups, neighbours or ages yield at present.
    pub(super) fn are_relaxed(&self) -> bool {
        self.few || self.ages != self.rules.ages
    }

    /// The guard that would be used now.
    pub(crate) fn guard(
        &mut self,
        now: Instant,
        around: &Surroundings<'_>,
        random: &mut ChaCha20Rng,
    ) -> Option<NodeId> {
        let span = self.rules.span.as_secs();
        let before = self.pinned.guards.len();
        self.pinned.guards.retain(|guard| {
            let is_usable = around.directory.relay(&guard.id).is_some() && !guard.demoted;
            is_usable || guard.used + span > seconds(now)
        });
        self.changed |= before != self.pinned.guards.len();
        let can_serve =
            |guard: &&mut Guard| around.directory.relay(&guard.id).is_some() && self.rests.may_guard(now, &guard.id);
        if let Some(guard) = self.pinned.guards.iter_mut().filter(can_serve).find(|guard| !guard.demoted) {
            // Once a day is often enough to outlive a crash.
            self.changed |= guard.used / DAY != seconds(now) / DAY;
            guard.used = seconds(now);
            return Some(guard.id);
        }
        let is_awaited = |guard: &Guard| around.directory.get(&guard.id).is_none();
        if self.is_patient(now) && self.pinned.guards.iter().any(is_awaited) {
            return None;
        }
        if self.pinned.guards.is_empty() && around.awaits_witnesses {
            return None;
        }
        if self.pinned.guards.len() < limits::GUARDS
            && let Some(id) = self.draw_guard(now, around, random)
        {
            self.pinned.guards.push(Guard { id, used: seconds(now), came: 0, lost: 0, demoted: false });
            self.changed = true;
            return Some(id);
        }
        // The cap stands: one that served badly is better than a fourth.
        self.pinned.guards.iter_mut().find(can_serve).map(|guard| guard.id)
    }

    /// A path for one packet.
    pub(crate) fn path(&mut self, now: Instant, around: &Surroundings<'_>, random: &mut ChaCha20Rng) -> Option<Path> {
        let guard = match self.shape {
            Shape::Pinned | Shape::Middles(_) => self.guard(now, around, random)?,
            Shape::Roaming | Shape::Single => self.draw_guard(now, around, random)?,
        };
        if self.shape == Shape::Single {
            return Some(Path { guard, middle: guard, exit: guard });
        }
        let middle = self.middle(now, guard, around, random)?;
        let exit = self.exit(now, (guard, middle), around, random)?;
        Some(Path { guard, middle, exit })
    }

    /// A relay cannot be reached from here.
    pub(crate) fn on_unreachable(&mut self, now: Instant, id: NodeId) {
        let is_guard = self.pinned.guards.iter().any(|guard| guard.id == id);
        self.rests.on_unreachable(id, now + if is_guard { self.rules.rest } else { limits::EXIT_REST });
    }

    /// A relay has said something new: whatever was wrong with it may be over.
    pub(super) fn on_news(&mut self, id: &NodeId) {
        self.rests.end(id);
    }

    /// An answer came by that path.
    pub(crate) fn on_came(&mut self, path: &Path) {
        if let Some(guard) = self.pinned.guards.iter_mut().find(|guard| guard.id == path.guard) {
            guard.came += 1;
            guard.judge();
        }
        if let Some(middle) = self.pinned.middles.iter_mut().find(|middle| middle.id == path.middle) {
            middle.streak = 0;
        }
        self.rests.end(&path.exit);
    }

    /// Nothing came by that path in time.
    pub(crate) fn on_lost(&mut self, now: Instant, path: &Path) {
        if let Some(guard) = self.pinned.guards.iter_mut().find(|guard| guard.id == path.guard) {
            guard.lost += 1;
            let was = guard.demoted;
            guard.judge();
            self.changed |= guard.demoted != was;
        }
        self.rests.on_lossy(path.exit, now + limits::EXIT_REST);
        let Some(middle) = self.pinned.middles.iter_mut().find(|middle| middle.id == path.middle) else { return };
        middle.streak += 1;
        if let Some(beyond) = middle.streak.checked_sub(STREAK) {
            // It rests and is not replaced: or a guard could drop packets until a middle of its own is drawn.
            let rest = self.rules.rest * (1 << beyond.min(LONGEST_REST_DOUBLINGS));
            self.rests.on_lossy(path.middle, now + rest);
        }
    }

    fn draw_guard(&self, now: Instant, around: &Surroundings<'_>, random: &mut ChaCha20Rng) -> Option<NodeId> {
        let is_taken = |id: &NodeId| self.pinned.guards.iter().any(|guard| guard.id == *id);
        around.directory.draw(random, |entry| {
            let id = entry.descriptor.words.id;
            id != around.me
                && !is_taken(&id)
                && self.rests.may_guard(now, &id)
                && now.since(entry.known_since()) >= self.ages[0]
        })
    }

    fn middle(
        &mut self,
        now: Instant,
        guard: NodeId,
        around: &Surroundings<'_>,
        random: &mut ChaCha20Rng,
    ) -> Option<NodeId> {
        self.forget_middles(now, around.directory);
        // One other relay must be left to be the exit.
        let most = self.middles().min(around.directory.len().saturating_sub(2));
        let can_grow = !self.is_patient(now) || self.pinned.middles.is_empty();
        while can_grow && self.middles_beside(guard, around.directory).len() < most {
            if !self.pin_middle(now, guard, around, random) {
                break;
            }
        }
        let awake = |guards: &Self| -> Vec<NodeId> {
            let fit = guards.middles_beside(guard, around.directory).into_iter();
            fit.filter(|id| guards.rests.may_follow(now, id)).collect()
        };
        if can_grow && awake(self).is_empty() {
            self.pin_middle(now, guard, around, random);
        }
        let some = Some(awake(self)).filter(|awake| !awake.is_empty());
        let some = some.unwrap_or_else(|| self.middles_beside(guard, around.directory));
        some.get(random.random_range(0..some.len().max(1))).copied()
    }

    /// Forgets the middles whose life is over, and those that have been missing from the directory for long.
    fn forget_middles(&mut self, now: Instant, directory: &Directory) {
        let (now, absence, before) = (seconds(now), self.rules.absence.as_secs(), self.pinned.middles.len());
        for middle in self.pinned.middles.iter_mut().filter(|middle| directory.relay(&middle.id).is_some()) {
            middle.seen = now;
        }
        self.pinned.middles.retain(|middle| middle.until > now && middle.seen + absence > now);
        self.changed |= before != self.pinned.middles.len();
    }

    /// The pinned middles that can be used behind `guard`.
    fn middles_beside(&self, guard: NodeId, directory: &Directory) -> Vec<NodeId> {
        let ids = self.pinned.middles.iter().map(|middle| middle.id);
        let fit: Vec<NodeId> = ids.filter(|id| *id != guard && directory.relay(id).is_some()).collect();
        let apart: Vec<NodeId> = fit.iter().copied().filter(|id| is_apart(directory, id, &[guard])).collect();
        if apart.is_empty() && self.few { fit } else { apart }
    }

    /// Draws one more middle, unless there were too many already.
    fn pin_middle(&mut self, now: Instant, guard: NodeId, around: &Surroundings<'_>, random: &mut ChaCha20Rng) -> bool {
        if self.pinned.middles.len() >= self.middles() * limits::MIDDLES_EVER / limits::MIDDLES {
            return false;
        }
        let Some(id) = self.draw_middle(now, guard, around, random) else { return false };
        let until = seconds(now + life(random));
        self.pinned.middles.push(Middle { id, until, streak: 0, seen: seconds(now) });
        self.changed = true;
        true
    }

    /// Middles that are pinned at a time.
    const fn middles(&self) -> usize {
        match self.shape {
            Shape::Middles(count) => count as usize,
            Shape::Pinned | Shape::Roaming | Shape::Single => limits::MIDDLES,
        }
    }

    /// Whether the directory is still being learned.
    fn is_patient(&self, now: Instant) -> bool {
        self.patient_until.is_none_or(|until| now < until)
    }

    fn draw_middle(
        &self,
        now: Instant,
        guard: NodeId,
        around: &Surroundings<'_>,
        random: &mut ChaCha20Rng,
    ) -> Option<NodeId> {
        let is_free = |entry: &Entry| {
            let id = entry.descriptor.words.id;
            let is_taken = id == around.me || id == guard || self.pinned.middles.iter().any(|middle| middle.id == id);
            !is_taken && now.since(entry.known_since()) >= self.ages[1]
        };
        let apart = around
            .directory
            .draw(random, |entry| is_free(entry) && is_apart(around.directory, &entry.descriptor.words.id, &[guard]));
        apart.or_else(|| if self.few { around.directory.draw(random, is_free) } else { None })
    }

    fn exit(
        &self,
        now: Instant,
        (guard, middle): (NodeId, NodeId),
        around: &Surroundings<'_>,
        random: &mut ChaCha20Rng,
    ) -> Option<NodeId> {
        let is_free = |entry: &Entry| {
            let id = entry.descriptor.words.id;
            ![around.me, guard, middle].contains(&id)
                && now.since(entry.known_since()) >= self.ages[2]
                && (self.few || !around.neighbours.contains(&id))
        };
        let is_lawful =
            |entry: &Entry| is_free(entry) && is_apart(around.directory, &entry.descriptor.words.id, &[guard, middle]);
        let is_good = |entry: &Entry| is_lawful(entry) && self.rests.may_follow(now, &entry.descriptor.words.id);
        let good = around.directory.draw(random, is_good).or_else(|| around.directory.draw(random, is_lawful));
        good.or_else(|| if self.few { around.directory.draw(random, is_free) } else { None })
    }
}

/// Whether a relay stands in another address group than all of `others`.
fn is_apart(directory: &Directory, id: &NodeId, others: &[NodeId]) -> bool {
    let group = |id: &NodeId| directory.get(id).map(|entry| entry.descriptor.group());
    others.iter().all(|other| group(other) != group(id))
}

/// The life of a pinned middle: the longer of two draws.
fn life(random: &mut ChaCha20Rng) -> Duration {
    let (least, most) = limits::MIDDLE_LIFE;
    let mut draw = || Duration::from_secs(random.random_range(least.as_secs()..=most.as_secs()));
    draw().max(draw())
}

/// Packets lost in a row through one middle before it rests. Chosen.
const STREAK: u32 = 4;
const LONGEST_REST_DOUBLINGS: u32 = 8;
/// Seconds of a day.
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests;
