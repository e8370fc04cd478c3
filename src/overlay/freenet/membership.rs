//! Who is linked: composes greetings, routed questions and topology, and moves values between them.
//!
//! Guarantees that every link which routes has been greeted and admitted, and that links and neighbours stay
//! within `limits`. Knows nothing of blocks.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::id::{AddressGroup, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::certificate::Shown;
use crate::overlay::freenet::admission::{self, Admission};
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::{Core, Event, Purpose, QueryId};
use crate::overlay::freenet::fold::Folding;
use crate::overlay::freenet::greeting::{self, Greeted, Greetings};
use crate::overlay::freenet::join::Joining;
use crate::overlay::freenet::memory::Memory;
use crate::overlay::freenet::message::{Errand, ExchangeId, Message, Question, Reply};
use crate::overlay::freenet::neighbours::{Neighbour, Standing};
use crate::overlay::freenet::query::Queries;
use crate::overlay::freenet::scrutiny::{Scrutiny, Verdict};
use crate::overlay::freenet::shape::{is_settling, unlinked_near_places};
use crate::overlay::freenet::topology::{self, Topology};
use crate::overlay::freenet::vouch::Finding;
use crate::overlay::freenet::witness::Witnesses;
use crate::overlay::mode::{CloseReason, Offence, Output, StoreWork};
use crate::time::Instant;

/// The part of a node that decides who its neighbours are.
#[derive(Debug, Default)]
pub(super) struct Membership {
    greetings: Greetings,
    queries: Queries,
    topology: Topology,
    joining: Joining,
    witnesses: Witnesses,
    scrutiny: Scrutiny,
    folding: Folding,
    memory: Memory,
    /// Address groups of the nodes, dialled by this one, that could not confirm its certificate.
    doubts: BTreeSet<AddressGroup>,
}

