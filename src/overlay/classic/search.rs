//! Requests and inserts: depth first, nearest key first, backtracking, data along the path.
//!
//! Counts nodes as the papers do: the originator's own is the first, a node visited before costs nothing, a dead one costs
//! a hop. An insert ends where its hops to live end; if the network ends first, every node visited stores the data.

use crate::id::NodeId;
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::classic::core::Core;
use crate::overlay::classic::exchange::{Aim, Exchange, Hops, Origin, SeenIds, State};
use crate::overlay::classic::message::{Message, TransactionId};
use crate::overlay::mode::{Answer, Command, Offence, Output, Ticket};
use crate::time::Instant;

/// All requests and inserts of one node.
#[derive(Debug, Default)]
pub(super) struct Searches {
    open: Vec<Exchange>,
    seen: SeenIds,
}

/// A request or insert as it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) id: TransactionId,
    pub(super) htl: u16,
    pub(super) depth: u16,
    pub(super) key: crate::key::RoutingKey,
}

impl Searches {
    /// A local client wants something.
    pub(super) fn handle_command(&mut self, core: &mut Core, now: Instant, ticket: Ticket, command: Command) {
        let (aim, key, own_store) = match command {
            Command::Fetch { key, own_store } => (Aim::Find, key, own_store),
            Command::Insert { block } => (Aim::InsertOwn(block.clone()), block.key(), true),
            Command::Cancel => return self.open.retain(|exchange| exchange.origin != Origin::Local(ticket)),
        };
        let id = core.transaction_id();
        let hops = Hops { to_live: own_htl(core).saturating_sub(1), depth: 1 };
        let exchange = Exchange::new(id, Origin::Local(ticket), aim, key, hops, now);
        self.open.push(exchange);
        if own_store {
            core.look_up(id, key);
        } else {
            self.on_missing(core, now, id);
        }
    }

    /// Another node asks, or wants to insert.
    pub(super) fn handle_asked(&mut self, core: &mut Core, now: Instant, from: NodeId, aim: Aim, asked: Asked) {
        let Asked { id, htl, depth, key } = asked;
        if htl == 0 {
            return core.offence(from, Offence::OutOfTurn);
        }
        if self.knows(id) || self.open.len() >= limits::CLASSIC_EXCHANGES {
            return core.reply(from, Message::Continue { id, htl });
        }
        let hops = Hops { to_live: htl - 1, depth: depth.saturating_add(1) };
        self.open.push(Exchange::new(id, Origin::Peer(from), aim, key, hops, now));
        core.look_up(id, key);
    }

    /// The store has looked.
    pub(super) fn handle_read(&mut self, core: &mut Core, now: Instant, id: TransactionId, block: Option<Block>) {
        match block {
            Some(block) => {
                let Some(exchange) = self.take(now, id) else { return };
                let source = core.me.clone();
                give(core, &exchange, block, &source, true);
            }
            None => self.on_missing(core, now, id),
        }
    }

