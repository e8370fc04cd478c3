//! What a search has found so far: holders that are asked for the document one after the other.
//!
//! Leaves out how they are found and how long is waited for them.

use std::collections::VecDeque;

use crate::limits;
use crate::message::contact::Contact;

/// The hits of one search.
#[derive(Debug, Default)]
pub struct Hits {
    waiting: VecDeque<Contact>,
    hops: Option<u16>,
    is_collecting: bool,
    is_closed: bool,
}

impl Hits {
    /// A holder is named, so many hops away.
    pub fn hear(&mut self, hops: u16, holder: Contact) {
        self.hops.get_or_insert(hops);
        if self.waiting.len() < limits::HITS_KEPT {
            self.waiting.push_back(holder);
        }
    }

    /// The next holder to be asked, unless one has been asked and not answered.
    pub fn pop_if_idle(&mut self) -> Option<Contact> {
        if self.is_collecting {
            return None;
        }
        self.pop()
    }

    /// The next holder to be asked, after one that has not the document.
    pub fn pop(&mut self) -> Option<Contact> {
        let next = self.waiting.pop_front();
        self.is_collecting = next.is_some();
        next
    }

    /// No further holder is waited for.
    pub const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Whether nothing can be found any more.
    pub fn is_over(&self) -> bool {
        self.is_closed && !self.is_collecting && self.waiting.is_empty()
    }

    /// Whether a holder has been asked and not answered.
    pub const fn is_collecting(&self) -> bool {
        self.is_collecting
    }

    /// Depth of the first hit.
    pub const fn hops(&self) -> Option<u16> {
        self.hops
    }
}
