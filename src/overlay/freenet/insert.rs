//! Inserts: strictly closer at every hop, all-clear, then the block down the path to the sink (protocol.md §4).
//!
//! An insert cannot loop because every hop is strictly closer than the one before. The last node that holds the block
//! when the path breaks becomes the sink of what it can still reach, so that a death half-way costs copies, never the
//! block. What the sink then does with it is in `offer`.

mod table;

pub(super) use self::table::InsertId;
use self::table::{Asked, Asker, Insert, Table};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, BlockKind, Parcel};
use crate::overlay::freenet::core::{Core, Event};
use crate::overlay::freenet::message::{ExchangeId, Message, Refusal};
use crate::overlay::freenet::routing::{self, Excluded};
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::{Answer, Offence, StoreToken, StoreWork, Ticket};
use crate::time::Instant;

/// All open inserts of a node.
#[derive(Debug, Default)]
pub(super) struct Inserts {
    table: Table,
    reads: Sparse<StoreToken, InsertId>,
}

/// What the composing parent does for an insert.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing.
    Wait,
    /// This node is the sink: keep the block and offer it. Answered by [`Inserts::handle_placed`].
    Place { insert: InsertId, block: Block },
}

impl Inserts {
    /// How many inserts are open.
    pub(super) fn open(&self) -> usize {
        self.table.len()
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.table.next_due()
    }

    // -- what comes in ------------------------------------------------------------------------------------------------

    /// A local client wants a block stored.
    pub(super) fn insert(&mut self, core: &mut Core, now: Instant, ticket: Ticket, block: Block) -> Next {
        let (key, kind, htl) = (block.key(), block.kind(), core.config.htl);
        let id = self.table.add(now, Asked { asker: Asker::Local { ticket }, key, kind, htl }, Some(block));
        self.look_then_advance(core, now, id)
    }

