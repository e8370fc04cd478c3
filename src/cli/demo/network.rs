//! The nodes of the demo: real ones, each with its directory, stopped and started as the story wants.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::time::timeout;

use super::super::arguments::DemoOptions;
use super::super::failure::Failure;
use super::super::progress::Progress;
use super::document::Document;
use crate::daemon::config::{Cover, Profile};
use crate::daemon::data_dir::DataDir;
use crate::daemon::job::{FetchRequest, Fetched, InsertRequest, Inserted, JobId, JobRequest, JobState};
use crate::daemon::keeper::Keeper;
use crate::daemon::overlay::OverlayName;
use crate::daemon::running::Running;
use crate::daemon::served::Served;
use crate::daemon::settings::Settings;
use crate::daemon::status::Status;
use crate::message::reference::Introduction;

/// The nodes.
#[derive(Debug)]
pub(super) struct Network {
    place: PathBuf,
    count: u16,
    rng: ChaCha8Rng,
    document_bytes: u64,
    /// Whether somebody watches.
    shown: bool,
    nodes: BTreeMap<u16, Member>,
    packets: Packets,
}

/// One node and what serves its clients.
#[derive(Debug)]
struct Member {
    node: Running,
    served: Served,
}

/// What all sockets together sent.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The distinct lengths of packets that carried cells.
    pub(super) sizes: BTreeSet<u64>,
    /// How many packets of each length carried cells.
    pub(super) cells: BTreeMap<u64, u64>,
    /// All others, by kind and length.
    pub(super) others: BTreeMap<String, BTreeMap<u64, u64>>,
}

impl Network {
    /// No node yet.
    pub(super) fn new(place: &Path, options: &DemoOptions, document_bytes: u64, shown: bool) -> Self {
        Self {
            place: place.to_owned(),
            count: options.nodes,
            rng: ChaCha8Rng::seed_from_u64(options.seed),
            document_bytes,
            shown,
            nodes: BTreeMap::new(),
            packets: Packets::default(),
        }
    }

    /// How many nodes there are to be.
    pub(super) const fn len(&self) -> u16 {
        self.count
    }

    /// Where the first node listens.
    pub(super) fn first_address(&self) -> String {
        self.nodes.values().next().map(|member| member.address().to_string()).unwrap_or_default()
    }

    /// Starts all nodes: the first founds the network, the others join by announcement.
    pub(super) async fn found(&mut self) -> Result<(), Failure> {
        let first = self.start(1, Vec::new()).await?;
        let introduction = first.node.about().introduction.clone();
        self.nodes.insert(1, first);
        let mut next = 2;
        while next <= self.count {
            // In waves that double: who joins finds enough members to vouch for it.
            let wave: Vec<u16> = (next..=self.count).take(self.nodes.len()).collect();
            let starting = wave.iter().map(|number| self.start(*number, vec![introduction.clone()]));
            let members = try_join_all(starting).await?;
            self.nodes.extend(wave.iter().copied().zip(members));
            next = self.nodes.len() as u16 + 1;
        }
        Ok(())
    }

    /// A node to insert at, by the seed.
    pub(super) fn choose(&mut self) -> u16 {
        self.rng.random_range(1..=self.count)
    }

    /// Inserts the document at node `number`.
    pub(super) async fn insert(&self, number: u16, document: &Document) -> Result<Inserted, Failure> {
        let jobs = self.member(number).served.jobs();
        let request = InsertRequest { length: Some(document.length()), ..InsertRequest::default() };
        let id = jobs.start(JobRequest::Insert(request)).map_err(refused)?.id;
        document.feed(jobs.input(id).map_err(refused)?)?;
        match self.end_of(number, id).await? {
            JobState::Inserted(done) => Ok(done),
            other => Err(Failure::failed(format!("the insert ended as {other:?}"))),
        }
    }

    /// Stops node `number` and forgets it.
    pub(super) async fn stop_node(&mut self, number: u16) {
        if let Some(member) = self.nodes.remove(&number) {
            self.packets.add(member.served.status().await);
            member.node.stop().await;
        }
    }

    /// Starts a node that was not there before.
    pub(super) async fn join_fresh(&mut self) -> Result<(), Failure> {
        let known = self.nodes.values().next().map(|member| member.node.about().introduction.clone());
        let fresh = self.start(self.count + 1, known.into_iter().collect()).await?;
        self.nodes.insert(self.count + 1, fresh);
        Ok(())
    }

