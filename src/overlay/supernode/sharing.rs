//! What this node shares: kept in its own store, and registered at its parents or in its own index.
//!
//! Leaves out answering downloads.

use std::collections::BTreeMap;

use super::core::{Core, Purpose, Reading};
use super::message::Message;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::message::contact::Contact;
use crate::overlay::mode::{Answer, Output, StoreWork, Ticket};
use crate::time::Instant;

/// Inserts under way.
#[derive(Debug, Default)]
pub(super) struct Sharing(BTreeMap<Ticket, Insert>);

#[derive(Debug, Default)]
struct Insert {
    /// Parents that have still to answer.
    waiting: usize,
    /// Those that took note.
    noted: u32,
}

impl Sharing {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A client wants a document shared.
    pub(super) fn begin(&mut self, core: &mut Core, ticket: Ticket, block: Block) {
        self.0.insert(ticket, Insert::default());
        let reading = Reading::Kept(ticket, block.key());
        core.store(reading, |token| StoreWork::Keep { token, block });
    }

    /// The client has lost interest.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        self.0.remove(&ticket);
    }

    /// A document is in the own store: the parents are told, or it is listed here.
    pub(super) fn on_kept(
        &mut self,
        core: &mut Core,
        now: Instant,
        (ticket, key): (Ticket, RoutingKey),
        durable: bool,
    ) {
        let Some(insert) = self.0.get_mut(&ticket) else { return };
        let is_told = durable && core.shares && !core.is_supernode();
        if is_told {
            let parents: Vec<Contact> =
                core.standing.others(None).filter_map(|id| core.linked.get(&id)).cloned().collect();
            insert.waiting = parents.len();
            for parent in parents {
                let keys = vec![key];
                core.calls.ask(now, &parent, Purpose::Share(Some(ticket)), |call| Message::Share { call, keys });
            }
        } else if durable && core.shares {
            core.listing.share(&core.me.id(), key, usize::MAX);
            insert.noted = 1;
        }
        if insert.waiting == 0 {
            // A leaf without a parent has not published; a free rider had no such thing in mind.
            self.end(core, ticket, u32::from(!durable || core.shares));
        }
    }

    /// A parent has taken note of something, or not.
    pub(super) fn on_noted(&mut self, core: &mut Core, ticket: Option<Ticket>, taken: bool) {
        let Some(ticket) = ticket else { return };
        let Some(insert) = self.0.get_mut(&ticket) else { return };
        insert.waiting -= 1;
        insert.noted += u32::from(taken);
        if insert.waiting == 0 {
            self.end(core, ticket, 1);
        }
    }

    fn end(&mut self, core: &mut Core, ticket: Ticket, wanted: u32) {
        let Some(insert) = self.0.remove(&ticket) else { return };
        let answer = Answer::Inserted { stores: insert.noted, wanted };
        core.calls.push(Output::Answer { ticket, answer });
    }
}

/// Registers a page of what is shared here at a parent, or in the own index, and has the next one read.
pub(super) fn register(core: &mut Core, now: Instant, parent: Option<NodeId>, keys: Vec<RoutingKey>) {
    let next = keys.last().copied().filter(|_| keys.len() >= limits::KEYS_PER_SHARE);
    if let Some(parent) = parent {
        let Some(contact) = core.linked.get(&parent).cloned() else { return };
        if !keys.is_empty() {
            core.calls.ask(now, &contact, Purpose::Share(None), |call| Message::Share { call, keys });
        }
    } else {
        for key in keys {
            core.listing.share(&core.me.id(), key, usize::MAX);
        }
    }
    if next.is_some() {
        core.survey(parent, next);
    }
}