impl Membership {
    /// A membership that begins with what an earlier run remembered.
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, ..Self::default() }
    }

    /// The node starts.
    pub(super) fn start(&mut self, core: &mut Core, now: Instant) {
        self.topology.begin(now);
        if let Some(certificate) = self.memory.certificate(core, now.day()) {
            core.settle(certificate, now);
        } else if core.me.placed {
            core.store(StoreWork::Around { place: core.location() });
        }
        self.dial_bootstrap(core, now);
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self, core: &Core) -> Option<Instant> {
        let own = [self.topology.deadline(core), self.joining.deadline()];
        [self.queries.deadline(), self.scrutiny.deadline()].into_iter().chain(own).flatten().min()
    }

    /// A deadline may have come.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) {
        self.queries.handle_timeout(core, now);
        self.joining.handle_timeout(core, &mut self.queries, now);
        self.scrutiny.handle_timeout(core, &mut self.queries, now);
        self.topology.handle_timeout(core, &mut self.greetings, &mut self.queries, now);
    }

    /// The topology is looked after.
    pub(super) fn on_upkeep(&mut self, core: &mut Core, now: Instant) {
        self.greetings.expire(core, now);
        self.announce(core, now);
        self.consider_members(core, now);
        self.remember(core);
        let is_alone = core.neighbours.count() == 0;
        if is_alone || core.config.profile == Profile::Trusted {
            self.dial_bootstrap(core, now);
        }
    }

    // -- links ----------------------------------------------------------------------------------------------------------

    /// A link is open.
    pub(super) fn handle_link_up(
        &mut self,
        core: &mut Core,
        now: Instant,
        peer: NodeId,
        address: SocketAddr,
        inbound: bool,
    ) {
        self.greetings.handle_link_up(core, now, peer, address, inbound);
    }

    /// The link of `neighbour`, already taken out of the neighbours, is gone.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: NodeId, neighbour: &Neighbour) {
        self.queries.handle_link_down(core, now, &peer);
        self.scrutiny.handle_link_down(&peer);
        if !neighbour.is_member() && !neighbour.inbound {
            self.topology.on_rejected(core, now, peer, neighbour.errand());
        }
    }

    /// A certificate whose witnesses nobody finds any more, or that stems from a much smaller network, is renewed before its
    /// time, while a node that lies near this one is not linked. Only nodes that this one chose to dial are heard, or anybody
    /// could drive it from its place.
    fn on_unconfirmed(&mut self, core: &mut Core, now: Instant, from: NodeId) {
        let Some(neighbour) = core.neighbours.get(&from).filter(|neighbour| !neighbour.inbound) else { return };
        let Some(reference) = neighbour.reference() else { return };
        let group = reference.group();
        if core.me.certificate.is_none() {
            return;
        }
        self.doubts.insert(group);
        if self.doubts.len() < limits::REFUSALS_OF_A_CERTIFICATE {
            return;
        }
        self.doubts.clear();
        if core.neighbours.count() == 0 {
            core.me.unsettle();
        } else if !unlinked_near_places(core).is_empty() {
            self.joining.begin(core, now, None);
        }
    }

    /// A dial has failed.
    pub(super) fn handle_dial_failed(&mut self, core: &Core, now: Instant, peer: NodeId) {
        if let Some(errand) = self.greetings.handle_dial_failed(&peer) {
            self.topology.on_rejected(core, now, peer, errand);
        }
    }

    fn dial_bootstrap(&mut self, core: &mut Core, now: Instant) {
        // A stranger that has no room can still tell who lies where, so the first errand is never a link for good.
        let errand = if core.config.profile == Profile::Trusted { Errand::Trusted } else { Errand::Join };
        let remembered = self.memory.contacts(core);
        for (peer, address) in core.config.bootstrap.clone().into_iter().chain(remembered) {
            if !self.topology.rests(now, &peer) {
                self.greetings.dial(core, now, (peer, address), errand, None);
            }
        }
    }

    /// A node that knows the network is linked: it is asked who lies next to this node, or first helps it to a place.
    fn enter(&mut self, core: &mut Core, now: Instant, entry: NodeId) {
        if core.me.placed {
            let question = Question::Seek { announced: Some(core.me.reference.clone()) };
            self.queries.ask(core, now, Purpose::Enter { entry }, core.location(), question, Some(entry));
        } else {
            self.joining.begin(core, now, Some(entry));
        }
    }

    /// Begins an announcement where one is due: of a newcomer, or of a member whose certificate grows old.
    fn announce(&mut self, core: &mut Core, now: Instant) {
        if !self.joining.may_begin(now) {
            return;
        }
        if !core.me.placed {
            let entry = entries(core).next();
            if entry.is_some() {
                self.joining.begin(core, now, entry);
            }
        } else if core
            .me
            .certificate
            .as_ref()
            .is_some_and(|certificate| now.day().since(certificate.claim.day) >= limits::CERTIFICATE_RENEWAL_DAYS)
        {
            self.joining.begin(core, now, None);
        }
    }

    /// The announcement is complete: this node has a place, or a new one. Its links stay.
    fn settle(&mut self, core: &mut Core, now: Instant, certificate: Shown) {
        core.settle(certificate, now);
        self.doubts.clear();
        let linked: Vec<(NodeId, Errand)> = core.neighbours.members().map(|(peer, n, _)| (*peer, n.errand())).collect();
        for (peer, errand) in linked {
            greeting::say_hello(core, peer, errand);
        }
        self.topology.begin(now);
        self.remember(core);
        let entries: Vec<NodeId> = entries(core).collect();
        for entry in entries {
            self.enter(core, now, entry);
        }
    }

    /// Keeps what the next start needs.
    fn remember(&mut self, core: &mut Core) {
        if let Some(memory) = self.memory.changed(core) {
            core.push(Output::Remember(memory));
        }
    }

    /// The node by which this one enters has told who lies next to it.
    fn on_entered(&mut self, core: &mut Core, now: Instant, entry: NodeId, reply: Option<Reply>) {
        let Some(Reply::Seen { references }) = reply else { return core.close(entry, CloseReason::Done) };
        let is_small = references.len() < limits::REFERENCES_PER_REPLY;
        let is_near = is_small || references.iter().any(|reference| reference.id == entry);
        let reply = Some(Reply::Seen { references });
        self.topology.handle_reply(core, &mut self.greetings, now, Purpose::Near, reply);
        if is_near {
            self.greetings.court(core, entry, Errand::Near);
            self.consider(core, now, entry);
        } else {
            core.close(entry, CloseReason::Done);
        }
    }

    // -- messages -------------------------------------------------------------------------------------------------------

    /// A message about who is linked.
    pub(super) fn handle_message(&mut self, core: &mut Core, now: Instant, from: NodeId, message: Message) {
        match message {
            Message::Hello(hello) => match self.greetings.handle_hello(core, now, from, *hello) {
                Greeted::Candidate => self.consider(core, now, from),
                Greeted::Entry => self.enter(core, now, from),
                Greeted::Moved | Greeted::Guest => {}
            },
            Message::Accept => self.greetings.handle_accept(core, now, from),
            Message::Locations(list) => {
                self.greetings.handle_locations(core, from, list);
                self.topology.on_change(now);
            }
            Message::VouchFor { certificate } => self.scrutiny.handle_vouch_for(core, from, certificate),
            Message::Unconfirmed => self.on_unconfirmed(core, now, from),
            Message::VouchedFor { certificate, hearsay } => {
                let answer = (certificate, hearsay);
                let verdict = self.scrutiny.handle_vouched_for(core, &mut self.queries, now, from, answer);
                verdict.into_iter().for_each(|verdict| self.on_verdict(core, now, verdict));
            }
            Message::Query(query) => self.queries.handle_query(core, now, from, *query),
            Message::Reply { id, reply } => self.queries.handle_reply(core, now, from, id, *reply),
            _ => core.offence(now, from, Offence::OutOfTurn),
        }
    }

    /// Whether an exchange with a neighbour is a routed question.
    pub(super) fn owns(&self, from: NodeId, id: ExchangeId) -> bool {
        self.queries.owns(from, id)
    }

    /// A neighbour passes a question on. Returns whether the exchange is a routed question.
    pub(super) fn handle_accepted(&mut self, from: NodeId, id: ExchangeId) -> bool {
        self.queries.handle_accepted(from, id)
    }

    /// A neighbour does not take a question on.
    pub(super) fn handle_refused(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId) {
        self.queries.handle_refused(core, now, from, id);
    }

    /// A peer may call itself what it does, as far as signatures tell: whether it holds its place rightly is looked into.
    fn consider(&mut self, core: &mut Core, now: Instant, peer: NodeId) {
        let verdict = self.scrutiny.consider(core, &mut self.queries, now, peer);
        self.on_verdict(core, now, verdict);
    }

    /// A peer is admitted if it holds its place rightly, as far as is asked for, and there is room.
    fn on_verdict(&mut self, core: &mut Core, now: Instant, verdict: Verdict) {
        let Verdict { peer, finding, standing } = verdict;
        let Some(neighbour) = core.neighbours.get_mut(&peer) else { return };
        let (is_accepted, errand) = (neighbour.is_accepted(), neighbour.errand());
        if finding == Finding::Rightful {
            neighbour.standing = standing;
        }
        match finding {
            Finding::Pending => {}
            Finding::Unknown if is_accepted => {}
            // No offence: in a network that grows, the nodes nearest to a witness place become others, and an honest node
            // hears of it here first.
            Finding::False | Finding::Unknown => {
                if standing == Standing::Examined {
                    core.send(peer, Message::Unconfirmed);
                }
                core.close(peer, CloseReason::Full);
            }
            Finding::Rightful if is_accepted => {}
            Finding::Rightful => match admission::admit(core, now, &peer, errand) {
                Admission::Welcome => self.greetings.accept(core, peer),
                Admission::Instead(victim) => {
                    dismiss(core, victim);
                    self.greetings.accept(core, peer);
                }
                Admission::Full => core.close(peer, CloseReason::Full),
            },
        }
    }

    /// Looks into neighbours of which too little is known.
    fn consider_members(&mut self, core: &mut Core, now: Instant) {
        for peer in self.scrutiny.open(core) {
            self.consider(core, now, peer);
        }
    }

    // -- events ---------------------------------------------------------------------------------------------------------

    /// Something happened that concerns who is linked.
    pub(super) fn handle_event(&mut self, core: &mut Core, now: Instant, event: Event) {
        match event {
            Event::MemberUp(peer) => {
                self.topology.on_member(core, now, peer);
                self.consider_members(core, now);
            }
            Event::Missed(reference) => self.topology.on_missed(now, reference),
            Event::MemberDown(peer) => self.topology.on_member_lost(core, now, peer),
            Event::Announced(reference) => self.topology.on_announced(core, now, reference),
            Event::Asked { query, target, question } => self.on_asked(core, now, query, target, question),
            Event::QueryEnded { purpose, reply } => self.on_query_ended(core, now, purpose, reply),
            Event::Source(source) => {
                self.folding.handle_source(core, &mut self.topology, &mut self.greetings, now, &source);
            }
            Event::Answered(_) | Event::Overload | Event::Greeted(_) => {}
        }
    }

    fn on_asked(&mut self, core: &mut Core, now: Instant, query: QueryId, target: Location, question: Question) {
        let reply = match question {
            _ if is_settling(core, now) => Reply::Declined,
            Question::Seek { .. } => topology::seen(core, target),
            Question::Commit(commit) => self.witnesses.handle_commit(core, now, target, commit),
            Question::Reveal(reveal) => self.witnesses.handle_reveal(core, now, reveal),
            Question::Certify(certify) => self.witnesses.handle_certify(core, now, &certify),
            Question::Vouch { witness } => self.scrutiny.vouched(core, target, &witness),
            Question::Known { holder, certificate } => self.scrutiny.known(core, &holder, &certificate),
        };
        self.queries.answer(core, query, reply);
    }

    fn on_query_ended(&mut self, core: &mut Core, now: Instant, purpose: Purpose, reply: Option<Reply>) {
        match purpose {
            Purpose::Near | Purpose::Gap | Purpose::Long { .. } => {
                self.topology.handle_reply(core, &mut self.greetings, now, purpose, reply);
            }
            Purpose::Enter { entry } => self.on_entered(core, now, entry, reply),
            Purpose::Announce { attempt, place } => {
                let asked = (attempt, place);
                if let Some(certificate) = self.joining.handle_reply(core, &mut self.queries, now, asked, reply) {
                    self.settle(core, now, certificate);
                }
            }
            Purpose::Vouch { check, testimony } => {
                let asked = (check, testimony);
                let verdict = self.scrutiny.handle_witness_place(core, &mut self.queries, now, asked, reply);
                verdict.into_iter().for_each(|verdict| self.on_verdict(core, now, verdict));
            }
            Purpose::Inquire { inquiry } => {
                let verdict = self.scrutiny.handle_claimed_place(core, now, inquiry, reply);
                verdict.into_iter().for_each(|verdict| self.on_verdict(core, now, verdict));
            }
        }
    }
}

/// The links that this node has opened to enter the network by.
fn entries(core: &Core) -> impl Iterator<Item = NodeId> {
    let is_entry =
        |neighbour: &Neighbour| !neighbour.inbound && neighbour.rightful && neighbour.errand() == Errand::Join;
    core.neighbours.all().filter(move |(_, neighbour)| is_entry(neighbour)).map(|(peer, _)| *peer)
}

/// Gives a neighbour's place to another. It counts no more from now on, though its link takes a moment to close.
fn dismiss(core: &mut Core, victim: NodeId) {
    if core.neighbours.get(&victim).is_some() {
        core.neighbours.leave(&victim);
        core.events.push_back(Event::MemberDown(victim));
        core.close(victim, CloseReason::Replaced);
    }
}
