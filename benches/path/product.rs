//! The product on the same path: what lies at one end of a chain of nodes is fetched at the other.
//!
//! Links are named by the operator, so that the path is the chain; identities are drawn until the places on the ring
//! ascend along it, so that routing has no reason to turn back. The relays hold as little as a node may, so that next to
//! nothing is answered on the way; each still verifies and stores every block that passes.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bolthole::daemon::config::{Cover, Profile};
use bolthole::daemon::data_dir::DataDir;
use bolthole::daemon::job::{FetchRequest, InsertRequest, JobRequest, JobState};
use bolthole::daemon::jobs::Feed;
use bolthole::daemon::keeper::Keeper;
use bolthole::daemon::overlay::OverlayName;
use bolthole::daemon::running::Running;
use bolthole::daemon::served::Served;
use bolthole::daemon::settings::Settings;
use bolthole::daemon::threads;
use bolthole::id::NodeId;
use bolthole::key::Location;
use bolthole::limits;
use bolthole::message::block::Block;
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION, named_location};
use bolthole::message::reference::Introduction;
use bolthole::overlay::mode::Answer;
use bytes::Bytes;
use crypto::content::{self, BlockKind, Root};
use tokio::runtime::Runtime;

/// A chain of nodes: the holder, the relays, the reader.
pub(crate) struct Chain {
    /// Those of the chain that run, the holder first.
    nodes: Vec<Node>,
    /// All of the chain in order, the holder first.
    members: Vec<Member>,
    /// Who puts things at the holder before the chain is linked up.
    writer: Member,
    genesis: Genesis,
    _place: tempfile::TempDir,
}

/// A node that has an identity and an address, running or not. Trusted nodes name each other.
#[derive(Clone)]
struct Member {
    data: PathBuf,
    id: NodeId,
    address: SocketAddr,
}

/// A running node on threads of its own, as a process would have them.
struct Node {
    threads: Runtime,
    running: Running,
    served: Served,
}

