//! What every part of a `kademlia` node works on: its table, its questions, what it keeps and waits for.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::Config;
use super::message::Message;
use super::providers::Providers;
use super::table::Table;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::message::block::Parcel;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::{Output, StoreToken, StoreWork};
use crate::time::Instant;

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) me: Contact,
    pub(super) table: Table,
    pub(super) calls: Calls<Message, Purpose>,
    pub(super) readings: Readings<Reading>,
    /// When each document that is kept here was last stored.
    pub(super) kept: BTreeMap<RoutingKey, Instant>,
    /// Who has what, of the keys that this node is near to, where references are published.
    pub(super) providers: Providers,
    pub(super) dice: Dice,
}

/// What a question is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A step of a lookup.
    Step(u32, Contact),
    /// A block put to one of the nearest, or a record.
    Store(u32),
    /// The block of an errand, asked of whoever is said to have it.
    Collect(u32),
    /// A copy in passing.
    Passing,
}

/// What an answer of the store is for.
#[derive(Debug)]
pub(super) enum Reading {
    /// Another node asked for the block.
    Asked(NodeId, CallId, RoutingKey),
    /// Another node had the block kept.
    Kept(NodeId, CallId, RoutingKey),
    /// An errand of this node asked for the block.
    Own(u32),
    /// An errand of this node had the block kept.
    OwnKept(u32, RoutingKey),
    /// The block is to be stored again.
    Republish,
}

impl Core {
    pub(super) fn new(config: Arc<Config>, me: Contact, seed: &[u8; 32]) -> Self {
        let table = Table::new(me.id(), config.k);
        Self {
            config,
            me,
            table,
            calls: Calls::default(),
            readings: Readings::default(),
            kept: BTreeMap::new(),
            providers: Providers::default(),
            dice: Dice::new(seed),
        }
    }

    /// Asks the store; `reading` comes back with its answer.
    pub(super) fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    /// Puts a block to another node.
    pub(super) fn put(&mut self, now: Instant, to: &Contact, purpose: Purpose, block: (RoutingKey, Parcel)) {
        let (sender, (key, parcel)) = (self.me.clone(), block);
        let passing = matches!(purpose, Purpose::Passing);
        self.calls.ask(now, to, purpose, |call| Message::Store { call, sender, key, parcel, passing });
    }

    /// Names the nearest contacts to whoever asks.
    pub(super) fn name_nearest(&mut self, from: NodeId, call: CallId, target: &RoutingKey, value: bool) {
        let mut contacts = self.table.nearest(&target.0, self.config.k);
        contacts.retain(|contact| contact.id() != from);
        self.calls.reply(from, Message::Nodes { call, value, contacts });
    }

    /// 32 bytes that nobody gains by guessing.
    pub(super) fn random(&mut self) -> [u8; 32] {
        let mut random = [0; 32];
        random.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.dice.draw().to_be_bytes()));
        random
    }
}
