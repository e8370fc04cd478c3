//! Small questions routed to the node nearest a place, and their answers passed back.
//!
//! A question goes only to strictly closer neighbours, so it cannot loop; who is asked and is not closer says where it is. It backtracks on silence, refusal and lost
//! links, and ends where no neighbour is closer (docs/protocol.md §5). Every hop has one deadline and knows the question by an
//! id of its link alone. What a question means is for others: whoever must answer hears of it as an event.

use crate::id::NodeId;
use crate::key::{Distance, Location};
use crate::limits;
use crate::overlay::freenet::core::{Core, Event, Purpose, QueryId};
use crate::overlay::freenet::greeting::say_hello;
use crate::overlay::freenet::message::{ExchangeId, Message, Query, Question, Refusal, Reply};
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::{CloseReason, Offence};
use crate::time::{Duration, Instant};

/// All open questions of a node: its own, and those it passes on.
#[derive(Debug, Default)]
pub(super) struct Queries {
    open: Sparse<QueryId, Box<Open>>,
    forwards: Sparse<(NodeId, ExchangeId), QueryId>,
    received: Sparse<(NodeId, ExchangeId), QueryId>,
    /// Questions asked so far by each link that is not accepted.
    asked_as_guest: Sparse<NodeId, u32>,
    deadlines: Schedule<Deadline>,
    next_id: u64,
}

/// What has become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    /// The neighbour asked has been silent for too long, or the question has no time left.
    Answer(QueryId),
    /// The asker should hear that the question was passed on.
    Notice(QueryId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Peer {
        peer: NodeId,
        id: ExchangeId,
    },
    Own(Purpose),
    /// The link it came over is gone; the way on is waited for, so that its answer is not taken for an unasked one.
    Gone,
}

#[derive(Debug)]
struct Open {
    asker: Asker,
    target: Location,
    htl: u8,
    question: Question,
    /// The only neighbour to ask, where routing has no say.
    through: Option<NodeId>,
    tried: Vec<NodeId>,
    forward: Option<Forward>,
    /// When the asker's patience ends.
    end: Instant,
    /// The deadline now in the schedule.
    due: Instant,
    /// When the asker, if it is a peer, hears that the question was passed on.
    notice: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Forward {
    peer: NodeId,
    id: ExchangeId,
    accepted: bool,
}

impl Queries {
    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Asks a question of this node's own: of the node nearest `target`, by way of `through` if given. The outcome is
    /// an [`Event::QueryEnded`], also when the question ends at this node itself.
    pub(super) fn ask(
        &mut self,
        core: &mut Core,
        now: Instant,
        purpose: Purpose,
        target: Location,
        question: Question,
        through: Option<NodeId>,
    ) {
        let htl = limits::QUERY_HTL;
        self.begin(core, now, Asker::Own(purpose), Query { id: ExchangeId(0), target, htl, question }, through);
    }

    /// A neighbour, or a newcomer that joins here, asks.
    pub(super) fn handle_query(&mut self, core: &mut Core, now: Instant, from: NodeId, query: Query) {
        let Some(neighbour) = core.neighbours.get(&from) else { return };
        let (is_accepted, is_known) = (neighbour.may_ask(), neighbour.reference().is_some());
        let errand = neighbour.errand();
        let refused = Message::Refused { id: query.id, refusal: Refusal::Overload };
        if self.received.contains_key(&(from, query.id)) {
            return core.offence(now, from, Offence::OutOfTurn);
        }
        let per_link = if is_accepted { limits::QUERIES_PER_LINK } else { limits::QUERIES_PER_GUEST };
        let open_here = self.received.range(of_link(&from)).count();
        // A question may overtake the hello that allows it: refusing costs the asker a moment, not the link.
        if open_here >= per_link || self.open.len() >= limits::QUERIES || !is_known {
            return core.send(from, refused);
        }
        if !is_accepted && !self.may_ask_as_guest(core, now, &from, &query.question) {
            return core.send(from, refused);
        }
        if is_astray(core, &from, &query) {
            core.send(from, refused);
            return say_hello(core, from, errand);
        }
        let asker = Asker::Peer { peer: from, id: query.id };
        let query = Query { htl: query.htl.min(limits::QUERY_HTL), ..query };
        self.begin(core, now, asker, query, None);
    }

