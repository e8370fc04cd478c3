//! Whom a client sends through: one pinned guard with ordered backups, a pinned set of middles, an exit for each block.
//!
//! Guarantees: never more than [`limits::GUARDS`] distinct guards within the span, over restarts too; guard, middle, exit and
//! this node are four; they stand in distinct address groups, and the exit is no neighbour, unless fewer than
//! [`limits::FEW_RELAYS`] relays are known. Leaves out when a packet counts as lost (`client`).

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::limits;
use crate::onion::descriptor::seconds;
use crate::onion::directory::{Directory, Entry};
use crate::time::{Duration, Instant};

/// The pinned relays of one client.
#[derive(Debug)]
pub(super) struct Guards {
    rules: Rules,
    pinned: Pinned,
    /// Relays that are passed over until then.
    resting: BTreeMap<NodeId, Instant>,
    /// Whether the directory is too small for all rules.
    few: bool,
    ages: [Duration; 3],
    changed: bool,
}

/// What differs between open networks and test networks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) span: Duration,
    pub(super) rest: Duration,
    pub(super) ages: [Duration; 3],
}

/// What a restart should find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pinned {
    guards: Vec<Guard>,
    middles: Vec<Middle>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Guard {
    id: NodeId,
    /// When it was last used, in seconds since the Unix epoch.
    used: u64,
    came: u32,
    lost: u32,
    /// Too few of its paths succeeded.
    demoted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Middle {
    id: NodeId,
    /// When it is given up, in seconds since the Unix epoch.
    until: u64,
    came: u32,
    lost: u32,
    /// How many were lost in a row.
    streak: u32,
}

/// Three relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) guard: NodeId,
    pub(super) middle: NodeId,
    pub(super) exit: NodeId,
}

/// Who must not be drawn, and from what.
pub(super) struct Surroundings<'a> {
    pub(super) me: NodeId,
    pub(super) directory: &'a Directory,
    /// Those the overlay is linked to.
    pub(super) neighbours: &'a BTreeSet<NodeId>,
}

impl Rules {
    /// Of open networks.
    pub(super) const OPEN: Self = Self {
        span: limits::GUARD_SPAN,
        rest: limits::GUARD_REST,
        ages: [limits::GUARD_AGE, limits::MIDDLE_AGE, limits::EXIT_AGE],
    };
    /// Of test networks.
    pub(super) const LOCAL: Self =
        Self { span: limits::GUARD_SPAN_LOCAL, rest: limits::GUARD_REST_LOCAL, ages: [Duration::ZERO; 3] };
}

