//! Kademlia: nearness by exclusive or, buckets of contacts, lookups that ask a few of the nearest at once.
//!
//! Maymounkov and Mazières 2002. Composes table and lookups of one node. Leaves out anonymity: whoever is asked learns who
//! asks and for what. A silent contact of a bucket gives way to one that waits.

mod config;
mod lookup;
mod message;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::config::Config;
use self::lookup::Lookup;
pub use self::message::Message;
use self::table::Table;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls, Cost};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::{Answer, Command, Input, Mode, Offence, Output, StoreAnswer, StoreToken, StoreWork, Ticket};
use crate::time::Instant;

/// One node.
#[derive(Debug)]
pub struct Kademlia {
    config: Arc<Config>,
    me: Contact,
    table: Table,
    calls: Calls<Message, Purpose>,
    errands: BTreeMap<u32, Errand>,
    next_errand: u32,
    reads: BTreeMap<StoreToken, Reading>,
    next_token: u64,
    /// When each document that is kept here was last stored.
    kept: BTreeMap<RoutingKey, Instant>,
    entries: Vec<Contact>,
    next_upkeep: Option<Instant>,
    dice: Dice,
}

/// A lookup under way, and what for.
#[derive(Debug)]
struct Errand {
    aim: Aim,
    lookup: Lookup,
    /// Stores that have still to answer, and those that took the block.
    waiting: usize,
    stores: u32,
}

#[derive(Debug)]
enum Aim {
    Fetch(Ticket, RoutingKey),
    Insert(Ticket, Block),
    /// What is kept here is stored at those that are nearest now.
    Republish(Block),
    /// A newcomer looks for itself, then into every range.
    Join,
    Refresh,
}

/// What a question is for.
#[derive(Clone, Debug)]
enum Purpose {
    Step(u32, Contact),
    Store(u32),
    /// A copy in passing.
    Passing,
}

/// What an answer of the store is for.
#[derive(Debug)]
enum Reading {
    Asked(NodeId, CallId, RoutingKey),
    Kept(NodeId, CallId, RoutingKey),
    Own(u32),
    Republish,
}

impl Kademlia {
    /// A node that joins through one of `entries`; the first of a network without any.
    pub fn newcomer(config: Arc<Config>, me: Contact, entries: Vec<Contact>, seed: [u8; 32]) -> Self {
        let table = Table::new(me.id(), config.k);
        Self {
            config,
            me,
            table,
            calls: Calls::default(),
            errands: BTreeMap::new(),
            next_errand: 0,
            reads: BTreeMap::new(),
            next_token: 0,
            kept: BTreeMap::new(),
            entries,
            next_upkeep: None,
            dice: Dice::new(&seed),
        }
    }

    /// A node that knows these contacts already.
    pub fn settled(config: Arc<Config>, me: Contact, known: impl Iterator<Item = Contact>, seed: [u8; 32]) -> Self {
        let mut node = Self::newcomer(config, me, Vec::new(), seed);
        known.for_each(|contact| node.table.see(&contact));
        node.table.shrink();
        node
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.calls.take_cost(ticket)
    }

    /// Contacts of the routing table.
    pub fn entries(&self) -> usize {
        self.table.len()
    }

    /// The contacts by the length of the prefix that they share with this node.
    pub fn buckets(&self) -> BTreeMap<u16, Vec<NodeId>> {
        self.table.buckets().collect()
    }

    /// Questions and errands under way.
    pub fn open(&self) -> usize {
        self.calls.len() + self.errands.len() + self.reads.len()
    }

    fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        self.next_token += 1;
        let token = StoreToken(self.next_token);
        self.reads.insert(token, reading);
        self.calls.push(Output::Store(work(token)));
    }

    fn handle_command(&mut self, now: Instant, ticket: Ticket, command: Command) {
        if self.calls.is_full() && !matches!(command, Command::Cancel) {
            return self.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => {
                let id = self.enter(now, Aim::Fetch(ticket, key), key);
                if own_store {
                    self.store(Reading::Own(id), |token| StoreWork::Read { token, key });
                } else {
                    self.go_on(now, id);
                }
            }
            Command::Insert { block } => {
                let key = block.key();
                let id = self.enter(now, Aim::Insert(ticket, block), key);
                self.go_on(now, id);
            }
            Command::Cancel => self.errands.retain(|_, errand| errand.aim.ticket() != Some(ticket)),
        }
    }

    fn enter(&mut self, now: Instant, aim: Aim, name: RoutingKey) -> u32 {
        self.table.look_up(&name.0, now);
        let known = self.table.nearest(&name.0, self.config.k);
        self.next_errand = self.next_errand.wrapping_add(1);
        let errand = Errand { aim, lookup: Lookup::new(name.0, known), waiting: 0, stores: 0 };
        self.errands.insert(self.next_errand, errand);
        self.next_errand
    }

    fn go_on(&mut self, now: Instant, id: u32) {
        let (k, alpha) = (self.config.k, self.config.alpha);
        let Some(errand) = self.errands.get_mut(&id) else { return };
        let (name, is_fetch) = (RoutingKey(errand.lookup.name), matches!(errand.aim, Aim::Fetch(..)));
        while let Some(contact) = errand.lookup.next(k, alpha) {
            let sender = self.me.clone();
            self.calls.ask(now, &contact.clone(), Purpose::Step(id, contact), |call| {
                if is_fetch {
                    Message::FindValue { call, sender, key: name }
                } else {
                    Message::FindNode { call, sender, target: name }
                }
            });
        }
        if errand.lookup.is_over() {
            self.on_over(now, id);
        }
    }

    /// The nearest nodes are known.
    fn on_over(&mut self, now: Instant, id: u32) {
        let copies = self.config.copies;
        let Some(errand) = self.errands.get_mut(&id) else { return };
        match &errand.aim {
            Aim::Fetch(..) => self.end(id, Answer::NotFound),
            Aim::Refresh => drop(self.errands.remove(&id)),
            Aim::Join => {
                self.errands.remove(&id);
                let random = self.random();
                for name in self.table.ranges(&random) {
                    let id = self.enter(now, Aim::Refresh, name);
                    self.go_on(now, id);
                }
            }
            Aim::Insert(_, block) | Aim::Republish(block) => {
                let (block, key) = (block.clone(), block.key());
                let mut nearest = errand.lookup.nearest(copies);
                // This node may be among the nearest itself.
                let own = table::apart(&self.me.id().0, &key.0);
                let nearer = nearest.iter().filter(|other| table::apart(&other.id().0, &key.0) < own).count();
                let keeps = nearer < copies;
                nearest.truncate(if keeps { copies - 1 } else { copies });
                errand.waiting = nearest.len();
                for contact in nearest {
                    let (sender, parcel) = (self.me.clone(), block.parcel());
                    self.calls.ask(now, &contact, Purpose::Store(id), |call| Message::Store {
                        call,
                        sender,
                        key,
                        parcel,
                        passing: false,
                    });
                }
                if keeps {
                    self.kept.insert(key, now);
                    self.on_stored(id, true, true);
                    self.store(Reading::Republish, |token| StoreWork::Keep { token, block });
                }
            }
        }
    }

    /// One store has answered, or this node's own has.
    fn on_stored(&mut self, id: u32, durable: bool, is_own: bool) {
        let copies = self.config.copies as u32;
        let Some(errand) = self.errands.get_mut(&id) else { return };
        errand.waiting -= usize::from(!is_own);
        errand.stores += u32::from(durable);
        if errand.waiting == 0 {
            let stores = errand.stores;
            self.end(id, Answer::Inserted { stores, wanted: copies.min(1) });
        }
    }

    fn end(&mut self, id: u32, answer: Answer) {
        let Some(errand) = self.errands.remove(&id) else { return };
        let Some(ticket) = errand.aim.ticket() else { return };
        let Lookup { rounds, timeouts, asked, .. } = errand.lookup;
        self.calls.record(Cost {
            ticket,
            hops: rounds.into(),
            timeouts: timeouts.into(),
            both: asked.into(),
            key_only: 0,
        });
        self.calls.push(Output::Answer { ticket, answer });
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        if !message.is_bounded() {
            return self.calls.offence(from, Offence::Flood);
        }
        if let Some(sender) = message.sender() {
            if sender.id() != from {
                return self.calls.offence(from, Offence::OutOfTurn);
            }
            self.table.see(sender);
        }
        match message {
            Message::FindNode { call, target, .. } => self.on_find_node(from, call, &target, false),
            Message::FindValue { call, key, .. } => {
                if self.reads.len() < limits::CALL_READS {
                    self.store(Reading::Asked(from, call, key), |token| StoreWork::Read { token, key });
                }
            }
            Message::Store { call, key, parcel, passing, .. } => self.on_store(now, from, call, (key, parcel, passing)),
            Message::Nodes { call, contacts, .. } => match self.calls.answered(from, call) {
                Some(Purpose::Step(id, contact)) => {
                    self.table.see(&contact);
                    let me = self.me.id();
                    if let Some(errand) = self.errands.get_mut(&id) {
                        errand.lookup.on_answer(from, contacts, me);
                    }
                    self.go_on(now, id);
                }
                Some(_) => self.calls.offence(from, Offence::OutOfTurn),
                None => {}
            },
            Message::Value { call, parcel } => match self.calls.answered(from, call) {
                Some(Purpose::Step(id, contact)) => {
                    self.table.see(&contact);
                    self.on_value(now, from, id, parcel);
                }
                Some(_) => self.calls.offence(from, Offence::OutOfTurn),
                None => {}
            },
            Message::Stored { call, durable } => match self.calls.answered(from, call) {
                Some(Purpose::Store(id)) => self.on_stored(id, durable, false),
                Some(Purpose::Passing) | None => {}
                Some(Purpose::Step(..)) => self.calls.offence(from, Offence::OutOfTurn),
            },
        }
    }

    fn on_find_node(&mut self, from: NodeId, call: CallId, target: &RoutingKey, value: bool) {
        let mut contacts = self.table.nearest(&target.0, self.config.k);
        contacts.retain(|contact| contact.id() != from);
        self.calls.reply(from, Message::Nodes { call, value, contacts });
    }

    fn on_store(&mut self, now: Instant, from: NodeId, call: CallId, put: (RoutingKey, Parcel, bool)) {
        let (key, parcel, passing) = put;
        let Ok(block) = parcel.open(&key) else { return self.calls.offence(from, Offence::BadBlock) };
        if passing {
            self.calls.push(Output::Store(StoreWork::Cache { block }));
            return self.calls.reply(from, Message::Stored { call, durable: true });
        }
        if self.reads.len() < limits::CALL_READS && self.kept.len() < limits::REFERENCES_KEPT {
            self.kept.insert(key, now);
            self.store(Reading::Kept(from, call, key), |token| StoreWork::Keep { token, block });
        }
    }

    fn on_value(&mut self, now: Instant, from: NodeId, id: u32, parcel: Parcel) {
        let me = self.me.id();
        let Some(errand) = self.errands.get_mut(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return self.calls.offence(from, Offence::OutOfTurn) };
        let Ok(block) = parcel.open(&key) else {
            self.calls.offence(from, Offence::BadBlock);
            errand.lookup.on_answer(from, Vec::new(), me);
            return self.go_on(now, id);
        };
        let hops = errand.lookup.on_found(from).into();
        // The nearest node that was asked and has it not gets a copy in passing.
        if let Some(missed) = errand.lookup.nearest(1).pop() {
            let (sender, parcel) = (self.me.clone(), block.parcel());
            self.calls.ask(now, &missed, Purpose::Passing, |call| Message::Store {
                call,
                sender,
                key,
                parcel,
                passing: true,
            });
        }
        self.end(id, Answer::Found { block, hops, own_store: false });
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        match answer {
            StoreAnswer::Read { token, block } => match (self.reads.remove(&token), block) {
                (Some(Reading::Asked(from, call, _)), Some(block)) => {
                    self.calls.reply(from, Message::Value { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call, key)), None) => self.on_find_node(from, call, &key, true),
                (Some(Reading::Own(id)), Some(block)) => {
                    self.end(id, Answer::Found { block, hops: 0, own_store: true });
                }
                (Some(Reading::Own(id)), None) => self.go_on(now, id),
                (Some(Reading::Republish), Some(block)) => {
                    let key = block.key();
                    let id = self.enter(now, Aim::Republish(block), key);
                    self.go_on(now, id);
                }
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => {
                if let Some(Reading::Kept(from, call, key)) = self.reads.remove(&token) {
                    if !durable {
                        self.kept.remove(&key);
                    }
                    self.calls.reply(from, Message::Stored { call, durable });
                }
            }
            StoreAnswer::Contains { .. } | StoreAnswer::Survey { .. } => {}
        }
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        while let Some((node, purpose)) = self.calls.poll_failed(now) {
            self.table.fail(&node);
            match purpose {
                Purpose::Step(id, _) => {
                    if let Some(errand) = self.errands.get_mut(&id) {
                        errand.lookup.on_silence(node);
                    }
                    self.go_on(now, id);
                }
                Purpose::Store(id) => self.on_stored(id, false, false),
                Purpose::Passing => {}
            }
        }
    }

    /// Joins at the first call; later refreshes quiet buckets and stores again what nobody has stored for a while.
    fn look_after(&mut self, now: Instant) {
        let period = self.config.refresh;
        let Some(due) = self.next_upkeep else {
            self.next_upkeep = Some(now + period / 2 + self.dice.between(period / 2, period) / 2);
            return self.join(now);
        };
        if due > now {
            return;
        }
        self.next_upkeep = Some(now + period);
        self.join(now);
        let random = self.random();
        for name in self.table.quiet(now - period, &random) {
            let id = self.enter(now, Aim::Refresh, name);
            self.go_on(now, id);
        }
        let old: Vec<RoutingKey> =
            self.kept.iter().filter(|(_, at)| now.since(**at) >= period).map(|(key, _)| *key).collect();
        for key in old {
            self.store(Reading::Republish, |token| StoreWork::Copy { token, key });
        }
    }

    fn join(&mut self, now: Instant) {
        if self.table.len() > 0 || self.entries.is_empty() {
            return;
        }
        for entry in self.entries.clone() {
            self.table.see(&entry);
        }
        let own = RoutingKey(self.me.id().0);
        let id = self.enter(now, Aim::Join, own);
        self.go_on(now, id);
    }

    fn random(&mut self) -> [u8; 32] {
        let mut random = [0; 32];
        random.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.dice.draw().to_be_bytes()));
        random
    }
}

impl Aim {
    const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Fetch(ticket, _) | Self::Insert(ticket, _) => Some(*ticket),
            Self::Republish(_) | Self::Join | Self::Refresh => None,
        }
    }
}

impl Mode for Kademlia {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => self.calls.on_link_up(peer),
            Input::LinkDown { peer } => self.calls.on_link_down(peer),
            Input::DialFailed { peer } => {
                self.calls.on_dial_failed(peer);
                self.hear_silence(now);
            }
            Input::Message { from, message } => self.handle_message(now, from, message),
            // What does not fit waits in the link.
            Input::Congestion { .. } => {}
            Input::Command { ticket, command } => self.handle_command(now, ticket, command),
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => {
                self.hear_silence(now);
                self.look_after(now);
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.calls.timeout(), self.next_upkeep].into_iter().flatten().min()
    }
}
