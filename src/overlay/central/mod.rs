//! Napster: one server knows who shares what, documents go from client to client.
//!
//! One question and one answer find anything; the server's state grows with everything shared, it learns who asks for what,
//! and without it nothing is found. Publishing is by reference alone; a client that comes back tells the server again what it
//! shares.

mod message;
mod server;

use std::collections::{BTreeMap, VecDeque};

pub use self::message::Message;
use self::server::Server;
use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls, Cost};
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::{Answer, Command, Input, Mode, Offence, Output, StoreAnswer, StoreToken, StoreWork, Ticket};
use crate::time::{Duration, Instant};

/// The server or a client.
#[derive(Debug)]
pub struct Central {
    me: Contact,
    /// Where clients ask; `None` at the server itself.
    index: Option<Contact>,
    server: Option<Box<Server>>,
    calls: Calls<Message, Purpose>,
    errands: BTreeMap<Ticket, Errand>,
    readings: Readings<Reading>,
    next_login: Option<Instant>,
    /// Whether the server has taken the login.
    is_known: bool,
}

/// A command under way.
#[derive(Debug)]
struct Errand {
    aim: Aim,
    holders: VecDeque<Contact>,
    asked: u32,
    timeouts: u32,
}

#[derive(Debug)]
enum Aim {
    Fetch(RoutingKey),
    Insert(RoutingKey),
}

/// What a question is for.
#[derive(Clone, Debug)]
enum Purpose {
    Login,
    Search(Ticket),
    Share(Ticket),
    Collect(Ticket),
    /// Tells again what is shared here; after the last of a page the next one is read.
    Declare(Option<RoutingKey>),
    Ping,
}

/// What an answer of the store is for.
#[derive(Debug)]
enum Reading {
    Asked(NodeId, CallId),
    Own(Ticket),
    Kept(Ticket),
    /// What is shared here, a page of it.
    Shared,
}

impl Central {
    /// The server, which knows these clients already.
    pub fn server(me: Contact, clients: impl Iterator<Item = Contact>) -> Self {
        Self::compose(me, None, Some(Box::new(Server::knowing(clients))), None)
    }

    /// The same with room for a link to everybody, as servers of its kind had.
    #[must_use]
    pub fn with_links(self, most_links: usize) -> Self {
        Self { calls: self.calls.with_links(most_links), ..self }
    }

    /// A client of `index`; it logs in unless the server knows it already.
    pub fn client(me: Contact, index: Contact, is_known: bool) -> Self {
        Self::compose(me, Some(index), None, (!is_known).then_some(Instant::EPOCH))
    }

    fn compose(me: Contact, index: Option<Contact>, server: Option<Box<Server>>, next_login: Option<Instant>) -> Self {
        let (calls, is_known) = (Calls::default(), next_login.is_none());
        Self { me, index, server, calls, errands: BTreeMap::new(), readings: Readings::default(), next_login, is_known }
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.calls.take_cost(ticket)
    }

    /// The node itself.
    pub const fn me(&self) -> &Contact {
        &self.me
    }

    /// Whether the server knows this client; a server is known.
    pub const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Nodes that this one knows, and references to what they share.
    pub fn entries(&self) -> (usize, usize) {
        self.server.as_ref().map_or((1, 0), |server| server.entries())
    }

    /// Questions and errands under way.
    pub fn open(&self) -> usize {
        self.calls.len() + self.errands.len() + self.readings.len()
    }

    fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    fn handle_command(&mut self, now: Instant, ticket: Ticket, command: Command) {
        if !matches!(command, Command::Cancel) && (self.calls.is_full() || self.index.is_none()) {
            // The server shares and seeks nothing itself.
            return self.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => {
                self.enter(ticket, Aim::Fetch(key));
                if own_store {
                    self.store(Reading::Own(ticket), |token| StoreWork::Read { token, key });
                } else {
                    self.search(now, ticket, key);
                }
            }
            Command::Insert { block } => {
                self.enter(ticket, Aim::Insert(block.key()));
                self.store(Reading::Kept(ticket), |token| StoreWork::Keep { token, block });
            }
            Command::Cancel => {
                self.errands.remove(&ticket);
            }
        }
    }