    /// A newcomer may ask what an announcement needs, and only so often.
    fn may_ask_as_guest(&mut self, core: &mut Core, now: Instant, from: &NodeId, question: &Question) -> bool {
        if !is_of_guest(core, from, question) {
            core.offence(now, *from, Offence::OutOfTurn);
            return false;
        }
        let asked = self.asked_as_guest.entry(*from).or_default();
        *asked += 1;
        if *asked == limits::QUESTIONS_OF_A_GUEST + 1 {
            core.close(*from, CloseReason::Offence(Offence::Flood));
        }
        *asked <= limits::QUESTIONS_OF_A_GUEST
    }

    /// The neighbour asked passes the question on. Returns whether the exchange is one of these.
    pub(super) fn handle_accepted(&mut self, from: NodeId, id: ExchangeId) -> bool {
        let Some(query) = self.forwards.get(&(from, id)).copied() else { return false };
        if let Some(open) = self.open.get_mut(&query) {
            if let Some(forward) = &mut open.forward {
                forward.accepted = true;
            }
            let end = open.end;
            self.set_due(query, end);
        }
        true
    }

    /// Whether an exchange with a neighbour is a question passed to it.
    pub(super) fn owns(&self, from: NodeId, id: ExchangeId) -> bool {
        self.forwards.contains_key(&(from, id))
    }

    /// The neighbour asked does not take the question on.
    pub(super) fn handle_refused(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId) {
        if let Some(query) = self.take_forward(from, id) {
            if let Some(end) = self.open.get(&query).map(|open| open.end) {
                self.set_due(query, end);
            }
            self.advance(core, now, query);
        }
    }

    /// An answer comes back.
    pub(super) fn handle_reply(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId, reply: Reply) {
        match self.take_forward(from, id) {
            Some(query) => {
                if let Some(neighbour) = core.neighbours.get_mut(&from) {
                    neighbour.useful = now;
                }
                self.end(core, query, Some(reply));
            }
            None => core.on_unasked(now, from, id),
        }
    }

    /// This node's own answer to a question it was told of by [`Event::Asked`].
    pub(super) fn answer(&mut self, core: &mut Core, query: QueryId, reply: Reply) {
        self.end(core, query, Some(reply));
    }

    /// A link is gone: what was asked over it is asked elsewhere, what came over it is dropped.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: &NodeId) {
        self.asked_as_guest.remove(peer);
        let received: Vec<QueryId> = self.received.range(of_link(peer)).map(|(_, query)| *query).collect();
        for query in received {
            if let Some(open) = self.open.get_mut(&query) {
                open.asker = Asker::Gone;
            }
        }
        self.received.retain(|(asker, _), _| asker != peer);
        let forwards: Vec<ExchangeId> = self.forwards.range(of_link(peer)).map(|((_, id), _)| *id).collect();
        for id in forwards {
            self.handle_refused(core, now, *peer, id);
        }
    }

