//! Gnutella 0.4: a query goes to all neighbours and on from there, hits come back the way it came, documents go straight.
//!
//! Composes neighbours, searches and what is passed on. Nobody is responsible for anything, so a document is found if a
//! query reaches one of its holders. Everybody who is reached learns the key, the first hop and the holders who asks.

mod config;
mod copies;
mod core;
mod membership;
mod message;
mod relay;
mod search;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use self::config::{Config, Replication, Strategy};
use self::core::{Core, Purpose, Reading};
use self::membership::Membership;
pub use self::message::{Copied, Message, Walker};
use self::relay::Query;
use self::search::Searches;
use crate::id::NodeId;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::standing::Standing;
use crate::overlay::mode::tally::Tally;
use crate::overlay::mode::{Answer, Command, Holding, Input, Mode, Offence, Output, StoreAnswer, StoreWork, Ticket};
use crate::time::Instant;

/// One node.
#[derive(Debug)]
pub struct Flooding {
    core: Core,
    membership: Membership,
    searches: Searches,
    /// Inserts that wait for the store.
    inserts: BTreeSet<Ticket>,
}

impl Flooding {
    /// A node that joins through one of `entries`; the first of a network without any. It gives away what it has if it
    /// `shares`.
    pub fn newcomer(config: Arc<Config>, me: Contact, entries: Vec<Contact>, shares: bool, seed: [u8; 32]) -> Self {
        let standing = Standing::new(config.degree);
        let core = Core::new(config, me, standing, shares, seed);
        Self::compose(core, entries)
    }

    /// A node of a network that has found itself: it is linked to `neighbours`, and has heard of `entries` in case all of
    /// them are lost.
    pub fn settled(
        config: Arc<Config>,
        me: Contact,
        (neighbours, entries): (Vec<NodeId>, Vec<Contact>),
        shares: bool,
        seed: [u8; 32],
    ) -> Self {
        let core = Core::new(config, me, Standing::settled(neighbours.len()), shares, seed);
        let mut node = Self::compose(core, entries.clone());
        for neighbour in neighbours {
            node.core.calls.assume_link(neighbour);
            node.core.standing.insert(neighbour);
        }
        entries.into_iter().for_each(|host| node.membership.hear_of(&node.core, host));
        node
    }

    fn compose(core: Core, entries: Vec<Contact>) -> Self {
        let (membership, searches) = (Membership::new(entries), Searches::default());
        Self { core, membership, searches, inserts: BTreeSet::new() }
    }

    /// The node itself.
    pub const fn me(&self) -> &Contact {
        &self.core.me
    }

    /// Whether it is linked to the network, or founds it.
    pub fn is_joined(&self) -> bool {
        self.degree() > 0 || self.membership.candidates.is_founder()
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.core.calls.take_cost(ticket)
    }

    /// What others' searches have told this node.
    pub const fn tally(&self) -> Tally {
        self.core.tally
    }

    /// How many neighbours it has.
    pub const fn degree(&self) -> usize {
        self.core.standing.len()
    }

    /// Ids of messages that it remembers.
    pub const fn remembered(&self) -> usize {
        self.core.routes.len()
    }

    /// Questions and errands under way.
    pub fn open(&self) -> usize {
        self.core.calls.len() + self.searches.len() + self.core.readings.len() + self.inserts.len()
    }

    fn handle_command(&mut self, now: Instant, ticket: Ticket, command: Command) {
        let core = &mut self.core;
        if !matches!(command, Command::Cancel) && core.calls.is_full() {
            return core.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => self.searches.begin(core, now, ticket, key, own_store),
            Command::Insert { block } => {
                self.inserts.insert(ticket);
                core.store(Reading::Kept(ticket), |token| StoreWork::Keep { token, block });
            }
            Command::Cancel => {
                self.inserts.remove(&ticket);
                self.searches.cancel(ticket);
            }
        }
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        let core = &mut self.core;
        if !message.is_bounded() {
            return core.calls.offence(from, Offence::Flood);
        }
        match message {
            Message::Query { id, round, ttl, hops, key } => {
                relay::handle_query(core, now, from, Query { id, round, ttl, hops, key });
            }
            Message::Walk(walker) => relay::handle_walker(core, now, from, walker),
            Message::Hit { id, hops, holder } => {
                if !self.searches.on_hit(core, now, (id, hops, holder.clone())) {
                    relay::pass_back(core, from, id, hops, holder);
                }
            }
            Message::Ping { id, ttl, hops } => relay::handle_ping(core, now, from, (id, ttl, hops)),
            Message::Pong { id, sender } => {
                if relay::is_own(core, id) {
                    self.membership.hear_of(core, sender);
                } else if core.standing.contains(&from) {
                    core.send_back(id, Message::Pong { id, sender });
                }
            }
            Message::Connect { call, sender } => self.membership.handle_connect(core, from, call, sender),
            Message::Connected { call, taken, others } => {
                self.membership.handle_connected(core, now, from, (call, taken, others));
            }
            Message::Bye => self.lose(now, &from),
            Message::Check { call, id } => {
                let wanted = self.searches.is_wanted(id);
                core.calls.reply(from, Message::Wanted { call, wanted });
            }
            Message::Copy { id, copy } => copies::handle_copy(core, from, id, copy),
            Message::Scatter { left, copy } => copies::handle_scatter(core, from, left, &copy),
            Message::Found { call, id, hops, holder } => {
                core.calls.reply(from, Message::Wanted { call, wanted: false });
                if holder.id() == from {
                    self.searches.on_hit(core, now, (id, hops, holder));
                }
            }
            Message::Get { call, key, along } => {
                if !core.shares {
                    core.calls.reply(from, Message::Missing { call });
                } else if !core.readings.is_full() {
                    core.store(Reading::Asked(from, call, along), |token| StoreWork::Read { token, key });
                }
            }
            answer => self.handle_answer(now, from, answer),
        }
    }