    fn enter(&mut self, ticket: Ticket, aim: Aim) {
        self.errands.insert(ticket, Errand { aim, holders: VecDeque::new(), asked: 0, timeouts: 0 });
    }

    fn search(&mut self, now: Instant, ticket: Ticket, key: RoutingKey) {
        let (Some(index), Some(errand)) = (self.index.clone(), self.errands.get_mut(&ticket)) else { return };
        errand.asked += 1;
        self.calls.ask(now, &index, Purpose::Search(ticket), |call| Message::Search { call, key });
    }

    /// Asks the next holder for the block.
    fn collect(&mut self, now: Instant, ticket: Ticket) {
        let Some(errand) = self.errands.get_mut(&ticket) else { return };
        let Aim::Fetch(key) = errand.aim else { return };
        let me = self.me.id();
        let next = std::iter::from_fn(|| errand.holders.pop_front()).find(|holder| holder.id() != me);
        match next {
            Some(holder) => {
                errand.asked += 1;
                self.calls.ask(now, &holder, Purpose::Collect(ticket), |call| Message::Get { call, key });
            }
            None => self.end(ticket, Answer::NotFound),
        }
    }

    fn end(&mut self, ticket: Ticket, answer: Answer) {
        let Some(errand) = self.errands.remove(&ticket) else { return };
        let (timeouts, both) = (errand.timeouts, errand.asked);
        self.calls.record(Cost { ticket, hops: 1, timeouts, both, key_only: 0 });
        self.calls.push(Output::Answer { ticket, answer });
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        if !message.is_bounded() {
            return self.calls.offence(from, Offence::Flood);
        }
        match message {
            Message::Login { .. } | Message::Share { .. } | Message::Search { .. } => self.on_asked(from, message),
            Message::Get { call, key } => {
                if !self.readings.is_full() {
                    self.store(Reading::Asked(from, call), |token| StoreWork::Read { token, key });
                }
            }
            Message::Ping { call } => self.calls.reply(from, Message::Pong { call }),
            answer => self.handle_answer(now, from, answer),
        }
    }

    /// What only a server is asked.
    fn on_asked(&mut self, from: NodeId, message: Message) {
        let calls = &mut self.calls;
        let Some(server) = &mut self.server else { return calls.offence(from, Offence::OutOfTurn) };
        match message {
            Message::Login { call, sender } => server.login(calls, from, call, sender),
            Message::Share { call, key, sender } => server.share(calls, from, call, (key, sender)),
            Message::Search { call, key } => server.search(calls, from, call, &key),
            _ => {}
        }
    }

    fn handle_answer(&mut self, now: Instant, from: NodeId, answer: Message) {
        let (Message::Noted { call, .. }
        | Message::Hits { call, .. }
        | Message::Data { call, .. }
        | Message::Missing { call }
        | Message::Pong { call }) = answer
        else {
            return;
        };
        let Some(purpose) = self.calls.answered(from, call) else { return };
        match (purpose, answer) {
            (Purpose::Login, Message::Noted { taken, .. }) => {
                self.is_known |= taken;
                self.next_login = (!taken).then(|| now + LOGIN_AGAIN);
                if taken {
                    self.survey(None);
                }
            }
            (Purpose::Declare(last), Message::Noted { .. }) => {
                if last.is_some() {
                    self.survey(last);
                }
            }
            (Purpose::Share(ticket), Message::Noted { taken, .. }) => {
                self.end(ticket, Answer::Inserted { stores: u32::from(taken), wanted: 1 });
            }
            (Purpose::Search(ticket), Message::Hits { holders, .. }) => {
                if let Some(errand) = self.errands.get_mut(&ticket) {
                    errand.holders = holders.into();
                }
                self.collect(now, ticket);
            }
            (Purpose::Collect(ticket), Message::Data { parcel, .. }) => self.on_data(now, from, ticket, parcel),
            (Purpose::Collect(ticket), Message::Missing { .. }) => self.collect(now, ticket),
            (Purpose::Ping, Message::Pong { .. }) => {}
            _ => self.calls.offence(from, Offence::OutOfTurn),
        }
    }

