//! The searches of this node's own clients: who leads them, hits, the download.
//!
//! A leaf whose parent is lost asks another one.

use std::collections::{BTreeMap, BTreeSet};

use super::core::{Core, Purpose, Reading};
use super::message::Message;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::hits::Hits;
use crate::overlay::mode::routes::Guid;
use crate::overlay::mode::{Answer, Offence, Output, StoreWork, Ticket};
use crate::time::Instant;

/// All searches under way.
#[derive(Debug, Default)]
pub(super) struct Searches {
    open: BTreeMap<Guid, Search>,
    /// When each is given up.
    due: BTreeSet<(Instant, Guid)>,
}

#[derive(Debug)]
struct Search {
    ticket: Ticket,
    key: RoutingKey,
    /// The parent that leads it.
    parent: Option<NodeId>,
    hits: Hits,
    deadline: Instant,
    timeouts: u32,
}

impl Searches {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A client wants a document; gives the id of the search.
    pub(super) fn enter(&mut self, core: &mut Core, now: Instant, ticket: Ticket, key: RoutingKey) -> Guid {
        let (id, deadline) = (core.guids.draw(), now + limits::LED_TIME);
        let search = Search { ticket, key, parent: None, hits: Hits::default(), deadline, timeouts: 0 };
        self.open.insert(id, search);
        self.due.insert((deadline, id));
        id
    }

    /// The own store is looked into first.
    pub(super) fn read(&self, core: &mut Core, id: Guid) {
        if let Some(key) = self.key(id) {
            core.store(Reading::Own(id), |token| StoreWork::Read { token, key });
        }
    }

    /// What a search is for.
    pub(super) fn key(&self, id: Guid) -> Option<RoutingKey> {
        self.open.get(&id).map(|search| search.key)
    }

    /// The client has lost interest; gives the id of its search.
    pub(super) fn cancel(&mut self, ticket: Ticket) -> Option<Guid> {
        let found = self.open.iter().find(|(_, search)| search.ticket == ticket).map(|(id, _)| *id)?;
        self.remove(found);
        Some(found)
    }

    /// A leaf asks one of its parents to search.
    pub(super) fn ask_parent(&mut self, core: &mut Core, id: Guid) {
        let Some(search) = self.open.get_mut(&id) else { return };
        let Some(to) = core.standing.draw(&mut core.dice, None) else {
            return self.end(core, id, Answer::Unavailable);
        };
        search.parent = Some(to);
        core.calls.push(Output::Send { to, message: Message::Search { id, key: search.key } });
    }

    /// A parent is gone: what it led begins anew at another.
    pub(super) fn on_parent_lost(&mut self, core: &mut Core, parent: &NodeId) {
        for id in self.begin_anew(core, parent) {
            self.ask_parent(core, id);
        }
    }

    /// Searches that a parent led, and that it will not end, begin anew: under another id, so that they are duplicates nowhere.
    pub(super) fn begin_anew(&mut self, core: &mut Core, parent: &NodeId) -> Vec<Guid> {
        let is_led = |search: &Search| search.parent == Some(*parent) && !search.hits.is_collecting();
        let lost: Vec<Guid> = self.open.iter().filter(|(_, search)| is_led(search)).map(|(id, _)| *id).collect();
        let anew = lost.into_iter().filter_map(|id| {
            let mut search = self.remove(id)?;
            search.timeouts += 1;
            search.parent = None;
            let id = core.guids.draw();
            self.due.insert((search.deadline, id));
            self.open.insert(id, search);
            Some(id)
        });
        anew.collect()
    }

    /// Somebody has the document. Whether the search is one of this node's own.
    pub(super) fn on_hit(
        &mut self,
        core: &mut Core,
        now: Instant,
        (id, hops, holders): (Guid, u16, Vec<Contact>),
    ) -> bool {
        let Some(search) = self.open.get_mut(&id) else { return false };
        for holder in holders.into_iter().filter(|holder| holder.id() != core.me.id()) {
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
        let Some(search) = self.open.get(&id) else { return };
        let key = search.key;
        match holder {
            Some(holder) => core.calls.ask(now, &holder, Purpose::Collect(id), |call| Message::Get { call, key }),
            None if search.hits.is_over() => self.end(core, id, Answer::NotFound),
            None => {}
        }
    }

    /// Whoever leads a search has ended it. What it said before that may still be on its way, for messages may pass each other.
    pub(super) fn on_over(&mut self, now: Instant, id: Guid) {
        let Some(search) = self.open.get_mut(&id) else { return };
        search.hits.close();
        if search.hits.is_over() {
            self.due.remove(&(search.deadline, id));
            search.deadline = search.deadline.min(now + limits::OVER_GRACE);
            self.due.insert((search.deadline, id));
        }
    }

    /// The own store has the block.
    pub(super) fn on_own(&mut self, core: &mut Core, id: Guid, block: Block) {
        self.end(core, id, Answer::Found { block, hops: 0, own_store: true });
    }

    /// A holder sends the document.
    pub(super) fn handle_data(&mut self, core: &mut Core, now: Instant, from: NodeId, (id, parcel): (Guid, Parcel)) {
        let Some(search) = self.open.get(&id) else { return };
        match parcel.open(&search.key) {
            Ok(block) => {
                let hops = search.hits.hops().unwrap_or(0).into();
                self.end(core, id, Answer::Found { block, hops, own_store: false });
            }
            Err(_) => {
                core.calls.offence(from, Offence::BadBlock);
                self.on_vain(core, now, id, false);
            }
        }
    }

    /// Searches whose time is up end; gives their ids.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) -> Vec<Guid> {
        let mut ended = Vec::new();
        while let Some((_, id)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.pop_first();
            self.end(core, id, Answer::NotFound);
            ended.push(id);
        }
        ended
    }

    fn remove(&mut self, id: Guid) -> Option<Search> {
        let search = self.open.remove(&id)?;
        self.due.remove(&(search.deadline, id));
        Some(search)
    }

    fn end(&mut self, core: &mut Core, id: Guid, answer: Answer) {
        let Some(Search { ticket, hits, timeouts, .. }) = self.remove(id) else { return };
        let hops = hits.hops().unwrap_or(0).into();
        core.calls.record(Cost { ticket, hops, timeouts, both: 0, key_only: 0 });
        core.calls.push(Output::Answer { ticket, answer });
    }
}
