//! Requests: steepest ascent with depth-first backtracking, and pending keys with waiters (protocol.md §3).
//!
//! A search belongs to one asker, a peer or a local client, and is at one neighbour at a time. Routing never sees
//! plaintext, and no state outlives its exchange: what is kept of a finished search is how long it took.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::reference::NodeRef;
use crate::overlay::freenet::core::{Core, Event};
use crate::overlay::freenet::message::{ExchangeId, Message, Refusal};
use crate::overlay::freenet::recent::{AnswerTimes, FailedRecently};
use crate::overlay::freenet::routing::{self, Excluded, LearnedSources};
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::mode::{Answer, Offence, StoreToken, StoreWork, Ticket};
use crate::time::{Duration, Instant};

/// All open searches of a node.
#[derive(Debug)]
pub(super) struct Searches {
    by_id: BTreeMap<SearchId, Search>,
    by_key: BTreeSet<(RoutingKey, SearchId)>,
    forwards: BTreeMap<(NodeId, ExchangeId), SearchId>,
    reads: BTreeMap<StoreToken, SearchId>,
    waiters: BTreeMap<WaiterId, Waiter>,
    deadlines: Schedule<Deadline>,
    times: AnswerTimes,
    pub(super) failed: FailedRecently,
    learned: LearnedSources,
    next_id: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SearchId(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WaiterId(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Search(SearchId),
    Waiter(WaiterId),
}

/// Who wants the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Peer { peer: NodeId, id: ExchangeId },
    Local { ticket: Ticket, own_store: bool },
}

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    asker: Asker,
    key: RoutingKey,
    htl: u8,
    detours: u8,
}

#[derive(Debug)]
struct Search {
    wanted: Wanted,
    htl: u8,
    detours: u8,
    tried: Vec<NodeId>,
    forward: Option<Forward>,
    started: Instant,
    /// When the asker's patience ends.
    end: Instant,
    /// The deadline now in the schedule.
    due: Instant,
    /// Whether a neighbour let this search wait for a pending key: then its time says nothing.
    waited: bool,
    waiters: Vec<WaiterId>,
    spent: u8,
}

#[derive(Clone, Copy, Debug)]
struct Forward {
    peer: NodeId,
    id: ExchangeId,
    htl: u8,
    is_detour: bool,
    accepted: bool,
}

#[derive(Debug)]
struct Waiter {
    wanted: Wanted,
    search: SearchId,
    due: Instant,
}

/// How a search ends with the block.
#[derive(Debug)]
struct Found<'a> {
    block: &'a Block,
    source: Option<NodeRef>,
    hops: u8,
    from_store: bool,
}

/// How a search ends without the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Final,
    DeadEnd { htl: u8, detours: u8 },
    NoPeers,
}

