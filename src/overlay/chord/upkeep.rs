//! Stabilisation: each member asks the next node who stands before it, tells it of itself, sees whether the one before is still
//! there, and looks fingers up.
//!
//! Also joining, leaving, and what follows when neighbours change: keys change hands.

use super::core::{Core, Purpose};
use super::fingers::FINGERS;
use super::keeping;
use super::member::is_in;
use super::message::Message;
use super::peer::Peer;
use super::search::Searches;
use crate::id::NodeId;
use crate::overlay::mode::Offence;
use crate::time::{Duration, Instant};

/// The timers.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    next: Option<Instant>,
    /// When whoever has no place looks for it again.
    join_at: Option<Instant>,
    rounds: u32,
    is_over: bool,
}

impl Upkeep {
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next.into_iter().chain(self.join_at).min().filter(|_| !self.is_over)
    }

    pub(super) fn handle_timeout(&mut self, core: &mut Core, searches: &mut Searches, now: Instant) {
        if self.is_over {
            return;
        }
        if self.join_at.is_none_or(|due| due <= now) {
            self.join_at = join(core, searches, now).then(|| now + JOIN_AGAIN);
        }
        let (least, most) = core.config.stabilise;
        let Some(due) = self.next else {
            // The first call: newcomers have just begun to join, others begin somewhere within the longest period.
            let first = core.dice.between(Duration::ZERO, most);
            self.next = Some(now + if core.doors.is_empty() { first } else { least });
            return;
        };
        if due > now {
            return;
        }
        self.next = Some(now + core.dice.between(least, most));
        let seeks_rings = self.rounds.is_multiple_of(RING_ROUNDS);
        self.rounds = self.rounds.wrapping_add(1);
        for member in 0..core.members.len() {
            forget_silent_predecessor(core, member, now);
            check_predecessor(core, member, now);
            stabilise(core, now, member);
            look_fingers_up(core, searches, now, member);
            if seeks_rings {
                seek_other_ring(core, searches, now, member);
            }
        }
    }

    /// A node that has taken leave does not tell anybody of itself any more.
    pub(super) const fn end(&mut self) {
        self.is_over = true;
    }
}

/// Members without a place look for it, at all doors. Whether there are any.
fn join(core: &mut Core, searches: &mut Searches, now: Instant) -> bool {
    let mut is_outside = false;
    for number in 0..core.members.len() {
        if core.is_outside(number) {
            is_outside = true;
            let doors = core.doors.all(&core.members[number].me.id());
            if searches.begin_join(core, now, number, doors) {
                core.members[number].attempts += 1;
            }
        }
    }
    is_outside
}

/// Asks one door who follows a member: whoever does not know it may be of a ring apart. Joins the two only where one of that ring is
/// nearer than its next node.
fn seek_other_ring(core: &mut Core, searches: &mut Searches, now: Instant, member: usize) {
    let me = core.members[member].me.id();
    if let Some(door) = core.doors.turn(&me).filter(|_| !core.is_outside(member)) {
        searches.begin_join(core, now, member, vec![door]);
    }
}

/// A predecessor that has not spoken for three periods is gone.
fn forget_silent_predecessor(core: &mut Core, member: usize, now: Instant) {
    let silence = core.config.stabilise.1 * 3;
    let member = &mut core.members[member];
    let heard = *member.heard.get_or_insert(now);
    if now.since(heard) > silence {
        member.predecessor = None;
    }
}

/// A dead predecessor keeps out whoever comes after it: one that has not spoken of late is asked (2003, figure 6).
fn check_predecessor(core: &mut Core, number: usize, now: Instant) {
    let member = &core.members[number];
    let Some(predecessor) = member.predecessor.clone().filter(|peer| peer.id() != member.me.id()) else { return };
    let is_fresh = member.heard.is_some_and(|heard| now.since(heard) < core.config.stabilise.0);
    if !is_fresh {
        let place = predecessor.member();
        core.calls.ask(now, predecessor.contact(), Purpose::Check(number as u8), |call| Message::Neighbours {
            call,
            member: place,
        });
    }
}

