//! Requests: steepest ascent with depth-first backtracking, and pending keys with waiters (protocol.md §3).
//!
//! A search belongs to one asker, a peer or a local client, and is at one neighbour at a time. Routing never sees
//! plaintext, and no state outlives its exchange: what is kept of a finished search is how long it took.

mod answers;
mod load;
mod outcome;

use rand::RngExt;

use self::outcome::{Failure, Found, end, release, respond, respond_keeping};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::reference::NodeRef;
use crate::overlay::freenet::core::{Core, Event};
use crate::overlay::freenet::message::{ExchangeId, Message, Refusal};
use crate::overlay::freenet::pending::{Asker, Deadline, Forward, Pending, Search, SearchId, WaiterId, Wanted};
use crate::overlay::freenet::promptness::Promptness;
use crate::overlay::freenet::recent::{AnswerTimes, FailedRecently};
use crate::overlay::freenet::routing::{LearnedSources, NextHop};
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::{Offence, StoreToken, StoreWork, Ticket};
use crate::time::{Duration, Instant};

/// All searches of a node.
#[derive(Debug)]
pub(super) struct Searches {
    pending: Pending,
    reads: Sparse<StoreToken, SearchId>,
    times: AnswerTimes,
    pub(super) failed: FailedRecently,
    learned: LearnedSources,
    promptness: Promptness,
}

impl Searches {
    pub(super) fn new(routing_entries: usize) -> Self {
        Self {
            pending: Pending::default(),
            reads: Sparse::new(),
            times: AnswerTimes::default(),
            failed: FailedRecently::default(),
            learned: LearnedSources::new(routing_entries),
            promptness: Promptness::default(),
        }
    }

    /// How many searches and waiters are open.
    pub(super) fn open(&self) -> usize {
        self.pending.open()
    }

    /// How many learned sources are held.
    pub(super) fn learned(&self) -> usize {
        self.learned.len()
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pending.next_due()
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
        let (searches, waiters) = self.pending.asked_under(ticket);
        self.abandon(core, now, searches, waiters);
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
        let is_full = usize::from(neighbour.open_requests) >= limits::REQUESTS_PER_LINK || neighbour.behind;
        if is_full || self.open() >= limits::SEARCHES {
            return core.send(from, Message::Refused { id, refusal: Refusal::Overload });
        }
        if self.pending.is_open_for(&from, &key) {
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
        self.pending.accept_forward(from, id);
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
        let Some((search_id, forward)) = answers::take_vain(&mut self.pending, core, now, from, id) else { return };
        // Nothing was explored, so nothing is charged: a popular key is not harder to find.
        self.pending.with(search_id, |search| search.detours += u8::from(forward.is_detour));
        match refusal {
            Refusal::Pending => self.pending.with(search_id, |search| search.waited = true),
            Refusal::Overload => {
                if core.rest_for_load(now, &from) {
                    self.pending.quotas.on_overload(from);
                }
                self.pending.with(search_id, |search| search.refused.push(from));
                load::note(&mut self.pending, core, search_id);
            }
        }
        self.advance(core, now, search_id);
    }

    /// The search has ended in vain below.
    pub(super) fn handle_not_found(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId) {
        let Some((search_id, forward)) = answers::take_vain(&mut self.pending, core, now, from, id) else { return };
        self.pending.quotas.on_answered(from);
        self.pending.with(search_id, |search| search.spent = search.spent.saturating_add(forward.htl));
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
        let Some((search_id, forward)) = answers::take_vain(&mut self.pending, core, now, from, id) else { return };
        self.pending.quotas.on_answered(from);
        self.learned_wrong(search_id, &from);
        self.pending.with(search_id, |search| {
            search.explored = true;
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
        let Some((search_id, forward)) = answers::take(&mut self.pending, core, now, from, id) else { return };
        let Some(key) = self.pending.get(search_id).map(|search| search.wanted.key) else { return };
        let Ok(block) = parcel.open(&key) else {
            core.offence(now, from, Offence::BadBlock);
            self.learned_wrong(search_id, &from);
            self.pending.with(search_id, |search| search.explored = true);
            return self.advance_unless_at_a_neighbour(core, now, search_id);
        };
        if let Some(neighbour) = core.neighbours.get_mut(&from) {
            self.pending.quotas.on_answered(from);
            neighbour.useful = now;
            neighbour.faults = neighbour.faults.saturating_sub(1);
        }
        if hops == 0 {
            self.promptness.record(now.since(forward.sent));
        }
        if let Some(source) = &source {
            self.learned.learn(key, source.id, from);
        }
        self.complete(core, now, search_id, &block, source, hops);
    }

    /// A new neighbour has been greeted.
    pub(super) const fn handle_greeted(&mut self, trip: Duration) {
        self.promptness.greeted(trip);
    }

    /// The own store has answered.
    pub(super) fn handle_read(&mut self, core: &mut Core, now: Instant, token: StoreToken, block: Option<Block>) {
        let Some(search_id) = self.reads.remove(&token) else { return };
        match block {
            None => self.advance(core, now, search_id),
            Some(block) => match self.delay(core, search_id) {
                Some(delay) => self.pending.hold(search_id, block, now + delay),
                None => self.give_out(core, now, search_id, &block),
            },
        }
    }

    /// How long a block that lies here is still held back.
    fn delay(&self, core: &mut Core, id: SearchId) -> Option<Duration> {
        let search = self.pending.get(id).filter(|search| core.config.discreet && search.held.is_none())?;
        self.promptness.delay(search.wanted.stranger()?, &search.wanted.key, &mut core.random)
    }

    /// The block lies here: a search gets it, and all others for it but those from whom it is still held back.
    fn give_out(&mut self, core: &mut Core, now: Instant, id: SearchId, block: &Block) {
        self.failed.clear(&block.key());
        let answer = self.of_here(core, block, true);
        for other in self.pending.searches_for(&block.key()) {
            if other == id || self.pending.get(other).is_some_and(|search| search.held.is_none()) {
                self.conclude(core, now, other, &answer);
            }
        }
    }

    fn of_here<'a>(&self, core: &Core, block: &'a Block, from_store: bool) -> Found<'a> {
        let source = core.me.placed.then(|| core.me.reference.clone());
        Found { block, source, hops: 0, from_store }
    }

    /// A block has been held back long enough. One that found no room in memory meanwhile is read once more.
    fn on_held(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        if let Some(block) = self.pending.release(id) {
            return self.give_out(core, now, id, &block);
        }
        let Some(key) = self.pending.get(id).map(|search| search.wanted.key) else { return };
        let token = core.token();
        self.reads.insert(token, id);
        core.store(StoreWork::Read { token, key });
    }

    /// The block is here, from an insert that passes: whoever waits for it gets it.
    pub(super) fn serve(&mut self, core: &mut Core, now: Instant, block: &Block) {
        self.failed.clear(&block.key());
        let answer = self.of_here(core, block, false);
        for search_id in self.pending.searches_for(&block.key()) {
            self.conclude(core, now, search_id, &answer);
        }
    }

    /// A link is gone: what was asked there goes elsewhere, what was asked from there is dropped.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: &NodeId) {
        let (searches, waiters) = self.pending.asked_by(peer);
        self.abandon(core, now, searches, waiters);
        self.promptness.forget(peer);
        self.pending.quotas.forget(*peer);
        for id in self.pending.searches_at(peer) {
            if self.pending.drop_forwards(id, peer) {
                self.advance(core, now, id);
            }
        }
    }

