//! What any node of an overlay does with gateways: asks them when the overlay finds nothing, and tells them what it published.
//!
//! One gateway after the other, and what it gives is verified. Leaves out which gateways there are, and being one.

use std::collections::{BTreeMap, VecDeque};

use super::known::Known;
use super::message::Letter;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::Calls;
use crate::overlay::mode::{Answer, Command, Offence, Ticket};
use crate::time::Instant;

/// Letters to gateways and their answers.
pub(super) type Post = Calls<Letter, Purpose>;

/// What a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A lookup.
    Ask(u32),
    /// A publication.
    Tell(u32),
}

/// What this node wants of gateways.
#[derive(Debug, Default)]
pub(super) struct Visitor {
    /// Commands that the overlay works on.
    commands: BTreeMap<Ticket, Wish>,
    visits: BTreeMap<u32, Visit>,
    next: u32,
    /// Commands that have ended here.
    pub(super) ended: VecDeque<(Ticket, Answer)>,
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    Fetch(RoutingKey),
    Insert(RoutingKey),
}

/// One round of the gateways.
#[derive(Debug)]
struct Visit {
    /// The command of a lookup; none for a publication.
    ticket: Option<Ticket>,
    key: RoutingKey,
    left: VecDeque<Contact>,
    /// Whether one of them had too much to do.
    is_busy: bool,
}

impl Visitor {
    /// A client wants something of the overlay.
    pub(super) fn on_command(&mut self, ticket: Ticket, command: &Command) {
        let wish = match command {
            Command::Fetch { key, .. } => Wish::Fetch(*key),
            Command::Insert { block } => Wish::Insert(block.key()),
            Command::Cancel => {
                self.commands.remove(&ticket);
                return self.visits.retain(|_, visit| visit.ticket != Some(ticket));
            }
        };
        self.commands.insert(ticket, wish);
    }

    /// The overlay has answered; what the client is told now, if anything.
    pub(super) fn on_answer(
        &mut self,
        post: &mut Post,
        now: Instant,
        known: &Known,
        (ticket, answer): (Ticket, Answer),
    ) -> Option<Answer> {
        let wish = self.commands.remove(&ticket);
        if known.all().len() == 0 || self.visits.len() >= limits::LAST_RESORTS {
            return Some(answer);
        }
        match (wish, &answer) {
            (Some(Wish::Fetch(key)), Answer::NotFound) => {
                self.begin(post, now, known, (Some(ticket), key));
                None
            }
            (Some(Wish::Insert(key)), Answer::Inserted { stores: 1.., .. }) => {
                self.begin(post, now, known, (None, key));
                Some(answer)
            }
            _ => Some(answer),
        }
    }

    fn begin(&mut self, post: &mut Post, now: Instant, known: &Known, (ticket, key): (Option<Ticket>, RoutingKey)) {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.visits.insert(id, Visit { ticket, key, left: known.for_key(&key), is_busy: false });
        self.go_on(post, now, id);
    }

    /// Asks the next gateway, or ends.
    pub(super) fn go_on(&mut self, post: &mut Post, now: Instant, id: u32) {
        let Some(visit) = self.visits.get_mut(&id) else { return };
        let key = visit.key;
        match (visit.left.pop_front(), visit.ticket) {
            (Some(to), Some(_)) => post.ask(now, &to, Purpose::Ask(id), |call| Letter::Ask { call, key }),
            (Some(to), None) => post.ask(now, &to, Purpose::Tell(id), |call| Letter::Published { call, key }),
            (None, _) => {
                let answer = if visit.is_busy { Answer::Unavailable } else { Answer::NotFound };
                self.end(id, answer);
            }
        }
    }

    /// A gateway has too much to do.
    pub(super) fn on_busy(&mut self, post: &mut Post, now: Instant, id: u32) {
        if let Some(visit) = self.visits.get_mut(&id) {
            visit.is_busy = true;
        }
        self.go_on(post, now, id);
    }

    /// A gateway gives what was asked for, or something else; whether it is the right thing.
    pub(super) fn on_given(
        &mut self,
        post: &mut Post,
        now: Instant,
        from: NodeId,
        (id, parcel): (u32, Parcel),
    ) -> bool {
        let Some(visit) = self.visits.get(&id) else { return false };
        let opened = parcel.open(&visit.key);
        let is_right = opened.is_ok();
        match opened {
            Ok(block) => self.end(id, Answer::Found { block, hops: 1, own_store: false }),
            Err(_) => {
                post.offence(from, Offence::BadBlock);
                self.go_on(post, now, id);
            }
        }
        is_right
    }

    /// A gateway says whether it carries a publication.
    pub(super) fn on_noted(&mut self, post: &mut Post, now: Instant, id: u32, taken: bool) {
        if taken {
            self.visits.remove(&id);
        } else {
            self.go_on(post, now, id);
        }
    }

    fn end(&mut self, id: u32, answer: Answer) {
        if let Some(ticket) = self.visits.remove(&id).and_then(|visit| visit.ticket) {
            self.ended.push_back((ticket, answer));
        }
    }
}