/// The predecessor of a member is there.
pub(super) fn handle_presence(core: &mut Core, now: Instant, from: NodeId, number: u8) {
    if let Some(member) = core.members.get_mut(usize::from(number))
        && member.predecessor.as_ref().is_some_and(|peer| peer.id() == from)
    {
        member.heard = Some(now);
    }
}

/// Asks the next node of a member who stands around it.
pub(super) fn stabilise(core: &mut Core, now: Instant, member: usize) {
    let Some(next) = core.members[member].successors.first().cloned() else { return };
    let (contact, place) = (next.contact().clone(), next.member());
    let purpose = Purpose::Stabilise(member as u8, next);
    core.calls.ask(now, &contact, purpose, |call| Message::Neighbours { call, member: place });
}

/// The next node of a member has answered.
pub(super) fn handle_neighbours(
    core: &mut Core,
    now: Instant,
    stood: (u8, &Peer),
    predecessor: Option<Peer>,
    successors: Vec<Peer>,
) -> bool {
    let (number, next) = (usize::from(stood.0), stood.1);
    let most = core.config.successors;
    let member = &mut core.members[number];
    let was_new = member.fingers.distinct().next().is_none();
    let mut list = vec![next.clone()];
    if successors.is_empty() {
        // It has no place itself yet, or is alone: that says nothing about those who were known to follow it.
        list.extend(member.successors.iter().cloned());
    }
    list.extend(successors);
    let between = predecessor
        .filter(|peer| *peer != member.me && is_in(member.me.place(), peer.place(), next.place()) && peer != next);
    let is_nearer = between.is_some();
    list.extend(between);
    member.follow(list, most);
    let me = member.me.clone();
    if let Some(first) = member.successors.first().cloned() {
        let message = Message::Notify { member: first.member(), sender: me };
        core.calls.tell(first.contact(), message);
    }
    if is_nearer {
        stabilise(core, now, number);
    }
    refresh_replicas(core, now, number);
    was_new
}

/// Looks up one finger of a member, or all of them.
fn look_fingers_up(core: &mut Core, searches: &mut Searches, now: Instant, member: usize) {
    if core.config.all_fingers {
        return look_all_up(core, searches, now, member);
    }
    let first = set_near_fingers(core, member);
    if first < FINGERS {
        let at = core.members[member].finger + 1;
        let at = if (first..FINGERS).contains(&at) { at } else { first };
        core.members[member].finger = at;
        searches.begin_finger(core, now, member, at);
    }
}

/// Looks up all fingers of a member: what a newcomer begins with.
pub(super) fn look_all_up(core: &mut Core, searches: &mut Searches, now: Instant, member: usize) {
    for exponent in set_near_fingers(core, member)..FINGERS {
        searches.begin_finger(core, now, member, exponent);
    }
}

/// Fingers that point at or before the next node name it. Gives the first that points farther.
fn set_near_fingers(core: &mut Core, member: usize) -> usize {
    let member = &mut core.members[member];
    let first = member.first_far_finger();
    let next = member.successors.first().cloned();
    for exponent in 0..first {
        member.fingers.set(exponent, next.clone());
    }
    first
}

/// Somebody may be the predecessor of a member.
pub(super) fn handle_notify(
    core: &mut Core,
    searches: &mut Searches,
    now: Instant,
    (from, number, sender): (NodeId, u8, Peer),
) {
    if sender.id() != from {
        return core.calls.offence(from, Offence::OutOfTurn);
    }
    let number = usize::from(number);
    if number >= core.members.len() {
        return;
    }
    let is_outside = core.is_outside(number);
    if is_outside {
        // Whoever takes it for its next node is on the ring, and so a way there.
        searches.begin_join(core, now, number, vec![sender.clone()]);
    }
    let Some(member) = core.members.get_mut(number).filter(|member| member.me != sender) else { return };
    let me = member.me.place();
    let is_same = member.predecessor.as_ref() == Some(&sender);
    let is_nearer = member.predecessor.as_ref().is_none_or(|old| is_in(old.place(), sender.place(), me));
    if is_same || is_nearer {
        member.heard = Some(now);
    }
    if is_same || !is_nearer {
        return;
    }
    member.predecessor = Some(sender.clone());
    if member.successors.is_empty() && !is_outside {
        // The founder of a ring meets the second node.
        member.successors.push(sender.clone());
    }
    let before = member.owned_from.replace(sender.place());
    match before {
        Some(before) if is_in(before, sender.place(), me) && before != sender.place() => {
            keeping::hand_over(core, now, before, sender.place(), &sender);
        }
        // The one before is gone: its keys are this member's now, and need one more copy.
        Some(before) => spread(core, now, number, sender.place(), before),
        // What was put here before anybody had come between belongs to those before.
        None => keeping::hand_over(core, now, me, sender.place(), &sender),
    }
}

