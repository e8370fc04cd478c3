//! The part of a node that keeps documents and references: for whoever asks, and when zones change hands.

use super::core::{Core, Purpose, Reading};
use super::message::Message;
use super::zone::Zone;
use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::publish::Publish;
use crate::overlay::mode::{Offence, StoreWork};
use crate::time::Instant;

pub(super) fn handle_get(core: &mut Core, from: NodeId, call: CallId, key: RoutingKey) {
    if let Some(holder) = core.index.get(&key).filter(|holder| holder.id() != core.me.id()).cloned() {
        return core.calls.reply(from, Message::Held { call, holder });
    }
    if !core.readings.is_full() {
        core.store(Reading::Asked(from, call), |token| StoreWork::Read { token, key });
    }
}

pub(super) fn handle_put(core: &mut Core, from: NodeId, call: CallId, key: RoutingKey, parcel: Parcel) {
    match parcel.open(&key) {
        Ok(block) if !core.readings.is_full() => {
            core.store(Reading::Kept(from, call), |token| StoreWork::Keep { token, block });
        }
        Ok(_) => {}
        Err(_) => core.calls.offence(from, Offence::BadBlock),
    }
}

pub(super) fn handle_refer(core: &mut Core, from: NodeId, call: CallId, key: RoutingKey, holder: Contact) {
    let durable = core.index.len() < limits::REFERENCES_KEPT || core.index.contains_key(&key);
    if durable {
        core.index.insert(key, holder);
    }
    core.calls.reply(from, Message::Stored { call, durable });
}

/// Gives a node everything whose place lies in a zone.
pub(super) fn hand_over(core: &mut Core, now: Instant, zone: Zone, to: &Contact) {
    for shift in core.shifts() {
        let (first, width) = (Location(zone.start().0.wrapping_sub(shift)), zone.last_offset());
        if core.config.publish == Publish::Reference {
            let ours = core.index.iter().filter(|(key, _)| first.clockwise_to(key.location()) <= width);
            let ours: Vec<(RoutingKey, Contact)> = ours.map(|(key, holder)| (*key, holder.clone())).collect();
            for (key, holder) in ours {
                core.calls.ask(now, to, Purpose::Copy, |call| Message::Refer { call, key, holder });
            }
        } else {
            survey(core, first, width, to.clone(), None);
        }
    }
}

/// A page of keys is known.
pub(super) fn handle_survey(core: &mut Core, range: (Location, u64), to: &Contact, keys: &[RoutingKey]) {
    for key in keys.iter().copied().filter(|key| range.0.clockwise_to(key.location()) <= range.1) {
        core.store(Reading::Move(to.clone()), |token| StoreWork::Copy { token, key });
    }
    if keys.len() == PAGE {
        survey(core, range.0, range.1, to.clone(), keys.last().copied());
    }
}

fn survey(core: &mut Core, first: Location, width: u64, to: Contact, after: Option<RoutingKey>) {
    let (around, within) = (Location(first.0.wrapping_add(width / 2)), Distance(width / 2 + 1));
    core.store(Reading::Survey(first, width, to), |token| StoreWork::Survey {
        token,
        around,
        within,
        after,
        most: PAGE,
    });
}

/// Gives a block to a node.
pub(super) fn give(core: &mut Core, now: Instant, to: &Contact, block: &Block) {
    let (key, parcel) = (block.key(), block.parcel());
    core.calls.ask(now, to, Purpose::Copy, |call| Message::Put { call, key, parcel });
}

/// Keys that are moved at a time. Chosen: a page of the survey is small beside one block.
const PAGE: usize = 64;
