//! Lookups of this node: for its clients, its fingers, its own place on the ring.

use std::collections::{BTreeMap, VecDeque};

use super::config::LookupKind;
use super::core::{Core, Purpose, Reading};
use super::keeping;
use super::lookup::{Lookup, Step};
use super::member::{Around, Member};
use super::message::Message;
use super::passage::Ended;
use super::peer::Peer;
use super::relay;
use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::message::block::{Block, Parcel};
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::publish::Publish;
use crate::overlay::mode::{Answer, Command, Offence, Output, StoreWork, Ticket};
use crate::time::Instant;

/// Lookups under way.
#[derive(Debug)]
pub(super) struct Searches {
    errands: BTreeMap<u32, Errand>,
    next: u32,
}

#[derive(Debug)]
struct Errand {
    aim: Aim,
    lookup: Lookup,
    /// Owners still to be tried, the right one first.
    owners: VecDeque<Peer>,
    /// Owners that said they have nothing.
    missing: u8,
    /// Nodes that this node has asked itself.
    asked: u16,
    /// Nodes that learned the key alone.
    key_only: u16,
}

#[derive(Debug)]
enum Aim {
    Fetch(Ticket, RoutingKey),
    Insert(Ticket, Block),
    Finger(usize, usize),
    Join(usize),
}

