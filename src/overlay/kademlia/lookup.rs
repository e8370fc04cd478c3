//! One lookup as whoever looks sees it: the nearest contacts it has heard of, asked a few at a time.
//!
//! Ends when the k nearest of those that live have answered. A round is one step along the chain of those who told of each
//! other.

use super::table::{Apart, apart};
use crate::id::NodeId;
use crate::message::contact::Contact;

/// A lookup.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) name: [u8; 32],
    /// Nearest to the name first.
    candidates: Vec<Candidate>,
    under_way: usize,
    /// Rounds so far.
    pub(super) rounds: u16,
    /// Contacts that did not answer.
    pub(super) timeouts: u16,
    pub(super) asked: u16,
}

#[derive(Debug)]
struct Candidate {
    apart: Apart,
    contact: Contact,
    round: u16,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Asked,
    Answered,
}

impl Lookup {
    pub(super) fn new(name: [u8; 32], known: Vec<Contact>) -> Self {
        let mut lookup = Self { name, candidates: Vec::new(), under_way: 0, rounds: 0, timeouts: 0, asked: 0 };
        known.into_iter().for_each(|contact| lookup.add(contact, 1));
        lookup
    }

    /// Whom to ask next, while fewer than `alpha` are asked and one of the `k` nearest is not.
    pub(super) fn next(&mut self, k: usize, alpha: usize) -> Option<Contact> {
        if self.under_way >= alpha {
            return None;
        }
        let next = self.candidates.iter_mut().take(k).find(|candidate| candidate.state == State::Fresh)?;
        next.state = State::Asked;
        self.under_way += 1;
        self.asked += 1;
        Some(next.contact.clone())
    }

    /// Whether all of the nearest have answered.
    pub(super) const fn is_over(&self) -> bool {
        self.under_way == 0
    }

    /// A contact names others; `me` is not to be asked.
    pub(super) fn on_answer(&mut self, from: NodeId, contacts: Vec<Contact>, me: NodeId) {
        let Some(at) = self.position(from) else { return };
        self.under_way -= 1;
        self.candidates[at].state = State::Answered;
        let round = self.candidates[at].round;
        self.rounds = self.rounds.max(round);
        for contact in contacts.into_iter().filter(|contact| contact.id() != me) {
            self.add(contact, round + 1);
        }
    }

    /// A contact has what is sought: after how many rounds.
    pub(super) fn on_found(&mut self, from: NodeId) -> u16 {
        self.position(from).map_or(self.rounds, |at| self.candidates[at].round)
    }

    pub(super) fn on_silence(&mut self, node: NodeId) {
        let Some(at) = self.position(node) else { return };
        self.under_way -= 1;
        self.timeouts += 1;
        self.candidates.remove(at);
    }

    /// The nearest that have answered.
    pub(super) fn nearest(&self, most: usize) -> Vec<Contact> {
        let answered = self.candidates.iter().filter(|candidate| candidate.state == State::Answered);
        answered.take(most).map(|candidate| candidate.contact.clone()).collect()
    }

    fn position(&self, node: NodeId) -> Option<usize> {
        let apart = apart(&node.0, &self.name);
        let at = self.candidates.binary_search_by(|candidate| candidate.apart.cmp(&apart)).ok()?;
        (self.candidates[at].state == State::Asked).then_some(at)
    }

    fn add(&mut self, contact: Contact, round: u16) {
        let apart = apart(&contact.id().0, &self.name);
        let Err(at) = self.candidates.binary_search_by(|candidate| candidate.apart.cmp(&apart)) else { return };
        if at < MOST_CANDIDATES {
            self.candidates.insert(at, Candidate { apart, contact, round, state: State::Fresh });
            // Whoever is asked stays, or its answer would find nobody.
            if self.candidates.len() > MOST_CANDIDATES && self.candidates[MOST_CANDIDATES].state == State::Fresh {
                self.candidates.truncate(MOST_CANDIDATES);
            }
        }
    }
}

/// Chosen: many times k, so that half of all contacts may be dead.
const MOST_CANDIDATES: usize = 200;