impl Searches {
    pub(super) fn new(routing_entries: usize) -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_key: BTreeSet::new(),
            forwards: BTreeMap::new(),
            reads: BTreeMap::new(),
            waiters: BTreeMap::new(),
            deadlines: Schedule::default(),
            times: AnswerTimes::default(),
            failed: FailedRecently::default(),
            learned: LearnedSources::new(routing_entries),
            next_id: 0,
        }
    }

    /// How many searches and waiters are open.
    pub(super) fn open(&self) -> usize {
        self.by_id.len() + self.waiters.len()
    }

    /// How many learned sources are held.
    pub(super) fn learned(&self) -> usize {
        self.learned.len()
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    // -- what comes in ----------------------------------------------------------------------------------------------

    /// A local client wants a block.
    pub(super) fn fetch(&mut self, core: &mut Core, now: Instant, ticket: Ticket, key: RoutingKey, own_store: bool) {
        let wanted = Wanted {
            asker: Asker::Local { ticket, own_store },
            key,
            htl: core.config.htl,
            detours: limits::MAX_DETOURS,
        };
        self.take(core, now, wanted);
    }

    /// A local client gives up.
    pub(super) fn cancel(&mut self, core: &mut Core, now: Instant, ticket: Ticket) {
        let is_it = |wanted: &Wanted| matches!(wanted.asker, Asker::Local { ticket: open, .. } if open == ticket);
        if let Some(waiter) = self.waiters.iter().find(|(_, waiter)| is_it(&waiter.wanted)).map(|(id, _)| *id) {
            self.remove_waiter(core, waiter);
        }
        if let Some(search) = self.by_id.iter().find(|(_, search)| is_it(&search.wanted)).map(|(id, _)| *id) {
            self.orphan(core, now, search);
        }
    }

    /// A neighbour wants a block.
    pub(super) fn handle_request(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        request: (ExchangeId, RoutingKey, u8, u8),
    ) {
        let (id, key, htl, detours) = request;
        let Some(neighbour) = core.neighbours.get(&from).filter(|neighbour| neighbour.may_ask()) else {
            return core.offence(now, from, Offence::OutOfTurn);
        };
        let is_full = neighbour.open_requests >= limits::REQUESTS_PER_LINK || neighbour.behind;
        if is_full || self.open() >= limits::SEARCHES {
            return core.send(from, Message::Refused { id, refusal: Refusal::Overload });
        }
        if self.is_open_for(&from, &key) {
            return core.send(from, Message::Refused { id, refusal: Refusal::Pending });
        }
        let htl = htl.clamp(1, limits::MAX_HTL);
        if self.failed.covers(now, &key, htl) {
            return core.send(from, Message::NotFound { id });
        }
        let wanted =
            Wanted { asker: Asker::Peer { peer: from, id }, key, htl, detours: detours.min(limits::MAX_DETOURS) };
        if let Some(neighbour) = core.neighbours.get_mut(&from) {
            neighbour.open_requests += 1;
        }
        self.take(core, now, wanted);
    }

    /// The neighbour asked has taken the search on.
    pub(super) fn handle_accepted(&mut self, from: NodeId, id: ExchangeId) {
        let Some(search_id) = self.forwards.get(&(from, id)).copied() else { return };
        let Some(search) = self.by_id.get_mut(&search_id) else { return };
        if let Some(forward) = &mut search.forward {
            forward.accepted = true;
        }
        let end = search.end;
        self.set_due(search_id, end);
    }

    /// The neighbour asked does not take the search on.
    pub(super) fn handle_refused(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        refusal: Refusal,
    ) {
        let Some((search_id, forward)) = self.take_forward(core, now, from, id) else { return };
        // Nothing was explored, so nothing is charged: a popular key is not harder to find.
        self.with(search_id, |search| search.detours += u8::from(forward.is_detour));
        match refusal {
            Refusal::Pending => self.with(search_id, |search| search.waited = true),
            Refusal::Overload => {
                core.rest(now, &from, limits::REST_AFTER_OVERLOAD);
                if self.is_local(search_id) {
                    core.events.push_back(Event::Overload);
                }
            }
        }
        self.advance(core, now, search_id);
    }

    /// The search has ended in vain below.
    pub(super) fn handle_not_found(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId) {
        let Some((search_id, forward)) = self.take_forward(core, now, from, id) else { return };
        self.with(search_id, |search| search.spent = search.spent.saturating_add(forward.htl));
        self.learned_wrong(search_id, &from);
        self.fail(core, now, search_id, Failure::Final);
    }

    /// There is no way on below; what remains is spent elsewhere.
    pub(super) fn handle_route_not_found(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        left: (u8, u8),
    ) {
        let Some((search_id, forward)) = self.take_forward(core, now, from, id) else { return };
        self.learned_wrong(search_id, &from);
        self.with(search_id, |search| {
            // A peer cannot hand back more than it was given.
            let htl = left.0.min(forward.htl);
            search.spent = search.spent.saturating_add(forward.htl - htl);
            search.htl = htl.min(search.htl);
            search.detours = left.1.min(search.detours);
        });
        self.advance(core, now, search_id);
    }

    /// A block came back.
    pub(super) fn handle_found(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        found: (Parcel, Option<NodeRef>, u8),
    ) {
        let (parcel, source, hops) = found;
        let Some((search_id, _)) = self.take_forward(core, now, from, id) else { return };
        let Some(key) = self.by_id.get(&search_id).map(|search| search.wanted.key) else { return };
        let Ok(block) = parcel.open(&key) else {
            core.offence(now, from, Offence::BadBlock);
            self.learned_wrong(search_id, &from);
            return self.advance(core, now, search_id);
        };
        if let Some(neighbour) = core.neighbours.get_mut(&from) {
            neighbour.useful = now;
            neighbour.faults = neighbour.faults.saturating_sub(1);
        }
        if let Some(source) = &source {
            self.learned.learn(key, source.id, from);
        }
        self.complete(core, now, search_id, &block, source, hops);
    }

    /// The own store has answered.
    pub(super) fn handle_read(&mut self, core: &mut Core, now: Instant, token: StoreToken, block: Option<Block>) {
        let Some(search_id) = self.reads.remove(&token) else { return };
        match block {
            Some(block) => self.serve(core, now, &block, true),
            None => self.advance(core, now, search_id),
        }
    }

    /// The block is here, from the own store or from an insert that passes: whoever waits for it gets it.
    pub(super) fn serve(&mut self, core: &mut Core, now: Instant, block: &Block, from_store: bool) {
        self.failed.clear(&block.key());
        let source = core.me.placed.then(|| core.me.reference.clone());
        let answer = Found { block, source, hops: 0, from_store };
        for search_id in self.searches_for(&block.key()) {
            self.conclude(core, now, search_id, &answer);
        }
    }

    /// A link is gone: what was asked there goes elsewhere, what was asked from there is dropped.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: &NodeId) {
        let waiters: Vec<WaiterId> =
            self.waiters.iter().filter(|(_, waiter)| waiter.wanted.is_from(peer)).map(|(id, _)| *id).collect();
        for waiter in waiters {
            self.remove_waiter(core, waiter);
        }
        let asked: Vec<SearchId> =
            self.by_id.iter().filter(|(_, search)| search.wanted.is_from(peer)).map(|(id, _)| *id).collect();
        for search in asked {
            self.orphan(core, now, search);
        }
        let first = (*peer, ExchangeId(0));
        let at_peer: Vec<((NodeId, ExchangeId), SearchId)> =
            self.forwards.range(first..).take_while(|((at, _), _)| at == peer).map(|(at, id)| (*at, *id)).collect();
        for (at, search_id) in at_peer {
            self.forwards.remove(&at);
            self.with(search_id, |search| search.forward = None);
            self.advance(core, now, search_id);
        }
    }

    /// Deadlines have come.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        while let Some(deadline) = self.deadlines.pop_due(now) {
            match deadline {
                Deadline::Search(id) => self.on_silence(core, now, id),
                Deadline::Waiter(id) => self.on_waited(core, now, id),
            }
        }
    }

    // -- the course of a search ---------------------------------------------------------------------------------------

    fn take(&mut self, core: &mut Core, now: Instant, wanted: Wanted) {
        match self.binding(now, &wanted) {
            Some(search) if self.has_room(search) => self.wait(core, now, search, wanted),
            Some(_) => self.refuse_or_begin(core, now, wanted),
            None => self.begin(core, now, wanted),
        }
    }

    /// The youngest search for `key`, unless it has been pending for too long to bind anybody.
    fn binding(&self, now: Instant, wanted: &Wanted) -> Option<SearchId> {
        let is_young = |search: &Search| now.since(search.started) < limits::PENDING_BINDS;
        // A client that passes its own store by must not hide from others what that store holds.
        let may_bind = |search: &Search| search.wanted.reads_store() || !wanted.reads_store();
        let ids = self.searches_for(&wanted.key).into_iter().rev();
        let mut searches = ids.filter_map(|id| self.by_id.get(&id).map(|search| (id, search)));
        searches.find(|(_, search)| is_young(search) && may_bind(search)).map(|(id, _)| id)
    }

    fn has_room(&self, search: SearchId) -> bool {
        self.by_id.get(&search).is_some_and(|search| search.waiters.len() < limits::WAITERS_PER_KEY)
    }

    fn wait(&mut self, core: &mut Core, now: Instant, search_id: SearchId, wanted: Wanted) {
        let wait = self.times.draw_wait(&mut core.random, patience(wanted.htl));
        let (id, due) = (WaiterId(self.fresh_id()), now + wait);
        self.waiters.insert(id, Waiter { wanted, search: search_id, due });
        self.deadlines.add(due, Deadline::Waiter(id));
        self.with(search_id, |search| search.waiters.push(id));
    }

    fn refuse_or_begin(&mut self, core: &mut Core, now: Instant, wanted: Wanted) {
        match wanted.asker {
            Asker::Peer { .. } => respond(core, &wanted, |id| Message::Refused { id, refusal: Refusal::Pending }),
            Asker::Local { .. } => self.begin(core, now, wanted),
        }
    }

    fn begin(&mut self, core: &mut Core, now: Instant, wanted: Wanted) {
        let (id, end) = (SearchId(self.fresh_id()), now + patience(wanted.htl));
        let search = Search {
            wanted,
            htl: wanted.htl,
            detours: wanted.detours,
            tried: Vec::new(),
            forward: None,
            started: now,
            end,
            due: end,
            waited: false,
            waiters: Vec::new(),
            spent: 0,
        };
        self.by_id.insert(id, search);
        self.by_key.insert((wanted.key, id));
        self.deadlines.add(end, Deadline::Search(id));
        if !wanted.reads_store() {
            return self.advance(core, now, id);
        }
        let token = core.token();
        self.reads.insert(token, id);
        core.store(StoreWork::Read { token, key: wanted.key });
    }

    /// Asks the next neighbour, or ends the search.
    fn advance(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        let Some(search) = self.by_id.get(&id) else { return };
        if now >= search.end {
            return self.fail(core, now, id, Failure::Final);
        }
        let Some(htl) = lowered(core, search) else { return self.fail(core, now, id, Failure::Final) };
        let asker = search.wanted.peer();
        let excluded = Excluded { asker, tried: &search.tried };
        let key = search.wanted.key;
        let next = routing::next_for_request(
            &core.neighbours,
            &mut self.learned,
            core.me.reference.location,
            &key,
            excluded,
            now,
        );
        match next {
            None => {
                let failure = match search.tried.is_empty() && asker.is_none() {
                    true => Failure::NoPeers,
                    false => Failure::DeadEnd { htl: search.htl, detours: search.detours },
                };
                self.fail(core, now, id, failure);
            }
            Some(next) if next.is_detour && search.detours == 0 => self.fail(core, now, id, Failure::Final),
            Some(next) => self.forward(core, now, id, next, htl),
        }
    }

    fn forward(&mut self, core: &mut Core, now: Instant, id: SearchId, next: routing::NextHop, htl: u8) {
        let exchange = core.exchange_id();
        let Some(search) = self.by_id.get_mut(&id) else { return };
        if search.tried.is_empty() {
            // The asker learns that the search goes on, not whether this node had to ask or only wanted to.
            respond_keeping(core, &search.wanted, |id| Message::Accepted { id });
        }
        search.detours -= u8::from(next.is_detour);
        search.tried.push(next.peer);
        search.spent = search.spent.saturating_add(1);
        search.forward =
            Some(Forward { peer: next.peer, id: exchange, htl, is_detour: next.is_detour, accepted: false });
        let (key, detours) = (search.wanted.key, search.detours);
        let due = search.end.min(now + limits::ACCEPT_TIMEOUT);
        self.forwards.insert((next.peer, exchange), id);
        self.set_due(id, due);
        core.send(next.peer, Message::Request { id: exchange, key, htl, detours });
    }

    fn on_silence(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        let Some(search) = self.by_id.get_mut(&id) else { return };
        if let Some(forward) = search.forward.take() {
            self.forwards.remove(&(forward.peer, forward.id));
            if !forward.accepted {
                core.rest(now, &forward.peer, limits::REST_AFTER_SILENCE);
            }
        }
        let end = search.end;
        self.set_due(id, end.max(now + limits::ACCEPT_TIMEOUT));
        self.advance(core, now, id);
    }

    fn on_waited(&mut self, core: &mut Core, now: Instant, id: WaiterId) {
        let Some(waiter) = self.waiters.remove(&id) else { return };
        self.with(waiter.search, |search| search.waiters.retain(|other| *other != id));
        self.refuse_or_begin(core, now, waiter.wanted);
    }

    // -- ends ---------------------------------------------------------------------------------------------------------

    /// The block came from a neighbour: everybody who waits for it here gets it.
    fn complete(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: SearchId,
        block: &Block,
        source: Option<NodeRef>,
        hops: u8,
    ) {
        self.failed.clear(&block.key());
        let Some(search) = self.by_id.get(&id) else { return };
        let spent = search.spent;
        if !search.waited {
            self.times.record(now.since(search.started));
        }
        let is_near_origin = search.wanted.peer().is_none() || search.wanted.htl >= core.config.htl.saturating_sub(1);
        if !is_near_origin {
            core.store(StoreWork::Cache { block: block.clone() });
            if let Some(source) = &source {
                core.events.push_back(Event::Source(source.clone()));
            }
        }
        let takes_its_place = core.me.placed && core.random.random_ratio(1, limits::SOURCE_SUBSTITUTION);
        let (source, hops) = match takes_its_place {
            true => (Some(core.me.reference.clone()), 0),
            false => (source, hops.saturating_add(spent)),
        };
        let answer = Found { block, source, hops, from_store: false };
        for search_id in self.searches_for(&block.key()) {
            self.conclude(core, now, search_id, &answer);
        }
    }

    fn conclude(&mut self, core: &mut Core, now: Instant, id: SearchId, answer: &Found<'_>) {
        let Some((search, waiters)) = self.remove(id) else { return };
        for wanted in std::iter::once(search.wanted).chain(waiters) {
            match wanted.asker {
                Asker::Peer { .. } => respond(core, &wanted, |id| answer.message(id)),
                Asker::Local { own_store: false, .. } if answer.from_store => {
                    // Another's search was answered by this node's own store, which this client did not want.
                    self.begin(core, now, wanted);
                }
                Asker::Local { ticket, .. } => core.answer(ticket, answer.to_client()),
            }
        }
    }

    fn fail(&mut self, core: &mut Core, now: Instant, id: SearchId, failure: Failure) {
        let Some((search, waiters)) = self.remove(id) else { return };
        if failure == Failure::Final {
            self.failed.record(now, search.wanted.key, search.wanted.htl);
        }
        for wanted in waiters {
            // One that may go further, or would rather not depend on a dead end, goes on by itself.
            match failure == Failure::Final && wanted.htl <= search.wanted.htl {
                true => end(core, &wanted, failure),
                false => self.take(core, now, wanted),
            }
        }
        end(core, &search.wanted, failure);
    }

    /// Nobody asks any more: the search ends, unless others wait for it.
    fn orphan(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        let Some((_, waiters)) = self.remove(id) else { return };
        for wanted in waiters {
            self.take(core, now, wanted);
        }
    }

    // -- bookkeeping --------------------------------------------------------------------------------------------------

    fn remove(&mut self, id: SearchId) -> Option<(Search, Vec<Wanted>)> {
        let search = self.by_id.remove(&id)?;
        self.by_key.remove(&(search.wanted.key, id));
        self.deadlines.cancel(search.due, Deadline::Search(id));
        if let Some(forward) = &search.forward {
            self.forwards.remove(&(forward.peer, forward.id));
        }
        let waiters = search.waiters.iter().filter_map(|waiter_id| {
            let waiter = self.waiters.remove(waiter_id)?;
            self.deadlines.cancel(waiter.due, Deadline::Waiter(*waiter_id));
            Some(waiter.wanted)
        });
        let waiters = waiters.collect();
        Some((search, waiters))
    }

    fn remove_waiter(&mut self, core: &mut Core, id: WaiterId) {
        let Some(waiter) = self.waiters.remove(&id) else { return };
        self.deadlines.cancel(waiter.due, Deadline::Waiter(id));
        self.with(waiter.search, |search| search.waiters.retain(|other| *other != id));
        release(core, &waiter.wanted);
    }

    /// The open forward that an answer belongs to. An answer nobody waits for is counted against its sender.
    fn take_forward(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
    ) -> Option<(SearchId, Forward)> {
        let Some(search_id) = self.forwards.remove(&(from, id)) else {
            core.offence(now, from, Offence::Unasked);
            return None;
        };
        let search = self.by_id.get_mut(&search_id)?;
        let forward = search.forward.take()?;
        let end = search.end;
        self.set_due(search_id, end);
        Some((search_id, forward))
    }

    fn searches_for(&self, key: &RoutingKey) -> Vec<SearchId> {
        let range = (*key, SearchId(0))..=(*key, SearchId(u64::MAX));
        self.by_key.range(range).map(|(_, id)| *id).collect()
    }

    fn is_open_for(&self, peer: &NodeId, key: &RoutingKey) -> bool {
        self.searches_for(key).iter().filter_map(|id| self.by_id.get(id)).any(|search| {
            let waiting =
                search.waiters.iter().filter_map(|id| self.waiters.get(id)).any(|waiter| waiter.wanted.is_from(peer));
            waiting || search.wanted.is_from(peer)
        })
    }

    fn is_local(&self, id: SearchId) -> bool {
        self.by_id.get(&id).is_some_and(|search| search.wanted.peer().is_none())
    }

    fn learned_wrong(&mut self, id: SearchId, peer: &NodeId) {
        if let Some(search) = self.by_id.get(&id) {
            self.learned.forget(&search.wanted.key, peer);
        }
    }

    fn with(&mut self, id: SearchId, change: impl FnOnce(&mut Search)) {
        if let Some(search) = self.by_id.get_mut(&id) {
            change(search);
        }
    }

    fn set_due(&mut self, id: SearchId, due: Instant) {
        let Some(search) = self.by_id.get_mut(&id) else { return };
        self.deadlines.cancel(search.due, Deadline::Search(id));
        search.due = due;
        self.deadlines.add(due, Deadline::Search(id));
    }

    const fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

