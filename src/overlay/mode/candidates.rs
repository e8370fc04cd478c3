//! Nodes that may become standing links: those heard of, those through which a node joins, those that are being asked.
//!
//! Leaves out what a candidate is asked and what it answers.

use std::collections::BTreeSet;

use crate::id::NodeId;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::hosts::Hosts;
use crate::overlay::mode::standing::Standing;
use crate::time::Instant;

/// The candidates of one node.
#[derive(Debug, Default)]
pub struct Candidates {
    hosts: Hosts,
    /// Nodes through which it joins, and joins again if all else is gone.
    entries: Vec<Contact>,
    connecting: BTreeSet<NodeId>,
}

impl Candidates {
    /// Of a node that joins through `entries`.
    pub fn new(entries: Vec<Contact>) -> Self {
        Self { entries, ..Self::default() }
    }

    /// Whether there was nobody to join.
    pub const fn is_founder(&self) -> bool {
        self.entries.is_empty()
    }

    /// A candidate is being asked.
    pub fn begin(&mut self, host: &Contact) {
        self.connecting.insert(host.id());
    }

    /// A candidate has answered, or stays silent.
    pub fn settle(&mut self, node: &NodeId) {
        self.connecting.remove(node);
    }

    /// A node is there, whether it is linked or not.
    pub fn remember(&mut self, host: Contact) {
        self.hosts.add(host);
    }

    /// A node is named by another.
    pub fn hear_of(&mut self, me: &Contact, standing: &Standing, host: Contact) {
        if host.id() != me.id() && !standing.contains(&host.id()) {
            self.hosts.add(host);
        }
    }

    /// The nodes heard of last, up to so many.
    pub fn newest(&self, most: usize) -> Vec<Contact> {
        self.hosts.newest(most)
    }

    /// How many are to be asked now: none if it is not time, or enough are being asked.
    pub fn lacking(&self, standing: &mut Standing, now: Instant, dice: &mut Dice) -> usize {
        if !standing.is_due(now, dice) {
            return 0;
        }
        standing.lacking().saturating_sub(self.connecting.len()).min(limits::FLOOD_HOSTS)
    }

    /// One that is neither linked nor being asked. If there is none, those through which the node joins count as heard of.
    pub fn draw(&mut self, me: &Contact, standing: &Standing, dice: &mut Dice) -> Option<Contact> {
        let own = me.id();
        let may = |id: &NodeId| *id != own && !standing.contains(id) && !self.connecting.contains(id);
        let drawn = self.hosts.draw(dice, may);
        if drawn.is_none() {
            for entry in self.entries.clone() {
                self.hear_of(me, standing, entry);
            }
        }
        drawn
    }
}
