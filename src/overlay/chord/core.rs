//! What every part of a `chord` node works on: its members, its questions, what it waits for.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::config::Config;
use super::doors::Doors;
use super::member::{Around, Member};
use super::message::Message;
use super::passage::{Ended, Relay};
use super::peer::Peer;
use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::{Output, StoreToken, StoreWork};

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) members: Vec<Member>,
    pub(super) doors: Doors,
    pub(super) calls: Calls<Message, Purpose>,
    pub(super) dice: Dice,
    /// Who has what, of the keys that are this node's, where references are published.
    pub(super) index: BTreeMap<RoutingKey, Peer>,
    /// A member that has just found its successor.
    pub(super) joined: Option<usize>,
    pub(super) readings: Readings<Reading>,
    /// Questions that this node passes on, its own included.
    pub(super) relays: BTreeMap<u32, Relay>,
    pub(super) next_relay: u32,
    /// Questions of this node that were passed on and have come back.
    pub(super) ended: VecDeque<Ended>,
}

/// What a question is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A step of a lookup.
    Step(u32, Peer),
    /// A question that is passed on.
    Seek(u32),
    /// A block or reference put to an owner, or asked of it.
    Deliver(u32, Peer),
    /// The block of an errand, asked of whoever is said to have it.
    Collect(u32),
    /// Neighbours of the next node of that member.
    Stabilise(u8, Peer),
    /// Whether the predecessor of a member is still there.
    Check(u8),
    /// A copy; whoever is missing one will be found by stabilisation.
    Copy,
}

/// What an answer of the store is for.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    /// Another node asked for the block.
    Asked(NodeId, CallId),
    /// Another node had the block kept, which is to be kept by so many more.
    Kept(NodeId, CallId, RoutingKey, u8),
    /// An errand of this node asked for the block.
    Own(u32),
    /// An errand of this node had the block kept.
    OwnKept(u32),
    /// Which keys lie between two places: for that peer.
    Survey(Location, Location, Peer),
    /// The block is for that peer.
    Move(Peer),
}

impl Core {
    pub(super) fn new(config: Arc<Config>, members: Vec<Member>, doors: Doors, seed: &[u8; 32]) -> Self {
        Self {
            config,
            members,
            doors,
            calls: Calls::default(),
            dice: Dice::new(seed),
            index: BTreeMap::new(),
            joined: None,
            readings: Readings::default(),
            relays: BTreeMap::new(),
            next_relay: 0,
            ended: VecDeque::new(),
        }
    }

    /// Asks the store; `reading` comes back with its answer.
    pub(super) fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    /// The member whose key this is, or else the first.
    pub(super) fn member_before(&self, key: Location) -> usize {
        let left = |at: &usize| self.members[*at].me.place().clockwise_to(key).wrapping_sub(1);
        (0..self.members.len()).min_by_key(left).unwrap_or(0)
    }

    /// Whether a key is this node's.
    pub(super) fn owns(&self, key: Location) -> bool {
        (0..self.members.len()).any(|number| !self.is_outside(number) && self.members[number].owns(key))
    }

    /// Whether a member has no place on the ring, though there seems to be one. It owns nothing then and names nobody: who
    /// answered for itself would draw others into a ring apart.
    pub(super) fn is_outside(&self, member: usize) -> bool {
        self.members[member].is_outside() && !self.doors.is_empty()
    }

    /// Who is known around a place; nobody at a member that has no place on the ring.
    pub(super) fn around(&self, member: usize, key: Location, is_linear: bool) -> Around {
        if self.is_outside(member) { Around::default() } else { self.members[member].around(key, is_linear) }
    }

    /// A node did not answer: no table names it any more.
    pub(super) fn forget(&mut self, node: &NodeId) {
        if let Some(contact) = self.members.iter().find_map(|member| member.named(node)) {
            self.doors.keep(contact.clone());
        }
        for member in &mut self.members {
            member.forget(node);
        }
    }
}
