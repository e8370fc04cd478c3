//! The searches that are open at a node, who asks in them, and who waits for them.
//!
//! Keeps the tables consistent: a search is found by its id, by its key and by the exchange it has open at a neighbour,
//! and its deadline stands in the schedule exactly once. Decides nothing; the course of a search is in `search`.

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::overlay::freenet::message::ExchangeId;
use crate::overlay::freenet::quota::Quotas;
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::{OF_NODE, Ticket};
use crate::time::{Duration, Instant};

/// The tables.
#[derive(Debug)]
pub(super) struct Pending {
    searches: Sparse<SearchId, Box<Search>>,
    by_key: Sparse<(RoutingKey, SearchId), ()>,
    forwards: Sparse<(NodeId, ExchangeId), SearchId>,
    waiters: Sparse<WaiterId, Waiter>,
    /// Blocks that are held back, at most [`limits::HITS_HELD_BACK`].
    kept: Sparse<SearchId, Block>,
    deadlines: Schedule<Deadline>,
    pub(super) quotas: Quotas,
    next_id: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SearchId(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WaiterId(u64);

/// What has become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deadline {
    /// The neighbour asked has been silent for too long, or the search has no time left.
    Search(SearchId),
    /// A waiter has waited long enough.
    Waiter(WaiterId),
    /// The asker should hear that the search goes on.
    Notice(SearchId),
    /// A block that lies here may be given out.
    Hit(SearchId),
}

/// Who wants the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Peer { peer: NodeId, id: ExchangeId },
    Local { ticket: Ticket, own_store: bool },
}

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) asker: Asker,
    pub(super) key: RoutingKey,
    pub(super) htl: u8,
    pub(super) detours: u8,
}

/// One search: at one neighbour at a time, and still open to late answers of those that took it on.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) wanted: Wanted,
    /// Hops to live and detours that remain.
    pub(super) htl: u8,
    pub(super) detours: u8,
    pub(super) tried: Vec<NodeId>,
    pub(super) started: Instant,
    /// When the asker's patience ends.
    pub(super) end: Instant,
    /// Whether a neighbour let this search wait for a pending key: then its time says nothing.
    pub(super) waited: bool,
    /// Who refused for load.
    pub(super) refused: Vec<NodeId>,
    /// Whether somebody could not be asked for load: then the block may be there all the same.
    pub(super) overloaded: bool,
    /// How often it has waited for load to pass.
    pub(super) rests: u8,
    /// Whether anybody looked, however vainly.
    pub(super) explored: bool,
    /// Whether the best way was closed for load: before anybody had looked.
    pub(super) starved: bool,
    /// Until when the block, which lies here, is held back.
    pub(super) held: Option<Instant>,
    /// Forwards made so far, those backtracked from included.
    pub(super) spent: u8,
    forward: Option<Forward>,
    /// Those that took the search on and have had their time: their answers still count. At most one for each span of
    /// [`limits::ACCEPT_TIMEOUT`] that the search lasts.
    overdue: Vec<Forward>,
    /// The deadline now in the schedule.
    due: Instant,
    /// When the asker, if it is a neighbour, is told that the search goes on.
    notice: Option<Instant>,
    waiters: Vec<WaiterId>,
}

/// Where a search is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward {
    pub(super) peer: NodeId,
    pub(super) id: ExchangeId,
    pub(super) htl: u8,
    pub(super) is_detour: bool,
    pub(super) accepted: bool,
    pub(super) sent: Instant,
}

impl Forward {
    /// When the search goes on elsewhere although the neighbour has taken it on. Counted from the question, so that no
    /// word moves it; and shorter with every hop, so that the node beside a silent one goes on before those above it do.
    fn until(&self) -> Instant {
        self.sent + limits::ACCEPT_TIMEOUT + limits::ACCEPTED_PER_HOP * u32::from(self.htl)
    }
}

#[derive(Debug)]
struct Waiter {
    wanted: Wanted,
    search: SearchId,
    due: Instant,
}

impl Wanted {
    /// The neighbour that asks; none for a local client.
    pub(super) const fn peer(&self) -> Option<NodeId> {
        match self.asker {
            Asker::Peer { peer, .. } => Some(peer),
            Asker::Local { .. } => None,
        }
    }

