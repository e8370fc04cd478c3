//! Recursive lookups: whoever is asked passes the question on to the nearest node before the key that it knows.
//!
//! The key's predecessor names the owner, and the answer comes back the way of the question. A node on the way knows whom it
//! got the question from, not who began it. Steps only come nearer to the key, so no way turns in a circle.

use super::core::{Core, Purpose};
use super::member::Around;
use super::message::{Message, Way};
use super::passage::{Back, Ended, Relay};
use super::peer::Peer;
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::overlay::mode::calls::CallId;
use crate::time::Instant;

/// Asks for the owner of a key on behalf of an errand of this node.
pub(super) fn begin(core: &mut Core, now: Instant, errand: u32, key: Location) {
    let member = core.member_before(key);
    enter(core, now, Relay { back: Back::Own(errand), key, member, way: Way::default(), tried: Vec::new() });
}

/// Another node passes a question on.
pub(super) fn handle_seek(
    core: &mut Core,
    now: Instant,
    (from, call): (NodeId, CallId),
    member: u8,
    key: Location,
    way: Way,
) {
    let (back, member) = (Back::Peer(from, call), usize::from(member));
    if member >= core.members.len() {
        return;
    }
    let is_repeated = core.relays.values().any(|relay| relay.back == back);
    if !is_repeated && core.relays.len() >= limits::CALL_RELAYS {
        return core.calls.reply(from, Message::Stuck { call, way });
    }
    core.calls.reply(from, Message::Taken { call });
    if !is_repeated {
        enter(core, now, Relay { back, key, member, way, tried: Vec::new() });
    }
}

fn enter(core: &mut Core, now: Instant, relay: Relay) {
    core.next_relay = core.next_relay.wrapping_add(1);
    core.relays.insert(core.next_relay, relay);
    advance(core, now, core.next_relay);
}

/// One step more, or the answer.
fn advance(core: &mut Core, now: Instant, id: u32) {
    let Some(relay) = core.relays.get(&id) else { return };
    let (key, Around { preceding, following }) = (relay.key, core.around(relay.member, relay.key, false));
    let Some(relay) = core.relays.get_mut(&id) else { return };
    match preceding.into_iter().find(|peer| !relay.tried.contains(&peer.id())) {
        Some(next) => {
            relay.tried.push(next.id());
            relay.way.hops = relay.way.hops.saturating_add(1);
            let (way, member) = (relay.way, next.member());
            core.calls.ask(now, next.contact(), Purpose::Seek(id), |call| Message::Seek { call, member, key, way });
        }
        None => end(core, id, following),
    }
}

/// The owner is known to this node or to one that it has asked; or to nobody.
fn end(core: &mut Core, id: u32, owners: Vec<Peer>) {
    let Some(relay) = core.relays.remove(&id) else { return };
    let (way, asked) = (relay.way, relay.tried.len() as u16);
    match relay.back {
        Back::Own(errand) => core.ended.push_back(Ended { errand, owners, way, asked }),
        Back::Peer(from, call) if owners.is_empty() => core.calls.reply(from, Message::Stuck { call, way }),
        Back::Peer(from, call) => core.calls.reply(from, Message::Owners { call, owners, way }),
    }
}

/// A node that was asked knows the owner.
pub(super) fn handle_owners(core: &mut Core, id: u32, owners: Vec<Peer>, way: Way) {
    if let Some(relay) = core.relays.get_mut(&id) {
        relay.way = way;
        end(core, id, owners);
    }
}

/// A node that was asked knows no way.
pub(super) fn handle_stuck(core: &mut Core, now: Instant, id: u32, way: Way) {
    if let Some(relay) = core.relays.get_mut(&id) {
        relay.way = way;
        advance(core, now, id);
    }
}

/// A node that was asked does not answer.
pub(super) fn handle_silence(core: &mut Core, now: Instant, id: u32) {
    if let Some(relay) = core.relays.get_mut(&id) {
        relay.way.hops = relay.way.hops.saturating_sub(1);
        relay.way.timeouts = relay.way.timeouts.saturating_add(1);
        if core.config.goes_round {
            advance(core, now, id);
        } else {
            end(core, id, Vec::new());
        }
    }
}