impl Chain {
    /// A chain with `relays` relays, of which only the holder runs, with room for `bytes` and their check blocks.
    pub(crate) fn new(relays: usize, bytes: usize) -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        let holder = Member::new(place.path(), 0);
        let genesis = Genesis {
            protocol: PROTOCOL_VERSION,
            name: "path".to_owned(),
            nonce: [0; 16],
            work_bits: 0,
            local: true,
            members: vec![holder.id],
        };
        let place_of = |member: &Member| named_location(&genesis.network(), &member.id);
        let mut others: Vec<Member> = (1..)
            .map(|number| Member::new(place.path(), number))
            .filter(|member| place_of(&holder).clockwise_to(place_of(member)) < 1 << 62)
            .take(relays + 1)
            .collect();
        others.sort_by_key(|member| place_of(&holder).clockwise_to(place_of(member)));
        let writer = Member::new(place.path(), 0xffff);
        let members = [vec![holder], others].concat();
        let mut chain = Self { nodes: Vec::new(), members, writer, genesis, _place: place };
        let known = vec![chain.writer.clone(), chain.members[1].clone()];
        let holder = chain.start(&chain.members[0], &known, bytes as u64 * 3);
        chain.nodes.push(holder);
        chain
    }

    /// Puts a document of `bytes` at the holder; its URI.
    pub(crate) fn put_document(&self, bytes: usize) -> String {
        self.with_writer(async |writer| insert(&writer.served, bytes).await)
    }

    /// Puts two documents at the holder, one after the other; their URIs.
    pub(crate) fn put_documents(&self, bytes: [usize; 2]) -> [String; 2] {
        self.with_writer(async |writer| {
            [insert(&writer.served, bytes[0]).await, insert(&writer.served, bytes[1]).await]
        })
    }

    /// Puts `count` blocks at the holder, all of them nearest to it.
    pub(crate) fn put_blocks(&self, blocks: &[Block]) {
        self.with_writer(async |writer| {
            for block in blocks {
                let answer = writer.running.handle().insert(block.clone()).await.expect("it runs");
                assert!(matches!(answer, Answer::Inserted { .. }), "{answer:?}");
            }
        });
    }

    /// Links the relays and the reader to the holder, and waits until nothing moves any more.
    pub(crate) fn link_up(&mut self) {
        for number in 1..self.members.len() {
            let around = [self.members.get(number - 1), self.members.get(number + 1)];
            let known: Vec<Member> = around.into_iter().flatten().cloned().collect();
            let node = self.start(&self.members[number], &known, 0);
            node.threads.block_on(linked(&node));
            self.nodes.push(node);
        }
        self.reader().threads.block_on(quiet(&self.nodes));
    }

    /// Blocks for which the holder is nearest and the reader farthest of the chain.
    pub(crate) fn blocks(&self, count: usize, series: u32) -> Vec<Block> {
        let root = Root::from_bytes([series as u8; 32]);
        let made = (0..).map(|index| {
            let key = content::block_key(&root, BlockKind::Data, series, index);
            let sealed = content::seal(&key, &index.to_be_bytes()).expect("four bytes fit a block");
            Block::new(sealed.into()).expect("a sealed block is a block")
        });
        // A quarter of the ring behind the holder: every node of the chain lies on the other side of it.
        let behind = |block: &Block| block.key().location().clockwise_to(self.holder_place()) < 1 << 61;
        made.filter(behind).take(count).collect()
    }

    /// Fetches the document at the far end; how long it took, and over how many hops on average.
    pub(crate) fn fetch(&self, uri: &str, bytes: usize) -> (Duration, f64) {
        self.reader().threads.block_on(fetch(&self.reader().served, uri, bytes))
    }

    /// Asks for the bytes of `range` at the far end; how long it took until the first of them came.
    pub(crate) fn first_byte(&self, uri: &str, range: Range<u64>) -> Duration {
        self.reader().threads.block_on(first_byte(&self.reader().served, uri, range))
    }

    /// Fetches one block at the far end; how long it took, if it came the whole way.
    pub(crate) fn fetch_block(&self, block: &Block) -> Option<Duration> {
        let begun = Instant::now();
        let reader = self.reader();
        let answer = reader.threads.block_on(reader.running.handle().fetch(block.key(), false)).expect("it runs");
        let time = begun.elapsed();
        let all = self.nodes.len() as u32 - 1;
        matches!(answer, Answer::Found { hops, .. } if hops == all).then_some(time)
    }

    /// Inserts one block at the far end; how long it took.
    pub(crate) fn insert_block(&self, block: &Block) -> Duration {
        let begun = Instant::now();
        let reader = self.reader();
        let answer = reader.threads.block_on(reader.running.handle().insert(block.clone())).expect("it runs");
        assert!(matches!(answer, Answer::Inserted { stores: 1.., .. }), "{answer:?}");
        begun.elapsed()
    }

    /// Stops every node.
    pub(crate) fn stop(mut self) {
        std::mem::take(&mut self.nodes).into_iter().for_each(Node::stop);
    }

    /// Packets that all nodes have sent: with cells, and others by kind.
    pub(crate) fn packets(&self) -> BTreeMap<String, u64> {
        let mut packets = BTreeMap::new();
        for node in &self.nodes {
            let status = node.threads.block_on(node.served.status()).expect("it runs");
            let others =
                status.other_packets.iter().map(|(kind, lengths)| (kind.clone(), lengths.values().sum::<u64>()));
            let cells = ("cells".to_owned(), status.cell_packets.values().sum());
            for (kind, count) in others.chain([cells]) {
                *packets.entry(kind).or_default() += count;
            }
        }
        packets
    }

    fn reader(&self) -> &Node {
        self.nodes.last().expect("the chain is linked up")
    }

    fn holder_place(&self) -> Location {
        named_location(&self.genesis.network(), &self.members[0].id)
    }

    /// A node that is linked to the holder alone, for as long as `write` takes.
    fn with_writer<T>(&self, write: impl AsyncFnOnce(&Node) -> T) -> T {
        let writer = self.start(&self.writer, &self.members[..1], 0);
        let written = writer.threads.block_on(async {
            linked(&writer).await;
            write(&writer).await
        });
        writer.stop();
        written
    }

    fn start(&self, member: &Member, known: &[Member], store_bytes: u64) -> Node {
        let (data, keeper) = open(&member.data);
        let network = self.genesis.network();
        let introduce = |known: &Member| Introduction { network, id: known.id, address: known.address };
        let settings = Settings {
            lock: data.lock().expect("a lock"),
            data: data.clone(),
            keeper: keeper.clone(),
            network: Some(self.genesis.clone()),
            join: known.iter().map(introduce).collect(),
            listen: Some(member.address),
            advertise: None,
            overlay: OverlayName::Freenet,
            profile: Some(Profile::Trusted),
            cover: Cover::Off,
            store_bytes: store_bytes.max(limits::STORE_MIN_BYTES),
            bandwidth: None,
        };
        let threads = threads::start().expect("threads");
        let running = threads.block_on(Running::start(settings)).expect("the node starts");
        threads.block_on(running.placed()).expect("a trusted node has a place");
        let served = Served::new(running.handle(), data, keeper);
        Node { threads, running, served }
    }
}

