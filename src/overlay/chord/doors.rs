//! Nodes through which a node can find the ring: those that it was told of, and those of its tables that fell silent.
//!
//! Whoever has lost everybody comes back through them, and some rings find each other that were cut apart: the silent may
//! have been behind a cut. Leaves out when they are asked.

use std::collections::VecDeque;

use super::peer::Peer;
use crate::id::NodeId;
use crate::message::contact::Contact;

/// The doors of one node.
#[derive(Debug)]
pub(super) struct Doors {
    told: Vec<Contact>,
    /// The oldest first.
    silent: VecDeque<Contact>,
    next: usize,
}

impl Doors {
    pub(super) const fn new(told: Vec<Contact>) -> Self {
        Self { told, silent: VecDeque::new(), next: 0 }
    }

    /// Whether nobody is known: a founder, or a node of a ring in which nobody ever fell silent.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty() && self.silent.is_empty()
    }

    /// A node of the tables does not answer.
    pub(super) fn keep(&mut self, silent: Contact) {
        self.silent.retain(|other| other.id() != silent.id());
        if self.silent.len() >= SILENT_KEPT {
            self.silent.pop_front();
        }
        self.silent.push_back(silent);
    }

    /// All of them, whichever of their places is meant.
    pub(super) fn all(&self, me: &NodeId) -> Vec<Peer> {
        let others = self.told.iter().chain(&self.silent).filter(|contact| contact.id() != *me);
        others.map(|contact| Peer::new(contact.clone(), 0)).collect()
    }

    /// One after the other.
    pub(super) fn turn(&mut self, me: &NodeId) -> Option<Peer> {
        let all = self.all(me);
        self.next = self.next.wrapping_add(1);
        (!all.is_empty()).then(|| all[self.next % all.len()].clone())
    }
}

/// Chosen: some of those who were lost at once; the newest are the likeliest to come back.
const SILENT_KEPT: usize = 8;