    /// Deadlines have come.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        while let Some(deadline) = self.deadlines.pop_due(now) {
            let query = match deadline {
                Deadline::Answer(query) => query,
                Deadline::Notice(query) => {
                    self.on_notice(core, query);
                    continue;
                }
            };
            let Some(open) = self.open.get_mut(&query) else { continue };
            if let Some(forward) = open.forward.take() {
                self.forwards.remove(&(forward.peer, forward.id));
                if !forward.accepted {
                    core.rest(now, &forward.peer, limits::REST_AFTER_SILENCE);
                }
            }
            let end = open.end;
            self.set_due(query, end.max(now + Duration::from_micros(1)));
            self.advance(core, now, query);
        }
    }

    // -- the course of a question -------------------------------------------------------------------------------------

    fn begin(&mut self, core: &mut Core, now: Instant, asker: Asker, query: Query, through: Option<NodeId>) {
        self.next_id += 1;
        let (id, end) = (QueryId(self.next_id), now + patience(query.htl));
        if let Asker::Peer { peer, id: exchange } = asker {
            self.received.insert((peer, exchange), id);
            if let Question::Seek { announced: Some(reference) } = &query.question {
                core.events.push_back(Event::Announced(reference.clone()));
            }
        }
        let Query { target, htl, question, .. } = query;
        let (tried, forward, notice) = (Vec::new(), None, None);
        let open = Open { asker, target, htl, question, through, tried, forward, end, due: end, notice };
        self.open.insert(id, Box::new(open));
        self.deadlines.add(end, Deadline::Answer(id));
        self.advance(core, now, id);
    }

    /// Asks the next closer neighbour, or lets this node answer.
    fn advance(&mut self, core: &mut Core, now: Instant, id: QueryId) {
        let Some(open) = self.open.get(&id) else { return };
        if now >= open.end {
            return self.end(core, id, None);
        }
        match (open.through, open.tried.is_empty()) {
            (Some(peer), true) => self.forward(core, now, id, peer),
            (Some(_), false) => self.end(core, id, None),
            (None, _) => match next_hop(core, now, open) {
                Some(peer) => self.forward(core, now, id, peer),
                None => self.reached(core, id),
            },
        }
    }

    fn forward(&mut self, core: &mut Core, now: Instant, id: QueryId, peer: NodeId) {
        let exchange = core.exchange_id();
        let Some(open) = self.open.get_mut(&id) else { return };
        if let (Asker::Peer { .. }, true) = (open.asker, open.tried.is_empty()) {
            let notice = now + limits::QUERY_ACCEPT_AFTER;
            open.notice = Some(notice);
            self.deadlines.add(notice, Deadline::Notice(id));
        }
        open.tried.push(peer);
        open.forward = Some(Forward { peer, id: exchange, accepted: false });
        let (target, htl, question) = (open.target, open.htl.saturating_sub(1), open.question.clone());
        let due = open.end.min(now + limits::ACCEPT_TIMEOUT);
        self.forwards.insert((peer, exchange), id);
        self.set_due(id, due);
        core.send(peer, Message::Query(Box::new(Query { id: exchange, target, htl, question })));
    }

    /// Most questions are answered before this is due, so that the word costs nothing.
    fn on_notice(&mut self, core: &mut Core, id: QueryId) {
        let Some(open) = self.open.get_mut(&id) else { return };
        open.notice = None;
        if let Asker::Peer { peer, id } = open.asker {
            core.send(peer, Message::Accepted { id });
        }
    }

    fn reached(&self, core: &mut Core, id: QueryId) {
        let Some(open) = self.open.get(&id) else { return };
        let (target, question) = (open.target, open.question.clone());
        core.events.push_back(Event::Asked { query: id, target, question });
    }

    fn end(&mut self, core: &mut Core, id: QueryId, reply: Option<Reply>) {
        let Some(open) = self.remove(id) else { return };
        match open.asker {
            Asker::Own(purpose) => core.events.push_back(Event::QueryEnded { purpose, reply }),
            Asker::Gone => {}
            Asker::Peer { peer, id } => {
                let reply = Box::new(reply.unwrap_or(Reply::Declined));
                core.send(peer, Message::Reply { id, reply });
            }
        }
    }

    // -- bookkeeping --------------------------------------------------------------------------------------------------

    fn remove(&mut self, id: QueryId) -> Option<Box<Open>> {
        let open = self.open.remove(&id)?;
        self.deadlines.cancel(open.due, Deadline::Answer(id));
        if let Some(notice) = open.notice {
            self.deadlines.cancel(notice, Deadline::Notice(id));
        }
        if let Asker::Peer { peer, id: exchange } = open.asker {
            self.received.remove(&(peer, exchange));
        }
        if let Some(forward) = &open.forward {
            self.forwards.remove(&(forward.peer, forward.id));
        }
        Some(open)
    }

    fn take_forward(&mut self, from: NodeId, id: ExchangeId) -> Option<QueryId> {
        let query = self.forwards.remove(&(from, id))?;
        let open = self.open.get_mut(&query)?;
        open.forward = None;
        Some(query)
    }

    fn set_due(&mut self, id: QueryId, due: Instant) {
        let Some(open) = self.open.get_mut(&id).filter(|open| open.due != due) else { return };
        self.deadlines.cancel(open.due, Deadline::Answer(id));
        open.due = due;
        self.deadlines.add(due, Deadline::Answer(id));
    }
}