impl Node {
    fn stop(self) {
        self.threads.block_on(self.running.stop());
    }
}

impl Member {
    fn new(place: &Path, number: u32) -> Self {
        let data = place.join(format!("node-{number}"));
        let id = NodeId(open(&data).1.identity().expect("an identity").id());
        let [low, high] = [number % 250 + 2, number / 250 % 250];
        let address = format!("127.{low}.{high}.7:7747").parse().expect("an address");
        Self { data, id, address }
    }
}

fn open(path: &Path) -> (DataDir, Arc<Keeper>) {
    let data = DataDir::new(path);
    data.create().expect("a directory");
    let keeper = Keeper::open(&data, |_| None).expect("a keeper");
    (data, Arc::new(keeper))
}

async fn linked(node: &Node) {
    while node.served.status().await.is_none_or(|status| status.peers == 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the holder has offered its blocks to its new neighbour, and nothing moves any more.
async fn quiet(nodes: &[Node]) {
    let mut before = u64::MAX;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut cells = 0;
        for node in nodes {
            let status = node.served.status().await.expect("it runs");
            cells += status.cell_packets.values().sum::<u64>();
        }
        if cells.abs_diff(before) < 200 {
            return;
        }
        before = cells;
    }
}

async fn insert(writer: &Served, bytes: usize) -> String {
    let request = InsertRequest { length: Some(bytes as u64), direct: true, ..InsertRequest::default() };
    let id = writer.jobs().start(JobRequest::Insert(request)).expect("a job").id;
    let input = writer.jobs().input(id).expect("its input");
    let piece = Bytes::from(vec![7; 1 << 18]);
    let mut left = bytes;
    while left > 0 {
        let now = left.min(piece.len());
        // A job that has ended takes no more, and says below why.
        if input.send(Feed::Chunk(piece.slice(..now))).await.is_err() {
            break;
        }
        left -= now;
    }
    let _ = input.send(Feed::End).await;
    let mut view = writer.jobs().watch(id).expect("the job");
    match view.wait_for(|view| view.state.is_end()).await.expect("it ends").state.clone() {
        JobState::Inserted(done) => done.uri,
        other => panic!("the insert ended as {other:?}"),
    }
}

async fn fetch(reader: &Served, uri: &str, bytes: usize) -> (Duration, f64) {
    let begun = Instant::now();
    let request = FetchRequest { own_store: false, direct: true, ..FetchRequest::of(uri.to_owned()) };
    let id = reader.jobs().start(JobRequest::Fetch(request)).expect("a job").id;
    let mut output = reader.jobs().output(id).expect("its output");
    let mut received = 0;
    while let Some(piece) = output.recv().await {
        received += piece.len();
    }
    let mut view = reader.jobs().watch(id).expect("the job");
    let state = view.wait_for(|view| view.state.is_end()).await.expect("it ends").state.clone();
    let JobState::Fetched(done) = state else { panic!("the fetch ended as {state:?}") };
    assert_eq!(received, bytes, "the whole document came");
    (begun.elapsed(), done.hops)
}

async fn first_byte(reader: &Served, uri: &str, range: Range<u64>) -> Duration {
    let begun = Instant::now();
    let wanted = (range.end - range.start) as usize;
    let request =
        FetchRequest { own_store: false, direct: true, range: Some(range), ..FetchRequest::of(uri.to_owned()) };
    let id = reader.jobs().start(JobRequest::Fetch(request)).expect("a job").id;
    let mut output = reader.jobs().output(id).expect("its output");
    let mut received = output.recv().await.expect("some bytes come").len();
    let time = begun.elapsed();
    while let Some(piece) = output.recv().await {
        received += piece.len();
    }
    assert_eq!(received, wanted, "what was asked for came");
    time
}