    /// Over which link somebody else asks. All who ask by pre-routing, for whom this node is the exit, count as one.
    pub(super) fn stranger(&self) -> Option<NodeId> {
        match self.asker {
            Asker::Peer { peer, .. } => Some(peer),
            Asker::Local { ticket, .. } => (ticket.0 & OF_NODE != 0).then_some(NodeId([0; 32])),
        }
    }

    /// Whether this node's own store is asked before the network.
    pub(super) const fn reads_store(&self) -> bool {
        !matches!(self.asker, Asker::Local { own_store: false, .. })
    }

    /// How long the request may take.
    pub(super) fn patience(&self) -> Duration {
        limits::PATIENCE_PER_HOP * (u32::from(self.htl) + 2)
    }

    fn is_from(&self, peer: &NodeId) -> bool {
        self.peer().as_ref() == Some(peer)
    }

    fn is_of(&self, wanted: Ticket) -> bool {
        matches!(self.asker, Asker::Local { ticket, .. } if ticket == wanted)
    }
}

impl Search {
    /// Whether it is at a neighbour now.
    pub(super) const fn is_at_a_neighbour(&self) -> bool {
        self.forward.is_some()
    }

    /// Whether a neighbour that took it on may still answer.
    pub(super) const fn has_overdue(&self) -> bool {
        !self.overdue.is_empty()
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            searches: Sparse::new(),
            by_key: Sparse::new(),
            forwards: Sparse::new(),
            waiters: Sparse::new(),
            kept: Sparse::new(),
            deadlines: Schedule::default(),
            quotas: Quotas::new(limits::REQUESTS_PER_LINK),
            next_id: 0,
        }
    }
}

impl Pending {
    /// How many searches and waiters are open.
    pub(super) fn open(&self) -> usize {
        self.searches.len() + self.waiters.len()
    }