/// The neighbour nearest the target that is closer to it than this node, ready ones first. A node that announces itself,
/// or whose certificate is asked about, is routed around: the question is who else lies there.
fn next_hop(core: &Core, now: Instant, open: &Open) -> Option<NodeId> {
    if open.htl <= 1 {
        return None;
    }
    let around = around(&open.question);
    let asker = match open.asker {
        Asker::Peer { peer, .. } => Some(peer),
        Asker::Own(_) | Asker::Gone => None,
    };
    let is_around_self = around == Some(core.me.id);
    let own = core.location().distance(open.target);
    let is_excluded = |peer: &NodeId| Some(*peer) == asker || Some(*peer) == around || open.tried.contains(peer);
    let mut best: Option<(bool, Distance, NodeId)> = None;
    for (peer, neighbour, place) in core.neighbours.nearest_to(open.target) {
        let distance = place.distance(open.target);
        let is_found = best.is_some_and(|(is_resting, nearest, _)| !is_resting && nearest < distance);
        if is_found || (!is_around_self && distance >= own) {
            break;
        }
        if !is_excluded(peer) {
            let candidate = (!neighbour.is_ready(now), distance, *peer);
            best = Some(best.map_or(candidate, |best| best.min(candidate)));
        }
    }
    best.map(|(_, _, peer)| peer)
}

/// The node that a question is routed around.
fn around(question: &Question) -> Option<NodeId> {
    match question {
        Question::Seek { announced: Some(reference) } => Some(reference.id),
        Question::Known { holder, .. } => Some(*holder),
        _ => None,
    }
}

/// Whether a question that others pass on has come no closer. Then the neighbour takes this node to be where it no longer is,
/// because the hello that told of its new place was lost; and the question would go round in a circle.
fn is_astray(core: &Core, from: &NodeId, query: &Query) -> bool {
    let is_first_hop = query.htl >= limits::QUERY_HTL - 1;
    let place = core.neighbours.get(from).filter(|neighbour| neighbour.is_member()).and_then(|known| known.location());
    let is_closer = |place: Location| place.distance(query.target) <= core.location().distance(query.target);
    core.me.placed && !is_first_hop && around(&query.question) != Some(*from) && place.is_some_and(is_closer)
}

/// Whether the question is the guest's own to ask: about itself, and from the address group it is seen in. A witness
/// cannot see where a newcomer is; the node by which it enters can, and later every neighbour that dials it.
fn is_of_guest(core: &Core, guest: &NodeId, question: &Question) -> bool {
    let Some(neighbour) = core.neighbours.get(guest) else { return false };
    // A test network on one machine: which loopback address a packet comes from is not the node's to choose everywhere.
    let is_local = core.config.is_lenient() && neighbour.is_loopback;
    match question {
        Question::Seek { announced } => announced.as_ref().is_none_or(|reference| reference.id == *guest),
        Question::Commit(commit) => commit.node == *guest && (is_local || commit.group == neighbour.group),
        Question::Reveal(reveal) => reveal.node == *guest,
        Question::Certify(certify) => certify.claim.node == *guest,
        Question::Vouch { .. } | Question::Known { .. } => false,
    }
}

/// How long a question with `htl` hops to live may take: one silent neighbour, and the way.
fn patience(htl: u8) -> Duration {
    limits::ACCEPT_TIMEOUT * 2 + limits::QUERY_HOP_TIME * u32::from(htl)
}

fn of_link(peer: &NodeId) -> std::ops::RangeInclusive<(NodeId, ExchangeId)> {
    (*peer, ExchangeId(0))..=(*peer, ExchangeId(u64::MAX))
}
