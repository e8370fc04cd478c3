//! What every part of a `swarm` node works on: its questions, what it awaits of the store, whom it asks for peers.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use super::config::Config;
use super::message::{Message, Place, Stage, Tag};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::{Output, StoreToken, StoreWork, Ticket};
use crate::time::Instant;

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) me: Contact,
    /// Who knows the peers; `None` at the tracker itself.
    pub(super) tracker: Option<Contact>,
    pub(super) calls: Calls<Message, Purpose>,
    pub(super) readings: Readings<Reading>,
    pub(super) dice: Dice,
}

/// What a question is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A fetch wants to know who has the metadata.
    Look(Ticket),
    /// A fetch wants the metadata.
    Collect(Ticket),
    /// An insert is announced.
    Publish(Ticket),
    /// A swarm announces itself, and wants peers if it has few.
    Routine(RoutingKey),
}

/// What an answer of the store is for.
#[derive(Debug)]
pub(super) enum Reading {
    /// Another node asked for the metadata.
    Asked(NodeId, CallId),
    /// A fetch asked for the metadata.
    Own(Ticket),
    /// An insert had its block kept.
    Kept(Ticket),
    /// A peer asked for a part.
    Part(NodeId, Tag, Place),
    /// A block of a piece is kept.
    Settled(Tag, u16),
    /// Metadata is kept.
    Listed,
}

impl Core {
    pub(super) fn new(config: Config, me: Contact, tracker: Option<Contact>, seed: &[u8; 32]) -> Self {
        let (calls, readings) = (Calls::default(), Readings::default());
        Self { config, me, tracker, calls, readings, dice: Dice::new(seed) }
    }

    /// Asks the store; `reading` comes back with its answer.
    pub(super) fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    /// Tells the tracker how far this node is with a document.
    pub(super) fn announce(&mut self, now: Instant, key: RoutingKey, stage: Stage, purpose: Purpose) {
        let Some(tracker) = self.tracker.clone() else { return };
        let sender = self.me.clone();
        self.calls.ask(now, &tracker, purpose, |call| Message::Announce { call, key, sender, stage });
    }
}
