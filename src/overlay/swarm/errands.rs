//! What local clients want: a document, or one published.
//!
//! A fetch asks the tracker who is there and one after the other for the metadata; what it names is then traded for.
//! Leaves out the trade.

use std::collections::{BTreeMap, VecDeque};

use super::core::{Core, Purpose, Reading};
use super::message::{Message, Stage};
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::{Answer, Command, Output, StoreWork, Ticket};
use crate::time::Instant;

/// All commands under way.
#[derive(Debug, Default)]
pub(super) struct Errands {
    open: BTreeMap<Ticket, Errand>,
}

#[derive(Debug)]
struct Errand {
    key: RoutingKey,
    state: State,
    candidates: VecDeque<Contact>,
    asked: u32,
    timeouts: u32,
    /// How often the tracker was asked.
    looks: u32,
}

#[derive(Debug)]
enum State {
    /// The block to be published, until it is kept.
    Insert(Option<Block>),
    /// The metadata is looked for.
    Look,
    /// The document is traded for.
    Trade,
}

impl Errands {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn handle_command(&mut self, core: &mut Core, now: Instant, ticket: Ticket, command: Command) {
        if !matches!(command, Command::Cancel) && (core.calls.is_full() || core.tracker.is_none()) {
            // The tracker shares and seeks nothing itself.
            return core.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => {
                self.enter(ticket, key, State::Look);
                if own_store {
                    core.store(Reading::Own(ticket), |token| StoreWork::Read { token, key });
                } else {
                    self.look(core, now, ticket);
                }
            }
            Command::Insert { block } => {
                self.enter(ticket, block.key(), State::Insert(Some(block.clone())));
                core.store(Reading::Kept(ticket), |token| StoreWork::Keep { token, block });
            }
            Command::Cancel => drop(self.open.remove(&ticket)),
        }
    }

    fn enter(&mut self, ticket: Ticket, key: RoutingKey, state: State) {
        self.open.insert(ticket, Errand { key, state, candidates: VecDeque::new(), asked: 0, timeouts: 0, looks: 0 });
    }

    /// The document that a command is about.
    pub(super) fn key(&self, ticket: Ticket) -> Option<RoutingKey> {
        self.open.get(&ticket).map(|errand| errand.key)
    }

    /// Asks the tracker.
    pub(super) fn look(&mut self, core: &mut Core, now: Instant, ticket: Ticket) {
        let Some(errand) = self.open.get_mut(&ticket) else { return };
        errand.asked += 1;
        errand.looks += 1;
        core.announce(now, errand.key, Stage::Looking, Purpose::Look(ticket));
    }

    /// The tracker names peers.
    pub(super) fn on_candidates(&mut self, core: &mut Core, now: Instant, ticket: Ticket, contacts: Vec<Contact>) {
        if let Some(errand) = self.open.get_mut(&ticket) {
            errand.candidates = contacts.into();
        }
        self.collect(core, now, ticket);
    }

    /// Asks the next peer for the metadata.
    pub(super) fn collect(&mut self, core: &mut Core, now: Instant, ticket: Ticket) {
        let Some(errand) = self.open.get_mut(&ticket) else { return };
        let (key, me) = (errand.key, core.me.id());
        let next = std::iter::from_fn(|| errand.candidates.pop_front()).find(|contact| contact.id() != me);
        match next {
            Some(contact) => {
                errand.asked += 1;
                core.calls.ask(now, &contact, Purpose::Collect(ticket), |call| Message::Ask { call, key });
            }
            // Who was silent may have been busy, and others may have come who have it by now.
            None if errand.timeouts > 0 && errand.looks < LOOKS => self.look(core, now, ticket),
            None => self.end(core, ticket, Answer::NotFound, 0),
        }
    }

    /// What was to be published is kept: the block, once.
    pub(super) fn take_kept(&mut self, ticket: Ticket) -> Option<Block> {
        match &mut self.open.get_mut(&ticket)?.state {
            State::Insert(block) => block.take(),
            _ => None,
        }
    }

    /// From now on the document is traded for.
    pub(super) fn trade(&mut self, ticket: Ticket) {
        if let Some(errand) = self.open.get_mut(&ticket) {
            errand.state = State::Trade;
        }
    }

    /// Whether anybody waits for a document.
    pub(super) fn wants(&self, key: &RoutingKey) -> bool {
        self.open.values().any(|errand| errand.key == *key && matches!(errand.state, State::Trade))
    }

    /// The trade for a document has ended; `met` peers took part.
    pub(super) fn end_trade(&mut self, core: &mut Core, key: &RoutingKey, met: u32, answer: &Answer) {
        let traded = |errand: &Errand| errand.key == *key && matches!(errand.state, State::Trade);
        let tickets: Vec<Ticket> = self.open.iter().filter(|(_, e)| traded(e)).map(|(ticket, _)| *ticket).collect();
        tickets.into_iter().for_each(|ticket| self.end(core, ticket, answer.clone(), met));
    }

    /// A question of a command went unanswered.
    pub(super) fn on_silence(&mut self, ticket: Ticket) {
        if let Some(errand) = self.open.get_mut(&ticket) {
            errand.timeouts += 1;
        }
    }

    /// A command has ended; beside those asked, `met` nodes learned of it.
    pub(super) fn end(&mut self, core: &mut Core, ticket: Ticket, answer: Answer, met: u32) {
        let Some(errand) = self.open.remove(&ticket) else { return };
        let (timeouts, both) = (errand.timeouts, errand.asked + met);
        core.calls.record(Cost { ticket, hops: 1, timeouts, both, key_only: 0 });
        core.calls.push(Output::Answer { ticket, answer });
    }
}

/// How often the tracker is asked for somebody who has the metadata. Chosen: a crowd of a thousand has got it from each other
/// within a minute.
const LOOKS: u32 = 4;