    /// A local client gives up; what is under way goes on.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        if let Some(id) = self.table.of(ticket) {
            self.table.remove(id);
        }
    }

    /// A neighbour asks whether it may insert.
    pub(super) fn handle_insert(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        ask: (ExchangeId, RoutingKey, BlockKind, u8),
    ) -> Next {
        let (id, key, kind, htl) = ask;
        let Some(neighbour) = core.neighbours.get(&from).filter(|neighbour| neighbour.may_ask()) else {
            core.offence(now, from, Offence::OutOfTurn);
            return Next::Wait;
        };
        let open_here = self.table.open_for(&from);
        if open_here >= limits::INSERTS_PER_LINK || self.open() >= limits::INSERTS || neighbour.behind {
            core.send(from, Message::Refused { id, refusal: Refusal::Overload });
            return Next::Wait;
        }
        if self.table.asked(from, id).is_some() {
            core.offence(now, from, Offence::OutOfTurn);
            return Next::Wait;
        }
        let htl = htl.clamp(1, limits::MAX_HTL);
        let insert = self.table.add(now, Asked { asker: Asker::Peer { peer: from, id }, key, kind, htl }, None);
        self.look_then_advance(core, now, insert)
    }

    /// The next node on the path is clear: the block goes down, or the word goes up.
    pub(super) fn handle_all_clear(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId) -> Next {
        let Some(insert_id) = self.table.forwarded(from, id) else {
            core.on_unasked_yet(now, from, id);
            return Next::Wait;
        };
        if let Some(insert) = self.table.get_mut(insert_id) {
            insert.clear_below = true;
        }
        self.descend(core, now, insert_id);
        Next::Wait
    }

    /// The block comes down the path.
    pub(super) fn handle_data(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        parcel: Parcel,
    ) -> Next {
        let Some(insert_id) = self.table.asked(from, id) else {
            core.on_unasked(now, from, id);
            return Next::Wait;
        };
        let Some(insert) = self.table.get_mut(insert_id).filter(|insert| insert.cleared && insert.block.is_none())
        else {
            core.offence(now, from, Offence::OutOfTurn);
            return Next::Wait;
        };
        let Ok(block) = parcel.open(&insert.asked.key) else {
            core.offence(now, from, Offence::BadBlock);
            self.table.remove(insert_id);
            return Next::Wait;
        };
        insert.block = Some(block.clone());
        if insert.asked.htl < core.config.htl.saturating_sub(1) {
            core.store(StoreWork::Cache { block });
        }
        match insert.forward().is_some() {
            true => {
                self.descend(core, now, insert_id);
                Next::Wait
            }
            false => self.place(insert_id),
        }
    }

    /// The block is stored below.
    pub(super) fn handle_stored(&mut self, core: &mut Core, now: Instant, from: NodeId, id: ExchangeId, copies: u8) {
        let Some(insert_id) = self.table.forwarded(from, id) else {
            return core.on_unasked(now, from, id);
        };
        self.table.quotas.on_answered(from);
        if let Some(neighbour) = core.neighbours.get_mut(&from) {
            neighbour.useful = now;
        }
        self.finish(core, insert_id, u32::from(copies));
    }

    /// The neighbour asked does not take the insert on.
    pub(super) fn handle_refused(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        refusal: Refusal,
    ) -> Next {
        let Some(insert_id) = self.table.forwarded(from, id) else { return Next::Wait };
        if refusal == Refusal::Overload {
            if core.rest_for_load(now, &from) {
                self.table.quotas.on_overload(from);
            }
            if let Some(insert) = self.table.get_mut(insert_id) {
                insert.refused.push(from);
            }
            if self.table.get(insert_id).is_some_and(Insert::is_local) {
                core.events.push_back(Event::Overload);
            }
        }
        self.advance(core, now, insert_id)
    }

    /// Whether an answer `Found` belongs to an insert.
    pub(super) fn owns(&self, from: NodeId, id: ExchangeId) -> bool {
        self.table.forwarded(from, id).is_some()
    }

    /// Another block stands under the key already: it is spread on the way back, the new one is not stored.
    pub(super) fn handle_collision(
        &mut self,
        core: &mut Core,
        now: Instant,
        from: NodeId,
        id: ExchangeId,
        parcel: Parcel,
    ) -> Option<Block> {
        let insert_id = self.table.forwarded(from, id)?;
        let insert = self.table.get(insert_id)?;
        let opened = parcel.open(&insert.asked.key).ok().filter(|block| block.kind() == BlockKind::Signed);
        let Some(existing) = opened else {
            core.offence(now, from, Offence::BadBlock);
            // A liar ends nothing: the next deadline asks another.
            self.table.set_due(insert_id, now);
            return None;
        };
        if insert.asked.htl < core.config.htl.saturating_sub(1) {
            core.store(StoreWork::Cache { block: existing.clone() });
        }
        self.collide(core, insert_id, existing.clone());
        Some(existing)
    }

    /// The own store has answered.
    pub(super) fn handle_read(
        &mut self,
        core: &mut Core,
        now: Instant,
        token: StoreToken,
        block: Option<Block>,
    ) -> Next {
        let Some(insert_id) = self.reads.remove(&token) else { return Next::Wait };
        match block {
            Some(existing) => {
                self.collide(core, insert_id, existing);
                Next::Wait
            }
            None => self.advance(core, now, insert_id),
        }
    }

    /// The sink's work is done: `copies` distinct stores hold the block, this node's own among them if `here`.
    pub(super) fn handle_placed(&mut self, core: &mut Core, insert_id: InsertId, copies: u32, here: bool) {
        let Some(insert) = self.table.get(insert_id) else { return };
        // The inserter's own store does not count for the inserter, but for everybody else it is a store like any other.
        let copies = match insert.asked.asker {
            Asker::Local { .. } => copies,
            Asker::Peer { .. } => copies + u32::from(here),
        };
        self.finish(core, insert_id, copies);
    }

    /// This node has accepted an offer of a block that it may itself be inserting, or keeps it from before.
    pub(super) fn note_kept_here(&mut self, key: &RoutingKey) {
        for insert in self.table.of_key(*key) {
            insert.kept_here |= insert.is_local();
        }
    }

    /// A link is gone.
    pub(super) fn handle_link_down(&mut self, core: &mut Core, now: Instant, peer: &NodeId) -> Vec<Next> {
        self.table.quotas.forget(*peer);
        for id in self.table.asked_by(peer) {
            // With the block in hand the insert goes on, for the sake of the document; nobody is told.
            if self.table.get(id).is_some_and(|insert| insert.block.is_none()) {
                self.table.remove(id);
            }
        }
        let below = self.table.at(peer);
        below.into_iter().map(|id| self.advance(core, now, id)).collect()
    }

    /// A deadline has come. Call until it returns `None`.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) -> Option<Next> {
        let id = self.table.pop_due(now)?;
        let insert = self.table.get(id)?;
        if now >= insert.end {
            let copies = 0;
            self.finish(core, id, copies);
            return Some(Next::Wait);
        }
        if let Some((peer, _)) = insert.forward() {
            core.rest(now, &peer, limits::REST_AFTER_SILENCE);
        }
        Some(self.advance(core, now, id))
    }

    // -- the course of an insert --------------------------------------------------------------------------------------

    /// A signed block may stand here already under the same key with other content; a content block cannot.
    fn look_then_advance(&mut self, core: &mut Core, now: Instant, id: InsertId) -> Next {
        let Some(insert) = self.table.get(id) else { return Next::Wait };
        if insert.asked.kind == BlockKind::Content {
            return self.advance(core, now, id);
        }
        let token = core.token();
        self.reads.insert(token, id);
        // A copy: inserting twice must not count as being asked for.
        core.store(StoreWork::Copy { token, key: insert.asked.key });
        Next::Wait
    }

    /// Asks the next strictly closer neighbour; if there is none, this node is the sink.
    fn advance(&mut self, core: &mut Core, now: Instant, id: InsertId) -> Next {
        self.table.drop_forward(id);
        let Some(insert) = self.table.get(id) else { return Next::Wait };
        let ends = core.last_hops.end(&insert.asked.key);
        let htl = match insert.asked.peer() {
            Some(peer) => core
                .neighbours
                .get(&peer)
                .and_then(|neighbour| neighbour.lower(insert.asked.htl, core.config.htl, ends)),
            None => core.own_coins.lower(insert.asked.htl, core.config.htl, ends),
        };
        let next = self.next(core, now, insert);
        match (next, htl) {
            (Some(peer), Some(htl)) => {
                self.forward(core, now, id, peer, htl);
                Next::Wait
            }
            _ if insert.is_local() && !insert.refused.is_empty() && insert.rests < limits::RESTS_FOR_LOAD => {
                self.rest(now, id)
            }
            _ => self.become_sink(core, now, id),
        }
    }

    /// Waits for load to pass, and asks once more those who refused for it.
    fn rest(&mut self, now: Instant, id: InsertId) -> Next {
        if let Some(insert) = self.table.get_mut(id) {
            insert.rests += 1;
            let refused = std::mem::take(&mut insert.refused);
            insert.tried.retain(|peer| !refused.contains(peer));
        }
        self.table.set_due(id, now + limits::REST_AFTER_OVERLOAD);
        Next::Wait
    }

    /// The best closer neighbour that takes another insert from this asker. Those whose share is used up are passed over.
    fn next(&self, core: &Core, now: Instant, insert: &Insert) -> Option<NodeId> {
        let (own, target) = (core.me.reference.location, insert.asked.key.location());
        let (asker, mut passed) = (insert.asked.peer(), insert.tried.clone());
        loop {
            let excluded = Excluded { asker, tried: &passed };
            let next = routing::next_strictly_closer(&core.neighbours, own, target, excluded, now)?;
            if self.table.has_quota(next, asker) {
                return Some(next);
            }
            passed.push(next);
        }
    }

    fn forward(&mut self, core: &mut Core, now: Instant, id: InsertId, peer: NodeId, htl: u8) {
        let exchange = core.exchange_id();
        let Some(Asked { key, kind, .. }) = self.table.get(id).map(|insert| insert.asked) else { return };
        // The path is at most `htl` links long, each of which may first try a silent neighbour.
        let silences = limits::ACCEPT_TIMEOUT * u32::from(limits::INSERT_SILENCES).max(1);
        self.table.set_forward(id, peer, exchange, now + silences + limits::HOP_TIME * u32::from(htl));
        core.send(peer, Message::Insert { id: exchange, key, kind, htl });
    }

    fn become_sink(&mut self, core: &mut Core, now: Instant, id: InsertId) -> Next {
        let Some(insert) = self.table.get_mut(id) else { return Next::Wait };
        if insert.block.is_some() {
            return self.place(id);
        }
        if !insert.cleared {
            insert.cleared = true;
            if let Asker::Peer { peer, id } = insert.asked.asker {
                core.send(peer, Message::AllClear { id });
            }
        }
        self.table.set_due(id, now + limits::ACCEPT_TIMEOUT * 2);
        Next::Wait
    }

    fn place(&mut self, id: InsertId) -> Next {
        let Some(insert) = self.table.get_mut(id).filter(|insert| !insert.placing) else { return Next::Wait };
        insert.placing = true;
        let end = insert.end;
        let block = insert.block.clone();
        self.table.set_due(id, end);
        block.map_or(Next::Wait, |block| Next::Place { insert: id, block })
    }

    /// Hands the block to the next node, or passes the all-clear up if the block is not here yet.
    fn descend(&mut self, core: &mut Core, now: Instant, id: InsertId) {
        let Some(insert) = self.table.get_mut(id) else { return };
        match (&insert.block, insert.forward()) {
            (Some(block), Some((peer, exchange))) if insert.clear_below => {
                let parcel = block.parcel();
                core.send(peer, Message::InsertData { id: exchange, parcel });
            }
            (None, _) if !insert.cleared => {
                insert.cleared = true;
                if let Asker::Peer { peer, id } = insert.asked.asker {
                    core.send(peer, Message::AllClear { id });
                }
            }
            _ => {}
        }
        let due = insert.end.min(now + limits::STORE_TIMEOUT + limits::HOP_TIME * u32::from(insert.asked.htl));
        self.table.set_due(id, due);
    }

    fn finish(&mut self, core: &mut Core, id: InsertId, copies: u32) {
        let Some(insert) = self.table.remove(id) else { return };
        match insert.asked.asker {
            Asker::Peer { peer, id } => {
                let copies = u8::try_from(copies).unwrap_or(u8::MAX);
                core.forgive(id);
                core.send(peer, Message::Stored { id, copies });
            }
            Asker::Local { ticket } => {
                let stores = copies.saturating_sub(u32::from(insert.kept_here && !insert.placing));
                let reachable = core.neighbours.reachable(core.me.reference.location, limits::STORES_WANTED);
                let wanted = u32::try_from(reachable.min(limits::STORES_WANTED)).expect("at most three");
                let answer = match wanted {
                    0 => Answer::Unavailable,
                    _ => Answer::Inserted { stores, wanted },
                };
                core.answer(ticket, answer);
            }
        }
    }

    fn collide(&mut self, core: &mut Core, id: InsertId, existing: Block) {
        let Some(insert) = self.table.remove(id) else { return };
        match insert.asked.asker {
            Asker::Peer { peer, id } => {
                let source = core.me.placed.then(|| core.me.reference.clone());
                core.send(peer, Message::Found { id, parcel: existing.parcel(), source, hops: 0 });
            }
            Asker::Local { ticket } => core.answer(ticket, Answer::Collision { existing }),
        }
    }
}
