//! Kademlia: nearness by exclusive or, buckets of contacts, lookups that ask a few of the nearest at once.
//!
//! Maymounkov and Mazières 2002. Composes table, lookups and upkeep of one node. Leaves out anonymity: whoever is asked
//! learns who asks and for what. A silent contact of a bucket gives way to one that waits.

mod config;
mod core;
mod errands;
mod lookup;
mod message;
mod providers;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::config::Config;
use self::core::{Core, Purpose, Reading};
use self::errands::{Aim, Errands};
pub use self::message::Message;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Cost};
use crate::overlay::mode::{Input, Mode, Offence, Output, StoreAnswer, StoreWork, Ticket};
use crate::time::{Duration, Instant};

/// One node.
#[derive(Debug)]
pub struct Kademlia {
    core: Core,
    errands: Errands,
    entries: Vec<Contact>,
    next_upkeep: Option<Instant>,
    /// Whether somebody of the network has answered.
    is_joined: bool,
    /// Whether upkeep has begun; joining is tried until then.
    is_settled: bool,
}

impl Kademlia {
    /// A node that joins through one of `entries`; the first of a network without any.
    pub fn newcomer(config: Arc<Config>, me: Contact, entries: Vec<Contact>, seed: [u8; 32]) -> Self {
        let (core, is_joined) = (Core::new(config, me, &seed), entries.is_empty());
        Self { core, errands: Errands::default(), entries, next_upkeep: None, is_joined, is_settled: false }
    }

    /// A node that knows these contacts already.
    pub fn settled(config: Arc<Config>, me: Contact, known: impl Iterator<Item = Contact>, seed: [u8; 32]) -> Self {
        let mut node = Self::newcomer(config, me, Vec::new(), seed);
        known.for_each(|contact| node.core.table.see(&contact));
        node.core.table.shrink();
        node
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.core.calls.take_cost(ticket)
    }

    /// The node itself.
    pub fn me(&self) -> &Contact {
        &self.core.me
    }

    /// Whether somebody of the network has answered, or there is nobody to ask.
    pub const fn is_joined(&self) -> bool {
        self.is_joined
    }

    /// Contacts of the routing table.
    pub fn entries(&self) -> usize {
        self.core.table.len()
    }

    /// Records of documents that others have.
    pub fn references(&self) -> usize {
        self.core.providers.len()
    }

    /// The contacts by the length of the prefix that they share with this node.
    pub fn buckets(&self) -> BTreeMap<u16, Vec<NodeId>> {
        self.core.table.buckets().collect()
    }

    /// Questions and errands under way.
    pub fn open(&self) -> usize {
        self.core.calls.len() + self.errands.len() + self.core.readings.len()
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        let core = &mut self.core;
        if !message.is_bounded() {
            return core.calls.offence(from, Offence::Flood);
        }
        if let Some(sender) = message.sender() {
            if sender.id() != from {
                return core.calls.offence(from, Offence::OutOfTurn);
            }
            core.table.see(sender);
        }
        match message {
            Message::FindNode { call, target, .. } => core.name_nearest(from, call, &target, false),
            Message::FindValue { call, key, .. } => {
                let providers = core.providers.of(now, &key);
                if !providers.is_empty() {
                    core.calls.reply(from, Message::Providers { call, providers });
                } else if !core.readings.is_full() {
                    core.store(Reading::Asked(from, call, key), |token| StoreWork::Read { token, key });
                }
            }
            Message::Provide { call, sender, key } => {
                let durable = core.providers.note(now, key, &sender);
                core.calls.reply(from, Message::Stored { call, durable });
            }
            Message::Store { call, key, parcel, passing, .. } => self.on_store(now, from, call, (key, parcel, passing)),
            Message::Nodes { call, contacts, .. } => match core.calls.answered(from, call) {
                Some(Purpose::Step(id, contact)) => {
                    self.is_joined = true;
                    core.table.see(&contact);
                    self.errands.handle_nodes(core, now, from, (id, contacts));
                }
                Some(Purpose::Collect(id)) => self.errands.collect(core, now, id),
                Some(_) => core.calls.offence(from, Offence::OutOfTurn),
                None => {}
            },
            Message::Providers { call, providers } => match core.calls.answered(from, call) {
                Some(Purpose::Step(id, contact)) => {
                    core.table.see(&contact);
                    self.errands.handle_providers(core, now, from, (id, providers));
                }
                Some(Purpose::Collect(id)) => self.errands.collect(core, now, id),
                Some(_) => core.calls.offence(from, Offence::OutOfTurn),
                None => {}
            },
            Message::Value { call, parcel } => match core.calls.answered(from, call) {
                Some(Purpose::Step(id, contact)) => {
                    core.table.see(&contact);
                    self.errands.handle_value(core, now, from, (id, parcel));
                }
                Some(Purpose::Collect(id)) => self.errands.handle_collected(core, now, from, (id, parcel)),
                Some(_) => core.calls.offence(from, Offence::OutOfTurn),
                None => {}
            },
            Message::Stored { call, durable } => match core.calls.answered(from, call) {
                Some(Purpose::Store(id)) => self.errands.handle_stored(core, id, durable),
                Some(Purpose::Passing) | None => {}
                Some(_) => core.calls.offence(from, Offence::OutOfTurn),
            },
        }
    }