    /// Data comes back.
    pub(super) fn handle_data(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, htl): (TransactionId, u16),
        (source, parcel): (Contact, Parcel),
    ) {
        let Some(exchange) = self.asked_of(core, from, id) else { return };
        let Ok(block) = parcel.open(&exchange.key) else {
            core.offence(from, Offence::BadBlock);
            return self.on_silent(core, now, id);
        };
        exchange.htl = exchange.htl.min(htl);
        let Some(exchange) = self.take(now, id) else { return };
        core.keep(block.clone());
        core.learn(block.key().location(), &source);
        give(core, &exchange, block, &source, false);
    }

    /// Hops to live are used up further on.
    pub(super) fn handle_not_found(&mut self, core: &mut Core, now: Instant, from: NodeId, id: TransactionId) {
        if let Some(exchange) = self.asked_of(core, from, id) {
            exchange.htl = 0;
            self.on_exhausted(core, now, id);
        }
    }

    /// A dead end further on, or a loop.
    pub(super) fn handle_continue(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, htl): (TransactionId, u16),
    ) {
        let Some(exchange) = self.asked_of(core, from, id) else { return };
        if let State::Asking(contact) = &exchange.state
            && htl < exchange.htl
        {
            let contact = contact.clone();
            exchange.visited.push(contact);
        }
        exchange.htl = exchange.htl.min(htl);
        self.advance(core, now, id);
    }

    /// Work goes on further on.
    pub(super) fn handle_restart(&mut self, core: &mut Core, now: Instant, from: NodeId, id: TransactionId) {
        if let Some(exchange) = self.asked_of(core, from, id) {
            keep_alive(core, exchange, now);
        }
    }

    /// Nobody on the path has the key: the data may come.
    pub(super) fn handle_all_clear(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, depth): (TransactionId, u16),
    ) {
        let Some(exchange) = self.asked_of(core, from, id) else { return };
        let State::Asking(contact) = &exchange.state else { return };
        let next = Some(contact.clone());
        self.grant(core, now, id, next, depth);
    }

    /// The data of an insert.
    pub(super) fn handle_insert_data(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        (id, everywhere): (TransactionId, bool),
        (source, parcel): (Contact, Parcel),
    ) {
        let Some(exchange) = self.find(id) else {
            // It may have come twice, over two ways, or too late.
            if !self.seen.contains(id) {
                core.offence(from, Offence::Unasked);
            }
            return;
        };
        let due = matches!(exchange.state, State::Granted(_) | State::Left);
        if !due || exchange.origin != Origin::Peer(from) {
            return core.offence(from, Offence::OutOfTurn);
        }
        let Ok(block) = parcel.open(&exchange.key) else { return core.offence(from, Offence::BadBlock) };
        let Some(exchange) = self.take(now, id) else { return };
        core.learn(block.key().location(), &source);
        pass_on(core, exchange, &block, &source, everywhere);
    }

    /// A node cannot be reached.
    pub(super) fn handle_unreachable(&mut self, core: &mut Core, now: Instant, peer: &NodeId) {
        for id in self.waiting_for(peer) {
            self.on_silent(core, now, id);
        }
    }

    /// A link is gone: what came over it is at an end, what was asked over it is asked again.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: &NodeId) {
        let from_peer = |exchange: &&Exchange| exchange.origin == Origin::Peer(*peer) && exchange.uses(peer);
        let ended: Vec<TransactionId> = self.open.iter().filter(from_peer).map(|exchange| exchange.id).collect();
        for id in ended {
            self.take(now, id);
        }
        for id in self.waiting_for(peer) {
            if let Some(exchange) = self.find(id)
                && let State::Asking(contact) = exchange.state.clone()
            {
                core.contact(&contact, exchange.question());
            }
        }
    }

    fn waiting_for(&self, peer: &NodeId) -> Vec<TransactionId> {
        self.open.iter().filter(|exchange| exchange.awaits(peer)).map(|exchange| exchange.id).collect()
    }

    /// Timers that have run out.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        let due: Vec<TransactionId> =
            self.open.iter().filter(|exchange| exchange.deadline <= now).map(|exchange| exchange.id).collect();
        for id in due {
            match self.find(id).map(|exchange| &exchange.state) {
                Some(State::Asking(_)) => self.on_silent(core, now, id),
                Some(_) => drop(self.take(now, id)),
                None => {}
            }
        }
    }

    /// When the next timer runs out.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.open.iter().map(|exchange| exchange.deadline).min()
    }

    /// Whether an exchange needs the link to `peer`.
    pub(super) fn uses(&self, peer: &NodeId) -> bool {
        self.open.iter().any(|exchange| exchange.uses(peer))
    }

    /// How many exchanges are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    fn on_missing(&mut self, core: &mut Core, now: Instant, id: TransactionId) {
        self.advance(core, now, id);
    }

    /// Asks the next node, or gives up here.
    fn advance(&mut self, core: &mut Core, now: Instant, id: TransactionId) {
        let Some(exchange) = self.find(id) else { return };
        if exchange.htl == 0 {
            return self.on_exhausted(core, now, id);
        }
        match exchange.next(&core.table) {
            Some(contact) => {
                keep_alive(core, exchange, now);
                exchange.state = State::Asking(contact.clone());
                core.contact(&contact, exchange.question());
            }
            None => self.on_dead_end(core, now, id),
        }
    }

    /// The node asked is as good as dead: that costs one hop.
    fn on_silent(&mut self, core: &mut Core, now: Instant, id: TransactionId) {
        let Some(exchange) = self.find(id) else { return };
        exchange.htl = exchange.htl.saturating_sub(1);
        self.advance(core, now, id);
    }

    /// Hops to live are used up: a request has failed, an insert is all clear.
    fn on_exhausted(&mut self, core: &mut Core, now: Instant, id: TransactionId) {
        let Some(exchange) = self.find(id) else { return };
        if !matches!(exchange.aim, Aim::Find) {
            let depth = exchange.depth;
            return self.grant(core, now, id, None, depth - 1);
        }
        match self.take(now, id).map(|exchange| exchange.origin) {
            Some(Origin::Peer(peer)) => core.reply(peer, Message::NotFound { id }),
            Some(Origin::Local(ticket)) => core.push(Output::Answer { ticket, answer: Answer::NotFound }),
            None => {}
        }
    }

    /// No node is left to ask, but hops to live are.
    fn on_dead_end(&mut self, core: &mut Core, now: Instant, id: TransactionId) {
        let Some(exchange) = self.find(id) else { return };
        let (origin, htl, is_find) = (exchange.origin, exchange.htl, matches!(exchange.aim, Aim::Find));
        match origin {
            Origin::Peer(peer) => {
                core.reply(peer, Message::Continue { id, htl });
                if is_find {
                    self.take(now, id);
                } else {
                    exchange.state = State::Left;
                    exchange.wind(now);
                }
            }
            Origin::Local(ticket) if is_find => {
                self.take(now, id);
                core.push(Output::Answer { ticket, answer: Answer::NotFound });
            }
            Origin::Local(ticket) => {
                let Some(exchange) = self.take(now, id) else { return };
                let stores = u32::try_from(exchange.visited.len()).unwrap_or(u32::MAX);
                let me = core.me.clone();
                if let Aim::InsertOwn(block) = exchange.aim.clone() {
                    pass_on(core, exchange, &block, &me, true);
                }
                core.push(Output::Answer { ticket, answer: inserted(stores) });
            }
        }
    }

    /// The way is clear up to `depth` forwards from the originator; the data shall go on to `next`.
    fn grant(&mut self, core: &mut Core, now: Instant, id: TransactionId, next: Option<Contact>, depth: u16) {
        let Some(exchange) = self.find(id) else { return };
        exchange.state = State::Granted(next);
        exchange.wind(now);
        match exchange.origin {
            Origin::Peer(peer) => core.reply(peer, Message::AllClear { id, depth }),
            Origin::Local(ticket) => {
                let Some(exchange) = self.take(now, id) else { return };
                let me = core.me.clone();
                if let Aim::InsertOwn(block) = exchange.aim.clone() {
                    pass_on(core, exchange, &block, &me, false);
                }
                core.push(Output::Answer { ticket, answer: inserted(u32::from(depth)) });
            }
        }
    }

    /// The exchange `id`, if `from` is the one whose answer it awaits.
    fn asked_of(&mut self, core: &mut Core, from: NodeId, id: TransactionId) -> Option<&mut Exchange> {
        let Some(at) = self.open.iter().position(|exchange| exchange.id == id) else {
            if !self.seen.contains(id) {
                core.offence(from, Offence::Unasked);
            }
            return None;
        };
        // An answer that comes after its node was given up is honest, and too late.
        self.open[at].awaits(&from).then(|| &mut self.open[at])
    }

    fn knows(&self, id: TransactionId) -> bool {
        self.seen.contains(id) || self.open.iter().any(|exchange| exchange.id == id)
    }

    fn find(&mut self, id: TransactionId) -> Option<&mut Exchange> {
        self.open.iter_mut().find(|exchange| exchange.id == id)
    }

    /// Ends the exchange here; its id stays known.
    fn take(&mut self, now: Instant, id: TransactionId) -> Option<Exchange> {
        let at = self.open.iter().position(|exchange| exchange.id == id)?;
        self.seen.insert(now, id);
        Some(self.open.swap_remove(at))
    }
}

