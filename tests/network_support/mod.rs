//! Real nodes with real sockets and stores for the tests of whole networks, and peers that misbehave on purpose.
//!
//! A node runs in a runtime of its own, so that it can die as a process does: at once, without a word. A misbehaving
//! peer is a founding member, so that its place is in order, on `link::Links` directly.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::disallowed_types, reason = "tests of real networks wait by the real clock")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bolthole::daemon::config::{Cover, Profile};
use bolthole::daemon::data_dir::DataDir;
use bolthole::daemon::handle::Handle;
use bolthole::daemon::keeper::Keeper;
use bolthole::daemon::overlay::OverlayName;
use bolthole::daemon::running::Running;
use bolthole::daemon::settings::Settings;
use bolthole::id::NodeId;
use bolthole::key::Location;
use bolthole::link::config::LinkConfig;
use bolthole::link::event::{DownReason, LinkEvent};
use bolthole::link::links::Links;
use bolthole::message::block::Block;
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION};
use bolthole::message::reference::{Introduction, NodeRef};
use bolthole::node::envelope::Envelope;
use bolthole::overlay::freenet::{Errand, Hello, Message};
use bolthole::overlay::mode::{Answer, CloseReason};
use crypto::content::SEALED_BYTES;
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The network: a founder, whoever joined it, and a peer that may turn bad.
pub(crate) struct Network {
    place: TempDir,
    genesis: Genesis,
    overlay: OverlayName,
    pub(crate) nodes: Vec<Node>,
}

/// One honest node.
pub(crate) struct Node {
    pub(crate) handle: Handle,
    pub(crate) introduction: Introduction,
    pub(crate) location: Location,
    running: Option<Running>,
    runtime: Option<Runtime>,
}

impl Network {
    /// A network of `count` nodes: the first founds it, the others join by announcement.
    pub(crate) async fn of(count: usize) -> Self {
        Self::of_overlay(count, OverlayName::Freenet).await
    }

    /// The same under another overlay.
    pub(crate) async fn of_overlay(count: usize, overlay: OverlayName) -> Self {
        let place = TempDir::new().expect("a temporary directory");
        let founder = keeper(&data(&place, 0)).identity().expect("a fresh identity");
        let members = vec![NodeId(founder.id()), NodeId(bad_key().id())];
        let genesis = Genesis {
            protocol: PROTOCOL_VERSION,
            name: "test".to_owned(),
            nonce: [0; 16],
            work_bits: 0,
            local: true,
            members,
        };
        let mut network = Self { place, genesis, overlay, nodes: Vec::new() };
        for _ in 0..count {
            network.join().await;
        }
        network
    }

    /// One more node joins, and everybody who lives finds neighbours.
    pub(crate) async fn join(&mut self) {
        let number = self.nodes.len();
        let (data, genesis, overlay) = (data(&self.place, number), self.genesis.clone(), self.overlay);
        let join: Vec<Introduction> = self.nodes.iter().take(1).map(|node| node.introduction.clone()).collect();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread");
        let network = join.is_empty().then_some(genesis);
        let started = runtime.spawn(async move {
            let lock = data.lock().expect("a directory of its own");
            let keeper = Arc::new(keeper(&data));
            let settings = Settings {
                data,
                lock,
                keeper,
                network,
                join,
                listen: None,
                advertise: None,
                overlay,
                profile: Some(Profile::Local),
                store_bytes: 32 << 20,
                bandwidth: None,
                cover: Cover::Off,
            };
            let running = Running::start(settings).await.expect("the node starts");
            let location = within(30, running.placed()).await.expect("the node keeps running");
            (running, location)
        });
        let (running, location) = started.await.expect("the node starts");
        self.nodes.push(Node {
            handle: running.handle().clone(),
            introduction: running.about().introduction.clone(),
            location,
            running: Some(running),
            runtime: Some(runtime),
        });
        if self.overlay == OverlayName::Freenet {
            self.settle().await;
        }
    }

    /// Waits until every node has a few neighbours.
    async fn settle(&self) {
        let living = || self.nodes.iter().filter(|node| node.runtime.is_some());
        let enough = (living().count() - 1).min(3);
        for node in living() {
            let linked = async {
                while node.handle.peers().await.expect("the node runs").len() < enough {
                    sleep(Duration::from_millis(100)).await;
                }
            };
            within(30, linked).await;
        }
    }

    /// Content blocks to which `location` is nearer than any honest node: requests for them are led there.
    pub(crate) fn blocks_near(&self, location: Location, count: usize) -> Vec<Block> {
        let is_near = |block: &Block| {
            let target = block.key().location();
            self.nodes.iter().all(|node| location.distance(target) < node.location.distance(target))
        };
        (0..).map(block).filter(is_near).take(count).collect()
    }

    /// Inserts blocks at a node; each is stored by enough others.
    pub(crate) async fn insert(&self, node: usize, blocks: &[Block]) {
        for block in blocks {
            let answer = within(60, self.nodes[node].handle.insert(block.clone())).await.expect("the node runs");
            let Answer::Inserted { stores, wanted } = answer else { panic!("{answer:?}") };
            assert!(stores >= wanted.max(1), "{stores} stores of {wanted}");
        }
    }

    /// Fetches a block at a node from the others. Fails unless it comes back as it was.
    pub(crate) async fn fetch(&self, node: usize, block: &Block) {
        fetch(&self.nodes[node].handle, block).await;
    }

    /// Fetches a block at a node, which may hold it itself.
    pub(crate) async fn fetch_anyhow(&self, node: usize, block: &Block) {
        let handle = &self.nodes[node].handle;
        let answer = within(120, handle.fetch(block.key(), true)).await.expect("the node runs");
        let Answer::Found { block: found, .. } = answer else { panic!("node {node}: {answer:?} for {block:?}") };
        assert_eq!(found.body(), block.body());
    }

