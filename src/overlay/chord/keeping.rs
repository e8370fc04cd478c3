//! The part of a node that keeps documents and references: for whoever asks, and when keys change hands.
//!
//! Copies go to the first of the successor list; a new predecessor gets the keys that are its own now.

use super::core::{Core, Purpose, Reading};
use super::member::{Member, is_in};
use super::message::Message;
use super::peer::Peer;
use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::publish::Publish;
use crate::overlay::mode::{Offence, StoreWork};
use crate::time::Instant;

pub(super) fn handle_get(core: &mut Core, from: NodeId, call: CallId, key: RoutingKey) {
    if let Some(holder) = core.index.get(&key).cloned() {
        return core.calls.reply(from, Message::Held { call, holder });
    }
    if !core.readings.is_full() {
        core.store(Reading::Asked(from, call), |token| StoreWork::Read { token, key });
    }
}

/// Whom a key belongs to that is put here for good though it is not this node's: those before, so that it goes on to the one
/// whose it is. So far back as this node knows the ring ahead: nobody can send a block all the way round.
fn passed_back(core: &Core, from: NodeId, key: Location, replicas: u8) -> Option<Peer> {
    let is_next = |member: &Member| member.successors.first().is_some_and(|next| next.id() == from);
    let behind = |member: &Member| key.clockwise_to(member.me.place());
    let member = core.members.iter().min_by_key(|member| behind(member))?;
    let is_no_copy = replicas > 0 || core.config.copies == 1 || core.members.iter().any(is_next);
    let known = member.successors.last().map_or(0, |last| member.me.place().clockwise_to(last.place()));
    let is_due = is_no_copy && behind(member) <= known && !core.owns(key);
    member.predecessor.clone().filter(|before| is_due && before.id() != from)
}

pub(super) fn handle_put(core: &mut Core, now: Instant, from: NodeId, call: CallId, put: (RoutingKey, Parcel, u8)) {
    let (key, parcel, replicas) = put;
    match parcel.open(&key) {
        Ok(block) if !core.readings.is_full() => {
            if let Some(before) = passed_back(core, from, key.location(), replicas) {
                give(core, now, &before, &block);
            }
            core.store(Reading::Kept(from, call, key, replicas), |token| StoreWork::Keep { token, block });
        }
        Ok(_) => {}
        Err(_) => core.calls.offence(from, Offence::BadBlock),
    }
}

pub(super) fn handle_refer(core: &mut Core, now: Instant, from: NodeId, call: CallId, told: (RoutingKey, Peer, u8)) {
    let (key, holder, replicas) = told;
    if let Some(before) = passed_back(core, from, key.location(), replicas) {
        refer(core, now, &before, key, holder.clone());
    }
    let durable = remember(core, now, key, &holder, replicas);
    core.calls.reply(from, Message::Stored { call, durable });
}

/// Remembers who has a block, and lets so many others remember it. Whether there was room.
pub(super) fn remember(core: &mut Core, now: Instant, key: RoutingKey, holder: &Peer, replicas: u8) -> bool {
    if core.index.len() >= limits::REFERENCES_KEPT {
        return false;
    }
    core.index.insert(key, holder.clone());
    for peer in replica_peers(core, key.location(), replicas) {
        refer(core, now, &peer, key, holder.clone());
    }
    true
}

/// Tells a peer who has a block.
fn refer(core: &mut Core, now: Instant, to: &Peer, key: RoutingKey, holder: Peer) {
    core.calls.ask(now, to.contact(), Purpose::Copy, |call| Message::Refer { call, key, holder, replicas: 0 });
}

/// A block that another node had kept is kept: say so, and have it kept by the next ones.
pub(super) fn handle_kept(core: &mut Core, asked: (NodeId, CallId), key: RoutingKey, replicas: u8, durable: bool) {
    core.calls.reply(asked.0, Message::Stored { call: asked.1, durable });
    if durable && replicas > 0 {
        for peer in replica_peers(core, key.location(), replicas) {
            core.store(Reading::Move(peer), |token| StoreWork::Copy { token, key });
        }
    }
}

/// Further copies of a block that this node owns.
pub(super) fn replicate(core: &mut Core, now: Instant, block: &Block) {
    let replicas = core.config.copies.saturating_sub(1);
    for peer in replica_peers(core, block.key().location(), replicas) {
        give(core, now, &peer, block);
    }
}

/// Gives a block to a peer.
pub(super) fn give(core: &mut Core, now: Instant, peer: &Peer, block: &Block) {
    let (key, parcel) = (block.key(), block.parcel());
    core.calls.ask(now, peer.contact(), Purpose::Copy, |call| Message::Put { call, key, parcel, replicas: 0 });
}

/// Gives a peer all keys after `from` up to `to`.
pub(super) fn hand_over(core: &mut Core, now: Instant, from: Location, to: Location, peer: &Peer) {
    if core.config.publish == Publish::Reference {
        let ours = core.index.iter().filter(|(key, _)| is_in(from, key.location(), to));
        let ours: Vec<(RoutingKey, Peer)> = ours.map(|(key, holder)| (*key, holder.clone())).collect();
        for (key, holder) in ours {
            refer(core, now, peer, key, holder);
        }
        return;
    }
    survey(core, from, to, peer.clone(), None);
}

/// A page of keys is known.
pub(super) fn handle_survey(core: &mut Core, range: (Location, Location), peer: &Peer, keys: &[RoutingKey]) {
    for key in keys.iter().copied().filter(|key| is_in(range.0, key.location(), range.1)) {
        core.store(Reading::Move(peer.clone()), |token| StoreWork::Copy { token, key });
    }
    if keys.len() == PAGE {
        survey(core, range.0, range.1, peer.clone(), keys.last().copied());
    }
}

fn survey(core: &mut Core, from: Location, to: Location, peer: Peer, after: Option<RoutingKey>) {
    let width = from.clockwise_to(to).wrapping_sub(1);
    let around = Location(from.0.wrapping_add(width / 2));
    let within = Distance(width / 2 + 1);
    let reading = Reading::Survey(from, to, peer);
    core.store(reading, |token| StoreWork::Survey { token, around, within, after, most: PAGE });
}

/// The nodes after the owner of a key, as this node knows them: its own successors, other nodes only.
fn replica_peers(core: &Core, key: Location, replicas: u8) -> Vec<Peer> {
    let owner = core.members.iter().position(|member| member.owns(key)).unwrap_or(0);
    let member = &core.members[owner];
    let others = member.successors.iter().filter(|peer| peer.id() != member.me.id());
    others.take(replicas.into()).cloned().collect()
}

/// Keys that are moved at a time. Chosen: a page of the survey is small beside one block.
const PAGE: usize = 64;