    /// Fetches at the fresh node, asking the network first; whether the bytes are the document's.
    pub(super) async fn fetch_at_the_fresh_one(
        &self,
        uri: &str,
        document: &Document,
    ) -> Result<(Fetched, bool), Failure> {
        let fresh = self.count + 1;
        let jobs = self.member(fresh).served.jobs();
        let request = FetchRequest { own_store: false, ..FetchRequest::of(uri.to_owned()) };
        let id = jobs.start(JobRequest::Fetch(request)).map_err(refused)?.id;
        let output = jobs.output(id).map_err(refused)?;
        let (equal, ended) = tokio::join!(document.compare(output), self.end_of(fresh, id));
        match ended? {
            JobState::Fetched(done) => Ok((done, equal?)),
            other => Err(Failure::failed(format!("the fetch ended as {other:?}"))),
        }
    }

    /// What all sockets sent, those of stopped nodes included.
    pub(super) async fn packets(&mut self) -> Packets {
        let mut packets = std::mem::take(&mut self.packets);
        for member in self.nodes.values() {
            packets.add(member.served.status().await);
        }
        packets
    }

    /// Stops every node.
    pub(super) async fn stop(&mut self) {
        let stopping = std::mem::take(&mut self.nodes).into_values().map(|member| {
            member.served.jobs().stop();
            member.node.stop()
        });
        futures_util::future::join_all(stopping).await;
    }

    async fn start(&self, number: u16, join: Vec<Introduction>) -> Result<Member, Failure> {
        let data = DataDir::new(self.place.join(format!("node-{number}")));
        data.create()?;
        let keeper = Arc::new(Keeper::open(&data, |_| None)?);
        let settings = Settings {
            lock: data.lock()?,
            data: data.clone(),
            keeper: keeper.clone(),
            network: None,
            join,
            listen: None,
            advertise: None,
            overlay: OverlayName::Freenet,
            profile: Some(Profile::Local),
            store_bytes: (self.document_bytes * STORE_FACTOR).max(STORE_BYTES),
            bandwidth: None,
            cover: Cover::Off,
        };
        let node = Running::start(settings).await?;
        let placed = timeout(PATIENCE, node.placed()).await;
        let served = Served::new(node.handle(), data, keeper);
        match placed {
            Ok(Some(_)) => Ok(Member { node, served }),
            _ => {
                node.stop().await;
                Err(Failure::failed(format!("node {number} found no place in the network in {} s", PATIENCE.as_secs())))
            }
        }
    }

    fn member(&self, number: u16) -> &Member {
        self.nodes.get(&number).expect("the story stops a node only after it was used")
    }

    /// Follows a job to its end, with a progress bar if it takes long.
    async fn end_of(&self, number: u16, id: JobId) -> Result<JobState, Failure> {
        let jobs = self.member(number).served.jobs();
        let mut view = jobs.watch(id).map_err(refused)?;
        let mut progress = Progress::bytes(Some(self.document_bytes), self.shown);
        loop {
            let now = view.borrow_and_update().clone();
            progress.set(now.progress.bytes);
            match now.state {
                JobState::Running | JobState::Waiting { .. } | JobState::Paused { .. } => {}
                JobState::Failed(failure) => return Err(failure.into()),
                ended => return Ok(ended),
            }
            view.changed().await.map_err(|_| Failure::failed("the node stopped in the middle"))?;
        }
    }
}

impl Member {
    fn address(&self) -> SocketAddr {
        self.node.about().introduction.address
    }
}

impl Packets {
    fn add(&mut self, status: Option<Status>) {
        let Some(status) = status else { return };
        self.sizes.extend(status.packet_sizes);
        add(&mut self.cells, status.cell_packets);
        for (kind, lengths) in status.other_packets {
            add(self.others.entry(kind).or_default(), lengths);
        }
    }
}

fn add(sum: &mut BTreeMap<u64, u64>, counts: BTreeMap<u64, u64>) {
    for (length, count) in counts {
        *sum.entry(length).or_default() += count;
    }
}

fn refused(reason: crate::daemon::jobs::Refusal) -> Failure {
    Failure::failed(reason.to_string())
}

/// Every node could hold every block twice over.
const STORE_FACTOR: u64 = 4;
/// The least a demo node may hold. Chosen.
const STORE_BYTES: u64 = 64 << 20;
/// How long a node may take to join. Chosen: beyond it the demo cannot keep its promise of 20 seconds.
const PATIENCE: Duration = Duration::from_secs(15);