    /// Stops whatever still runs.
    pub(crate) async fn stop(mut self) {
        for node in &mut self.nodes {
            if let Some(running) = node.running.take() {
                within(20, running.stop()).await;
            }
            node.die();
        }
    }
}

impl Node {
    /// Dies at once: its packets stop, nobody is told.
    pub(crate) fn die(&mut self) {
        self.running = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A runtime must not be dropped where others run; this gives its threads up.
        self.die();
    }
}

/// A block of content that nobody else makes.
pub(crate) fn block(number: u32) -> Block {
    let mut body = vec![0; SEALED_BYTES];
    body[..4].copy_from_slice(&number.to_le_bytes());
    Block::new(body.into()).expect("any bytes of that length")
}

/// Fetches from the network, not from the own store.
pub(crate) async fn fetch(handle: &Handle, block: &Block) {
    let answer = within(120, handle.fetch(block.key(), false)).await.expect("the node runs");
    let Answer::Found { block: found, .. } = answer else { panic!("{answer:?} for {block:?}") };
    assert_eq!(found.body(), block.body());
}

/// What `future` gives, if it gives it in time.
pub(crate) async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(seconds), future).await.expect("in time")
}

fn data(place: &TempDir, number: usize) -> DataDir {
    let data = DataDir::new(place.path().join(format!("node-{number}")));
    data.create().expect("a writable directory");
    data
}

fn keeper(data: &DataDir) -> Keeper {
    Keeper::open(data, |_| None).expect("a fresh directory")
}

fn bad_key() -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([66; 32]))
}

/// The links of a peer that speaks the overlay's messages only.
#[derive(Clone)]
pub(crate) struct Wires(Links<Envelope<Message>>);

impl Wires {
    /// Queues a message of the overlay.
    pub(crate) fn send(&self, peer: NodeId, message: Message) -> bool {
        self.0.send(peer, Envelope::Overlay(message))
    }
}

/// A peer that greets as it should and then does what the test wants.
pub(crate) struct BadPeer {
    links: Wires,
    events: mpsc::Receiver<LinkEvent<Envelope<Message>>>,
    reference: NodeRef,
}

impl BadPeer {
    /// A founding member of `network` that nobody has met yet.
    pub(crate) fn of(network: &Network) -> Self {
        let config = LinkConfig {
            listen: SocketAddr::from(([127, 99, 0, 1], 0)),
            mode: "freenet".to_owned(),
            bandwidth: None,
            genesis: network.genesis.to_bytes().into(),
        };
        let (key, id) = (bad_key(), network.genesis.network());
        let (links, events) = Links::bind(config, Arc::new(bad_key()), id).expect("a free port");
        let address = links.local_address().expect("bound");
        let location = network.genesis.founder_location(&NodeId(key.id())).expect("it is a founder");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        Self { links: Wires(links), events, reference: NodeRef::sign(&key, &id, address, location, now) }
    }

    /// Its place on the ring.
    pub(crate) fn location(&self) -> Location {
        self.reference.location
    }

    /// Links to every node and is taken for a neighbour by each.
    pub(crate) async fn befriend(&mut self, network: &Network) {
        for node in &network.nodes {
            self.links.0.dial(node.introduction.id, node.introduction.address);
        }
        let (mut accepted, count) = (0, network.nodes.len());
        while accepted < count {
            match within(20, self.events.recv()).await.expect("the links are open") {
                LinkEvent::Up { peer, .. } => self.greet(peer),
                LinkEvent::Message { message: Envelope::Overlay(Message::Accept), .. } => accepted += 1,
                LinkEvent::Message { .. } | LinkEvent::Congestion { .. } => {}
                other => panic!("{other:?} while {accepted} of {count} have accepted"),
            }
        }
    }

    fn greet(&self, peer: NodeId) {
        let hello = Hello { reference: self.reference.clone(), certificate: None, errand: Errand::Near };
        self.links.send(peer, Message::Hello(Box::new(hello)));
        self.links.send(peer, Message::Accept);
    }

    /// From now on meets every message with `respond`.
    pub(crate) fn behave(mut self, mut respond: impl FnMut(&Wires, NodeId, Message) + Send + 'static) -> Behaviour {
        let (stop, mut stopped) = oneshot::channel();
        let links = self.links.clone();
        let task = tokio::spawn(async move {
            let mut thrown_out = 0;
            loop {
                let event = tokio::select! {
                    event = self.events.recv() => event.expect("the links are held here"),
                    _ = &mut stopped => break,
                };
                match event {
                    LinkEvent::Message { from, message: Envelope::Overlay(message) } => {
                        respond(&self.links, from, message);
                    }
                    LinkEvent::Down { reason: DownReason::ByPeer(CloseReason::Offence(_)), .. } => thrown_out += 1,
                    LinkEvent::Up { peer, .. } => self.greet(peer),
                    _ => {}
                }
            }
            let draining = async { while self.events.recv().await.is_some() {} };
            tokio::select! {
                () = self.links.0.shutdown() => {}
                () = draining => {}
            }
            thrown_out
        });
        Behaviour { links, stop, task }
    }
}

/// A peer at work.
pub(crate) struct Behaviour {
    pub(crate) links: Wires,
    stop: oneshot::Sender<()>,
    task: JoinHandle<usize>,
}

impl Behaviour {
    /// Ends it. How often its links were closed on it for a broken rule.
    pub(crate) async fn end(self) -> usize {
        let _ = self.stop.send(());
        within(20, self.task).await.expect("the peer does not panic")
    }
}
