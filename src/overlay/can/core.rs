//! What every part of a `can` node works on: its realities, its questions, the ways that pass through it.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::config::Config;
use super::message::{Goal, Message, Trail};
use super::passage::Relay;
use super::reality::{self, Reality};
use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::dice::Dice;
use crate::overlay::mode::readings::Readings;
use crate::overlay::mode::{Output, StoreToken, StoreWork};

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) me: Contact,
    pub(super) realities: Vec<Reality>,
    pub(super) calls: Calls<Message, Purpose>,
    pub(super) dice: Dice,
    /// Ways that pass through this node or begin here, by their names.
    pub(super) relays: BTreeMap<u64, Relay>,
    /// Ways of this node that have ended: whose errand, and how.
    pub(super) ended: VecDeque<(u32, Ended)>,
    /// Where a node without a zone begins.
    pub(super) entries: Vec<Contact>,
    /// Who has what, of the keys that are this node's, where references are published.
    pub(super) index: BTreeMap<RoutingKey, Contact>,
    pub(super) readings: Readings<Reading>,
}

/// What a question is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A step of that way.
    Route(u64),
    /// A part of a zone, for the newcomer's errand.
    Join(u32),
    /// A block or reference put to an owner, or asked of it.
    Deliver(u32),
    /// The block of an errand, asked of whoever is said to have it.
    Collect(u32),
    /// A copy for whoever has a zone now.
    Copy,
}

/// What an answer of the store is for.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    /// Another node asked for the block.
    Asked(NodeId, CallId),
    /// Another node had the block kept.
    Kept(NodeId, CallId),
    /// An errand of this node asked for the block, first of all or as its owner.
    Own(u32),
    /// An errand of this node had the block kept.
    OwnKept(u32),
    /// Which keys lie in a range, given by its first place and its length less one: for that node.
    Survey(Location, u64, Contact),
    /// The block is for that node.
    Move(Contact),
}

/// How a way of this node has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Who holds the place; nobody that could be found if absent.
    pub(super) owner: Option<Contact>,
    pub(super) trail: Trail,
    /// Neighbours that were asked by this node itself.
    pub(super) asked: usize,
}

impl Core {
    pub(super) fn new(config: Arc<Config>, me: Contact, dice: Dice, entries: Vec<Contact>) -> Self {
        let realities = (0..config.realities).map(|_| Reality::default()).collect();
        Self {
            config,
            me,
            realities,
            calls: Calls::default(),
            dice,
            relays: BTreeMap::new(),
            ended: VecDeque::new(),
            entries,
            index: BTreeMap::new(),
            readings: Readings::default(),
        }
    }

    /// Asks the store; `reading` comes back with its answer.
    pub(super) fn store(&mut self, reading: Reading, work: impl FnOnce(StoreToken) -> StoreWork) {
        let token = self.readings.enter(reading);
        self.calls.push(Output::Store(work(token)));
    }

    /// The realities that a way may use.
    pub(super) fn on_the_way(&self, goal: Goal) -> impl Iterator<Item = &Reality> {
        let is_meant = move |number: usize| goal.reality.is_none_or(|reality| usize::from(reality) == number);
        self.realities.iter().enumerate().filter(move |(number, _)| is_meant(*number)).map(|(_, reality)| reality)
    }

    /// Whether a way ends here.
    pub(super) fn holds(&self, goal: Goal) -> bool {
        self.on_the_way(goal).any(|reality| reality.holds(goal.place))
    }

    /// How far this node is from the end of a way.
    pub(super) fn distance(&self, goal: Goal) -> u128 {
        let dimensions = self.config.dimensions;
        self.on_the_way(goal).map(|reality| reality.distance(goal.place, dimensions)).min().unwrap_or(u128::MAX)
    }

    /// The neighbour nearest to the end of a way, and how far it is.
    pub(super) fn nearest(&self, goal: Goal, skip: impl Fn(&NodeId) -> bool) -> Option<(u128, Contact)> {
        let dimensions = self.config.dimensions;
        let neighbours = self.on_the_way(goal).flat_map(|reality| &reality.neighbours);
        let able = neighbours.filter(|other| !other.is_silent && !skip(&other.contact.id()));
        let apart = able.map(|other| (reality::distance(&other.zones, goal.place, dimensions), &other.contact));
        apart.min().map(|(distance, contact)| (distance, contact.clone()))
    }

    /// A neighbour has not answered: no way leads through it until it is heard again.
    pub(super) fn on_silence(&mut self, node: &NodeId) {
        for reality in &mut self.realities {
            if let Ok(at) = reality.find(node) {
                reality.neighbours[at].is_silent = true;
            }
        }
    }

    /// The places of a key, one for each copy: the paper's hash functions.
    pub(super) fn places(&self, key: &RoutingKey) -> impl Iterator<Item = Location> + use<> {
        let first = key.location();
        (0..u64::from(self.config.copies)).map(move |copy| Location(first.0.wrapping_add(copy.wrapping_mul(APART))))
    }

    /// By how much the places of the copies of one key lie apart, so that a zone's keys are one range for each copy.
    pub(super) fn shifts(&self) -> impl Iterator<Item = u64> + use<> {
        (0..u64::from(self.config.copies)).map(|copy| copy.wrapping_mul(APART))
    }
}

/// From one place of a key to the next. Chosen: the golden ratio of 2^64 spreads any number of them evenly.
const APART: u64 = 0x9e37_79b9_7f4a_7c15;