    /// Deadlines have come.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        while let Some(deadline) = self.pending.pop_due(now) {
            match deadline {
                Deadline::Search(id) => self.on_silence(core, now, id),
                Deadline::Waiter(id) => self.on_waited(core, now, id),
                Deadline::Notice(id) => self.on_notice(core, id),
                Deadline::Hit(id) => self.on_held(core, now, id),
            }
        }
    }

    // -- the course of a search ---------------------------------------------------------------------------------------

    fn take(&mut self, core: &mut Core, now: Instant, wanted: Wanted) {
        match self.pending.binding(now, &wanted, core.config.discreet) {
            Some(search) if self.pending.has_room(search) => self.wait(core, now, search, wanted),
            Some(_) => self.refuse_or_begin(core, now, wanted),
            None => self.begin(core, now, wanted),
        }
    }

    fn wait(&mut self, core: &mut Core, now: Instant, id: SearchId, wanted: Wanted) {
        let wait = self.times.draw_wait(&mut core.random, wanted.patience());
        self.pending.add_waiter(id, wanted, now + wait);
    }

    fn refuse_or_begin(&mut self, core: &mut Core, now: Instant, wanted: Wanted) {
        match wanted.asker {
            Asker::Peer { .. } => respond(core, &wanted, |id| Message::Refused { id, refusal: Refusal::Pending }),
            Asker::Local { .. } => self.begin(core, now, wanted),
        }
    }

    fn begin(&mut self, core: &mut Core, now: Instant, wanted: Wanted) {
        let id = self.pending.add(now, wanted);
        if !wanted.reads_store() {
            return self.advance(core, now, id);
        }
        let token = core.token();
        self.reads.insert(token, id);
        // An own fetch leaves no trace in the order of use, which lies on the disk.
        core.store(match wanted.stranger() {
            Some(_) => StoreWork::Read { token, key: wanted.key },
            None => StoreWork::Copy { token, key: wanted.key },
        });
    }

    fn advance_unless_at_a_neighbour(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        if self.pending.get(id).is_some_and(|search| !search.is_at_a_neighbour()) {
            self.advance(core, now, id);
        }
    }

    /// Asks the next neighbour, waits for one that is overdue, or ends the search.
    fn advance(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        let Some(search) = self.pending.get(id) else { return };
        if now >= search.end {
            return self.fail(core, now, id, Failure::Late);
        }
        let Some(htl) = lowered(core, search) else { return self.fail(core, now, id, Failure::Final) };
        let (asker, next) = (search.wanted.peer(), load::next(&mut self.pending, &mut self.learned, core, now, id));
        let Some(search) = self.pending.get(id) else { return };
        match next.filter(|next| !next.is_detour || search.detours > 0) {
            None if search.has_overdue() => {
                let end = search.end;
                self.pending.set_due(id, end);
            }
            None if next.is_some() => self.fail(core, now, id, Failure::Final),
            None => {
                let failure = load::dead_end(core, now, search);
                let may_rest = asker.is_none() && search.rests < limits::RESTS_FOR_LOAD;
                match failure == Failure::Overload && may_rest {
                    true => load::rest(&mut self.pending, now, id),
                    false => self.fail(core, now, id, failure),
                }
            }
            Some(next) => self.forward(core, now, id, next, htl),
        }
    }

    fn forward(&mut self, core: &mut Core, now: Instant, id: SearchId, next: NextHop, htl: u8) {
        let exchange = core.exchange_id();
        let Some(search) = self.pending.get(id) else { return };
        let (key, due) = (search.wanted.key, search.end.min(now + limits::ACCEPT_TIMEOUT));
        let detours = search.detours - u8::from(next.is_detour);
        self.pending.with(id, |search| {
            search.detours = detours;
            search.tried.push(next.peer);
            search.spent = search.spent.saturating_add(1);
        });
        let forward =
            Forward { peer: next.peer, id: exchange, htl, is_detour: next.is_detour, accepted: false, sent: now };
        self.pending.set_forward(id, forward, due);
        core.send(next.peer, Message::Request { id: exchange, key, htl, detours });
    }

    fn on_silence(&mut self, core: &mut Core, now: Instant, id: SearchId) {
        if let Some(forward) = self.pending.leave_forward(id) {
            core.rest(now, &forward.peer, limits::REST_AFTER_SILENCE);
            self.pending.with(id, |search| search.explored = true);
        }
        let Some(end) = self.pending.get(id).map(|search| search.end) else { return };
        self.pending.set_due(id, end.max(now + limits::ACCEPT_TIMEOUT));
        self.advance(core, now, id);
    }

    /// Most searches end before this is due, so that the word costs nothing; and it does not tell a hit from a miss.
    fn on_notice(&self, core: &mut Core, id: SearchId) {
        if let Some(search) = self.pending.get(id) {
            respond_keeping(core, &search.wanted, |id| Message::Accepted { id });
        }
    }

    fn on_waited(&mut self, core: &mut Core, now: Instant, id: WaiterId) {
        if let Some(wanted) = self.pending.remove_waiter(id) {
            self.refuse_or_begin(core, now, wanted);
        }
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
        let Some(search) = self.pending.get(id) else { return };
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
        for search_id in self.pending.searches_for(&block.key()) {
            self.conclude(core, now, search_id, &answer);
        }
    }

    fn conclude(&mut self, core: &mut Core, now: Instant, id: SearchId, answer: &Found<'_>) {
        let Some((search, waiters)) = self.pending.remove(id) else { return };
        for wanted in std::iter::once(search.wanted).chain(waiters) {
            if let Some(stranger) = wanted.stranger() {
                self.promptness.note(stranger, &wanted.key);
            }
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
        let Some((search, waiters)) = self.pending.remove(id) else { return };
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

    /// Nobody asks any more in these searches: they end, unless others wait for them.
    fn abandon(&mut self, core: &mut Core, now: Instant, searches: Vec<SearchId>, waiters: Vec<WaiterId>) {
        for wanted in waiters.into_iter().filter_map(|id| self.pending.remove_waiter(id)).collect::<Vec<_>>() {
            release(core, &wanted);
        }
        for id in searches {
            let Some((_, waiters)) = self.pending.remove(id) else { continue };
            for wanted in waiters {
                self.take(core, now, wanted);
            }
        }
    }

    fn learned_wrong(&mut self, id: SearchId, peer: &NodeId) {
        if let Some(search) = self.pending.get(id) {
            self.learned.forget(&search.wanted.key, peer);
        }
    }
}

/// Hops to live for the next hop, by the coin of the link the request came over. A request of this node's own passes a
/// coin as well, so that neither the maximum nor one below it names an origin.
fn lowered(core: &Core, search: &Search) -> Option<u8> {
    let ends = core.last_hops.end(&search.wanted.key);
    match search.wanted.asker {
        Asker::Local { .. } => core.own_coins.lower(search.htl, core.config.htl, ends),
        Asker::Peer { peer, .. } => core.neighbours.get(&peer)?.lower(search.htl, core.config.htl, ends),
    }
}
