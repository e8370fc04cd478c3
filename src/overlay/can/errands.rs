//! What this node seeks ways for: documents that its clients want or publish, and a zone of its own.
//!
//! Leaves out the ways themselves, and answering others.

use std::collections::{BTreeMap, VecDeque};

use super::core::{Core, Ended, Purpose, Reading};
use super::message::{Goal, Message};
use super::relay;
use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::publish::Publish;
use crate::overlay::mode::{Answer, Command, Offence, Output, StoreWork, Ticket};
use crate::time::Instant;

/// All errands of a node.
#[derive(Debug, Default)]
pub(super) struct Errands {
    open: BTreeMap<u32, Errand>,
    next: u32,
}

#[derive(Debug)]
struct Errand {
    aim: Aim,
    /// Places still to be tried, the nearest first.
    places: VecDeque<Location>,
    /// Stores that have still to answer, and those that took the block.
    waiting: usize,
    stores: u32,
    spent: Spent,
}

/// What an errand has cost so far.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    hops: u32,
    timeouts: u32,
    both: u32,
    key_only: u32,
}

#[derive(Debug)]
enum Aim {
    Fetch(Ticket, RoutingKey),
    Insert(Ticket, Block),
    Join(u8, Location),
}

impl Errands {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn handle_command(&mut self, core: &mut Core, now: Instant, ticket: Ticket, command: Command) {
        if core.calls.is_full() && !matches!(command, Command::Cancel) {
            return core.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => {
                let id = self.enter(Aim::Fetch(ticket, key), nearest_first(core, &key));
                if own_store {
                    core.store(Reading::Own(id), |token| StoreWork::Read { token, key });
                } else {
                    self.go_on(core, now, id);
                }
            }
            Command::Insert { block } => self.insert(core, now, ticket, block),
            Command::Cancel => self.open.retain(|_, errand| errand.aim.ticket() != Some(ticket)),
        }
    }

    /// Looks for whoever holds the place that a newcomer has drawn.
    pub(super) fn begin_join(&mut self, core: &mut Core, now: Instant, reality: u8, place: Location) {
        let is_joining = |errand: &Errand| matches!(errand.aim, Aim::Join(other, _) if other == reality);
        if !self.open.values().any(is_joining) {
            let id = self.enter(Aim::Join(reality, place), VecDeque::new());
            relay::begin(core, now, id, Goal { place, reality: Some(reality) }, true);
        }
    }

