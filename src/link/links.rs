//! All links of a node behind one handle.
//!
//! Guarantees: nothing here waits for a peer; whatever happens is told once, as an event. Leaves out whether and when to
//! dial again (see `backoff`).

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use crypto::identity::NodeKey;
use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Incoming};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::code::{CROSSED, code_of, dial_error};
use super::config::LinkConfig;
use super::count::Packets;
use super::event::{BindError, DialError, LinkEvent};
use super::peers::{Dial, Link, NoDial, Peers, Verdict};
use super::sender::Throttle;
use super::tempo::RhythmStatistics;
use super::transport::Transport;
use super::{connection, genesis, tls};
use crate::id::{NetworkId, NodeId};
use crate::limits;
use crate::overlay::mode::CloseReason;
use crate::wire::frame::Frame;
use crate::wire::rhythm::Rate;

/// The links of one node. Cheap to clone; all clones are the same links.
pub struct Links<M>(Arc<Shared<M>>);

/// Figures about all links of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Every open link.
    pub links: Vec<LinkStatistics>,
    /// Handshakes of strangers under way.
    pub handshakes: usize,
    /// Strangers that were asked to prove their address first, because many came at once.
    pub retries: u64,
    /// Packets sent, by kind and UDP payload length.
    pub packets: Packets,
    /// Datagrams sent.
    pub datagrams_sent: u64,
    /// Stateless resets, to peers that speak on a connection this node has forgotten: the only datagrams after the
    /// handshake that QUIC does not fill itself.
    pub resets_sent: u64,
    /// Datagrams received and thrown away because no node sends such.
    pub datagrams_dropped: u64,
}

/// Figures about one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatistics {
    /// Who is at the other end.
    pub peer: NodeId,
    /// The address its packets come from.
    pub address: SocketAddr,
    /// Whether the peer dialled.
    pub inbound: bool,
    /// QUIC's estimate of the round trip.
    pub round_trip: Duration,
    /// Bytes waiting to be sent.
    pub queued_bytes: usize,
    /// Messages dropped because too much was waiting.
    pub dropped_messages: u64,
    /// The rhythm it keeps, if it does.
    pub rhythm: Option<RhythmStatistics>,
}

struct Shared<M> {
    key: Arc<NodeKey>,
    protocol: Vec<u8>,
    genesis_protocol: Vec<u8>,
    genesis: Bytes,
    transport: Transport,
    peers: Mutex<Peers<M>>,
    events: mpsc::Sender<LinkEvent<M>>,
    throttle: Arc<Throttle>,
    /// With whom this node wants to keep a rhythm.
    wish: Mutex<Option<(NodeId, Rate)>>,
}

impl<M: Frame> Links<M> {
    /// Opens the socket and begins to welcome peers of `network`. Needs a tokio runtime.
    ///
    /// Events must be taken from the receiver: while it is full, nothing is read from any peer.
    ///
    /// # Errors
    /// When the socket cannot be opened or the genesis is too long to be served.
    pub fn bind(
        config: LinkConfig,
        key: Arc<NodeKey>,
        network: NetworkId,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent<M>>), BindError> {
        if config.genesis.len() > limits::GENESIS_BYTES {
            return Err(BindError::Genesis(config.genesis.len()));
        }
        let (protocol, genesis_protocol) =
            (tls::link_protocol(&config.mode, &network), tls::genesis_protocol(&network));
        let server = tls::server(&key, vec![protocol.clone(), genesis_protocol.clone()])
            .map_err(|error| BindError::Tls(error.to_string()))?;
        let transport = Transport::bind(config.listen, Some(server))
            .map_err(|source| BindError::Socket { address: config.listen, source })?;
        let (events, receiver) = mpsc::channel(limits::LINK_EVENTS);
        let peers = Mutex::new(Peers::new(NodeId(key.id())));
        let throttle = Arc::new(Throttle::new(config.bandwidth));
        let genesis = config.genesis;
        let wish = Mutex::default();
        let shared = Shared { key, protocol, genesis_protocol, genesis, transport, peers, events, throttle, wish };
        let links = Self(Arc::new(shared));
        tokio::spawn(links.clone().welcome_all());
        Ok((links, receiver))
    }

