//! What a node wants to know of its store, and what for.
//!
//! Leaves out the work itself, which the overlay asks for under the token that it gets here.

use std::collections::BTreeMap;

use crate::limits;
use crate::overlay::mode::contract::StoreToken;

/// Answers of the store that are awaited: `R` is what one is for.
#[derive(Debug)]
pub struct Readings<R> {
    open: BTreeMap<StoreToken, R>,
    next: u64,
}

impl<R> Default for Readings<R> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), next: 0 }
    }
}

impl<R> Readings<R> {
    /// Names a piece of work; [`Self::take`] gives `reading` back.
    pub fn enter(&mut self, reading: R) -> StoreToken {
        self.next += 1;
        let token = StoreToken(self.next);
        self.open.insert(token, reading);
        token
    }

    /// What an answer is for.
    pub fn take(&mut self, token: StoreToken) -> Option<R> {
        self.open.remove(&token)
    }

    /// Whether other nodes' questions must wait for those that are under way.
    pub fn is_full(&self) -> bool {
        self.open.len() >= limits::CALL_READS
    }

    /// How many answers are awaited.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