    /// The earliest deadline.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Takes the earliest deadline if it has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Deadline> {
        self.deadlines.pop_due(now)
    }

    pub(super) fn get(&self, id: SearchId) -> Option<&Search> {
        self.searches.get(&id).map(Box::as_ref)
    }

    pub(super) fn with(&mut self, id: SearchId, change: impl FnOnce(&mut Search)) {
        if let Some(search) = self.searches.get_mut(&id) {
            change(search);
        }
    }

    /// Opens a search.
    pub(super) fn add(&mut self, now: Instant, wanted: Wanted) -> SearchId {
        let (id, end) = (SearchId(self.fresh_id()), now + wanted.patience());
        let search = Search {
            wanted,
            htl: wanted.htl,
            detours: wanted.detours,
            tried: Vec::new(),
            started: now,
            end,
            waited: false,
            refused: Vec::new(),
            overloaded: false,
            rests: 0,
            explored: false,
            starved: false,
            held: None,
            spent: 0,
            forward: None,
            overdue: Vec::new(),
            due: end,
            notice: wanted.peer().map(|_| now + limits::ACCEPT_AFTER),
            waiters: Vec::new(),
        };
        if let Some(notice) = search.notice {
            self.deadlines.add(notice, Deadline::Notice(id));
        }
        self.searches.insert(id, Box::new(search));
        self.by_key.insert((wanted.key, id), ());
        self.deadlines.add(end, Deadline::Search(id));
        id
    }

    /// Closes a search; gives back who waited for it.
    pub(super) fn remove(&mut self, id: SearchId) -> Option<(Box<Search>, Vec<Wanted>)> {
        let search = self.searches.remove(&id)?;
        self.by_key.remove(&(search.wanted.key, id));
        self.deadlines.cancel(search.due, Deadline::Search(id));
        if let Some(notice) = search.notice {
            self.deadlines.cancel(notice, Deadline::Notice(id));
        }
        if let Some(until) = search.held {
            self.kept.remove(&id);
            self.deadlines.cancel(until, Deadline::Hit(id));
        }
        for forward in search.forward.iter().chain(&search.overdue) {
            self.forwards.remove(&(forward.peer, forward.id));
            self.quotas.close(forward.peer, search.wanted.peer());
        }
        let mut waiters = Vec::with_capacity(search.waiters.len());
        for waiter_id in &search.waiters {
            if let Some(waiter) = self.waiters.remove(waiter_id) {
                self.deadlines.cancel(waiter.due, Deadline::Waiter(*waiter_id));
                waiters.push(waiter.wanted);
            }
        }
        Some((search, waiters))
    }

    /// Holds a block that was found here back, in memory if there is room for it.
    pub(super) fn hold(&mut self, id: SearchId, block: Block, until: Instant) {
        if let Some(search) = self.searches.get_mut(&id) {
            search.held = Some(until);
            self.deadlines.add(until, Deadline::Hit(id));
            if self.kept.len() < limits::HITS_HELD_BACK {
                self.kept.insert(id, block);
            }
        }
    }

    /// The block that a search holds back; none if there was no room for it.
    pub(super) fn release(&mut self, id: SearchId) -> Option<Block> {
        self.kept.remove(&id)
    }

    /// Lets an asker wait for a search until `due`.
    pub(super) fn add_waiter(&mut self, search: SearchId, wanted: Wanted, due: Instant) {
        let id = WaiterId(self.fresh_id());
        self.waiters.insert(id, Waiter { wanted, search, due });
        self.deadlines.add(due, Deadline::Waiter(id));
        self.with(search, |search| search.waiters.push(id));
    }

    /// Takes a waiter away from the search it waits for.
    pub(super) fn remove_waiter(&mut self, id: WaiterId) -> Option<Wanted> {
        let waiter = self.waiters.remove(&id)?;
        self.deadlines.cancel(waiter.due, Deadline::Waiter(id));
        self.with(waiter.search, |search| search.waiters.retain(|other| *other != id));
        Some(waiter.wanted)
    }

    /// The search has gone to a neighbour, who is to answer by `due`.
    pub(super) fn set_forward(&mut self, id: SearchId, forward: Forward, due: Instant) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        self.forwards.insert((forward.peer, forward.id), id);
        self.quotas.open(forward.peer, search.wanted.peer());
        search.forward = Some(forward);
        self.set_due(id, due);
    }

    /// Whether `asker` may have one more request open at a neighbour.
    pub(super) fn has_quota(&self, to: NodeId, asker: Option<NodeId>) -> bool {
        self.quotas.has_room(to, asker)
    }

    /// The neighbour has taken the search on: it has longer, but not as long as the asker has.
    pub(super) fn accept_forward(&mut self, peer: NodeId, id: ExchangeId) {
        let Some(search_id) = self.forwards.get(&(peer, id)).copied() else { return };
        let Some(search) = self.searches.get_mut(&search_id) else { return };
        let Some(forward) = search.forward.as_mut().filter(|forward| forward.id == id && forward.peer == peer) else {
            return;
        };
        forward.accepted = true;
        let due = forward.until().min(search.end);
        self.set_due(search_id, due);
    }

    /// The search that has this exchange open, which is thereby over.
    pub(super) fn take_forward(&mut self, peer: NodeId, id: ExchangeId) -> Option<(SearchId, Forward)> {
        let search_id = self.forwards.remove(&(peer, id))?;
        let search = self.searches.get_mut(&search_id)?;
        self.quotas.close(peer, search.wanted.peer());
        let is_it = |forward: &Forward| forward.peer == peer && forward.id == id;
        if let Some(late) = search.overdue.iter().position(is_it) {
            return Some((search_id, search.overdue.swap_remove(late)));
        }
        let forward = search.forward.take()?;
        let end = search.end;
        self.set_due(search_id, end);
        Some((search_id, forward))
    }

    /// Goes on from the neighbour that a search is at. One that took the search on may still answer.
    pub(super) fn leave_forward(&mut self, id: SearchId) -> Option<Forward> {
        let search = self.searches.get_mut(&id)?;
        let forward = search.forward.take()?;
        match forward.accepted {
            true => search.overdue.push(forward),
            false => {
                self.forwards.remove(&(forward.peer, forward.id));
                self.quotas.close(forward.peer, search.wanted.peer());
            }
        }
        Some(forward)
    }

    /// Gives up what a search has open at a neighbour whose link is gone. Returns whether it must go on elsewhere.
    pub(super) fn drop_forwards(&mut self, id: SearchId, peer: &NodeId) -> bool {
        let Some(search) = self.searches.get_mut(&id) else { return false };
        let gone: Vec<Forward> = search.overdue.extract_if(.., |forward| forward.peer == *peer).collect();
        let current = search.forward.take_if(|forward| forward.peer == *peer);
        for forward in gone.iter().chain(&current) {
            self.forwards.remove(&(forward.peer, forward.id));
            self.quotas.close(forward.peer, search.wanted.peer());
        }
        search.forward.is_none()
    }

    /// All searches for a key, oldest first.
    pub(super) fn searches_for(&self, key: &RoutingKey) -> Vec<SearchId> {
        let range = (*key, SearchId(0))..=(*key, SearchId(u64::MAX));
        self.by_key.range(range).map(|((_, id), ())| *id).collect()
    }

    /// The youngest search that a new asker may wait for, unless all have been pending for too long to bind anybody.
    pub(super) fn binding(&self, now: Instant, wanted: &Wanted, is_discreet: bool) -> Option<SearchId> {
        // One that holds the block back tells nobody so: another asker has a delay of its own.
        let is_young = |search: &Search| now.since(search.started) < limits::PENDING_BINDS && search.held.is_none();
        // A client that passes its own store by must not hide from others what that store holds. And a neighbour that asks for
        // what this node seeks itself gets a search of its own, as from a node that knows nothing of the key: a refusal would
        // tell it who seeks the key.
        let may_bind = |search: &Search| {
            let is_telling = is_discreet && search.wanted.peer().is_none() && wanted.peer().is_some();
            !is_telling && (search.wanted.reads_store() || !wanted.reads_store())
        };
        let ids = self.searches_for(&wanted.key).into_iter().rev();
        let mut searches = ids.filter_map(|id| self.searches.get(&id).map(|search| (id, search)));
        searches.find(|(_, search)| is_young(search) && may_bind(search)).map(|(id, _)| id)
    }

    /// Whether another asker may wait for a search.
    pub(super) fn has_room(&self, id: SearchId) -> bool {
        self.searches.get(&id).is_some_and(|search| search.waiters.len() < limits::WAITERS_PER_KEY)
    }

    /// Whether a neighbour already asks for a key.
    pub(super) fn is_open_for(&self, peer: &NodeId, key: &RoutingKey) -> bool {
        self.searches_for(key).iter().filter_map(|id| self.searches.get(id)).any(|search| {
            let mut waiting = search.waiters.iter().filter_map(|id| self.waiters.get(id));
            search.wanted.is_from(peer) || waiting.any(|waiter| waiter.wanted.is_from(peer))
        })
    }

    /// The searches and waiters of a neighbour.
    pub(super) fn asked_by(&self, peer: &NodeId) -> (Vec<SearchId>, Vec<WaiterId>) {
        self.wanted_where(|wanted| wanted.is_from(peer))
    }

    /// The searches and waiters of a local command.
    pub(super) fn asked_under(&self, ticket: Ticket) -> (Vec<SearchId>, Vec<WaiterId>) {
        self.wanted_where(|wanted| wanted.is_of(ticket))
    }

    /// The searches that are at a neighbour.
    pub(super) fn searches_at(&self, peer: &NodeId) -> Vec<SearchId> {
        let range = (*peer, ExchangeId(0))..=(*peer, ExchangeId(u64::MAX));
        self.forwards.range(range).map(|(_, id)| *id).collect()
    }

    /// Moves the deadline of a search.
    pub(super) fn set_due(&mut self, id: SearchId, due: Instant) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        self.deadlines.cancel(search.due, Deadline::Search(id));
        search.due = due;
        self.deadlines.add(due, Deadline::Search(id));
    }

    fn wanted_where(&self, is_it: impl Fn(&Wanted) -> bool) -> (Vec<SearchId>, Vec<WaiterId>) {
        let searches = self.searches.iter().filter(|(_, search)| is_it(&search.wanted)).map(|(id, _)| *id);
        let waiters = self.waiters.iter().filter(|(_, waiter)| is_it(&waiter.wanted)).map(|(id, _)| *id);
        (searches.collect(), waiters.collect())
    }

    const fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}