fn spread(core: &mut Core, now: Instant, member: usize, from: crate::key::Location, to: crate::key::Location) {
    let further = usize::from(core.config.copies.saturating_sub(1));
    let last = further.checked_sub(1).and_then(|at| core.members[member].successors.get(at).cloned());
    if let Some(peer) = last.filter(|_| from != to) {
        keeping::hand_over(core, now, from, to, &peer);
    }
}

/// Whoever is new among those that shall hold copies gets them.
fn refresh_replicas(core: &mut Core, now: Instant, number: usize) {
    let further = usize::from(core.config.copies.saturating_sub(1));
    let member = &mut core.members[number];
    if further == 0 {
        return;
    }
    let wanted: Vec<Peer> = member.successors.iter().take(further).cloned().collect();
    let before = std::mem::replace(&mut member.replicas, wanted.clone());
    let (Some(from), to) = (member.owned_from, member.me.place()) else { return };
    for peer in wanted.iter().filter(|peer| !before.contains(peer)) {
        keeping::hand_over(core, now, from, to, peer);
    }
}

/// A neighbour goes and says so.
pub(super) fn handle_leaving(core: &mut Core, now: Instant, from: NodeId, leaving: (Peer, Option<Peer>, Vec<Peer>)) {
    let (sender, predecessor, successors) = leaving;
    if sender.id() != from {
        return core.calls.offence(from, Offence::OutOfTurn);
    }
    let most = core.config.successors;
    for member in &mut core.members {
        if member.predecessor.as_ref() == Some(&sender) {
            member.predecessor = predecessor.clone().filter(|peer| *peer != member.me);
            member.owned_from = member.predecessor.as_ref().map(Peer::place);
            member.heard = Some(now);
        }
        if member.successors.contains(&sender) {
            let mut list = member.successors.clone();
            list.extend(successors.iter().cloned());
            list.retain(|peer| *peer != sender);
            member.follow(list, most);
            if member.successors.is_empty() {
                // There were but two.
                member.be_alone();
            }
        }
        let heir = successors.first().filter(|peer| **peer != member.me).cloned();
        for exponent in 0..FINGERS {
            if member.fingers.get(exponent) == Some(&sender) {
                member.fingers.set(exponent, heir.clone());
            }
        }
    }
}

/// This node goes: keys to the next one, a word to both neighbours.
pub(super) fn leave(core: &mut Core, now: Instant) {
    for number in 0..core.members.len() {
        let member = &core.members[number];
        let (me, predecessor, successors) = (member.me.clone(), member.predecessor.clone(), member.successors.clone());
        let told = successors.first().into_iter().chain(predecessor.as_ref()).cloned().collect::<Vec<_>>();
        if let (Some(next), Some(from), 1) = (successors.first(), member.owned_from, core.config.copies) {
            keeping::hand_over(core, now, from, me.place(), &next.clone());
        }
        let successors: Vec<Peer> = successors.into_iter().take(crate::limits::CALL_CONTACTS - 2).collect();
        for peer in told {
            let message = Message::Leaving {
                sender: me.clone(),
                predecessor: predecessor.clone(),
                successors: successors.clone(),
            };
            core.calls.tell(peer.contact(), message);
        }
    }
}

/// Who has no place on the ring looks for it again after so long. Chosen: an answer takes far less.
const JOIN_AGAIN: Duration = Duration::from_secs(3);
/// Every so many rounds a node looks for a ring that does not know of it, the first time in its first round. Chosen: rings come
/// apart seldom, and by a message or two a minute they find each other.
const RING_ROUNDS: u32 = 4;
