//! Lookups under way, and what each is for: a command, storing again what is kept here, joining, refreshing a bucket.
//!
//! Leaves out when upkeep is due, and answering others.

use std::collections::{BTreeMap, VecDeque};

use super::core::{Core, Purpose, Reading};
use super::lookup::Lookup;
use super::message::Message;
use super::table;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
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
    lookup: Lookup,
    /// Stores that have still to answer, and those that took the block.
    waiting: usize,
    stores: u32,
    /// Nodes that are said to have the document, still to be asked.
    providers: VecDeque<Contact>,
    /// Whether one of them is asked; the lookup rests until then.
    is_collecting: bool,
}

/// What a lookup is for.
#[derive(Debug)]
pub(super) enum Aim {
    Fetch(Ticket, RoutingKey),
    Insert(Ticket, Block),
    /// What is kept here is stored at those that are nearest now.
    Republish(Block),
    /// A newcomer looks for itself, then into every range.
    Join,
    Refresh,
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
            Command::Fetch { key, own_store: true } => {
                let id = self.enter(core, now, Aim::Fetch(ticket, key), key);
                core.store(Reading::Own(id), |token| StoreWork::Read { token, key });
            }
            Command::Fetch { key, own_store: false } => self.begin(core, now, Aim::Fetch(ticket, key), key),
            Command::Insert { block } => {
                let key = block.key();
                self.begin(core, now, Aim::Insert(ticket, block), key);
            }
            Command::Cancel => self.open.retain(|_, errand| errand.aim.ticket() != Some(ticket)),
        }
    }

    /// Looks `name` up.
    pub(super) fn begin(&mut self, core: &mut Core, now: Instant, aim: Aim, name: RoutingKey) {
        let id = self.enter(core, now, aim, name);
        self.go_on(core, now, id);
    }

    fn enter(&mut self, core: &mut Core, now: Instant, aim: Aim, name: RoutingKey) -> u32 {
        core.table.look_up(&name.0, now);
        let known = core.table.nearest(&name.0, core.config.k);
        self.next = self.next.wrapping_add(1);
        self.open.insert(
            self.next,
            Errand {
                aim,
                lookup: Lookup::new(name.0, known),
                waiting: 0,
                stores: 0,
                providers: VecDeque::new(),
                is_collecting: false,
            },
        );
        self.next
    }

    fn go_on(&mut self, core: &mut Core, now: Instant, id: u32) {
        let (k, alpha) = (core.config.k, core.config.alpha);
        let Some(errand) = self.open.get_mut(&id).filter(|errand| !errand.is_collecting) else { return };
        let (name, is_fetch) = (RoutingKey(errand.lookup.name), matches!(errand.aim, Aim::Fetch(..)));
        while let Some(contact) = errand.lookup.next(k, alpha) {
            let sender = core.me.clone();
            core.calls.ask(now, &contact.clone(), Purpose::Step(id, contact), |call| {
                if is_fetch {
                    Message::FindValue { call, sender, key: name }
                } else {
                    Message::FindNode { call, sender, target: name }
                }
            });
        }
        if errand.lookup.is_over() {
            self.on_over(core, now, id);
        }
    }

    /// The nearest nodes are known.
    fn on_over(&mut self, core: &mut Core, now: Instant, id: u32) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        match &errand.aim {
            Aim::Fetch(..) => self.end(core, id, Answer::NotFound),
            Aim::Refresh => drop(self.open.remove(&id)),
            Aim::Join => {
                self.open.remove(&id);
                let random = core.random();
                for name in core.table.ranges(&random) {
                    self.begin(core, now, Aim::Refresh, name);
                }
            }
            Aim::Insert(_, block) | Aim::Republish(block) => {
                let block = block.clone();
                self.put_to_nearest(core, now, id, block);
            }
        }
    }

    fn put_to_nearest(&mut self, core: &mut Core, now: Instant, id: u32, block: Block) {
        if core.config.publish == Publish::Reference {
            return self.provide(core, now, id, block);
        }
        let (copies, key) = (core.config.copies, block.key());
        let Some(errand) = self.open.get_mut(&id) else { return };
        let mut nearest = errand.lookup.nearest(copies);
        // This node may be among the nearest itself.
        let own = table::apart(&core.me.id().0, &key.0);
        let nearer = nearest.iter().filter(|other| table::apart(&other.id().0, &key.0) < own).count();
        let keeps = nearer < copies;
        nearest.truncate(if keeps { copies - 1 } else { copies });
        errand.waiting = nearest.len() + usize::from(keeps);
        for contact in nearest {
            core.put(now, &contact, Purpose::Store(id), (key, block.parcel()));
        }
        if keeps {
            core.kept.insert(key, now);
            core.store(Reading::OwnKept(id, key), |token| StoreWork::Keep { token, block });
        }
    }

    /// Keeps a document here and lets the nearest know.
    fn provide(&mut self, core: &mut Core, now: Instant, id: u32, block: Block) {
        let key = block.key();
        let Some(errand) = self.open.get_mut(&id) else { return };
        let nearest = errand.lookup.nearest(core.config.copies);
        errand.waiting = nearest.len() + 1;
        for contact in nearest {
            let sender = core.me.clone();
            core.calls.ask(now, &contact, Purpose::Store(id), |call| Message::Provide { call, sender, key });
        }
        core.kept.insert(key, now);
        core.store(Reading::OwnKept(id, key), |token| StoreWork::Keep { token, block });
    }

    /// A node that was asked says who has the document.
    pub(super) fn handle_providers(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, providers): (u32, Vec<Contact>),
    ) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        if !matches!(errand.aim, Aim::Fetch(..)) {
            return core.calls.offence(from, Offence::OutOfTurn);
        }
        errand.lookup.on_answer(from, Vec::new(), core.me.id());
        for provider in providers {
            let is_new = provider != core.me && !errand.providers.contains(&provider);
            if is_new && errand.providers.len() < limits::CALL_CONTACTS {
                errand.providers.push_back(provider);
            }
        }
        if !errand.is_collecting {
            self.collect(core, now, id);
        }
    }

    /// Asks the next node that is said to have the document; looks on if none is left.
    pub(super) fn collect(&mut self, core: &mut Core, now: Instant, id: u32) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        let next = errand.providers.pop_front();
        errand.is_collecting = next.is_some();
        let (Aim::Fetch(_, key), Some(provider)) = (&errand.aim, next) else { return self.go_on(core, now, id) };
        let (key, sender) = (*key, core.me.clone());
        errand.lookup.asked += 1;
        core.calls.ask(now, &provider, Purpose::Collect(id), |call| Message::FindValue { call, sender, key });
    }

    /// A node that is said to have the document gives it.
    pub(super) fn handle_collected(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, parcel): (u32, Parcel),
    ) {
        let Some(errand) = self.open.get(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return };
        let hops = errand.lookup.rounds.max(1).into();
        match parcel.open(&key) {
            Ok(block) => self.end(core, id, Answer::Found { block, hops, own_store: false }),
            Err(_) => {
                core.calls.offence(from, Offence::BadBlock);
                self.collect(core, now, id);
            }
        }
    }

    /// One store has answered, or will not.
    pub(super) fn handle_stored(&mut self, core: &mut Core, id: u32, durable: bool) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        errand.waiting -= 1;
        errand.stores += u32::from(durable);
        if errand.waiting == 0 {
            // The publisher's own copy is worth nothing if nobody knows of it.
            let own = u32::from(core.config.publish == Publish::Reference);
            let stores = errand.stores.saturating_sub(own);
            self.end(core, id, Answer::Inserted { stores, wanted: 1 });
        }
    }

    /// A node that was asked names others.
    pub(super) fn handle_nodes(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, contacts): (u32, Vec<Contact>),
    ) {
        if let Some(errand) = self.open.get_mut(&id) {
            errand.lookup.on_answer(from, contacts, core.me.id());
        }
        self.go_on(core, now, id);
    }

    /// A node that was asked says that it has the block.
    pub(super) fn handle_value(&mut self, core: &mut Core, now: Instant, from: NodeId, (id, parcel): (u32, Parcel)) {
        let Some(errand) = self.open.get_mut(&id) else { return };
        let Aim::Fetch(_, key) = errand.aim else { return core.calls.offence(from, Offence::OutOfTurn) };
        let Ok(block) = parcel.open(&key) else {
            core.calls.offence(from, Offence::BadBlock);
            return self.handle_nodes(core, now, from, (id, Vec::new()));
        };
        let hops = errand.lookup.on_found(from).into();
        // The nearest node that was asked and has it not gets a copy in passing.
        let is_whole = core.config.publish == Publish::Value;
        if let Some(missed) = errand.lookup.nearest(1).pop().filter(|_| is_whole) {
            core.put(now, &missed, Purpose::Passing, (key, block.parcel()));
        }
        self.end(core, id, Answer::Found { block, hops, own_store: false });
    }

    /// A node that was asked stays silent.
    pub(super) fn handle_silence(&mut self, core: &mut Core, now: Instant, id: u32, node: NodeId) {
        if let Some(errand) = self.open.get_mut(&id) {
            errand.lookup.on_silence(node);
        }
        self.go_on(core, now, id);
    }

    /// The own store has answered.
    pub(super) fn handle_own(&mut self, core: &mut Core, now: Instant, id: u32, block: Option<Block>) {
        match block {
            Some(block) => self.end(core, id, Answer::Found { block, hops: 0, own_store: true }),
            None => self.go_on(core, now, id),
        }
    }

    fn end(&mut self, core: &mut Core, id: u32, answer: Answer) {
        let Some(errand) = self.open.remove(&id) else { return };
        let Some(ticket) = errand.aim.ticket() else { return };
        let Lookup { rounds, timeouts, asked, .. } = errand.lookup;
        core.calls.record(Cost {
            ticket,
            hops: rounds.into(),
            timeouts: timeouts.into(),
            both: asked.into(),
            key_only: 0,
        });
        core.calls.push(Output::Answer { ticket, answer });
    }
}

impl Aim {
    const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Fetch(ticket, _) | Self::Insert(ticket, _) => Some(*ticket),
            Self::Republish(_) | Self::Join | Self::Refresh => None,
        }
    }
}