impl Guards {
    /// What an earlier run remembered; bytes that are none are as good as nothing.
    pub(super) fn new(rules: Rules, remembered: Option<&[u8]>) -> Self {
        let mut pinned: Pinned = remembered.and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default();
        pinned.guards.truncate(limits::GUARDS);
        pinned.middles.truncate(limits::MIDDLES);
        Self { rules, pinned, resting: BTreeMap::new(), few: true, ages: [Duration::ZERO; 3], changed: false }
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
    pub(super) fn survey(&mut self, now: Instant, directory: &Directory) {
        self.few = directory.len() < limits::FEW_RELAYS;
        let kept =
            |age: Duration| if directory.older_than(now, age) < limits::FEW_RELAYS { Duration::ZERO } else { age };
        self.ages = self.rules.ages.map(kept);
        self.resting.retain(|_, until| *until > now);
    }

    /// Whether the rules on groups, neighbours or ages yield at present.
    pub(super) fn are_relaxed(&self) -> bool {
        self.few || self.ages != self.rules.ages
    }

    /// The guard that would be used now.
    pub(super) fn guard(
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
        let can_serve = |guard: &&mut Guard| {
            around.directory.relay(&guard.id).is_some() && self.resting.get(&guard.id).is_none_or(|until| *until <= now)
        };
        if let Some(guard) = self.pinned.guards.iter_mut().filter(can_serve).find(|guard| !guard.demoted) {
            guard.used = seconds(now);
            return Some(guard.id);
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
    pub(super) fn path(&mut self, now: Instant, around: &Surroundings<'_>, random: &mut ChaCha20Rng) -> Option<Path> {
        let guard = self.guard(now, around, random)?;
        let middle = self.middle(now, guard, around, random)?;
        let exit = self.exit(now, (guard, middle), around, random)?;
        Some(Path { guard, middle, exit })
    }

    /// A relay cannot be reached from here.
    pub(super) fn on_unreachable(&mut self, now: Instant, id: NodeId) {
        let is_guard = self.pinned.guards.iter().any(|guard| guard.id == id);
        self.rest(now, id, if is_guard { self.rules.rest } else { limits::EXIT_REST });
    }

    /// A relay has said something new: whatever was wrong with it may be over.
    pub(super) fn on_news(&mut self, id: &NodeId) {
        self.resting.remove(id);
    }

    /// An answer came by that path.
    pub(super) fn on_came(&mut self, path: &Path) {
        if let Some(guard) = self.pinned.guards.iter_mut().find(|guard| guard.id == path.guard) {
            guard.came += 1;
            judge_guard(guard);
        }
        if let Some(middle) = self.pinned.middles.iter_mut().find(|middle| middle.id == path.middle) {
            (middle.came, middle.streak) = (middle.came + 1, 0);
        }
        self.resting.remove(&path.exit);
    }

    /// Nothing came by that path in time.
    pub(super) fn on_lost(&mut self, now: Instant, path: &Path) {
        if let Some(guard) = self.pinned.guards.iter_mut().find(|guard| guard.id == path.guard) {
            guard.lost += 1;
            let was = guard.demoted;
            judge_guard(guard);
            self.changed |= guard.demoted != was;
        }
        self.rest(now, path.exit, limits::EXIT_REST);
        let Some(middle) = self.pinned.middles.iter_mut().find(|middle| middle.id == path.middle) else { return };
        (middle.lost, middle.streak) = (middle.lost + 1, middle.streak + 1);
        let streak = middle.streak;
        if middle.came == 0 && middle.lost >= limits::MIDDLE_TRIALS {
            self.pinned.middles.retain(|middle| middle.id != path.middle);
            self.changed = true;
        } else if streak >= STREAK {
            // It rests and is not replaced: or a guard could drop packets until a middle of its own is drawn.
            let doublings = (streak - STREAK).min(LONGEST_REST_DOUBLINGS);
            self.rest(now, path.middle, self.rules.rest * (1 << doublings));
        }
    }

    fn rest(&mut self, now: Instant, id: NodeId, span: Duration) {
        if self.resting.len() < limits::RESTING_EXITS || self.resting.contains_key(&id) {
            self.resting.insert(id, now + span);
        }
    }

    fn draw_guard(&self, now: Instant, around: &Surroundings<'_>, random: &mut ChaCha20Rng) -> Option<NodeId> {
        let is_taken = |id: &NodeId| self.pinned.guards.iter().any(|guard| guard.id == *id);
        around.directory.draw(random, |entry| {
            let id = entry.descriptor.words.id;
            id != around.me && !is_taken(&id) && self.is_awake(now, &id) && now.since(entry.first_seen) >= self.ages[0]
        })
    }

    fn middle(
        &mut self,
        now: Instant,
        guard: NodeId,
        around: &Surroundings<'_>,
        random: &mut ChaCha20Rng,
    ) -> Option<NodeId> {
        let before = self.pinned.middles.len();
        let holds = |middle: &Middle| middle.until > seconds(now) && around.directory.relay(&middle.id).is_some();
        self.pinned.middles.retain(holds);
        self.changed |= before != self.pinned.middles.len();
        // One other relay must be left to be the exit.
        let most = limits::MIDDLES.min(around.directory.len().saturating_sub(2));
        while self.pinned.middles.len() < most {
            let Some(id) = self.draw_middle(now, guard, around, random) else { break };
            let until = seconds(now + life(random));
            self.pinned.middles.push(Middle { id, until, came: 0, lost: 0, streak: 0 });
            self.changed = true;
        }
        let fit: Vec<NodeId> = self.pinned.middles.iter().map(|middle| middle.id).filter(|id| *id != guard).collect();
        let apart: Vec<NodeId> = fit.iter().copied().filter(|id| is_apart(around.directory, id, &[guard])).collect();
        let fit = if apart.is_empty() && self.few { fit } else { apart };
        let awake: Vec<NodeId> = fit.iter().copied().filter(|id| self.is_awake(now, id)).collect();
        let some = if awake.is_empty() { fit } else { awake };
        some.get(random.random_range(0..some.len().max(1))).copied()
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
            !is_taken && now.since(entry.first_seen) >= self.ages[1]
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
                && now.since(entry.first_seen) >= self.ages[2]
                && (self.few || !around.neighbours.contains(&id))
        };
        let is_good = |entry: &Entry| {
            let id = entry.descriptor.words.id;
            is_free(entry) && self.is_awake(now, &id) && is_apart(around.directory, &id, &[guard, middle])
        };
        let good = around.directory.draw(random, is_good);
        good.or_else(|| if self.few { around.directory.draw(random, is_free) } else { None })
    }

    fn is_awake(&self, now: Instant, id: &NodeId) -> bool {
        self.resting.get(id).is_none_or(|until| *until <= now)
    }
}

/// Whether a relay stands in another address group than all of `others`.
fn is_apart(directory: &Directory, id: &NodeId, others: &[NodeId]) -> bool {
    let group = |id: &NodeId| directory.get(id).map(|entry| entry.descriptor.group());
    others.iter().all(|other| group(other) != group(id))
}

/// Judges a guard once enough has been sent through it: of honest paths nearly all succeed.
const fn judge_guard(guard: &mut Guard) {
    let trials = guard.came + guard.lost;
    if trials >= limits::GUARD_TRIALS {
        guard.demoted = guard.came * 4 < trials * 3;
        (guard.came, guard.lost) = (0, 0);
    }
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

#[cfg(test)]
mod tests;
