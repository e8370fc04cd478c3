//! The same chain over `link`: cells, proven keys on both sides, events, queues.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bolthole::daemon::threads;
use bolthole::id::{NetworkId, NodeId};
use bolthole::link::config::LinkConfig;
use bolthole::link::event::LinkEvent;
use bolthole::link::links::Links;
use bolthole::message::class::{Class, Message};
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
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
    threads: Runtime,
    links: Links<Load>,
    events: mpsc::Receiver<LinkEvent<Load>>,
    id: NodeId,
    address: SocketAddr,
}

/// Moves `messages` messages of `bytes` bytes through `relays` relays; ends when the sink has all of them.
/// Each node has threads of its own, which are given back.
pub(crate) fn run(relays: usize, messages: usize, bytes: usize) -> Vec<Runtime> {
    let mut nodes: Vec<Node> =
        (0..relays + 2).map(|place| node(place as u8 + 1, threads::start().expect("threads"))).collect();
    for place in 0..=relays {
        let (peer, address) = (nodes[place + 1].id, nodes[place + 1].address);
        {
            let _context = nodes[place].threads.enter();
            nodes[place].links.dial(peer, address);
        }
        for at in [place, place + 1] {
            assert!(matches!(nodes[at].events.blocking_recv(), Some(LinkEvent::Up { .. })), "a link");
        }
    }
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    let all: Vec<Links<Load>> = nodes.iter().map(|node| node.links.clone()).collect();
    let mut sink = nodes.pop().expect("there are two ends");
    let mut others = Vec::new();
    for (place, Node { threads, links, events, .. }) in nodes.into_iter().enumerate() {
        let next = ids[place + 1];
        match place {
            0 => threads.spawn(offer(links, events, next, messages, bytes)),
            _ => threads.spawn(pass_on(links, events, next)),
        };
        others.push(threads);
    }
    let mut arrived = 0;
    while arrived < messages {
        if let Some(LinkEvent::Message { message, .. }) = sink.events.blocking_recv() {
            assert_eq!(message.0.len(), bytes);
            arrived += 1;
        }
    }
    others.push(sink.threads);
    for (threads, links) in others.iter().zip(all) {
        threads.spawn(async move { links.shutdown().await });
    }
    others
}

async fn pass_on(links: Links<Load>, mut events: mpsc::Receiver<LinkEvent<Load>>, next: NodeId) {
    while let Some(event) = events.recv().await {
        if let LinkEvent::Message { message, .. } = event {
            while !links.send(next, message.clone()) {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
    }
}

/// Offers messages as fast as the link takes them: pauses while it is behind.
async fn offer(
    links: Links<Load>,
    mut events: mpsc::Receiver<LinkEvent<Load>>,
    next: NodeId,
    messages: usize,
    bytes: usize,
) {
    let body = bytes::Bytes::from(vec![7; bytes]);
    let mut sent = 0;
    let mut behind = false;
    loop {
        while !behind && sent < messages {
            if !links.send(next, Load(body.clone())) {
                break;
            }
            sent += 1;
            if let Ok(LinkEvent::Congestion { behind: now, .. }) = events.try_recv() {
                behind = now;
            }
            tokio::task::consume_budget().await;
        }
        match events.recv().await {
            Some(LinkEvent::Congestion { behind: now, .. }) => behind = now,
            Some(_) => {}
            None => return,
        }
    }
}

fn node(seed: u8, threads: Runtime) -> Node {
    let context = threads.enter();
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
    drop(context);
    Node { threads, links, events, id, address }
}
