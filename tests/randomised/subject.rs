//! The machines that are tried, and how the checkers read their words and their state.
//!
//! Messages are taken apart field by field, without a rest: a field that is added does not compile until somebody has
//! thought about what it tells.

use std::sync::Arc;

use bolthole::id::NodeId;
use bolthole::limits;
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION};
use bolthole::overlay::classic::{self, Classic, Contact};
use bolthole::overlay::freenet::{self, Config, Freenet, Profile};
use bolthole::overlay::mode::Mode;
use bolthole::sim::content;
use bolthole::sim::engine::address_of;
use bolthole::sim::ideal::Ideal;
use bolthole::sim::scenario::Fidelity;
use bolthole::sim::traffic::Roles;

use crate::plan::{Overlay, Plan};
use crate::watch::{Hops, Side, Word};

/// A machine that can be tried.
pub trait Subject: Mode<Message: Roles + Clone> + Sized + 'static {
    /// Whether exchange ids live on one link only.
    const IDS_ARE_PRIVATE: bool;
    /// Whether what is stored must be found as long as a copy lives.
    const IS_DURABLE: bool;
    /// Whether nodes that went come back.
    const COMES_BACK: bool;

    /// The machine of a node that knows those in `known`.
    fn build(plan: &Plan, start: &Start<'_>) -> Self;

    /// What a message is in its exchange.
    fn word(plan: &Plan, message: &Self::Message) -> Word;

    /// What is in use beyond its bound.
    fn overuse(&self, plan: &Plan) -> Option<String>;

    /// Whom it counts as its neighbours.
    fn neighbours(&self) -> Vec<NodeId>;

    /// What is still open, if anything.
    fn unrest(&self) -> Option<String>;
}

/// How a node starts.
#[derive(Debug)]
pub struct Start<'a> {
    pub number: u32,
    /// How often it has started before.
    pub restarts: u32,
    pub known: &'a [u32],
    pub memory: Option<Vec<u8>>,
}

/// The id of a node.
pub fn id(plan: &Plan, number: u32) -> NodeId {
    match (plan.overlay, plan.fidelity) {
        (Overlay::Freenet, Fidelity::Bytes) => NodeId(content::node_key(plan.seed, number).id()),
        _ => content::node_id(plan.seed, number),
    }
}

fn genesis(plan: &Plan) -> Genesis {
    Genesis {
        protocol: PROTOCOL_VERSION,
        name: "randomised".to_owned(),
        nonce: [plan.seed as u8; 16],
        work_bits: 0,
        local: plan.profile == Profile::Local,
        members: (0..plan.founders()).map(|number| id(plan, number)).collect(),
    }
}

impl Subject for Freenet {
    const IDS_ARE_PRIVATE: bool = true;
    const IS_DURABLE: bool = true;
    const COMES_BACK: bool = true;

    fn build(plan: &Plan, start: &Start<'_>) -> Self {
        let mut config = Config::new(genesis(plan), plan.profile, address_of(start.number));
        config.degree = plan.degree;
        config.routing_entries = plan.routing_entries;
        config.htl = plan.htl;
        config.bootstrap = start.known.iter().map(|number| (id(plan, *number), address_of(*number))).collect();
        let machine = content::machine_seed(plan.seed, start.number, start.restarts);
        let memory = start.memory.clone();
        match plan.fidelity {
            Fidelity::Bytes => Self::new(config, content::node_key(plan.seed, start.number), machine, memory),
            Fidelity::Values => Self::new(config, Ideal(id(plan, start.number)), machine, memory),
        }
    }

    fn word(plan: &Plan, message: &freenet::Message) -> Word {
        use freenet::{ExchangeId, Message};
        let hops = |left: u8, most: u8| Hops { left: left.into(), most: most.into() };
        let opens = |id: ExchangeId, hops, key| Word::Opens { id: id.0, hops, key };
        let belongs = |id: ExchangeId, begun_by, left: Option<u8>| Word::Belongs {
            id: id.0,
            begun_by,
            left: left.map(u64::from),
        };
        match message {
            Message::Request { id, key, htl, detours } => {
                let out_of_range = *detours > limits::MAX_DETOURS;
                opens(*id, hops(if out_of_range { u8::MAX } else { *htl }, plan.htl), Some(*key))
            }
            Message::Insert { id, key, kind: _, htl } => opens(*id, hops(*htl, plan.htl), Some(*key)),
            // The place is that of the node asked or of its neighbour; it does not say who inserts.
            Message::Offer { id, key, kind: _, location: _ } => opens(*id, hops(1, 1), Some(*key)),
            Message::Query(query) => opens(query.id, hops(query.htl, limits::QUERY_HTL), None),
            Message::Accepted { id }
            | Message::Refused { id, refusal: _ }
            | Message::NotFound { id }
            | Message::AllClear { id }
            | Message::Want { id }
            | Message::Stored { id, copies: _ }
            | Message::Kept { id }
            | Message::Found { id, parcel: _, source: _, hops: _ }
            | Message::Reply { id, reply: _ } => belongs(*id, Side::Receiver, None),
            Message::RouteNotFound { id, htl, detours: _ } => belongs(*id, Side::Receiver, Some(*htl)),
            Message::InsertData { id, parcel: _ } | Message::OfferData { id, parcel: _ } => {
                belongs(*id, Side::Sender, None)
            }
            Message::Hello(_)
            | Message::Accept
            | Message::Locations(_)
            | Message::VouchFor { certificate: _ }
            | Message::VouchedFor { certificate: _, hearsay: _ }
            | Message::Unconfirmed => Word::Apart,
        }
    }

