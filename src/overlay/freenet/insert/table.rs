//! The inserts that are open at a node, and by what they are found.
//!
//! Keeps the tables consistent: an insert is found by its id, by the exchange of its asker and by the one it has open
//! at a neighbour, and its deadline stands in the schedule exactly once. Decides nothing; the course of an insert is in
//! the file above.

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, BlockKind};
use crate::overlay::freenet::message::ExchangeId;
use crate::overlay::freenet::quota::Quotas;
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::mode::Ticket;
use crate::time::{Duration, Instant};

/// The tables.
#[derive(Debug)]
pub(super) struct Table {
    by_id: Sparse<InsertId, Box<Insert>>,
    forwards: Sparse<(NodeId, ExchangeId), InsertId>,
    askers: Sparse<(NodeId, ExchangeId), InsertId>,
    deadlines: Schedule<InsertId>,
    pub(super) quotas: Quotas,
    next_id: u64,
}

/// Names an insert within this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::overlay::freenet) struct InsertId(u64);

/// Who wants the block stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    Peer { peer: NodeId, id: ExchangeId },
    Local { ticket: Ticket },
}

/// An insert as it came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) asker: Asker,
    pub(super) key: RoutingKey,
    pub(super) kind: BlockKind,
    pub(super) htl: u8,
}

/// One insert: at one neighbour at a time.
#[derive(Debug)]
pub(super) struct Insert {
    pub(super) asked: Asked,
    pub(super) tried: Vec<NodeId>,
    /// Who refused for load.
    pub(super) refused: Vec<NodeId>,
    /// How often it has waited for load to pass.
    pub(super) rests: u8,
    /// Whether the node forwarded to has given the all-clear.
    pub(super) clear_below: bool,
    /// The block, once it is here.
    pub(super) block: Option<Block>,
    /// Whether the asker has been told to send the block.
    pub(super) cleared: bool,
    /// Whether this node, being the origin, has itself accepted an offer of the block.
    pub(super) kept_here: bool,
    pub(super) placing: bool,
    /// When the asker's patience ends.
    pub(super) end: Instant,
    forward: Option<(NodeId, ExchangeId)>,
    /// The deadline now in the schedule.
    due: Instant,
}

impl Asked {
    /// The neighbour that asks; none for a local client.
    pub(super) const fn peer(&self) -> Option<NodeId> {
        match self.asker {
            Asker::Peer { peer, .. } => Some(peer),
            Asker::Local { .. } => None,
        }
    }
}

impl Insert {
    /// Where the insert is.
    pub(super) const fn forward(&self) -> Option<(NodeId, ExchangeId)> {
        self.forward
    }

    pub(super) const fn is_local(&self) -> bool {
        matches!(self.asked.asker, Asker::Local { .. })
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            by_id: Sparse::new(),
            forwards: Sparse::new(),
            askers: Sparse::new(),
            deadlines: Schedule::default(),
            quotas: Quotas::new(limits::INSERTS_PER_LINK),
            next_id: 0,
        }
    }
}

