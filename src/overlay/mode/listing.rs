//! An index of who shares what, as one node keeps it for others.
//!
//! Whoever is forgotten is forgotten with all it shares. Leaves out who may be entered, and whether what they say is true.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::message::contact::Contact;

/// The index.
#[derive(Debug, Default)]
pub struct Listing {
    members: BTreeMap<NodeId, Member>,
    holders: BTreeMap<RoutingKey, Vec<Contact>>,
    entries: usize,
}

#[derive(Debug)]
struct Member {
    contact: Contact,
    shares: BTreeSet<RoutingKey>,
}

impl Listing {
    /// Enters a node, if there are fewer than `most`; whether it is entered.
    pub fn enter(&mut self, contact: Contact, most: usize) -> bool {
        let is_entered = self.members.contains_key(&contact.id());
        if !is_entered && self.members.len() < most {
            self.members.insert(contact.id(), Member { contact, shares: BTreeSet::new() });
            return true;
        }
        is_entered
    }

    /// A node that is entered shares this, if it shares fewer than `most`; whether it is listed.
    pub fn share(&mut self, node: &NodeId, key: RoutingKey, most: usize) -> bool {
        let Some(member) = self.members.get_mut(node) else { return false };
        if member.shares.len() < most && member.shares.insert(key) {
            self.holders.entry(key).or_default().push(member.contact.clone());
            self.entries += 1;
        }
        member.shares.contains(&key)
    }

    /// A node is gone; whether it was entered.
    pub fn forget(&mut self, node: &NodeId) -> bool {
        let Some(member) = self.members.remove(node) else { return false };
        for key in &member.shares {
            if let Some(holders) = self.holders.get_mut(key) {
                holders.retain(|holder| holder.id() != *node);
                self.entries -= 1;
                if holders.is_empty() {
                    self.holders.remove(key);
                }
            }
        }
        true
    }

    /// Who shares this, those last that said so last.
    pub fn holders(&self, key: &RoutingKey) -> &[Contact] {
        self.holders.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a node is entered.
    pub fn contains(&self, node: &NodeId) -> bool {
        self.members.contains_key(node)
    }

    /// The node entered after this one, the first after the last.
    pub fn after(&self, node: Option<NodeId>) -> Option<&Contact> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = node.map_or(Unbounded, Excluded);
        let next = self.members.range((from, Unbounded)).next().or_else(|| self.members.iter().next());
        next.map(|(_, member)| &member.contact)
    }

    /// How many nodes are entered.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many shares are listed.
    pub const fn entries(&self) -> usize {
        self.entries
    }
}
