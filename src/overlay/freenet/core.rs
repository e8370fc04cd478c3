//! What every part of a `freenet` node works on: who it is, its links, its randomness, and what it wants done.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::collections::VecDeque;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use crate::id::{NetworkId, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::certificate::{Certificate, Shown};
use crate::message::credentials::Credentials;
use crate::message::genesis::named_location;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::config::{Config, Profile};
use crate::overlay::freenet::issued::Issued;
use crate::overlay::freenet::last_hops::LastHops;
use crate::overlay::freenet::message::{ExchangeId, Message, Question, Reply};
use crate::overlay::freenet::neighbours::{Coins, Neighbours};
use crate::overlay::mode::{Answer, CloseReason, Offence, Output, StoreToken, StoreWork, Ticket};
use crate::time::{Day, Duration, Instant};

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) me: Me,
    pub(super) neighbours: Neighbours,
    pub(super) random: ChaCha8Rng,
    /// The coins that this node's own requests pass.
    pub(super) own_coins: Coins,
    /// For which keys a request with its last hop ends here.
    pub(super) last_hops: LastHops,
    /// What other parts of this node should hear of.
    pub(super) events: VecDeque<Event>,
    outputs: VecDeque<Output<Message>>,
    issued: Issued,
    next_token: u64,
}

/// What one part of the node tells the others through the composing parent.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A local command has been answered.
    Answered(Ticket),
    /// A neighbour refused a local command for load.
    Overload,
    /// An answer named a source that may become a neighbour.
    Source(NodeRef),
    /// A new neighbour has answered this node's hello: after how long.
    Greeted(Duration),
    /// The neighbour is accepted by both sides.
    MemberUp(NodeId),
    /// An accepted neighbour is gone that this node has not dismissed.
    Missed(NodeRef),
    /// An accepted neighbour is gone.
    MemberDown(NodeId),
    /// A routed question has ended at this node, which must answer it.
    Asked { query: QueryId, target: Location, question: Question },
    /// A question of this node's own has ended; without a reply if nobody could be asked.
    QueryEnded { purpose: Purpose, reply: Option<Reply> },
    /// A node announces itself, and its announcement came this way.
    Announced(NodeRef),
}

/// Names an open question within this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueryId(pub(super) u64);

/// What an own question is asked for; comes back with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Who lies next to this node?
    Near,
    /// Who lies at a place that a neighbour told of?
    Gap,
    /// Who lies at this place, drawn for a long link?
    Long { target: Location },
    /// Who lies next to this node, as the node knows by which it enters the network?
    Enter { entry: NodeId },
    /// A step of this node's announcement, at one of the witness places.
    Announce { attempt: u32, place: u8 },
    /// A witness of a certificate under examination.
    Vouch { check: u64, testimony: u8 },
    /// Whether a peer is known at the place it claims.
    Inquire { inquiry: u64 },
}

/// Who this node is.
#[derive(Debug)]
pub(super) struct Me {
    pub(super) id: NodeId,
    pub(super) key: Box<dyn Credentials>,
    pub(super) network: NetworkId,
    pub(super) certificate: Option<Shown>,
    /// Signed anew whenever the place changes.
    pub(super) reference: NodeRef,
    /// Whether the location in the reference is rightly held: by founding, by trust or by certificate.
    pub(super) placed: bool,
    /// When a certificate last gave it its place.
    pub(super) settled: Instant,
}

impl Core {
    pub(super) fn new(config: Config, key: Box<dyn Credentials>, seed: [u8; 32]) -> Self {
        let me = Me::new(&config, key);
        let neighbours = Neighbours::new(me.reference.location);
        let mut random = ChaCha8Rng::from_seed(seed);
        let (own_coins, last_hops) = (Coins::toss(&mut random), LastHops::draw(&mut random));
        Self {
            config,
            me,
            neighbours,
            random,
            own_coins,
            last_hops,
            events: VecDeque::new(),
            outputs: VecDeque::new(),
            issued: Issued::default(),
            next_token: 0,
        }
    }

    pub(super) fn push(&mut self, output: Output<Message>) {
        self.outputs.push_back(output);
    }

    pub(super) fn pop(&mut self) -> Option<Output<Message>> {
        let next = self.outputs.pop_front();
        // What one busy moment needed is not held for good.
        if next.is_none() {
            self.outputs = VecDeque::new();
            if self.events.is_empty() {
                self.events = VecDeque::new();
            }
        }
        next
    }