    fn on_data(&mut self, now: Instant, from: NodeId, ticket: Ticket, parcel: Parcel) {
        let Some(Errand { aim: Aim::Fetch(key), .. }) = self.errands.get(&ticket) else { return };
        match parcel.open(key) {
            Ok(block) => self.end(ticket, Answer::Found { block, hops: 1, own_store: false }),
            Err(_) => {
                self.calls.offence(from, Offence::BadBlock);
                self.collect(now, ticket);
            }
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        match answer {
            StoreAnswer::Read { token, block } => match (self.readings.take(token), block) {
                (Some(Reading::Asked(from, call)), Some(block)) => {
                    self.calls.reply(from, Message::Data { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call)), None) => self.calls.reply(from, Message::Missing { call }),
                (Some(Reading::Own(ticket)), block) => self.on_own(now, ticket, block),
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => {
                let Some(Reading::Kept(ticket)) = self.readings.take(token) else { return };
                self.on_kept(now, ticket, durable);
            }
            StoreAnswer::Survey { token, keys } => {
                if let Some(Reading::Shared) = self.readings.take(token) {
                    self.declare(now, &keys);
                }
            }
            StoreAnswer::Contains { .. } => {}
        }
    }

    /// Has a page of what is shared here read, from the key `after` on.
    fn survey(&mut self, after: Option<RoutingKey>) {
        let (around, within, most) = (Location(0), Distance(u64::MAX), limits::KEYS_PER_SHARE);
        self.store(Reading::Shared, |token| StoreWork::Survey { token, around, within, after, most });
    }

    /// Tells the server of a page of what is shared here.
    fn declare(&mut self, now: Instant, keys: &[RoutingKey]) {
        let Some(index) = self.index.clone() else { return };
        let is_full = keys.len() >= limits::KEYS_PER_SHARE;
        for (at, key) in keys.iter().copied().enumerate() {
            let (sender, last) = (self.me.clone(), (is_full && at + 1 == keys.len()).then_some(key));
            self.calls.ask(now, &index, Purpose::Declare(last), |call| Message::Share { call, key, sender });
        }
    }

    fn on_own(&mut self, now: Instant, ticket: Ticket, block: Option<Block>) {
        let Some(Errand { aim: Aim::Fetch(key), .. }) = self.errands.get(&ticket) else { return };
        let key = *key;
        match block {
            Some(block) => self.end(ticket, Answer::Found { block, hops: 0, own_store: true }),
            None => self.search(now, ticket, key),
        }
    }

    /// The document is in the own store: the server is told.
    fn on_kept(&mut self, now: Instant, ticket: Ticket, durable: bool) {
        let (Some(errand), Some(index)) = (self.errands.get(&ticket), self.index.clone()) else { return };
        let Aim::Insert(key) = errand.aim else { return };
        if !durable {
            return self.end(ticket, Answer::Inserted { stores: 0, wanted: 1 });
        }
        let sender = self.me.clone();
        self.calls.ask(now, &index, Purpose::Share(ticket), |call| Message::Share { call, key, sender });
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        while let Some((node, purpose)) = self.calls.poll_failed(now) {
            match purpose {
                Purpose::Login => self.next_login = Some(now + LOGIN_AGAIN),
                Purpose::Search(ticket) | Purpose::Share(ticket) => {
                    if let Some(errand) = self.errands.get_mut(&ticket) {
                        errand.timeouts += 1;
                    }
                    self.end(ticket, Answer::Unavailable);
                }
                Purpose::Collect(ticket) => self.collect(now, ticket),
                Purpose::Declare(_) => {}
                Purpose::Ping => {
                    if let Some(server) = &mut self.server {
                        server.forget(&node);
                    }
                }
            }
        }
    }

    fn log_in(&mut self, now: Instant) {
        let (Some(index), Some(due)) = (self.index.clone(), self.next_login) else { return };
        if due <= now {
            self.next_login = None;
            let sender = self.me.clone();
            self.calls.ask(now, &index, Purpose::Login, |call| Message::Login { call, sender });
        }
    }
}

impl Mode for Central {
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
                self.log_in(now);
                if let Some(server) = &mut self.server {
                    server.handle_timeout(&mut self.calls, now, &Purpose::Ping);
                }
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let server = self.server.as_ref().and_then(|server| server.timeout());
        [self.calls.timeout(), self.next_login, server].into_iter().flatten().min()
    }
}

/// A client that the server did not answer tries again after so long.
const LOGIN_AGAIN: Duration = Duration::from_secs(60);
