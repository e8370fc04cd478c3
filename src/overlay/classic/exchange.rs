//! One request or insert as it stands at one node.
//!
//! Knows where it came from, where it has been sent, and how long that may take; decides nothing.

use std::collections::{BTreeSet, VecDeque};

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::message::contact::Contact;
use crate::overlay::classic::message::{Message, TransactionId};
use crate::overlay::classic::table::{Cursor, Table};
use crate::overlay::mode::Ticket;
use crate::time::{Duration, Instant};

/// A request or insert at one node.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: TransactionId,
    pub(super) origin: Origin,
    pub(super) aim: Aim,
    pub(super) key: RoutingKey,
    /// Nodes that may still be visited after this one.
    pub(super) htl: u16,
    pub(super) depth: u16,
    pub(super) state: State,
    /// Nodes that this one has brought the exchange to and that came back with fewer hops to live: they had not seen it.
    pub(super) visited: Vec<Contact>,
    pub(super) deadline: Instant,
    /// From when on the one before should be told that work goes on.
    pub(super) restart_due: Instant,
    cursor: Cursor,
    /// Sorted.
    tried: Vec<Contact>,
}

/// Where an exchange came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Local(Ticket),
    Peer(NodeId),
}

/// What it is for.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    Find,
    Insert,
    /// An insert of this node's own.
    InsertOwn(Block),
}

/// What it waits for.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// The store.
    Reading,
    /// The answer of another node.
    Asking(Contact),
    /// The data of an insert that is all clear; to be passed to this node, unless the path ends here.
    Granted(Option<Contact>),
    /// The data of an insert that was backed out from here, in case every node visited shall store it.
    Left,
}

impl Exchange {
    pub(super) fn new(id: TransactionId, origin: Origin, aim: Aim, key: RoutingKey, hops: Hops, now: Instant) -> Self {
        let mut exchange = Self {
            id,
            origin,
            aim,
            key,
            htl: hops.to_live,
            depth: hops.depth,
            state: State::Reading,
            visited: Vec::new(),
            deadline: now,
            restart_due: now,
            cursor: Cursor::new(key.location()),
            tried: Vec::new(),
        };
        exchange.wind(now);
        exchange
    }

    /// Starts the timer anew: the expected time to contact as many nodes as there are hops to live.
    pub(super) fn wind(&mut self, now: Instant) {
        let time = limits::CLASSIC_CONTACT * (u32::from(self.htl) + 1);
        self.deadline = now + time;
        self.restart_due = now + time / 4;
    }

    /// The next node to ask: nearest key first, none twice, not the one it came from.
    pub(super) fn next(&mut self, table: &Table) -> Option<Contact> {
        while let Some(contact) = table.next(&mut self.cursor) {
            if self.origin == Origin::Peer(contact.id()) {
                continue;
            }
            if let Err(at) = self.tried.binary_search(contact) {
                self.tried.insert(at, contact.clone());
                return Some(contact.clone());
            }
        }
        None
    }

    /// What the next node is asked.
    pub(super) const fn question(&self) -> Message {
        let (id, htl, depth, key) = (self.id, self.htl, self.depth, self.key);
        match self.aim {
            Aim::Find => Message::Request { id, htl, depth, key },
            Aim::Insert | Aim::InsertOwn(_) => Message::Insert { id, htl, depth, key },
        }
    }

    /// Whether `peer` is the node whose answer is awaited.
    pub(super) fn awaits(&self, peer: &NodeId) -> bool {
        matches!(&self.state, State::Asking(contact) if contact.id() == *peer)
    }

    /// Whether the link to `peer` is needed.
    pub(super) fn uses(&self, peer: &NodeId) -> bool {
        let forth = match &self.state {
            State::Asking(contact) | State::Granted(Some(contact)) => contact.id() == *peer,
            _ => false,
        };
        forth || (self.origin == Origin::Peer(*peer) && !matches!(self.state, State::Left))
    }
}

/// Hops to live and depth after this node has been counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hops {
    pub(super) to_live: u16,
    pub(super) depth: u16,
}

/// Ids of exchanges that have ended here, so that loops are still seen.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    ids: BTreeSet<TransactionId>,
    by_age: VecDeque<(Instant, TransactionId)>,
}

impl SeenIds {
    pub(super) fn contains(&self, id: TransactionId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn insert(&mut self, now: Instant, id: TransactionId) {
        while let Some((seen, oldest)) = self.by_age.front().copied() {
            if now.since(seen) < LIFE && self.by_age.len() < limits::CLASSIC_SEEN {
                break;
            }
            self.by_age.pop_front();
            self.ids.remove(&oldest);
        }
        if self.ids.insert(id) {
            self.by_age.push_back((now, id));
        }
    }
}

/// Chosen: longer than a search of 500 nodes, if all of them are dead.
const LIFE: Duration = Duration::from_secs(7_200);