    fn on_store(&mut self, now: Instant, from: NodeId, call: CallId, put: (RoutingKey, Parcel, bool)) {
        let (core, (key, parcel, passing)) = (&mut self.core, put);
        let Ok(block) = parcel.open(&key) else { return core.calls.offence(from, Offence::BadBlock) };
        if passing {
            core.calls.push(Output::Store(StoreWork::Cache { block }));
            return core.calls.reply(from, Message::Stored { call, durable: true });
        }
        if !core.readings.is_full() && core.kept.len() < limits::REFERENCES_KEPT {
            core.kept.insert(key, now);
            core.store(Reading::Kept(from, call, key), |token| StoreWork::Keep { token, block });
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        let (core, errands) = (&mut self.core, &mut self.errands);
        match answer {
            StoreAnswer::Read { token, block } => match (core.readings.take(token), block) {
                (Some(Reading::Asked(from, call, _)), Some(block)) => {
                    core.calls.reply(from, Message::Value { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call, key)), None) => core.name_nearest(from, call, &key, true),
                (Some(Reading::Own(id)), block) => errands.handle_own(core, now, id, block),
                (Some(Reading::Republish), Some(block)) => {
                    let key = block.key();
                    errands.begin(core, now, Aim::Republish(block), key);
                }
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => {
                let reading = core.readings.take(token);
                if let Some(Reading::Kept(_, _, key) | Reading::OwnKept(_, key)) = &reading
                    && !durable
                {
                    core.kept.remove(key);
                }
                match reading {
                    Some(Reading::Kept(from, call, _)) => core.calls.reply(from, Message::Stored { call, durable }),
                    Some(Reading::OwnKept(id, _)) => errands.handle_stored(core, id, durable),
                    _ => {}
                }
            }
            StoreAnswer::Contains { .. } | StoreAnswer::Survey { .. } => {}
        }
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        let (core, errands) = (&mut self.core, &mut self.errands);
        while let Some((node, purpose)) = core.calls.poll_failed(now) {
            core.table.fail(&node);
            match purpose {
                Purpose::Step(id, _) => errands.handle_silence(core, now, id, node),
                Purpose::Store(id) => errands.handle_stored(core, id, false),
                Purpose::Collect(id) => errands.collect(core, now, id),
                Purpose::Passing => {}
            }
        }
    }

    /// Joins at the first call; later refreshes quiet buckets and stores again what nobody has stored for a while.
    fn look_after(&mut self, now: Instant) {
        if self.next_upkeep.is_some_and(|due| due > now) {
            return;
        }
        if !self.is_settled {
            return self.settle(now);
        }
        let period = self.core.config.refresh;
        self.next_upkeep = Some(now + period);
        let core = &mut self.core;
        core.providers.age(now);
        if core.table.len() < core.config.k {
            // Whoever was answered by nobody but newcomers as lost as itself is of a network apart: it tries its entries again.
            self.look_for_itself(now);
        }
        let core = &mut self.core;
        let random = core.random();
        for name in core.table.quiet(now - period, &random) {
            self.errands.begin(core, now, Aim::Refresh, name);
        }
        let is_old = |(_, at): &(&RoutingKey, &Instant)| now.since(**at) >= period;
        let old: Vec<RoutingKey> = core.kept.iter().filter(is_old).map(|(key, _)| *key).collect();
        for key in old {
            core.store(Reading::Republish, |token| StoreWork::Copy { token, key });
        }
    }

    /// Joins, again until somebody has answered; then upkeep begins somewhere within a period.
    fn settle(&mut self, now: Instant) {
        let period = self.core.config.refresh;
        self.is_settled = self.is_joined;
        if self.is_settled {
            self.next_upkeep = Some(now + period / 2 + self.core.dice.between(period / 2, period) / 2);
            return;
        }
        self.next_upkeep = Some(now + JOIN_AGAIN);
        self.look_for_itself(now);
    }

    /// Looks itself up, beginning with the entries too.
    fn look_for_itself(&mut self, now: Instant) {
        for entry in &self.entries {
            self.core.table.see(entry);
        }
        let own = RoutingKey(self.core.me.id().0);
        self.errands.begin(&mut self.core, now, Aim::Join, own);
    }
}

impl Mode for Kademlia {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => self.core.calls.on_link_up(peer),
            Input::LinkDown { peer } => self.core.calls.on_link_down(peer),
            Input::DialFailed { peer } => {
                self.core.calls.on_dial_failed(peer);
                self.hear_silence(now);
            }
            Input::Message { from, message } => self.handle_message(now, from, message),
            // What does not fit waits in the link.
            Input::Congestion { .. } => {}
            Input::Command { ticket, command } => self.errands.handle_command(&mut self.core, now, ticket, command),
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => {
                self.hear_silence(now);
                self.look_after(now);
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.core.calls.timeout(), self.next_upkeep].into_iter().flatten().min()
    }
}

/// A newcomer whom nobody has answered tries again after so long. Chosen: longer than a question may take.
const JOIN_AGAIN: Duration = Duration::from_secs(10);