    fn enter(&mut self, aim: Aim, places: VecDeque<Location>) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.open.insert(self.next, Errand { aim, places, waiting: 0, stores: 0, spent: Spent::default() });
        self.next
    }

    /// A copy goes to each place of the key in each reality.
    fn insert(&mut self, core: &mut Core, now: Instant, ticket: Ticket, block: Block) {
        let places: Vec<Location> = core.places(&block.key()).collect();
        let realities = core.config.realities as u8;
        let is_reference = core.config.publish == Publish::Reference;
        let id = self.enter(Aim::Insert(ticket, block.clone()), VecDeque::new());
        if let Some(errand) = self.open.get_mut(&id) {
            errand.waiting = places.len() * usize::from(realities) + usize::from(is_reference);
        }
        if is_reference {
            core.store(Reading::OwnKept(id), |token| StoreWork::Keep { token, block });
        }
        for reality in 0..realities {
            for place in places.iter().copied() {
                relay::begin(core, now, id, Goal { place, reality: Some(reality) }, false);
            }
        }
    }

    /// Seeks the next place of a key.
    fn go_on(&mut self, core: &mut Core, now: Instant, id: u32) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        match errand.places.pop_front() {
            Some(place) => relay::begin(core, now, id, Goal { place, reality: None }, false),
            None => self.end(core, id, Answer::NotFound),
        }
    }

    /// A way has ended.
    pub(super) fn handle_ended(&mut self, core: &mut Core, now: Instant, id: u32, ended: &Ended) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        let (hops, asked) = (u32::from(ended.trail.hops), ended.asked as u32);
        errand.spent.hops += hops;
        errand.spent.timeouts += u32::from(ended.trail.timeouts);
        errand.spent.both += asked;
        errand.spent.key_only += hops.saturating_sub(asked + u32::from(ended.owner.is_some()));
        let Some(owner) = &ended.owner else { return self.on_nobody(core, now, id) };
        let is_mine = owner.id() == core.me.id();
        match &errand.aim {
            Aim::Fetch(_, key) if is_mine => {
                let key = *key;
                match core.index.get(&key).cloned() {
                    Some(holder) => self.collect(core, now, id, &holder),
                    None => core.store(Reading::Own(id), |token| StoreWork::Read { token, key }),
                }
            }
            Aim::Fetch(_, key) => {
                let key = *key;
                errand.spent.both += u32::from(hops > 1);
                core.calls.ask(now, owner, Purpose::Deliver(id), |call| Message::Get { call, key });
            }
            Aim::Insert(_, block) if core.config.publish == Publish::Reference => {
                let (key, holder) = (block.key(), core.me.clone());
                if is_mine {
                    core.index.insert(key, holder);
                    self.handle_stored(core, id, true);
                } else {
                    core.calls.ask(now, owner, Purpose::Deliver(id), |call| Message::Refer { call, key, holder });
                }
            }
            Aim::Insert(_, block) if is_mine => {
                let block = block.clone();
                core.store(Reading::OwnKept(id), |token| StoreWork::Keep { token, block });
            }
            Aim::Insert(_, block) => {
                let (key, parcel) = (block.key(), block.parcel());
                core.calls.ask(now, owner, Purpose::Deliver(id), |call| Message::Put { call, key, parcel });
            }
            Aim::Join(reality, place) => {
                let (reality, place, sender) = (*reality, *place, core.me.clone());
                core.calls.ask(now, owner, Purpose::Join(id), |call| Message::Join { call, sender, reality, place });
            }
        }
    }

    /// No way leads to the place, or its owner does not answer.
    pub(super) fn on_nobody(&mut self, core: &mut Core, now: Instant, id: u32) {
        match self.open.get(&id).map(|errand| &errand.aim) {
            Some(Aim::Fetch(..)) => self.go_on(core, now, id),
            Some(Aim::Insert(..)) => self.handle_stored(core, id, false),
            // The next update tries again.
            Some(Aim::Join(..)) => drop(self.open.remove(&id)),
            None => {}
        }
    }

    /// In which reality a newcomer was asking for a zone.
    pub(super) fn take_join(&mut self, id: u32) -> Option<u8> {
        match self.open.remove(&id)?.aim {
            Aim::Join(reality, _) => Some(reality),
            Aim::Fetch(..) | Aim::Insert(..) => None,
        }
    }

    /// One store has answered, or will not.
    pub(super) fn handle_stored(&mut self, core: &mut Core, id: u32, durable: bool) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        errand.waiting = errand.waiting.saturating_sub(1);
        errand.stores += u32::from(durable);
        if errand.waiting == 0 {
            // A reference is worth something while its holder has the document: that one store is not enough.
            let needless = u32::from(core.config.publish == Publish::Reference);
            let stores = errand.stores.saturating_sub(needless);
            self.end(core, id, Answer::Inserted { stores, wanted: 1 });
        }
    }

    /// Asks whoever is said to have the block.
    fn collect(&mut self, core: &mut Core, now: Instant, id: u32, holder: &Contact) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return };
        if core.me.id() == holder.id() {
            // Its own store has been asked before.
            return self.go_on(core, now, id);
        }
        errand.spent.both += 1;
        core.calls.ask(now, holder, Purpose::Collect(id), |call| Message::Get { call, key });
    }

    /// An owner says who has the block.
    pub(super) fn handle_held(&mut self, core: &mut Core, now: Instant, id: u32, holder: &Contact) {
        self.collect(core, now, id, holder);
    }

    /// An owner or holder answers with the block.
    pub(super) fn handle_data(&mut self, core: &mut Core, now: Instant, from: NodeId, id: u32, parcel: Parcel) {
        let Some(errand) = self.open.get(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return core.calls.offence(from, Offence::OutOfTurn) };
        match parcel.open(&key) {
            Ok(block) => {
                let hops = errand.spent.hops;
                self.end(core, id, Answer::Found { block, hops, own_store: false });
            }
            Err(_) => {
                core.calls.offence(from, Offence::BadBlock);
                self.go_on(core, now, id);
            }
        }
    }

    /// The own store has answered.
    pub(super) fn handle_own(&mut self, core: &mut Core, now: Instant, id: u32, block: Option<Block>) {
        let Some(errand) = self.open.get(&id) else { return };
        match block {
            Some(block) => {
                let hops = errand.spent.hops;
                self.end(core, id, Answer::Found { block, hops, own_store: hops == 0 });
            }
            None => self.go_on(core, now, id),
        }
    }

    fn end(&mut self, core: &mut Core, id: u32, answer: Answer) {
        let Some(errand) = self.open.remove(&id) else { return };
        let Some(ticket) = errand.aim.ticket() else { return };
        let Spent { hops, timeouts, both, key_only } = errand.spent;
        core.calls.record(Cost { ticket, hops, timeouts, both, key_only });
        core.calls.push(Output::Answer { ticket, answer });
    }
}

/// The places of a key, the nearest to this node first.
fn nearest_first(core: &Core, key: &RoutingKey) -> VecDeque<Location> {
    let mut places: Vec<Location> = core.places(key).collect();
    places.sort_by_cached_key(|place| core.distance(Goal { place: *place, reality: None }));
    places.into()
}

impl Aim {
    const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Fetch(ticket, _) | Self::Insert(ticket, _) => Some(*ticket),
            Self::Join(..) => None,
        }
    }
}