impl Found<'_> {
    fn message(&self, id: ExchangeId) -> Message {
        Message::Found { id, parcel: self.block.parcel(), source: self.source.clone(), hops: self.hops }
    }

    fn to_client(&self) -> Answer {
        Answer::Found { block: self.block.clone(), hops: u32::from(self.hops), own_store: self.from_store }
    }
}

impl Wanted {
    const fn peer(&self) -> Option<NodeId> {
        match self.asker {
            Asker::Peer { peer, .. } => Some(peer),
            Asker::Local { .. } => None,
        }
    }

    /// Whether this node's own store is asked before the network.
    const fn reads_store(&self) -> bool {
        !matches!(self.asker, Asker::Local { own_store: false, .. })
    }

    fn is_from(&self, peer: &NodeId) -> bool {
        self.peer().as_ref() == Some(peer)
    }
}

/// How long a request with `htl` hops to live may take.
fn patience(htl: u8) -> Duration {
    limits::PATIENCE_PER_HOP * (u32::from(htl) + 2)
}

/// Hops to live for the next hop, by the coin of the link the request came over. A request of this node's own passes a
/// coin as well, so that neither the maximum nor one below it names an origin.
fn lowered(core: &Core, search: &Search) -> Option<u8> {
    match search.wanted.asker {
        Asker::Local { .. } => core.own_coins.lower(search.htl, core.config.htl),
        Asker::Peer { peer, .. } => core.neighbours.get(&peer)?.lower(search.htl, core.config.htl),
    }
}

