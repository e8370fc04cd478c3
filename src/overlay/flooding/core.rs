//! What every part of a `flooding` node works on: its neighbours, its questions, the ids it has seen.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::sync::Arc;

use super::config::Config;
use super::message::{Message, Walker};
use crate::id::NodeId;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::routes::{Guid, Guids, Routes, Sight};
use crate::overlay::mode::standing::Standing;
use crate::overlay::mode::tally::Tally;
use crate::overlay::mode::{Output, StoreToken, StoreWork, Ticket};
use crate::time::Instant;

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) me: Contact,
    /// Whether others get what is stored here.
    pub(super) shares: bool,
    pub(super) calls: Calls<Message, Purpose>,
    pub(super) readings: Readings<Reading>,
    pub(super) standing: Standing,
    pub(super) routes: Routes,
    pub(super) guids: Guids,
    pub(super) dice: Dice,
    pub(super) tally: Tally,
}

/// What a question is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A new neighbour.
    Connect,
    /// A document.
    Collect(Guid),
    /// A walker has ended here.
    Tell,
    /// A walker waits here for its origin's word, and came from there.
    Check(NodeId, Box<Walker>),
}

/// What an answer of the store is for.
#[derive(Debug)]
pub(super) enum Reading {
    /// A query came by.
    Query { id: Guid, hops: u16 },
    /// A walker stands here.
    Walk(NodeId, Box<Walker>),
    /// Another node asked for the block, and for copies along the way of its search.
    Asked(NodeId, CallId, Option<Guid>),
    /// A search of this node's own asked for the block.
    Own(Guid),
    /// A command had the block kept.
    Kept(Ticket),
}

impl Core {
    pub(super) fn new(config: Arc<Config>, me: Contact, standing: Standing, shares: bool, seed: [u8; 32]) -> Self {
        Self {
            config,
            me,
            shares,
            calls: Calls::default(),
            readings: Readings::default(),
            standing,
            routes: Routes::default(),
            dice: Dice::new(&seed),
            guids: Guids::new(seed),
            tally: Tally::default(),
        }
    }

    /// Asks the store; `reading` comes back with its answer.
    pub(super) fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    /// Remembers an id and where it came from.
    pub(super) fn note(&mut self, now: Instant, id: Guid, back: u32, round: u8) -> Sight {
        self.routes.note(now, self.config.route_life(), id, back, round)
    }

    /// Sends the same to all neighbours but one.
    pub(super) fn spread(&mut self, except: Option<NodeId>, message: &Message) {
        for to in self.standing.others(except) {
            self.calls.push(Output::Send { to, message: message.clone() });
        }
    }

    /// Sends something back the way that `id` came, if that is still there.
    pub(super) fn send_back(&mut self, id: Guid, message: Message) {
        if let Some(to) = self.routes.back(id).and_then(|number| self.standing.at(number)) {
            self.calls.push(Output::Send { to, message });
        }
    }
}
