//! The sink and its offers: the block is kept here and by the nodes nearest the key (protocol.md §4).
//!
//! An offer goes to a neighbour, or through it to one of its neighbours, and never further. Whoever accepts answers
//! once the block is durable; the sink counts distinct stores.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::message::block::{Block, BlockKind, Parcel};
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::insert::InsertId;
use crate::overlay::freenet::message::{ExchangeId, Message, Refusal};
use crate::overlay::freenet::neighbours::Neighbour;
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::{Holding, Offence, StoreToken, StoreWork};
use crate::time::Instant;

/// All placements and offers of a node.
#[derive(Debug, Default)]
pub(super) struct Offers {
    placements: Sparse<PlacementId, Box<Placement>>,
    /// Offers this node has made, or passes on.
    made: Sparse<(NodeId, ExchangeId), Made>,
    /// Offers made to this node, or passed on by it, by the offering link.
    received: Sparse<(NodeId, ExchangeId), Received>,
    tokens: Sparse<StoreToken, Token>,
    deadlines: Schedule<Deadline>,
    next_id: u64,
}

/// A placement that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// The insert it was for; none for a re-offer.
    pub(super) insert: Option<InsertId>,
    /// Other nodes that keep the block.
    pub(super) copies: u32,
    /// Whether this node keeps it.
    pub(super) here: bool,
}

