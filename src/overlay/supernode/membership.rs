//! How leaves get parents, and supernodes neighbours: from supernodes that others have named.
//!
//! Leaves out when more are wanted, which `mode::standing` says.

use super::config::Rank;
use super::core::{Core, Purpose};
use super::message::Message;
use crate::id::NodeId;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::candidates::Candidates;
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

    /// Asks a node to be a parent or a neighbour.
    pub(super) fn connect(&mut self, core: &mut Core, now: Instant, host: &Contact) {
        let (sender, leaf) = (core.me.clone(), core.capacity());
        self.candidates.begin(host);
        core.calls.ask(now, host, Purpose::Connect(host.clone()), |call| Message::Connect { call, sender, leaf });
    }

    /// A node asks to be a leaf or a neighbour.
    pub(super) fn handle_connect(
        &mut self,
        core: &mut Core,
        from: NodeId,
        (call, sender, is_leaf): (CallId, Contact, bool),
    ) {
        if sender.id() != from {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        let taken = match (core.rank, is_leaf) {
            (Rank::Leaf(_), _) => false,
            (Rank::Supernode, true) => core.listing.enter(sender.clone(), core.config.most_listed()),
            (Rank::Supernode, false) => core.standing.contains(&from) || !core.standing.is_full(),
        };
        let others = self.others(core, &from);
        if !is_leaf {
            self.hear_of(core, sender.clone());
            if taken {
                core.standing.insert(from);
                core.linked.insert(from, sender);
            }
        }
        core.calls.reply(from, Message::Connected { call, taken, others });
    }

    /// Supernodes that this node knows: some it is linked to, some it has heard of.
    fn others(&self, core: &mut Core, asker: &NodeId) -> Vec<Contact> {
        let mut others = self.candidates.newest(OTHERS);
        for _ in 0..OTHERS {
            let drawn = core.standing.draw(&mut core.dice, Some(*asker));
            others.extend(drawn.and_then(|id| core.linked.get(&id)).cloned());
        }
        others.sort_unstable();
        others.dedup();
        others.retain(|other| other.id() != *asker);
        others
    }

    /// The answer.
    pub(super) fn handle_connected(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (call, taken, others): (CallId, bool, Vec<Contact>),
    ) {
        let contact = match core.calls.answered(from, call) {
            Some(Purpose::Connect(contact)) => contact,
            Some(_) => return core.calls.offence(from, Offence::OutOfTurn),
            // Too late: this node has looked elsewhere.
            None if taken => return core.calls.push(Output::Send { to: from, message: Message::Bye }),
            None => return,
        };
        self.candidates.settle(&from);
        others.into_iter().for_each(|other| self.hear_of(core, other));
        if !taken {
            return core.standing.miss(now, &mut core.dice);
        }
        let is_new = !core.standing.contains(&from);
        core.standing.insert(from);
        core.linked.insert(from, contact);
        if is_new && !core.is_supernode() && core.shares {
            core.survey(Some(from), None);
        }
    }

    /// A node that was asked stays silent.
    pub(super) fn on_silence(&mut self, core: &mut Core, now: Instant, node: &NodeId) {
        self.candidates.settle(node);
        core.standing.miss(now, &mut core.dice);
    }

    /// A supernode is named by another node.
    pub(super) fn hear_of(&mut self, core: &Core, host: Contact) {
        self.candidates.hear_of(&core.me, &core.standing, host);
    }

    /// Looks for parents or neighbours if it is time and there are too few.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        for _ in 0..self.candidates.lacking(&mut core.standing, now, &mut core.dice) {
            match self.candidates.draw(&core.me, &core.standing, &mut core.dice) {
                Some(host) => self.connect(core, now, &host),
                None => return self.ask_around(core, now),
            }
        }
    }

    /// Too few supernodes are known: one that is linked already names others when it is asked again.
    fn ask_around(&mut self, core: &mut Core, now: Instant) {
        let linked = core.standing.draw(&mut core.dice, None).and_then(|id| core.linked.get(&id)).cloned();
        if let Some(linked) = linked {
            self.connect(core, now, &linked);
        }
    }
}

/// Supernodes named to whoever asks, of each kind. Chosen: one of them likely has room.
const OTHERS: usize = 4;
