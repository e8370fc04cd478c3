//! Who becomes a supernode: the strongest leaf of one that has too many, of equals the one that has been there longest.
//!
//! Guarantees: a supernode asks one leaf at a time, and rests in between; nobody is asked that cannot carry leaves. Nobody goes
//! back. Leaves out what becomes of the leaf that rises (`mod.rs`).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::core::Core;
use super::message::Message;
use crate::id::NodeId;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::Output;
use crate::time::Instant;

/// The leaves of one supernode, as far as they could become supernodes.
#[derive(Debug, Default)]
pub(super) struct Promotion {
    able: BTreeMap<NodeId, (u8, Instant)>,
    rests_until: Instant,
}

impl Promotion {
    /// A leaf that can carry so much has registered, and may be one too many.
    pub(super) fn on_leaf(&mut self, core: &mut Core, now: Instant, leaf: NodeId, capacity: u8) {
        if capacity > 0 && core.listing.contains(&leaf) {
            self.able.entry(leaf).or_insert((capacity, now));
        }
        if core.listing.len() < core.config.crowded() || now < self.rests_until {
            return;
        }
        let strongest = self.able.iter().max_by_key(|(id, (capacity, since))| (*capacity, Reverse(*since), **id));
        let Some(to) = strongest.map(|(id, _)| *id) else { return };
        self.able.remove(&to);
        self.rests_until = now + limits::PROMOTION_EVERY;
        let others: Vec<Contact> = core.linked.values().take(limits::CALL_CONTACTS).cloned().collect();
        core.calls.push(Output::Send { to, message: Message::Rise { others } });
    }

    /// A leaf is gone, or has risen.
    pub(super) fn forget(&mut self, leaf: &NodeId) {
        self.able.remove(leaf);
    }
}
