//! Who is linked, who is being dialled, and which of two crossing connections stays.
//!
//! Guarantees one link per peer. Both ends settle a crossing alike and without a word: the dial of the smaller id stays.
//! The dialler counts a link as open only when the other end says so, so a crossing never shows as a link that comes and
//! goes. Pure bookkeeping: no socket, no clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::queue::Queue;
use super::tempo::{Others, Tempo};
use crate::id::{AddressGroup, NodeId};
use crate::limits::{HANDSHAKES, LINKS, LINKS_PER_GROUP};
use crate::wire::frame::Frame;

/// Every peer this node has to do with.
#[derive(Debug)]
pub(super) struct Peers<M> {
    own: NodeId,
    peers: BTreeMap<NodeId, Peer<M>>,
    /// Handshakes of strangers and inbound links, by address group.
    groups: BTreeMap<AddressGroup, usize>,
    handshakes: usize,
    stopping: bool,
    serial: u64,
    rhythms: Arc<Others>,
}

/// One peer. Each state ends with its token being cancelled.
#[derive(Debug)]
enum Peer<M> {
    Dialling(Dial),
    Linked(Link<M>),
}

/// A dial under way.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) serial: u64,
    /// Cancelled to give the dial up in favour of the peer's own.
    pub(super) give_up: CancellationToken,
    pub(super) ended: CancellationToken,
}

/// An open link.
#[derive(Debug)]
pub(super) struct Link<M> {
    pub(super) serial: u64,
    pub(super) address: SocketAddr,
    pub(super) inbound: bool,
    pub(super) connection: quinn::Connection,
    pub(super) queue: Arc<Queue<M>>,
    pub(super) tempo: Arc<Tempo>,
    pub(super) ended: CancellationToken,
}

/// What to do with a connection that a peer has opened and proven.
#[derive(Debug)]
pub(super) enum Verdict<M> {
    /// It is the link.
    Welcome(Link<M>),
    /// Ask again when this token is cancelled: this node's own dial decides, or the old link has not ended yet.
    Wait(CancellationToken),
    /// The peer is linked already: if the new connection lives on, close the old link and ask again when it has ended.
    Replace(Link<M>),
    /// No room, or this node stops.
    Refuse,
}

/// Why a dial does not begin.
#[derive(Clone, Debug)]
pub(super) enum NoDial {
    /// The peer is linked, or a dial is under way: its end is the answer.
    Answered,
    /// The link to the peer is ending: dial when this token is cancelled.
    Ending(CancellationToken),
    /// The node's own id.
    Own,
    /// Too many links.
    Full,
    /// This node stops.
    Stopping,
}

impl<M: Frame> Peers<M> {
    pub(super) fn new(own: NodeId) -> Self {
        let (peers, groups, rhythms) = (BTreeMap::new(), BTreeMap::new(), Arc::default());
        Self { own, peers, groups, handshakes: 0, stopping: false, serial: 0, rhythms }
    }

    pub(super) fn begin_dial(&mut self, peer: NodeId) -> Result<Dial, NoDial> {
        if self.stopping {
            return Err(NoDial::Stopping);
        }
        if peer == self.own {
            return Err(NoDial::Own);
        }
        match self.peers.get(&peer) {
            Some(Peer::Linked(link)) if link.is_ending() => return Err(NoDial::Ending(link.ended.clone())),
            Some(_) => return Err(NoDial::Answered),
            None if self.peers.len() >= LINKS => return Err(NoDial::Full),
            None => {}
        }
        let dial =
            Dial { serial: self.next_serial(), give_up: CancellationToken::new(), ended: CancellationToken::new() };
        self.peers.insert(peer, Peer::Dialling(dial.clone()));
        Ok(dial)
    }

    /// The dial `serial` led to a welcome. None if it had been given up meanwhile.
    pub(super) fn finish_dial(&mut self, peer: NodeId, serial: u64, connection: quinn::Connection) -> Option<Link<M>> {
        if !self.end_dial(peer, serial) {
            return None;
        }
        Some(self.insert_link(peer, connection, false))
    }

    /// The dial `serial` is over. Whether it was still the one that counts.
    pub(super) fn end_dial(&mut self, peer: NodeId, serial: u64) -> bool {
        let current = matches!(self.peers.get(&peer), Some(Peer::Dialling(dial)) if dial.serial == serial);
        if current && let Some(Peer::Dialling(dial)) = self.peers.remove(&peer) {
            dial.ended.cancel();
        }
        current
    }

