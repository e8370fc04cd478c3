//! The searches of this node's own clients: rounds, hits, the download.
//!
//! Leaves out what other nodes search for.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Replication, Strategy};
use super::copies;
use super::core::{Core, Purpose, Reading};
use super::message::{Message, Walker};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::hits::Hits;
use crate::overlay::mode::routes::Guid;
use crate::overlay::mode::standing::OWN;
use crate::overlay::mode::{Answer, Offence, Output, StoreWork, Ticket};
use crate::time::Instant;

/// All searches under way.
#[derive(Debug, Default)]
pub(super) struct Searches {
    open: BTreeMap<Guid, Search>,
    /// When each has waited long enough for hits.
    due: BTreeSet<(Instant, Guid)>,
}

#[derive(Debug)]
struct Search {
    ticket: Ticket,
    key: RoutingKey,
    round: u8,
    hits: Hits,
    deadline: Option<Instant>,
    /// Holders that learned who asks by being asked.
    named: u32,
    timeouts: u32,
}

impl Searches {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A client wants a document.
    pub(super) fn begin(&mut self, core: &mut Core, now: Instant, ticket: Ticket, key: RoutingKey, own_store: bool) {
        let id = core.guids.draw();
        let hits = Hits::default();
        let search = Search { ticket, key, round: 0, hits, deadline: None, named: 0, timeouts: 0 };
        self.open.insert(id, search);
        if own_store {
            core.store(Reading::Own(id), |token| StoreWork::Read { token, key });
        } else {
            self.ask(core, now, id);
        }
    }

    /// The client has lost interest.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        let found = self.open.iter().find(|(_, search)| search.ticket == ticket).map(|(id, _)| *id);
        if let Some(id) = found {
            self.remove(id);
        }
    }

    /// The own store has answered.
    pub(super) fn handle_own(&mut self, core: &mut Core, now: Instant, id: Guid, block: Option<Block>) {
        match block {
            Some(block) => self.end(core, id, Answer::Found { block, hops: 0, own_store: true }),
            None => self.ask(core, now, id),
        }
    }

    /// Sends out a round.
    fn ask(&mut self, core: &mut Core, now: Instant, id: Guid) {
        let Some(search) = self.open.get_mut(&id) else { return };
        if core.standing.is_empty() {
            return self.end(core, id, Answer::Unavailable);
        }
        let (round, key) = (search.round, search.key);
        let deadline = now + core.config.patience(round);
        search.deadline = Some(deadline);
        self.due.insert((deadline, id));
        core.note(now, id, OWN, round);
        match core.config.strategy {
            Strategy::Walk => send_walkers(core, id, key),
            Strategy::Flood | Strategy::Deepen => {
                // At most `FLOOD_HOPS`, which a byte holds.
                let ttl = core.config.depth(round) as u8;
                core.spread(None, &Message::Query { id, round, ttl, hops: 0, key });
            }
        }
    }

    /// Whether a walker of this search shall go on.
    pub(super) fn is_wanted(&self, id: Guid) -> bool {
        self.open.get(&id).is_some_and(|search| search.hits.hops().is_none())
    }

    /// Somebody has the document. Whether the search is one of this node's own.
    pub(super) fn on_hit(&mut self, core: &mut Core, now: Instant, (id, hops, holder): (Guid, u16, Contact)) -> bool {
        let Some(search) = self.open.get_mut(&id) else { return false };
        if holder.id() != core.me.id() {
            search.hits.hear(hops, holder);
        }
        let next = search.hits.pop_if_idle();
        self.ask_holder(core, now, id, next);
        true
    }

    /// A holder has not the document, or has not answered.
    pub(super) fn on_vain(&mut self, core: &mut Core, now: Instant, id: Guid, is_silence: bool) {
        let Some(search) = self.open.get_mut(&id) else { return };
        search.timeouts += u32::from(is_silence);
        let next = search.hits.pop();
        self.ask_holder(core, now, id, next);
    }

    fn ask_holder(&mut self, core: &mut Core, now: Instant, id: Guid, holder: Option<Contact>) {
        let Some(search) = self.open.get_mut(&id) else { return };
        let Some(holder) = holder else {
            if search.hits.is_over() {
                self.end(core, id, Answer::NotFound);
            }
            return;
        };
        // The first hop of a flood has seen who asks already, as has every node that a walker came to.
        let is_told = core.config.strategy == Strategy::Walk || core.standing.contains(&holder.id());
        search.named += u32::from(!is_told);
        let key = search.key;
        let along = (core.config.replication == Replication::Path).then_some(id);
        core.calls.ask(now, &holder, Purpose::Collect(id), |call| Message::Get { call, key, along });
    }

    /// A holder sends the document.
    pub(super) fn handle_data(&mut self, core: &mut Core, now: Instant, from: NodeId, (id, parcel): (Guid, Parcel)) {
        let Some(search) = self.open.get(&id) else { return };
        match parcel.open(&search.key) {
            Ok(block) => {
                let hops = search.hits.hops().unwrap_or(0);
                copies::on_found(core, &block, hops);
                let hops = hops.into();
                self.end(core, id, Answer::Found { block, hops, own_store: false });
            }
            Err(_) => {
                core.calls.offence(from, Offence::BadBlock);
                self.on_vain(core, now, id, false);
            }
        }
    }

    /// Searches that have waited long enough go deeper or end.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        while let Some((_, id)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.pop_first();
            let Some(search) = self.open.get_mut(&id) else { continue };
            search.deadline = None;
            if search.hits.is_collecting() {
                search.hits.close();
            } else if core.config.depth(search.round) < core.config.ttl {
                search.round += 1;
                self.ask(core, now, id);
            } else {
                self.end(core, id, Answer::NotFound);
            }
        }
    }

    fn remove(&mut self, id: Guid) -> Option<Search> {
        let search = self.open.remove(&id)?;
        if let Some(deadline) = search.deadline {
            self.due.remove(&(deadline, id));
        }
        Some(search)
    }

    fn end(&mut self, core: &mut Core, id: Guid, answer: Answer) {
        let Some(search) = self.remove(id) else { return };
        let Search { ticket, hits, named, timeouts, .. } = search;
        core.calls.record(Cost { ticket, hops: hits.hops().unwrap_or(0).into(), timeouts, both: named, key_only: 0 });
        core.calls.push(Output::Answer { ticket, answer });
    }
}

/// Sets walkers off, evenly over the neighbours in an order drawn by lot.
fn send_walkers(core: &mut Core, id: Guid, key: RoutingKey) {
    let mut order: Vec<NodeId> = core.standing.others(None).collect();
    core.dice.shuffle(&mut order);
    let walker = Box::new(Walker { id, left: core.config.ttl, hops: 0, key, origin: core.me.clone() });
    for to in order.into_iter().cycle().take(core.config.walkers.into()) {
        core.calls.push(Output::Send { to, message: Message::Walk(walker.clone()) });
    }
}