/// Hops to live of this node's own requests.
fn own_htl(core: &Core) -> u16 {
    core.measuring.unwrap_or(core.config.htl)
}

/// Hands found data to whoever asked.
fn give(core: &mut Core, exchange: &Exchange, block: Block, source: &Contact, own_store: bool) {
    match exchange.origin {
        Origin::Peer(peer) => {
            let (id, htl) = (exchange.id, exchange.htl);
            let message = Message::Data { id, htl, source: source.clone(), parcel: block.parcel() };
            core.reply(peer, message);
        }
        Origin::Local(ticket) => {
            let hops = u32::from(own_htl(core).saturating_sub(1).saturating_sub(exchange.htl));
            let answer = match &exchange.aim {
                Aim::Find => Answer::Found { block, hops, own_store },
                // What was to be inserted is there already.
                Aim::InsertOwn(own) if *own == block => inserted(1),
                _ => Answer::Collision { existing: block },
            };
            core.push(Output::Answer { ticket, answer });
        }
    }
}

/// Stores the data of an insert and sends it down the path, or to every node visited.
fn pass_on(core: &mut Core, exchange: Exchange, block: &Block, source: &Contact, everywhere: bool) {
    core.keep(block.clone());
    let path = match exchange.state {
        State::Granted(next) => next,
        _ => None,
    };
    let visited = if everywhere { exchange.visited } else { Vec::new() };
    for contact in path.iter().chain(&visited) {
        let (id, source, parcel) = (exchange.id, source.clone(), block.parcel());
        core.contact(contact, Message::InsertData { id, source, everywhere, parcel });
    }
}

/// Winds the timer, and tells the one before where that is due.
fn keep_alive(core: &mut Core, exchange: &mut Exchange, now: Instant) {
    if now < exchange.restart_due {
        return;
    }
    exchange.wind(now);
    if let Origin::Peer(peer) = exchange.origin {
        core.reply(peer, Message::Restart { id: exchange.id });
    }
}

/// Hops to live say how many copies are wanted; fewer are enough where the network has no more nodes.
fn inserted(stores: u32) -> Answer {
    Answer::Inserted { stores, wanted: stores.min(limits::STORES_WANTED as u32) }
}
