//! What a gateway does with publications of its overlay: fetches them there by their keys and has them inserted into the store.
//!
//! Publications wait as keys, so a long queue is small; blocks in memory are as many as are on their way. Leaves out
//! lookups.

use std::collections::{BTreeMap, VecDeque};

use super::errand::{Deed, Errand};
use super::policy::{Budget, Policy};
use super::recent::Recent;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::overlay::mode::{Answer, Command, OF_WRAPPER, Ticket};
use crate::time::Instant;

/// Publications at a gateway.
#[derive(Debug)]
pub(super) struct Carriage {
    waiting: VecDeque<Item>,
    /// Those that are tried again, the first due first.
    later: VecDeque<(Instant, Item)>,
    /// How many publications of each node wait.
    of_peer: BTreeMap<NodeId, usize>,
    /// Fetches in the own overlay.
    fetches: BTreeMap<Ticket, Item>,
    inserts: BTreeMap<RoutingKey, Item>,
    /// Keys that wait or were carried, in either direction.
    seen: Recent,
    next: u64,
    /// Blocks that were carried.
    pub(super) carried: u64,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    key: RoutingKey,
    /// Who named it; nobody if it was placed here.
    from: Option<NodeId>,
    tries: u8,
}

impl Carriage {
    pub(super) const fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            later: VecDeque::new(),
            of_peer: BTreeMap::new(),
            fetches: BTreeMap::new(),
            inserts: BTreeMap::new(),
            seen: Recent::new(limits::GATEWAY_CARRIED_LIFE),
            next: 0,
            carried: 0,
        }
    }

    /// Something is published; whether it will be carried, or has been.
    pub(super) fn note(&mut self, now: Instant, policy: &Policy, key: RoutingKey, from: Option<NodeId>) -> bool {
        if !policy.inserts || !policy.allows(&key) {
            return false;
        }
        if self.seen.contains(now, &key) {
            return true;
        }
        let of_this = from.map_or(0, |from| self.of_peer.get(&from).copied().unwrap_or(0));
        let len = self.waiting.len() + self.later.len();
        if len >= limits::GATEWAY_QUEUE || of_this >= limits::GATEWAY_QUEUE_PER_PEER {
            return false;
        }
        self.seen.insert(now, key);
        if let Some(from) = from {
            *self.of_peer.entry(from).or_default() += 1;
        }
        self.waiting.push_back(Item { key, from, tries: 1 });
        true
    }

    /// This came from the store, so it need not be carried there.
    pub(super) fn exempt(&mut self, now: Instant, key: RoutingKey) {
        self.seen.insert(now, key);
    }

    /// Sets off as many as may be under way.
    pub(super) fn go_on(&mut self, deeds: &mut VecDeque<Deed>, now: Instant, budget: &mut Budget) {
        while let Some((_, item)) = self.later.front().copied().filter(|(due, _)| *due <= now) {
            self.later.pop_front();
            self.waiting.push_back(item);
        }
        while self.fetches.len() + self.inserts.len() < limits::GATEWAY_INSERTS && !self.waiting.is_empty() {
            if !budget.reserve(now) {
                return;
            }
            let Some(item) = self.waiting.pop_front() else { return };
            let ticket = Ticket(OF_WRAPPER | self.next);
            self.next += 1;
            self.fetches.insert(ticket, item);
            deeds.push_back(Deed::Command(ticket, Command::Fetch { key: item.key, own_store: true }));
        }
    }

    /// The own overlay has answered a command of the gateway itself.
    pub(super) fn handle_answer(
        &mut self,
        deeds: &mut VecDeque<Deed>,
        now: Instant,
        budget: &mut Budget,
        (ticket, answer): (Ticket, Answer),
    ) {
        let Some(item) = self.fetches.remove(&ticket) else { return };
        match answer {
            Answer::Found { block, .. } => {
                self.inserts.insert(item.key, item);
                deeds.push_back(Deed::Errand(Errand::Insert(block)));
            }
            _ => self.fail(now, budget, item),
        }
    }

    /// The store has taken a block, or not.
    pub(super) fn handle_inserted(&mut self, now: Instant, budget: &mut Budget, key: &RoutingKey, is_stored: bool) {
        let Some(item) = self.inserts.remove(key) else { return };
        if is_stored {
            self.carried += 1;
            self.forget(item);
        } else {
            self.fail(now, budget, item);
        }
    }

    /// A ticket that is not the carriage's own and no client's.
    pub(super) const fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(OF_WRAPPER | (self.next - 1))
    }

    /// When there is something to do.
    pub(super) fn timeout(&self, budget: &Budget) -> Option<Instant> {
        let again = self.later.front().map(|(due, _)| *due);
        let refilled = budget.refilled().filter(|_| !self.waiting.is_empty());
        [again, refilled].into_iter().flatten().min()
    }

    fn fail(&mut self, now: Instant, budget: &mut Budget, item: Item) {
        budget.settle(0);
        if item.tries < limits::GATEWAY_TRIES {
            self.later.push_back((now + limits::GATEWAY_TRY_AGAIN, Item { tries: item.tries + 1, ..item }));
        } else {
            // Whoever publishes it again may have it tried again.
            self.seen.remove(&item.key);
            self.forget(item);
        }
    }

    fn forget(&mut self, item: Item) {
        let Some(from) = item.from else { return };
        if let Some(count) = self.of_peer.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.of_peer.remove(&from);
            }
        }
    }
}

/// Whether a command is a gateway's own.
pub(super) const fn is_own(ticket: Ticket) -> bool {
    ticket.0 & OF_WRAPPER != 0
}