/// What the store's word about a block has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// A placement of this node has ended.
    Placed(Placed),
    /// A block that was offered to this node is kept here from now on.
    KeptHere(RoutingKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PlacementId(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Placement(PlacementId),
    Received(NodeId, ExchangeId),
}

#[derive(Debug)]
struct Placement {
    insert: Option<InsertId>,
    block: Block,
    /// The offers made for it.
    offers: Vec<(NodeId, ExchangeId)>,
    open: u32,
    copies: u32,
    here: bool,
    due: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Made {
    /// For a placement of this node.
    Own(PlacementId),
    /// Passed on for a neighbour.
    For(NodeId, ExchangeId),
}

#[derive(Clone, Debug)]
struct Received {
    key: RoutingKey,
    kind: BlockKind,
    /// The offer by which it was passed on; none if this node is meant.
    onward: Option<(NodeId, ExchangeId)>,
    asked_for: bool,
    due: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Token {
    /// The sink keeps its own copy.
    Here(PlacementId),
    /// Is an offered block here already?
    Held(NodeId, ExchangeId),
    /// An offered block is being kept.
    Kept(NodeId, ExchangeId),
}

impl Offers {
    /// How many placements and offers are open.
    pub(super) fn open(&self) -> usize {
        self.placements.len() + self.received.len()
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Keeps `block` here and offers it to the nodes nearest its key.
    pub(super) fn place(&mut self, core: &mut Core, now: Instant, insert: Option<InsertId>, block: Block) {
        let id = PlacementId(self.fresh_id());
        let token = core.token();
        self.tokens.insert(token, Token::Here(id));
        core.store(StoreWork::Keep { token, block: block.clone() });
        let targets = nearest_places(core, block.key().location());
        let due = now + limits::STORE_TIMEOUT;
        let offers = Vec::with_capacity(targets.len());
        let placement = Placement { insert, block, offers, open: 1, copies: 0, here: false, due };
        self.placements.insert(id, Box::new(placement));
        self.deadlines.add(due, Deadline::Placement(id));
        for (location, through) in targets {
            self.offer(core, id, location, through);
        }
    }

    /// Offers a block that is kept here to one neighbour that is closer to its key.
    /// Reports at once if the neighbour is gone.
    pub(super) fn reoffer(&mut self, core: &mut Core, now: Instant, block: Block, peer: NodeId) -> Option<Placed> {
        let Some(location) = core.neighbours.get(&peer).and_then(|neighbour| neighbour.location()) else {
            return Some(Placed { insert: None, copies: 0, here: true });
        };
        let (id, due) = (PlacementId(self.fresh_id()), now + limits::STORE_TIMEOUT);
        let placement = Placement { insert: None, block, offers: Vec::new(), open: 0, copies: 0, here: true, due };
        self.placements.insert(id, Box::new(placement));
        self.deadlines.add(due, Deadline::Placement(id));
        self.offer(core, id, location, peer);
        None
    }

    // -- offers made ----------------------------------------------------------------------------------------------------

    fn offer(&mut self, core: &mut Core, id: PlacementId, location: Location, through: NodeId) {
        let Some(placement) = self.placements.get_mut(&id) else { return };
        placement.open += 1;
        let (key, kind) = (placement.block.key(), placement.block.kind());
        let exchange = core.exchange_id();
        placement.offers.push((through, exchange));
        self.made.insert((through, exchange), Made::Own(id));
        core.send(through, Message::Offer { id: exchange, key, kind, location });
    }

    /// The node offered to wants the block.
    pub(super) fn handle_want(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId) {
        match self.made.get(&(from, id)) {
            Some(Made::Own(placement)) => {
                let Some(placement) = self.placements.get(placement) else { return };
                let parcel = placement.block.parcel();
                core.send(from, Message::OfferData { id, parcel });
            }
            Some(Made::For(peer, asked)) => {
                if let Some(received) = self.received.get_mut(&(*peer, *asked)) {
                    received.asked_for = true;
                }
                core.send(*peer, Message::Want { id: *asked });
            }
            None => core.on_unasked_yet(now, from, id),
        }
    }

    /// The node offered to keeps the block, durably.
    pub(super) fn handle_kept(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
    ) -> Option<Placed> {
        self.settle(core, now, from, id, true)
    }

    /// The node offered to does not keep the block.
    pub(super) fn handle_refused(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
    ) -> Option<Placed> {
        self.settle(core, now, from, id, false)
    }

    /// Whether a refusal belongs to an offer.
    pub(super) fn owns(&self, from: NodeId, id: ExchangeId) -> bool {
        self.made.contains_key(&(from, id))
    }

    fn settle(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId, kept: bool) -> Option<Placed> {
        match self.made.remove(&(from, id)) {
            Some(Made::Own(placement)) => self.count(placement, u32::from(kept)),
            Some(Made::For(peer, asked)) => {
                let message = match kept {
                    true => Message::Kept { id: asked },
                    false => Message::Refused { id: asked, refusal: Refusal::Overload },
                };
                self.close_received(core, peer, asked, message);
                None
            }
            None => {
                core.on_unasked(now, from, id);
                None
            }
        }
    }

    fn count(&mut self, id: PlacementId, copies: u32) -> Option<Placed> {
        let placement = self.placements.get_mut(&id)?;
        placement.open -= 1;
        placement.copies += copies;
        if placement.open == 0 { self.end(id) } else { None }
    }

    fn end(&mut self, id: PlacementId) -> Option<Placed> {
        let placement = self.placements.remove(&id)?;
        self.deadlines.cancel(placement.due, Deadline::Placement(id));
        for offer in &placement.offers {
            self.made.remove(offer);
        }
        Some(Placed { insert: placement.insert, copies: placement.copies, here: placement.here })
    }

    // -- offers received ------------------------------------------------------------------------------------------------

    /// A neighbour offers a block, to this node or through it.
    pub(super) fn handle_offer(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        offer: (ExchangeId, RoutingKey, BlockKind, Location),
    ) {
        let (id, key, kind, location) = offer;
        if !core.neighbours.get(&from).is_some_and(Neighbour::may_ask) || self.received.contains_key(&(from, id)) {
            return core.offence(now, from, Offence::OutOfTurn);
        }
        let open_here = self.received.range((from, ExchangeId(0))..=(from, ExchangeId(u64::MAX))).count();
        if open_here >= limits::OFFERS_PER_LINK {
            return core.send(from, Message::Refused { id, refusal: Refusal::Overload });
        }
        let due = now + limits::STORE_TIMEOUT;
        let received = Received { key, kind, onward: None, asked_for: false, due };
        if location == core.location() {
            self.received.insert((from, id), received);
            self.deadlines.add(due, Deadline::Received(from, id));
            let token = core.token();
            self.tokens.insert(token, Token::Held(from, id));
            core.store(StoreWork::Contains { token, key });
            return;
        }
        let onward = core
            .neighbours
            .members()
            .find(|(peer, _, place)| *place == location && **peer != from)
            .map(|(peer, _, _)| *peer);
        let Some(peer) = onward else {
            return core.send(from, Message::Refused { id, refusal: Refusal::Overload });
        };
        let exchange = core.exchange_id();
        self.received.insert((from, id), Received { onward: Some((peer, exchange)), ..received });
        self.deadlines.add(due, Deadline::Received(from, id));
        self.made.insert((peer, exchange), Made::For(from, id));
        core.send(peer, Message::Offer { id: exchange, key, kind, location });
    }

    /// The block offered arrives. Returns it if this node keeps it.
    pub(super) fn handle_data(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        parcel: Parcel,
    ) -> Option<Block> {
        let Some(received) = self.received.get_mut(&(from, id)) else {
            core.on_unasked(now, from, id);
            return None;
        };
        // Once, and only what was asked for: whoever passes more on would be blamed for it by the next.
        if !std::mem::take(&mut received.asked_for) {
            core.offence(now, from, Offence::OutOfTurn);
            return None;
        }
        let opened = parcel.open(&received.key).ok().filter(|block| block.kind() == received.kind);
        let Some(block) = opened else {
            core.offence(now, from, Offence::BadBlock);
            self.close_received(core, from, id, Message::Refused { id, refusal: Refusal::Overload });
            return None;
        };
        if let Some((peer, exchange)) = received.onward {
            core.send(peer, Message::OfferData { id: exchange, parcel: block.parcel() });
            return None;
        }
        self.keep(core, from, id, block.clone());
        Some(block)
    }

    fn keep(&mut self, core: &mut Core, from: NodeId, id: ExchangeId, block: Block) {
        let token = core.token();
        self.tokens.insert(token, Token::Kept(from, id));
        core.store(StoreWork::Keep { token, block });
    }

    /// Answers an offer, if it is still open.
    fn close_received(&mut self, core: &mut Core, from: NodeId, id: ExchangeId, message: Message) -> Option<Received> {
        let received = self.received.remove(&(from, id))?;
        self.deadlines.cancel(received.due, Deadline::Received(from, id));
        if let Some(onward) = received.onward {
            self.made.remove(&onward);
        }
        core.forgive(id);
        core.send(from, message);
        Some(received)
    }

    // -- the store and time -----------------------------------------------------------------------------------------------

    /// The store tells whether an offered block is here. Returns the key of one that is kept here already.
    pub(super) fn handle_contains(
        &mut self,
        core: &mut Core,
        token: StoreToken,
        holding: Holding,
    ) -> Option<RoutingKey> {
        let Some(Token::Held(from, id)) = self.tokens.remove(&token) else { return None };
        let received = self.received.get_mut(&(from, id))?;
        let key = received.key;
        match holding {
            Holding::Kept => {
                self.close_received(core, from, id, Message::Kept { id });
                Some(key)
            }
            // It may be here in passing: keeping it makes it stay.
            Holding::Passing | Holding::Nothing => {
                received.asked_for = true;
                core.send(from, Message::Want { id });
                None
            }
        }
    }

    /// The store has kept a block, or not.
    pub(super) fn handle_stored(&mut self, core: &mut Core, token: StoreToken, durable: bool) -> Option<Settled> {
        match self.tokens.remove(&token)? {
            Token::Here(placement) => {
                if let Some(placement) = self.placements.get_mut(&placement) {
                    placement.here = durable;
                }
                self.count(placement, 0).map(Settled::Placed)
            }
            Token::Kept(from, id) => {
                let message = match durable {
                    true => Message::Kept { id },
                    false => Message::Refused { id, refusal: Refusal::Overload },
                };
                let received = self.close_received(core, from, id, message)?;
                durable.then_some(Settled::KeptHere(received.key))
            }
            Token::Held(..) => None,
        }
    }

    /// A link is gone: offers made over it have failed, offers received over it are forgotten.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: &NodeId) -> Vec<Placed> {
        let of_peer = (*peer, ExchangeId(0))..=(*peer, ExchangeId(u64::MAX));
        let made: Vec<ExchangeId> = self.made.range(of_peer.clone()).map(|((_, id), _)| *id).collect();
        let received: Vec<ExchangeId> = self.received.range(of_peer).map(|((_, id), _)| *id).collect();
        for id in received {
            if let Some(received) = self.received.remove(&(*peer, id)) {
                self.deadlines.cancel(received.due, Deadline::Received(*peer, id));
                received.onward.map(|onward| self.made.remove(&onward));
            }
        }
        made.into_iter().filter_map(|id| self.settle(core, now, *peer, id, false)).collect()
    }

    /// A deadline has come. Call until it returns `None`; an inner `None` means nothing to report.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) -> Option<Option<Placed>> {
        match self.deadlines.pop_due(now)? {
            Deadline::Placement(id) => Some(self.end(id)),
            Deadline::Received(from, id) => {
                self.close_received(core, from, id, Message::Refused { id, refusal: Refusal::Overload });
                Some(None)
            }
        }
    }

    const fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// The places nearest `target` among neighbours and their neighbours, each with the neighbour to go through.
fn nearest_places(core: &Core, target: Location) -> Vec<(Location, NodeId)> {
    let own = core.location();
    let mut places: BTreeMap<Location, (bool, NodeId)> = BTreeMap::new();
    for (peer, neighbour, location) in core.neighbours.members() {
        places.insert(location, (true, *peer));
        for ahead in neighbour.ahead().as_slice() {
            places.entry(*ahead).or_insert((false, *peer));
        }
    }
    places.remove(&own);
    let mut ranked: Vec<(Location, NodeId)> =
        places.into_iter().map(|(location, (_, peer))| (location, peer)).collect();
    ranked.sort_by_key(|(location, _)| (location.distance(target), *location));
    ranked.truncate(limits::OFFERS);
    ranked
}