    fn handle_answer(&mut self, now: Instant, from: NodeId, answer: Message) {
        let core = &mut self.core;
        let (Message::Wanted { call, .. } | Message::Data { call, .. } | Message::Missing { call }) = answer else {
            return;
        };
        let Some(purpose) = core.calls.answered(from, call) else { return };
        match (purpose, answer) {
            (Purpose::Check(before, walker), Message::Wanted { wanted, .. }) => {
                if wanted {
                    relay::step(core, Some(before), walker);
                }
            }
            (Purpose::Tell, Message::Wanted { .. }) => {}
            (Purpose::Collect(id), Message::Data { parcel, .. }) => {
                self.searches.handle_data(core, now, from, (id, parcel));
            }
            (Purpose::Collect(id), Message::Missing { .. }) => self.searches.on_vain(core, now, id, false),
            _ => core.calls.offence(from, Offence::OutOfTurn),
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        let core = &mut self.core;
        match answer {
            StoreAnswer::Contains { token, holding } => {
                let is_held = holding != Holding::Nothing;
                match core.readings.take(token) {
                    Some(Reading::Query { id, hops }) if is_held => relay::on_held(core, id, hops),
                    Some(Reading::Walk(_, walker)) if is_held => relay::on_walker_held(core, now, &walker),
                    Some(Reading::Walk(from, walker)) => relay::go_on(core, now, from, walker),
                    _ => {}
                }
            }
            StoreAnswer::Read { token, block } => match (core.readings.take(token), block) {
                (Some(Reading::Asked(from, call, along)), Some(block)) => {
                    core.calls.reply(from, Message::Data { call, parcel: block.parcel() });
                    if let Some(id) = along {
                        core.send_back(
                            id,
                            Message::Copy { id, copy: Box::new(Copied { key: block.key(), parcel: block.parcel() }) },
                        );
                    }
                }
                (Some(Reading::Asked(from, call, _)), None) => core.calls.reply(from, Message::Missing { call }),
                (Some(Reading::Own(id)), block) => self.searches.handle_own(core, now, id, block),
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => {
                let Some(Reading::Kept(ticket)) = core.readings.take(token) else { return };
                // Sharing what one has oneself is all there is to publishing.
                if self.inserts.remove(&ticket) {
                    let answer = Answer::Inserted { stores: u32::from(durable), wanted: 1 };
                    core.calls.push(Output::Answer { ticket, answer });
                }
            }
            StoreAnswer::Survey { .. } => {}
        }
    }

    fn lose(&mut self, now: Instant, peer: &NodeId) {
        self.core.standing.remove(now, peer, &mut self.core.dice);
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        let core = &mut self.core;
        while let Some((node, purpose)) = core.calls.poll_failed(now) {
            match purpose {
                Purpose::Connect => self.membership.on_silence(core, now, &node),
                Purpose::Collect(id) => self.searches.on_vain(core, now, id, true),
                // Nobody waits for the walker any more.
                Purpose::Check(..) | Purpose::Tell => {}
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.hear_silence(now);
        self.searches.handle_timeout(&mut self.core, now);
        self.membership.handle_timeout(&mut self.core, now);
    }
}

impl Mode for Flooding {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => {
                let standing = &self.core.standing;
                self.core.calls.on_link_up_beside(peer, |peer| standing.contains(peer));
            }
            Input::LinkDown { peer } => {
                self.lose(now, &peer);
                self.core.calls.on_link_down(peer);
            }
            Input::DialFailed { peer } => {
                self.core.calls.on_dial_failed(peer);
                self.hear_silence(now);
            }
            Input::Message { from, message } => self.handle_message(now, from, message),
            Input::Congestion { peer, behind } => self.core.standing.set_behind(&peer, behind),
            Input::Command { ticket, command } => self.handle_command(now, ticket, command),
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => self.handle_timeout(now),
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let core = &self.core;
        [core.calls.timeout(), self.searches.timeout(), core.standing.timeout()].into_iter().flatten().min()
    }
}