    /// Opens a link; [`LinkEvent::Up`] or [`LinkEvent::DialFailed`] answers. Nothing happens if the peer is linked.
    pub fn dial(&self, peer: NodeId, address: SocketAddr) {
        let begun = self.peers().begin_dial(peer);
        let links = self.clone();
        match begun {
            Ok(dial) => drop(tokio::spawn(async move { links.run_dial(peer, address, dial).await })),
            Err(NoDial::Answered) => {}
            Err(NoDial::Ending(ended)) => drop(tokio::spawn(async move {
                ended.cancelled().await;
                links.dial(peer, address);
            })),
            Err(NoDial::Own) => links.refuse_dial(peer, DialError::Impossible),
            Err(NoDial::Full) => links.refuse_dial(peer, DialError::Full),
            Err(NoDial::Stopping) => links.refuse_dial(peer, DialError::GivenUp),
        }
    }

    fn refuse_dial(self, peer: NodeId, why: DialError) {
        tokio::spawn(async move { self.dial_failed(peer, why).await });
    }

    /// Queues a message for a linked peer; never waits. False if there is no link or no room.
    pub fn send(&self, peer: NodeId, message: M) -> bool {
        let queue = self.peers().link(&peer).map(|link| link.queue.clone());
        queue.is_some_and(|queue| queue.push(message))
    }

    /// Closes the link to a peer after what was queued has left; [`LinkEvent::Down`] answers.
    pub fn close(&self, peer: NodeId, reason: CloseReason) {
        if let Some(link) = self.peers().link(&peer) {
            link.queue.close(reason);
        }
    }

    /// From now on a rhythm is kept with this peer, whenever it is linked, and with nobody else; with nobody if none.
    pub fn keep_rhythm(&self, with: Option<(NodeId, Rate)>) {
        *self.wish() = with;
        let wanted = |peer: &NodeId| with.and_then(|(wanted, rate)| (wanted == *peer).then_some(rate));
        for (peer, link) in self.peers().links() {
            link.tempo.want(wanted(peer));
        }
    }

