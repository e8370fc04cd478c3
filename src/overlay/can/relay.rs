//! Ways to a place, step by step: the neighbour nearest to it first, around those that do not answer, back where none is left.
//!
//! A node on the way knows where the question came from and whither it went, not who began it. A way passes a node once.

use super::core::{Core, Ended, Purpose};
use super::message::{Goal, Message, Trail};
use super::passage::{Back, Relay};
use crate::id::NodeId;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::time::Instant;

/// Begins a way for an errand of this node.
pub(super) fn begin(core: &mut Core, now: Instant, errand: u32, goal: Goal, upkeep: bool) {
    if core.holds(goal) {
        let owner = Some(core.me.clone());
        return core.ended.push_back((errand, Ended { owner, trail: Trail::START, asked: 0 }));
    }
    let route = core.dice.draw();
    enter(core, route, Back::Own(errand), goal, (upkeep, Trail::START));
    advance(core, now, route);
}

/// A neighbour passes a way on.
pub(super) fn handle_route(
    core: &mut Core,
    now: Instant,
    (from, call): (NodeId, CallId),
    route: u64,
    goal: Goal,
    (upkeep, trail): (bool, Trail),
) {
    let back = Back::Peer(from, call);
    if core.holds(goal) {
        let owner = core.me.clone();
        return core.calls.reply(from, Message::Arrived { call, upkeep, owner, trail });
    }
    let is_repeated = core.relays.get(&route).map(|relay| relay.back == back);
    if core.relays.len() >= limits::CALL_RELAYS {
        forget_turned_back(core, now);
    }
    let is_refused = is_repeated == Some(false) || core.relays.len() >= limits::CALL_RELAYS;
    if is_refused {
        return core.calls.reply(from, Message::Stuck { call, upkeep, trail });
    }
    core.calls.reply(from, Message::Taken { call, upkeep });
    if is_repeated.is_none() {
        enter(core, route, back, goal, (upkeep, trail));
        advance(core, now, route);
    }
}

fn enter(core: &mut Core, route: u64, back: Back, goal: Goal, (upkeep, trail): (bool, Trail)) {
    let relay = Relay { back, goal, upkeep, trail, tried: Vec::new(), turned_back: None };
    core.relays.insert(route, relay);
}

/// One step more, or one back.
fn advance(core: &mut Core, now: Instant, route: u64) {
    let Some((next, is_detour)) = next_step(core, route) else { return turn_back(core, now, route) };
    let Some(relay) = core.relays.get_mut(&route) else { return };
    relay.tried.push(next.id());
    relay.trail.hops = relay.trail.hops.saturating_add(1);
    relay.trail.detours -= u8::from(is_detour);
    let (goal, upkeep, trail) = (relay.goal, relay.upkeep, relay.trail);
    core.calls.ask(now, &next, Purpose::Route(route), |call| Message::Route { call, route, goal, upkeep, trail });
}

/// Whom to ask, and whether that leads no nearer.
fn next_step(core: &Core, route: u64) -> Option<(Contact, bool)> {
    let relay = core.relays.get(&route)?;
    let is_tried = |node: &NodeId| relay.tried.contains(node);
    let came_from = |node: &NodeId| matches!(relay.back, Back::Peer(from, _) if from == *node);
    match core.nearest(relay.goal, |node| is_tried(node) || came_from(node)) {
        Some((distance, next)) if distance < core.distance(relay.goal) => Some((next, false)),
        Some((_, next)) => (relay.trail.detours > 0).then_some((next, true)),
        // A newcomer has no neighbours yet.
        None => {
            let is_own = matches!(relay.back, Back::Own(_));
            core.entries.iter().find(|entry| is_own && !is_tried(&entry.id())).map(|entry| (entry.clone(), false))
        }
    }
}

fn turn_back(core: &mut Core, now: Instant, route: u64) {
    let Some(relay) = core.relays.get_mut(&route) else { return };
    let (upkeep, trail, asked) = (relay.upkeep, relay.trail, relay.tried.len());
    match relay.back {
        Back::Own(errand) => {
            core.relays.remove(&route);
            core.ended.push_back((errand, Ended { owner: None, trail, asked }));
        }
        Back::Peer(from, call) => {
            relay.turned_back = Some(now);
            relay.tried = Vec::new();
            core.calls.reply(from, Message::Stuck { call, upkeep, trail });
        }
    }
}

/// The way has found its end.
pub(super) fn handle_arrived(core: &mut Core, route: u64, owner: Contact, trail: Trail) {
    let Some(relay) = core.relays.remove(&route) else { return };
    match relay.back {
        Back::Own(errand) => {
            core.ended.push_back((errand, Ended { owner: Some(owner), trail, asked: relay.tried.len() }));
        }
        Back::Peer(from, call) => {
            core.calls.reply(from, Message::Arrived { call, upkeep: relay.upkeep, owner, trail });
        }
    }
}

/// The node that was asked knows no way.
pub(super) fn handle_stuck(core: &mut Core, now: Instant, route: u64, trail: Trail) {
    if let Some(relay) = core.relays.get_mut(&route) {
        // Nobody gains detours by asking others.
        relay.trail = Trail { detours: trail.detours.min(relay.trail.detours), ..trail };
        advance(core, now, route);
    }
}

/// The node that was asked does not answer: its border was not crossed.
pub(super) fn handle_silence(core: &mut Core, now: Instant, route: u64) {
    if let Some(relay) = core.relays.get_mut(&route) {
        relay.trail.hops = relay.trail.hops.saturating_sub(1);
        relay.trail.timeouts = relay.trail.timeouts.saturating_add(1);
        advance(core, now, route);
    }
}

/// Forgets ways that nobody goes any more.
pub(super) fn forget_turned_back(core: &mut Core, now: Instant) {
    let is_old = |at: Instant| now.since(at) > limits::TAKEN_TIME;
    core.relays.retain(|_, relay| !relay.turned_back.is_some_and(is_old));
}