    pub(super) fn judge(&mut self, peer: NodeId, connection: &quinn::Connection) -> Verdict<M> {
        if self.stopping || peer == self.own {
            return Verdict::Refuse;
        }
        match self.peers.get(&peer) {
            None if self.peers.len() >= LINKS => Verdict::Refuse,
            None => Verdict::Welcome(self.insert_link(peer, connection.clone(), true)),
            Some(Peer::Dialling(dial)) if self.own < peer => Verdict::Wait(dial.ended.clone()),
            Some(Peer::Dialling(dial)) => {
                dial.give_up.cancel();
                dial.ended.cancel();
                Verdict::Welcome(self.insert_link(peer, connection.clone(), true))
            }
            Some(Peer::Linked(link)) if link.is_ending() => Verdict::Wait(link.ended.clone()),
            Some(Peer::Linked(link)) => Verdict::Replace(link.clone()),
        }
    }

    /// The link `serial` is gone.
    pub(super) fn end_link(&mut self, peer: NodeId, serial: u64) {
        if matches!(self.peers.get(&peer), Some(Peer::Linked(link)) if link.serial == serial)
            && let Some(Peer::Linked(link)) = self.peers.remove(&peer)
        {
            if link.inbound {
                self.leave_group(&link.address);
            }
            link.ended.cancel();
        }
    }

    pub(super) fn link(&self, peer: &NodeId) -> Option<&Link<M>> {
        match self.peers.get(peer) {
            Some(Peer::Linked(link)) => Some(link),
            _ => None,
        }
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (&NodeId, &Link<M>)> {
        self.peers.iter().filter_map(|(peer, state)| match state {
            Peer::Linked(link) => Some((peer, link)),
            Peer::Dialling(_) => None,
        })
    }

    /// A stranger begins a handshake; false if there is no room for it.
    pub(super) fn begin_handshake(&mut self, address: &SocketAddr) -> bool {
        let group = AddressGroup::of(address);
        let of_group = self.groups.get(&group).copied().unwrap_or(0);
        if self.stopping || self.handshakes >= HANDSHAKES || of_group >= LINKS_PER_GROUP {
            return false;
        }
        self.handshakes += 1;
        self.groups.insert(group, of_group + 1);
        true
    }

    pub(super) fn end_handshake(&mut self, address: &SocketAddr) {
        self.handshakes -= 1;
        self.leave_group(address);
    }

    pub(super) const fn handshakes(&self) -> usize {
        self.handshakes
    }

    /// From now on nobody is dialled or welcomed. Dials under way are given up.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        for state in self.peers.values() {
            if let Peer::Dialling(dial) = state {
                dial.give_up.cancel();
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    fn insert_link(&mut self, peer: NodeId, connection: quinn::Connection, inbound: bool) -> Link<M> {
        let address = connection.remote_address();
        let (queue, ended) = (Arc::new(Queue::new()), CancellationToken::new());
        let tempo = Arc::new(Tempo::new(self.rhythms.clone()));
        let link = Link { serial: self.next_serial(), address, inbound, connection, queue, tempo, ended };
        if inbound {
            *self.groups.entry(AddressGroup::of(&address)).or_default() += 1;
        }
        self.peers.insert(peer, Peer::Linked(link.clone()));
        link
    }

    fn leave_group(&mut self, address: &SocketAddr) {
        let group = AddressGroup::of(address);
        if let Some(count) = self.groups.get_mut(&group) {
            *count -= 1;
            if *count == 0 {
                self.groups.remove(&group);
            }
        }
    }

    const fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

impl<M: Frame> Link<M> {
    /// Whether `Down` is all that is still to come of it.
    fn is_ending(&self) -> bool {
        self.queue.closed().is_some() || self.connection.close_reason().is_some()
    }
}

impl<M> Clone for Link<M> {
    fn clone(&self) -> Self {
        Self {
            serial: self.serial,
            address: self.address,
            inbound: self.inbound,
            connection: self.connection.clone(),
            queue: self.queue.clone(),
            tempo: self.tempo.clone(),
            ended: self.ended.clone(),
        }
    }
}
