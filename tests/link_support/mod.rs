//! Nodes with real sockets on 127.k.0.1 for the tests of `link`.
#![allow(dead_code, reason = "each test file uses a part")]

mod raw_keys;
pub(crate) mod stranger;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bolthole::id::{NetworkId, NodeId};
use bolthole::link::config::LinkConfig;
use bolthole::link::event::LinkEvent;
use bolthole::link::links::Links;
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::wire_support::Example;

pub(crate) const NETWORK: NetworkId = NetworkId([7; 32]);

/// One node: its links and what they tell.
pub(crate) struct Node {
    pub(crate) links: Links<Example>,
    pub(crate) events: mpsc::Receiver<LinkEvent<Example>>,
    pub(crate) id: NodeId,
    pub(crate) address: SocketAddr,
}

pub(crate) fn key(seed: u8) -> Arc<NodeKey> {
    Arc::new(NodeKey::from_seed(Secret::from_bytes([seed; 32])))
}

pub(crate) fn config(host: u8) -> LinkConfig {
    LinkConfig {
        listen: SocketAddr::from(([127, host, 0, 1], 0)),
        mode: "test".into(),
        bandwidth: None,
        genesis: bytes::Bytes::new(),
    }
}

impl Node {
    /// Node number `number` on 127.number.0.1.
    pub(crate) fn start(number: u8) -> Self {
        Self::start_with(number, config(number), NETWORK)
    }

    pub(crate) fn start_with(number: u8, config: LinkConfig, network: NetworkId) -> Self {
        let key = key(number);
        let id = NodeId(key.id());
        let (links, events) = Links::bind(config, key, network).expect("a free port");
        let address = links.local_address().expect("bound");
        Self { links, events, id, address }
    }

    /// The next event; fails after ten seconds.
    pub(crate) async fn event(&mut self) -> LinkEvent<Example> {
        self.event_within(Duration::from_secs(10)).await.expect("an event within ten seconds")
    }

    pub(crate) async fn event_within(&mut self, time: Duration) -> Option<LinkEvent<Example>> {
        timeout(time, self.events.recv()).await.ok().flatten()
    }

    /// The next message; fails if another event comes first.
    pub(crate) async fn message(&mut self) -> Example {
        loop {
            match self.event().await {
                LinkEvent::Message { message, .. } => return message,
                LinkEvent::Congestion { .. } => {}
                other => panic!("{other:?} instead of a message"),
            }
        }
    }

    /// Waits for `Up` and says whether the peer dialled.
    pub(crate) async fn up(&mut self) -> (NodeId, bool) {
        match self.event().await {
            LinkEvent::Up { peer, inbound, .. } => (peer, inbound),
            other => panic!("{other:?} instead of Up"),
        }
    }

    /// Dials `other` and waits until both count the link as open.
    pub(crate) async fn link_to(&mut self, other: &mut Self) {
        self.links.dial(other.id, other.address);
        assert_eq!(self.up().await, (other.id, false));
        assert_eq!(other.up().await, (self.id, true));
    }
}
