//! The same chain over `link`: cells, proven keys on both sides, events, queues.

use std::net::SocketAddr;
use std::sync::Arc;

use bolthole::id::{NetworkId, NodeId};
use bolthole::link::config::LinkConfig;
use bolthole::link::event::LinkEvent;
use bolthole::link::links::Links;
use bolthole::message::class::{Class, Message};
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// One block on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Load(bytes::Bytes);

impl Message for Load {
    fn class(&self) -> Class {
        Class::Block
    }
}

struct Node {
    links: Links<Load>,
    events: mpsc::Receiver<LinkEvent<Load>>,
    id: NodeId,
    address: SocketAddr,
}

/// Moves `messages` messages of `bytes` bytes through `relays` relays; ends when the sink has all of them.
pub(crate) async fn run(relays: usize, messages: usize, bytes: usize) {
    let mut nodes: Vec<Node> = (0..relays + 2).map(|place| node(place as u8 + 1)).collect();
    for place in 0..=relays {
        let (peer, address) = (nodes[place + 1].id, nodes[place + 1].address);
        nodes[place].links.dial(peer, address);
        for at in [place, place + 1] {
            assert!(matches!(nodes[at].events.recv().await, Some(LinkEvent::Up { .. })), "a link");
        }
    }
    let mut sink = nodes.pop().expect("there are two ends");
    let mut next = sink.id;
    let mut all = vec![sink.links.clone()];
    while nodes.len() > 1 {
        let relay = nodes.pop().expect("a relay");
        all.push(relay.links.clone());
        let own = relay.id;
        tokio::spawn(pass_on(relay, next));
        next = own;
    }
    let source = nodes.pop().expect("there are two ends");
    all.push(source.links.clone());
    tokio::spawn(offer(source, next, messages, bytes));
    let mut arrived = 0;
    while arrived < messages {
        if let Some(LinkEvent::Message { message, .. }) = sink.events.recv().await {
            assert_eq!(message.0.len(), bytes);
            arrived += 1;
        }
    }
    for links in all {
        tokio::spawn(async move { links.shutdown().await });
    }
}

async fn pass_on(mut relay: Node, next: NodeId) {
    while let Some(event) = relay.events.recv().await {
        if let LinkEvent::Message { message, .. } = event {
            while !relay.links.send(next, message.clone()) {
                tokio::time::sleep(std::time::Duration::from_micros(200)).await;
            }
        }
    }
}

/// Offers messages as fast as the link takes them: pauses while it is behind.
async fn offer(mut source: Node, next: NodeId, messages: usize, bytes: usize) {
    let body = bytes::Bytes::from(vec![7; bytes]);
    let mut sent = 0;
    let mut behind = false;
    loop {
        while !behind && sent < messages {
            if !source.links.send(next, Load(body.clone())) {
                break;
            }
            sent += 1;
            if let Ok(LinkEvent::Congestion { behind: now, .. }) = source.events.try_recv() {
                behind = now;
            }
            tokio::task::consume_budget().await;
        }
        match source.events.recv().await {
            Some(LinkEvent::Congestion { behind: now, .. }) => behind = now,
            Some(_) => {}
            None => return,
        }
    }
}

fn node(seed: u8) -> Node {
    let key = Arc::new(NodeKey::from_seed(Secret::from_bytes([seed; 32])));
    let id = NodeId(key.id());
    let config = LinkConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        mode: "bench".into(),
        bandwidth: None,
        genesis: bytes::Bytes::new(),
    };
    let (links, events) = Links::bind(config, key, NetworkId([0; 32])).expect("a free port");
    let address = links.local_address().expect("bound");
    Node { links, events, id, address }
}