    pub(super) fn send(&mut self, to: NodeId, message: Message) {
        self.push(Output::Send { to, message });
    }

    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.push(Output::Answer { ticket, answer });
        self.events.push_back(Event::Answered(ticket));
    }

    pub(super) fn store(&mut self, work: StoreWork) {
        self.push(Output::Store(work));
    }

    pub(super) fn close(&mut self, peer: NodeId, reason: CloseReason) {
        self.push(Output::Close { peer, reason });
    }

    /// Counts a fault against a peer; enough of them close the link.
    pub(super) fn offence(&mut self, now: Instant, peer: NodeId, offence: Offence) {
        self.push(Output::Offence { peer, offence });
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        neighbour.faults += 1;
        neighbour.rest_until = neighbour.rest_until.max(now + limits::REST_AFTER_FAULT);
        let tolerated = match offence {
            // It may be too late to be recognised as an answer; a stream of them is none.
            Offence::Unasked => limits::UNASKED_TOLERATED,
            Offence::BadBlock => limits::BAD_BLOCKS_TOLERATED,
            _ => 0,
        };
        if neighbour.faults > tolerated {
            self.close(peer, CloseReason::Offence(offence));
        }
    }

    /// Lets a peer that refused or stayed silent rest.
    pub(super) fn rest(&mut self, now: Instant, peer: &NodeId, span: Duration) {
        if let Some(neighbour) = self.neighbours.get_mut(peer) {
            neighbour.rest_until = neighbour.rest_until.max(now + span);
        }
    }

    /// Lets a peer rest that refused for load. Returns whether it was not resting for that already: what was under way
    /// when it began to refuse is refused as well, and says nothing new.
    pub(super) fn rest_for_load(&mut self, now: Instant, peer: &NodeId) -> bool {
        let Some(neighbour) = self.neighbours.get_mut(peer).filter(|neighbour| neighbour.busy_until <= now) else {
            return false;
        };
        neighbour.busy_until = now + limits::REST_AFTER_OVERLOAD;
        neighbour.rest_until = neighbour.rest_until.max(neighbour.busy_until);
        true
    }

    /// Draws the name of a new exchange.
    pub(super) fn exchange_id(&mut self) -> ExchangeId {
        let id = ExchangeId(self.random.next_u64());
        self.issued.remember(id);
        id
    }

    /// An exchange that a peer began has ended here, and what the peer has sent meanwhile is still under way.
    pub(super) fn forgive(&mut self, id: ExchangeId) {
        self.issued.remember(id);
    }

    /// Forgets the exchanges that no late answer can be of any more.
    pub(super) fn expire(&mut self, now: Instant) {
        self.issued.expire(now);
    }

    /// A peer speaks of an exchange that is not open: late, or never asked for.
    pub(super) fn on_unasked(&mut self, now: Instant, peer: NodeId, id: ExchangeId) {
        if !self.issued.excuse(id) {
            self.offence(now, peer, Offence::Unasked);
        }
    }

    /// The same for a word that is not the last one of its exchange: that will follow, and be as late.
    pub(super) fn on_unasked_yet(&mut self, now: Instant, peer: NodeId, id: ExchangeId) {
        if !self.issued.knows(id) {
            self.offence(now, peer, Offence::Unasked);
        }
    }

    pub(super) const fn token(&mut self) -> StoreToken {
        self.next_token += 1;
        StoreToken(self.next_token)
    }

    /// Takes the place that a certificate gives.
    pub(super) fn settle(&mut self, certificate: Shown, now: Instant) {
        self.me.settle(certificate, now);
        self.neighbours.settle(self.location());
        self.store(StoreWork::Around { place: self.location() });
    }

    pub(super) fn location(&self) -> Location {
        self.me.reference.location
    }
}

impl Me {
    fn new(config: &Config, key: Box<dyn Credentials>) -> Self {
        let id = key.id();
        let network = config.genesis.network();
        let founder = config.genesis.founder_location(&id);
        let trusted = (config.profile == Profile::Trusted).then(|| named_location(&network, &id));
        let location = founder.or(trusted);
        // A newcomer signs the place that its id alone would give; nobody routes by it.
        let shown = location.unwrap_or_else(|| named_location(&network, &id));
        let reference = NodeRef::sign(&*key, &network, config.address, shown, 0);
        Self { id, key, network, certificate: None, reference, placed: location.is_some(), settled: Instant::EPOCH }
    }

    /// Takes the place that a certificate gives, and signs the reference anew.
    fn settle(&mut self, certificate: Shown, now: Instant) {
        let sequence = (now.as_micros() / 1_000_000).max(self.reference.sequence + 1);
        let location = certificate.claim.location;
        self.reference = NodeRef::sign(&*self.key, &self.network, self.reference.address, location, sequence);
        self.certificate = Some(certificate);
        self.placed = true;
        self.settled = now;
    }

    /// Gives the certificate up: a newcomer again.
    pub(super) fn unsettle(&mut self) {
        self.certificate = None;
        self.placed = false;
    }

    /// Whether the node named in `reference` signed it for this network.
    pub(super) fn has_signed(&self, reference: &NodeRef) -> bool {
        reference.verifies_by(&*self.key, &self.network)
    }

    /// Whether `reference` and `certificate` give their holder the location it claims, as far as signatures tell:
    /// whether the witnesses were the right ones is asked afterwards.
    pub(super) fn is_rightful(
        &self,
        config: &Config,
        reference: &NodeRef,
        certificate: Option<&Certificate>,
        today: Day,
    ) -> bool {
        if !self.has_signed(reference) {
            return false;
        }
        if config.genesis.founder_location(&reference.id) == Some(reference.location) {
            return true;
        }
        if config.profile == Profile::Trusted {
            return named_location(&self.network, &reference.id) == reference.location;
        }
        certificate.is_some_and(|certificate| {
            let claim = &certificate.claim;
            claim.node == reference.id
                && claim.location == reference.location
                && claim.group == reference.group()
                && certificate.is_current(today)
                && certificate.verifies_by(&*self.key, &self.network)
        })
    }
}