    /// Where the socket listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn local_address(&self) -> std::io::Result<SocketAddr> {
        self.0.transport.endpoint.local_addr()
    }

    /// Figures at this moment.
    pub fn statistics(&self) -> Statistics {
        let counters = &self.0.transport.counters;
        let peers = self.peers();
        Statistics {
            links: peers.links().map(|(peer, link)| link_statistics(*peer, link)).collect(),
            handshakes: peers.handshakes(),
            retries: counters.retries(),
            packets: counters.packets(),
            datagrams_sent: counters.sent(),
            resets_sent: counters.resets(),
            datagrams_dropped: counters.dropped(),
        }
    }

    /// Closes every link after what was queued has left, then the socket. Takes a few seconds at most; events must be
    /// taken meanwhile.
    pub async fn shutdown(&self) {
        self.peers().stop();
        for (_, link) in self.peers().links() {
            link.queue.close(CloseReason::Shutdown);
        }
        let all_gone = async {
            while !self.peers().is_empty() {
                sleep(SHUTDOWN_POLL).await;
            }
        };
        let _ = timeout(limits::CLOSE_TIME + SHUTDOWN_POLL * 10, all_gone).await;
        self.0.transport.endpoint.close(code_of(CloseReason::Shutdown), b"");
        let _ = timeout(SHUTDOWN_TIME, self.0.transport.endpoint.wait_idle()).await;
    }

    async fn run_dial(self, peer: NodeId, address: SocketAddr, dial: Dial) {
        let outcome = tokio::select! {
            outcome = timeout(limits::HANDSHAKE_TIME, self.connect(peer, address)) => {
                outcome.unwrap_or(Err(DialError::Silent))
            }
            () = dial.give_up.cancelled() => Err(DialError::GivenUp),
        };
        match outcome {
            Ok(connection) => {
                let link = self.peers().finish_dial(peer, dial.serial, connection.clone());
                match link {
                    Some(link) => self.run_link(peer, link).await,
                    None => connection.close(CROSSED, b""),
                }
            }
            Err(why) => {
                // Given up in favour of the peer's own dial, the answer is that link's `Up`.
                if self.peers().end_dial(peer, dial.serial) {
                    self.dial_failed(peer, why).await;
                }
            }
        }
    }

    /// A connection on which the peer has said welcome.
    async fn connect(&self, peer: NodeId, address: SocketAddr) -> Result<Connection, DialError> {
        let tls = tls::client(&self.0.key, peer, self.0.protocol.clone()).map_err(|_| DialError::Broken)?;
        let connecting = self.0.transport.connect(tls, address)?;
        let connection = connecting.await.map_err(|error| dial_error(&error))?;
        let mut welcome = connection.accept_uni().await.map_err(|error| dial_error(&error))?;
        welcome.read_to_end(0).await.map_err(|_| DialError::Broken)?;
        Ok(connection)
    }

    async fn welcome_all(self) {
        while let Some(incoming) = self.0.transport.endpoint.accept().await {
            let address = incoming.remote_address();
            if self.peers().handshakes() >= limits::HANDSHAKES_UNPROVEN && incoming.may_retry() {
                self.0.transport.counters.on_retry();
                let _ = incoming.retry();
                continue;
            }
            if !self.peers().begin_handshake(&address) {
                incoming.refuse();
                continue;
            }
            let links = self.clone();
            tokio::spawn(async move {
                let welcomed = links.handshake(incoming).await;
                links.peers().end_handshake(&address);
                if let Some((peer, link)) = welcomed {
                    links.run_link(peer, link).await;
                }
            });
        }
    }

    async fn handshake(&self, incoming: Incoming) -> Option<(NodeId, Link<M>)> {
        let connecting = self.0.transport.accept(incoming)?;
        let connection = timeout(limits::HANDSHAKE_TIME, connecting).await.ok()?.ok()?;
        let data = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
        if data.protocol.as_deref() == Some(&self.0.genesis_protocol) {
            genesis::serve(&connection, &self.0.genesis).await;
            return None;
        }
        let peer = tls::proven_peer(&connection)?;
        let link = self.settle(peer, &connection).await?;
        // An empty first stream is the welcome: from here on the dialler counts the link as open.
        if let Ok(mut welcome) = connection.open_uni().await {
            let _ = welcome.finish();
        }
        Some((peer, link))
    }

    /// Decides what becomes of a connection that `peer` opened.
    async fn settle(&self, peer: NodeId, connection: &Connection) -> Option<Link<M>> {
        loop {
            let verdict = self.peers().judge(peer, connection);
            match verdict {
                Verdict::Welcome(link) => return Some(link),
                Verdict::Refuse => {
                    connection.close(code_of(CloseReason::Full), b"");
                    return None;
                }
                Verdict::Wait(decided) => tokio::select! {
                    () = decided.cancelled() => {}
                    _ = connection.closed() => return None,
                },
                Verdict::Replace(old) => {
                    // The peer gives its own dial up when it takes ours; then this connection dies at once.
                    tokio::select! {
                        _ = connection.closed() => return None,
                        () = sleep(limits::REPLACE_AFTER) => {}
                    }
                    old.connection.close(CROSSED, b"");
                    old.ended.cancelled().await;
                }
            }
        }
    }

    async fn run_link(&self, peer: NodeId, link: Link<M>) {
        if let Some((_, rate)) = self.wish().filter(|(wanted, _)| *wanted == peer) {
            link.tempo.want(Some(rate));
        }
        let reason = connection::drive(peer, &link, &self.0.throttle, &self.0.events).await;
        // `Down` first: a successor is let in when this link is forgotten, and its `Up` must come later.
        self.emit(LinkEvent::Down { peer, reason }).await;
        self.peers().end_link(peer, link.serial);
    }

    async fn dial_failed(&self, peer: NodeId, why: DialError) {
        self.emit(LinkEvent::DialFailed { peer, why }).await;
    }

    async fn emit(&self, event: LinkEvent<M>) {
        // Nobody listens any more: the node stops.
        let _ = self.0.events.send(event).await;
    }

    fn wish(&self) -> MutexGuard<'_, Option<(NodeId, Rate)>> {
        self.0.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn peers(&self) -> MutexGuard<'_, Peers<M>> {
        self.0.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Clone for Links<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for Links<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Links")
            .field("endpoint", &self.0.transport.endpoint.local_addr())
            .finish_non_exhaustive()
    }
}

fn link_statistics<M: Frame>(peer: NodeId, link: &Link<M>) -> LinkStatistics {
    let (queued_bytes, dropped_messages) = link.queue.load();
    let (address, inbound, round_trip) = (link.address, link.inbound, link.connection.rtt());
    let rhythm = link.tempo.statistics();
    LinkStatistics { peer, address, inbound, round_trip, queued_bytes, dropped_messages, rhythm }
}

const SHUTDOWN_POLL: Duration = Duration::from_millis(20);
const SHUTDOWN_TIME: Duration = Duration::from_secs(2);
