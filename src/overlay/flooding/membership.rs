//! How a node gets its neighbours: hosts it has heard of, pings where it knows too few.
//!
//! Leaves out when more are wanted, which `mode::standing` says.

use super::core::{Core, Purpose};
use super::message::Message;
use crate::id::NodeId;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::candidates::Candidates;
use crate::overlay::mode::standing::OWN;
use crate::overlay::mode::{Offence, Output};
use crate::time::Instant;

/// Whom this node may link to.
#[derive(Debug, Default)]
pub(super) struct Membership {
    pub(super) candidates: Candidates,
}

impl Membership {
    pub(super) fn new(entries: Vec<Contact>) -> Self {
        Self { candidates: Candidates::new(entries) }
    }

    /// Asks a node to be a neighbour.
    pub(super) fn connect(&mut self, core: &mut Core, now: Instant, host: &Contact) {
        let sender = core.me.clone();
        self.candidates.begin(host);
        core.calls.ask(now, host, Purpose::Connect, |call| Message::Connect { call, sender });
    }

    /// A node asks to be a neighbour.
    pub(super) fn handle_connect(&mut self, core: &mut Core, from: NodeId, call: CallId, sender: Contact) {
        if sender.id() != from {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        let taken = core.standing.contains(&from) || !core.standing.is_full();
        if taken {
            core.standing.insert(from);
        }
        let others = self.candidates.newest(OTHERS);
        // Linked or not: it is named to the next one that asks.
        self.candidates.remember(sender);
        core.calls.reply(from, Message::Connected { call, taken, others });
    }

    /// The answer.
    pub(super) fn handle_connected(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (call, taken, others): (CallId, bool, Vec<Contact>),
    ) {
        match core.calls.answered(from, call) {
            Some(Purpose::Connect) => {}
            Some(_) => return core.calls.offence(from, Offence::OutOfTurn),
            // Too late: this node has looked elsewhere.
            None if taken => return core.calls.push(Output::Send { to: from, message: Message::Bye }),
            None => return,
        }
        self.candidates.settle(&from);
        others.into_iter().for_each(|other| self.hear_of(core, other));
        if taken {
            core.standing.insert(from);
        } else {
            core.standing.miss(now, &mut core.dice);
        }
    }

    /// A node that was asked stays silent.
    pub(super) fn on_silence(&mut self, core: &mut Core, now: Instant, node: &NodeId) {
        self.candidates.settle(node);
        core.standing.miss(now, &mut core.dice);
    }

    /// A node is named by another.
    pub(super) fn hear_of(&mut self, core: &Core, host: Contact) {
        self.candidates.hear_of(&core.me, &core.standing, host);
    }

    /// Looks for neighbours if it is time and there are too few.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        for _ in 0..self.candidates.lacking(&mut core.standing, now, &mut core.dice) {
            match self.candidates.draw(&core.me, &core.standing, &mut core.dice) {
                Some(host) => self.connect(core, now, &host),
                None => return Self::ask_around(core, now),
            }
        }
    }

    /// Too few hosts are known.
    fn ask_around(core: &mut Core, now: Instant) {
        if core.standing.is_empty() {
            return;
        }
        let id = core.guids.draw();
        core.note(now, id, OWN, 0);
        core.spread(None, &Message::Ping { id, ttl: core.config.ping_ttl, hops: 0 });
    }
}

/// Hosts that are named to a new neighbour. Chosen: one of them likely has room.
const OTHERS: usize = 4;
