//! The tracker: who is in which swarm. It stores no document and sees no piece.
//!
//! Names peers at random. Whoever has not announced itself for long is forgotten. It learns who wants what: that is the
//! design.

use std::collections::BTreeMap;

use super::message::{Message, Stage};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::Offence;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::time::{Duration, Instant};

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    swarms: BTreeMap<RoutingKey, Swarm>,
    entries: usize,
    next_sweep: Option<Instant>,
}

#[derive(Debug, Default)]
struct Swarm {
    members: Vec<Member>,
    places: BTreeMap<NodeId, usize>,
}

#[derive(Debug)]
struct Member {
    contact: Contact,
    is_seed: bool,
    seen: Instant,
}

impl Tracker {
    /// Swarms, and members of all of them.
    pub(super) fn entries(&self) -> (usize, usize) {
        (self.swarms.len(), self.entries)
    }

    /// Somebody announces itself.
    pub(super) fn announce<T>(
        &mut self,
        (calls, dice): (&mut Calls<Message, T>, &mut Dice),
        now: Instant,
        (from, call): (NodeId, CallId),
        (key, sender, stage): (RoutingKey, Contact, Stage),
    ) {
        if sender.id() != from {
            return calls.offence(from, Offence::OutOfTurn);
        }
        let contacts = match self.swarms.get(&key) {
            Some(swarm) if stage != Stage::Gone => swarm.draw(dice, from, stage == Stage::Seed),
            _ => Vec::new(),
        };
        match stage {
            Stage::Looking => {}
            Stage::Leech | Stage::Seed => self.enter(key, sender, stage == Stage::Seed, now),
            Stage::Gone => self.forget(&key, &from),
        }
        calls.reply(from, Message::Peers { call, contacts });
    }

    fn enter(&mut self, key: RoutingKey, contact: Contact, is_seed: bool, seen: Instant) {
        let has_room = self.entries < limits::SWARM_TRACKED;
        let id = contact.id();
        if !has_room && !self.swarms.get(&key).is_some_and(|swarm| swarm.places.contains_key(&id)) {
            return;
        }
        let swarm = self.swarms.entry(key).or_default();
        let member = Member { contact, is_seed, seen };
        if let Some(place) = swarm.places.get(&id) {
            swarm.members[*place] = member;
        } else {
            swarm.places.insert(id, swarm.members.len());
            swarm.members.push(member);
            self.entries += 1;
        }
    }

    fn forget(&mut self, key: &RoutingKey, node: &NodeId) {
        let Some(swarm) = self.swarms.get_mut(key) else { return };
        self.entries -= usize::from(swarm.remove(node));
        if swarm.members.is_empty() {
            self.swarms.remove(key);
        }
    }

    pub(super) const fn timeout(&self) -> Option<Instant> {
        self.next_sweep
    }

    /// Forgets who has been silent for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let due = *self.next_sweep.get_or_insert(now + SWEEP);
        if due > now {
            return;
        }
        self.next_sweep = Some(now + SWEEP);
        let mut removed = 0;
        self.swarms.retain(|_, swarm| {
            let is_old = |member: &&Member| member.seen + limits::SWARM_FORGOTTEN <= now;
            let old: Vec<NodeId> = swarm.members.iter().filter(is_old).map(|member| member.contact.id()).collect();
            removed += old.iter().filter(|id| swarm.remove(id)).count();
            !swarm.members.is_empty()
        });
        self.entries -= removed;
    }
}

impl Swarm {
    /// Some members at random; a seed needs no seeds.
    fn draw(&self, dice: &mut Dice, asker: NodeId, is_seed: bool) -> Vec<Contact> {
        // A shuffle of which only what has moved is written down.
        let (mut moved, mut drawn) = (BTreeMap::new(), Vec::new());
        for at in 0..self.members.len() {
            if drawn.len() == limits::SWARM_NAMED {
                break;
            }
            let other = at + dice.below(self.members.len() - at);
            let here = moved.get(&at).copied().unwrap_or(at);
            let member = &self.members[moved.insert(other, here).unwrap_or(other)];
            if member.contact.id() != asker && !(is_seed && member.is_seed) {
                drawn.push(member.contact.clone());
            }
        }
        drawn
    }

    fn remove(&mut self, node: &NodeId) -> bool {
        let Some(place) = self.places.remove(node) else { return false };
        self.members.swap_remove(place);
        if let Some(moved) = self.members.get(place) {
            self.places.insert(moved.contact.id(), place);
        }
        true
    }
}

/// How often silent members are looked for. Chosen.
const SWEEP: Duration = Duration::from_secs(300);