impl Searches {
    pub(super) const fn new() -> Self {
        Self { errands: BTreeMap::new(), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.errands.len()
    }

    pub(super) fn handle_command(&mut self, core: &mut Core, now: Instant, ticket: Ticket, command: Command) {
        if core.calls.is_full() && !matches!(command, Command::Cancel) {
            return core.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => {
                let id = self.begin(core, Aim::Fetch(ticket, key), key.location());
                if own_store {
                    core.store(Reading::Own(id), |token| StoreWork::Read { token, key });
                } else {
                    self.go_on(core, now, id);
                }
            }
            Command::Insert { block } => {
                let key = block.key().location();
                let id = self.begin(core, Aim::Insert(ticket, block), key);
                self.go_on(core, now, id);
            }
            Command::Cancel => self.errands.retain(|_, errand| errand.aim.ticket() != Some(ticket)),
        }
    }

    /// Looks up where a finger of a member points.
    pub(super) fn begin_finger(&mut self, core: &mut Core, now: Instant, member: usize, exponent: usize) {
        let place = Member::finger_place(core.members[member].me.place(), exponent);
        let lookup = Self::lookup_from(core, member, place);
        let id = self.enter(Aim::Finger(member, exponent), lookup);
        self.go_on(core, now, id);
    }

    /// Looks up who follows a member, as those at `doors` think: for a newcomer, and to see whether there is a ring that does
    /// not know of this one. Whether one more such lookup has begun.
    pub(super) fn begin_join(&mut self, core: &mut Core, now: Instant, member: usize, doors: Vec<Peer>) -> bool {
        let is_joining = |errand: &Errand| matches!(errand.aim, Aim::Join(other) if other == member);
        if self.errands.values().any(is_joining) {
            return false;
        }
        let lookup = Lookup::through(core.members[member].me.place(), doors);
        let id = self.enter(Aim::Join(member), lookup);
        self.go_on(core, now, id);
        true
    }

    fn begin(&mut self, core: &Core, aim: Aim, key: Location) -> u32 {
        let member = core.member_before(key);
        let lookup = Self::lookup_from(core, member, key);
        self.enter(aim, lookup)
    }

    fn lookup_from(core: &Core, member: usize, key: Location) -> Lookup {
        let is_linear = core.config.lookup == LookupKind::Linear;
        let me = &core.members[member].me;
        if core.is_outside(member) {
            return Lookup::through(key, core.doors.all(&me.id()));
        }
        Lookup::new(key, me.place(), core.around(member, key, is_linear))
    }

    fn enter(&mut self, aim: Aim, lookup: Lookup) -> u32 {
        self.next = self.next.wrapping_add(1);
        let errand = Errand { aim, lookup, owners: VecDeque::new(), missing: 0, asked: 0, key_only: 0 };
        self.errands.insert(self.next, errand);
        self.next
    }

    fn go_on(&mut self, core: &mut Core, now: Instant, id: u32) {
        let Some(errand) = self.errands.get_mut(&id) else { return };
        let key = errand.lookup.key;
        if !matches!(errand.aim, Aim::Join(_) | Aim::Finger(..)) && core.owns(key) {
            errand.owners = std::iter::once(core.members[0].me.clone()).collect();
            return self.deliver(core, now, id);
        }
        let is_recursive = core.config.lookup == LookupKind::Recursive && !core.is_outside(core.member_before(key));
        if errand.aim.ticket().is_some() && is_recursive {
            return relay::begin(core, now, id, key);
        }
        let step = loop {
            match errand.lookup.next() {
                // Whoever looks for its own place may be named itself.
                Step::Ask(peer) if matches!(errand.aim, Aim::Join(_)) && peer.id() == core.members[0].me.id() => {}
                step => break step,
            }
        };
        match step {
            Step::Ask(peer) => {
                errand.asked += 1;
                let (member, upkeep) = (peer.member(), errand.aim.ticket().is_none());
                let contact = peer.contact().clone();
                core.calls.ask(now, &contact, Purpose::Step(id, peer), |call| Message::Around {
                    call,
                    member,
                    key,
                    upkeep,
                });
            }
            Step::Ended(owners) => {
                errand.owners = owners.into();
                self.deliver(core, now, id);
            }
            Step::Failed => self.end(core, id, Answer::NotFound),
        }
    }

    pub(super) fn handle_nodes(&mut self, core: &mut Core, now: Instant, step: (u32, &Peer), known: Around) {
        let Some(errand) = self.errands.get_mut(&step.0) else { return };
        errand.lookup.on_answer(step.1, known);
        self.go_on(core, now, step.0);
    }

    pub(super) fn handle_silence(&mut self, core: &mut Core, now: Instant, id: u32, peer: &Peer) {
        let Some(errand) = self.errands.get_mut(&id) else { return };
        errand.lookup.on_silence(peer);
        if core.config.goes_round || matches!(errand.aim, Aim::Join(_)) {
            self.go_on(core, now, id);
        } else {
            self.end(core, id, Answer::NotFound);
        }
    }

    /// A question of this node was passed on and has come back.
    pub(super) fn handle_ended(&mut self, core: &mut Core, now: Instant, ended: Ended) {
        let Some(errand) = self.errands.get_mut(&ended.errand) else { return };
        (errand.lookup.hops, errand.lookup.timeouts) = (ended.way.hops, ended.way.timeouts);
        errand.asked += ended.asked;
        errand.key_only += ended.way.hops.saturating_sub(ended.asked);
        errand.owners = ended.owners.into();
        self.deliver(core, now, ended.errand);
    }

    /// The owner is known: do there what the errand is for.
    fn deliver(&mut self, core: &mut Core, now: Instant, id: u32) {
        let Some(errand) = self.errands.get_mut(&id) else { return };
        let Some(owner) = errand.owners.pop_front() else { return self.end(core, id, Answer::NotFound) };
        let is_mine = core.members.iter().any(|member| member.me.id() == owner.id());
        let contact = owner.contact().clone();
        let replicas = core.config.copies.saturating_sub(1);
        match &errand.aim {
            Aim::Finger(member, exponent) => {
                let (member, exponent) = (*member, *exponent);
                core.members[member].fingers.set(exponent, Some(owner));
                self.errands.remove(&id);
            }
            Aim::Join(member) => {
                let member = *member;
                let found = std::iter::once(owner).chain(errand.owners.drain(..));
                if core.members[member].come_between(found, core.config.successors) {
                    core.joined = Some(member);
                }
                self.errands.remove(&id);
            }
            Aim::Fetch(_, key) if is_mine => {
                let key = *key;
                match core.index.get(&key).cloned() {
                    Some(holder) => self.collect(core, now, id, &holder),
                    None => core.store(Reading::Own(id), |token| StoreWork::Read { token, key }),
                }
            }
            Aim::Fetch(_, key) => {
                let key = *key;
                errand.asked += 1;
                core.calls.ask(now, &contact, Purpose::Deliver(id, owner), |call| Message::Get { call, key });
            }
            Aim::Insert(_, block) if core.config.publish == Publish::Reference => {
                let (block, key, me) = (block.clone(), block.key(), core.members[0].me.clone());
                core.store(Reading::OwnKept(id), |token| StoreWork::Keep { token, block });
                if is_mine {
                    keeping::remember(core, now, key, &me, replicas);
                } else {
                    core.calls.ask(now, &contact, Purpose::Deliver(id, owner), |call| Message::Refer {
                        call,
                        key,
                        holder: me,
                        replicas,
                    });
                }
            }
            Aim::Insert(_, block) if is_mine => {
                let block = block.clone();
                core.store(Reading::OwnKept(id), |token| StoreWork::Keep { token, block });
            }
            Aim::Insert(_, block) => {
                let (key, parcel) = (block.key(), block.parcel());
                core.calls.ask(now, &contact, Purpose::Deliver(id, owner), |call| Message::Put {
                    call,
                    key,
                    parcel,
                    replicas,
                });
            }
        }
    }

    /// Asks whoever is said to have the block.
    fn collect(&mut self, core: &mut Core, now: Instant, id: u32, holder: &Peer) {
        let Some(errand) = self.errands.get_mut(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return };
        if core.members[0].me.id() == holder.id() {
            return core.store(Reading::Own(id), |token| StoreWork::Read { token, key });
        }
        errand.asked += 1;
        core.calls.ask(now, holder.contact(), Purpose::Collect(id), |call| Message::Get { call, key });
    }

    /// An owner or holder answers.
    pub(super) fn handle_delivered(&mut self, core: &mut Core, now: Instant, id: u32, from: &Peer, said: Said) {
        let Some(errand) = self.errands.get_mut(&id) else { return };
        let hops = u32::from(errand.lookup.hops);
        match (&errand.aim, said) {
            (Aim::Fetch(_, key), Said::Data(parcel)) => match parcel.open(key) {
                Ok(block) => self.end(core, id, Answer::Found { block, hops, own_store: false }),
                Err(_) => {
                    core.calls.offence(from.id(), Offence::BadBlock);
                    self.deliver(core, now, id);
                }
            },
            (Aim::Fetch(..), Said::Held(holder)) => self.collect(core, now, id, &holder),
            (Aim::Fetch(..), Said::Missing) => {
                errand.missing += 1;
                if errand.missing < core.config.copies {
                    self.deliver(core, now, id);
                } else {
                    self.end(core, id, Answer::NotFound);
                }
            }
            (Aim::Insert(..), Said::Stored(durable)) => {
                self.end(core, id, Answer::Inserted { stores: u32::from(durable), wanted: 1 });
            }
            _ => core.calls.offence(from.id(), Offence::OutOfTurn),
        }
    }

    /// An owner does not answer: the next one of the list is the owner now.
    pub(super) fn handle_undelivered(&mut self, core: &mut Core, now: Instant, id: u32) {
        if core.config.goes_round {
            self.deliver(core, now, id);
        } else {
            self.end(core, id, Answer::NotFound);
        }
    }

    /// The holder answers.
    pub(super) fn handle_collected(&mut self, core: &mut Core, from: NodeId, id: u32, parcel: Parcel) {
        let Some(errand) = self.errands.get(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return };
        let hops = u32::from(errand.lookup.hops);
        match parcel.open(&key) {
            Ok(block) => self.end(core, id, Answer::Found { block, hops, own_store: false }),
            Err(_) => {
                core.calls.offence(from, Offence::BadBlock);
                self.end(core, id, Answer::NotFound);
            }
        }
    }

    /// The holder does not answer or has lost the block.
    pub(super) fn handle_uncollected(&mut self, core: &mut Core, id: u32) {
        self.end(core, id, Answer::NotFound);
    }

    /// This node's own store answers a fetch.
    pub(super) fn handle_own(&mut self, core: &mut Core, now: Instant, id: u32, block: Option<Block>) {
        let Some(errand) = self.errands.get(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return };
        match block {
            Some(block) => {
                let (hops, own_store) = (u32::from(errand.lookup.hops), errand.asked == 0);
                self.end(core, id, Answer::Found { block, hops, own_store });
            }
            // Where it is the owner itself and has nothing, further copies may exist.
            None if core.owns(key.location()) => {
                let member = core.member_before(key.location());
                let next = core.members[member].successors.first().cloned();
                match (core.index.get(&key).cloned(), next) {
                    (Some(holder), _) if holder.id() != core.members[0].me.id() => self.collect(core, now, id, &holder),
                    (None, Some(next)) if core.config.copies > 1 => {
                        let contact = next.contact().clone();
                        if let Some(errand) = self.errands.get_mut(&id) {
                            errand.missing = core.config.copies - 1;
                        }
                        core.calls.ask(now, &contact, Purpose::Deliver(id, next), |call| Message::Get { call, key });
                    }
                    _ => self.end(core, id, Answer::NotFound),
                }
            }
            None => self.go_on(core, now, id),
        }
    }

    /// This node's own store has kept the block of an insert. Gives the key if further copies are to be made.
    pub(super) fn handle_own_kept(&mut self, core: &mut Core, id: u32, durable: bool) -> Option<Block> {
        let errand = self.errands.get(&id)?;
        let Aim::Insert(_, block) = &errand.aim else { return None };
        let (block, key) = (block.clone(), block.key());
        let is_reference = core.config.publish == Publish::Reference;
        if is_reference && !core.index.contains_key(&key) {
            return None;
        }
        self.end(core, id, Answer::Inserted { stores: u32::from(durable), wanted: 1 });
        (durable && !is_reference).then_some(block)
    }

    fn end(&mut self, core: &mut Core, id: u32, answer: Answer) {
        let Some(errand) = self.errands.remove(&id) else { return };
        let Some(ticket) = errand.aim.ticket() else { return };
        let (timeouts, asked) = (u32::from(errand.lookup.timeouts), u32::from(errand.asked));
        let (key_only, hops) = (u32::from(errand.key_only), u32::from(errand.lookup.hops));
        core.calls.record(Cost { ticket, timeouts, both: asked, key_only, hops });
        core.calls.push(Output::Answer { ticket, answer });
    }
}

impl Aim {
    const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Fetch(ticket, _) | Self::Insert(ticket, _) => Some(*ticket),
            Self::Finger(..) | Self::Join(_) => None,
        }
    }
}

/// What an owner or holder answers.
#[derive(Debug)]
pub(super) enum Said {
    Data(Parcel),
    Held(Peer),
    Missing,
    Stored(bool),
}