impl Table {
    /// How many inserts are open.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The earliest deadline.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Takes the earliest deadline if it has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<InsertId> {
        self.deadlines.pop_due(now)
    }

    pub(super) fn get(&self, id: InsertId) -> Option<&Insert> {
        self.by_id.get(&id).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, id: InsertId) -> Option<&mut Insert> {
        self.by_id.get_mut(&id).map(Box::as_mut)
    }

    /// The insert that has this exchange open at a neighbour.
    pub(super) fn forwarded(&self, to: NodeId, id: ExchangeId) -> Option<InsertId> {
        self.forwards.get(&(to, id)).copied()
    }

    /// The insert that a neighbour asked for in this exchange.
    pub(super) fn asked(&self, by: NodeId, id: ExchangeId) -> Option<InsertId> {
        self.askers.get(&(by, id)).copied()
    }

    /// The inserts that a neighbour asked for.
    pub(super) fn asked_by(&self, peer: &NodeId) -> Vec<InsertId> {
        let range = (*peer, ExchangeId(0))..=(*peer, ExchangeId(u64::MAX));
        self.askers.range(range).map(|(_, id)| *id).collect()
    }

    /// How many inserts a neighbour asked for.
    pub(super) fn open_for(&self, peer: &NodeId) -> usize {
        self.askers.range((*peer, ExchangeId(0))..=(*peer, ExchangeId(u64::MAX))).count()
    }

    /// The inserts that are at a neighbour.
    pub(super) fn at(&self, peer: &NodeId) -> Vec<InsertId> {
        let range = (*peer, ExchangeId(0))..=(*peer, ExchangeId(u64::MAX));
        self.forwards.range(range).map(|(_, id)| *id).collect()
    }

    /// The insert of a local command.
    pub(super) fn of(&self, wanted: Ticket) -> Option<InsertId> {
        let is_it = |insert: &Insert| matches!(insert.asked.asker, Asker::Local { ticket } if ticket == wanted);
        self.by_id.iter().find(|(_, insert)| is_it(insert)).map(|(id, _)| *id)
    }

    /// The inserts of a key.
    pub(super) fn of_key(&mut self, key: RoutingKey) -> impl Iterator<Item = &mut Insert> {
        self.by_id.values_mut().map(Box::as_mut).filter(move |insert| insert.asked.key == key)
    }

    /// Opens an insert; its asker has patience for as long as its hops to live may take.
    pub(super) fn add(&mut self, now: Instant, asked: Asked, block: Option<Block>) -> InsertId {
        self.next_id += 1;
        let (id, end) = (InsertId(self.next_id), now + patience(asked.htl));
        let insert = Insert {
            asked,
            tried: Vec::new(),
            refused: Vec::new(),
            rests: 0,
            forward: None,
            clear_below: false,
            cleared: block.is_some(),
            block,
            kept_here: false,
            placing: false,
            end,
            due: end,
        };
        if let Asker::Peer { peer, id: exchange } = asked.asker {
            self.askers.insert((peer, exchange), id);
        }
        self.by_id.insert(id, Box::new(insert));
        self.deadlines.add(end, id);
        id
    }

    /// The insert has gone to a neighbour, who is to answer by `due`.
    pub(super) fn set_forward(&mut self, id: InsertId, peer: NodeId, exchange: ExchangeId, due: Instant) {
        let Some(insert) = self.by_id.get_mut(&id) else { return };
        insert.tried.push(peer);
        insert.forward = Some((peer, exchange));
        insert.clear_below = false;
        self.forwards.insert((peer, exchange), id);
        self.quotas.open(peer, insert.asked.peer());
        self.set_due(id, due);
    }

    /// Whether `asker` may have one more insert open at a neighbour.
    pub(super) fn has_quota(&self, to: NodeId, asker: Option<NodeId>) -> bool {
        self.quotas.has_room(to, asker)
    }

    /// The neighbour asked counts no more.
    pub(super) fn drop_forward(&mut self, id: InsertId) {
        let Some(insert) = self.by_id.get_mut(&id) else { return };
        if let Some(forward) = insert.forward.take() {
            self.forwards.remove(&forward);
            self.quotas.close(forward.0, insert.asked.peer());
        }
    }

    /// Closes an insert.
    pub(super) fn remove(&mut self, id: InsertId) -> Option<Insert> {
        let insert = self.by_id.remove(&id)?;
        self.deadlines.cancel(insert.due, id);
        if let Some(forward) = &insert.forward {
            self.forwards.remove(forward);
            self.quotas.close(forward.0, insert.asked.peer());
        }
        if let Asker::Peer { peer, id } = insert.asked.asker {
            self.askers.remove(&(peer, id));
        }
        Some(*insert)
    }

    /// Moves the deadline of an insert, at most to the end of its asker's patience.
    pub(super) fn set_due(&mut self, id: InsertId, due: Instant) {
        let Some(insert) = self.by_id.get_mut(&id) else { return };
        self.deadlines.cancel(insert.due, id);
        insert.due = due.min(insert.end);
        let due = insert.due;
        self.deadlines.add(due, id);
    }
}

/// How long an insert with `htl` hops to live may take in all.
fn patience(htl: u8) -> Duration {
    limits::PATIENCE_PER_HOP * (u32::from(htl) + 2)
}