    fn overuse(&self, plan: &Plan) -> Option<String> {
        let used = self.occupancy();
        let own = limits::WINDOW_MAX as usize;
        let most_links =
            plan.degree_checked + limits::GUESTS + plan.nodes as usize * usize::from(plan.profile == Profile::Trusted);
        let is_within = used.searches <= limits::SEARCHES + own
            && used.inserts <= limits::INSERTS + own
            && used.offers <= limits::INSERTS + own + used.links * limits::OFFERS_PER_LINK
            && used.learned <= plan.routing_entries
            && used.links <= most_links
            && used.told <= plan.degree_checked * plan.degree_checked
            && used.window <= own
            && self.neighbours().len() <= most_links;
        (!is_within).then(|| format!("{used:?}"))
    }

    fn neighbours(&self) -> Vec<NodeId> {
        Self::neighbours(self).into_iter().map(|(id, _)| id).collect()
    }

    fn unrest(&self) -> Option<String> {
        let used = self.occupancy();
        (used.searches + used.inserts + used.offers > 0).then(|| format!("{used:?}"))
    }
}

impl Subject for Classic {
    const IDS_ARE_PRIVATE: bool = false;
    const IS_DURABLE: bool = false;
    const COMES_BACK: bool = false;

    fn build(plan: &Plan, start: &Start<'_>) -> Self {
        let config = classic::Config {
            htl: plan.htl.into(),
            routing_entries: plan.routing_entries,
            ..classic::Config::default()
        };
        let contact = |number: u32| Contact::new(id(plan, number), address_of(number));
        let place = |number: u32| content::place(plan.seed, number);
        let machine = content::machine_seed(plan.seed, start.number, start.restarts);
        let (me, config) = (contact(start.number), Arc::new(config));
        if start.number < plan.founders() {
            let known: Vec<_> = start.known.iter().map(|number| (place(*number), contact(*number))).collect();
            return Self::founder(config, me, place(start.number), &known, machine);
        }
        Self::newcomer(config, me, start.known.iter().map(|number| contact(*number)).collect(), machine)
    }

    fn word(plan: &Plan, message: &classic::Message) -> Word {
        use classic::Message;
        let most = |htl: u16| Hops { left: htl.into(), most: plan.htl.into() };
        match message {
            Message::Request { id, htl, depth: _, key } | Message::Insert { id, htl, depth: _, key } => {
                Word::Opens { id: id.0, hops: most(*htl), key: Some(*key) }
            }
            Message::Announce { id, htl, newcomer: _, commitment: _ } => {
                let hops = Hops { left: (*htl).into(), most: limits::ANNOUNCE_HOPS.into() };
                Word::Opens { id: id.0, hops, key: None }
            }
            Message::Data { .. }
            | Message::NotFound { .. }
            | Message::Continue { .. }
            | Message::Restart { .. }
            | Message::AllClear { .. }
            | Message::InsertData { .. }
            | Message::Reveal { .. }
            // Ids are the same on all links, so nothing is told by the link alone.
            | Message::Assign { .. } => Word::Apart,
        }
    }

    fn overuse(&self, plan: &Plan) -> Option<String> {
        let used = (self.entries(), self.open_exchanges(), self.open_links());
        // A link that is in use is not closed, and the other side may have opened it.
        let is_within = used.0 <= plan.routing_entries && used.1 <= limits::CLASSIC_EXCHANGES;
        (!is_within).then(|| format!("entries, exchanges, links: {used:?}"))
    }

    fn neighbours(&self) -> Vec<NodeId> {
        self.contacts().iter().map(Contact::id).collect()
    }

    fn unrest(&self) -> Option<String> {
        (self.open_exchanges() > 0).then(|| format!("{} exchanges", self.open_exchanges()))
    }
}