fn end(core: &mut Core, wanted: &Wanted, failure: Failure) {
    match (wanted.asker, failure) {
        (Asker::Local { ticket, .. }, Failure::NoPeers) => core.answer(ticket, Answer::Unavailable),
        (Asker::Local { ticket, .. }, _) => core.answer(ticket, Answer::NotFound),
        (Asker::Peer { .. }, Failure::DeadEnd { htl, detours }) => {
            respond(core, wanted, |id| Message::RouteNotFound { id, htl, detours });
        }
        (Asker::Peer { .. }, _) => respond(core, wanted, |id| Message::NotFound { id }),
    }
}

/// Answers a peer for good.
fn respond(core: &mut Core, wanted: &Wanted, message: impl FnOnce(ExchangeId) -> Message) {
    respond_keeping(core, wanted, message);
    release(core, wanted);
}

fn respond_keeping(core: &mut Core, wanted: &Wanted, message: impl FnOnce(ExchangeId) -> Message) {
    if let Asker::Peer { peer, id } = wanted.asker {
        core.send(peer, message(id));
    }
}

fn release(core: &mut Core, wanted: &Wanted) {
    if let Some(neighbour) = wanted.peer().and_then(|peer| core.neighbours.get_mut(&peer)) {
        neighbour.open_requests = neighbour.open_requests.saturating_sub(1);
    }
}
