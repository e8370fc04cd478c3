//! Does the jobs of local clients: documents to blocks and blocks to documents, over a running node.
//!
//! `insert` and `fetch` drive the machines of `document`; `carrier` brings single blocks to the network and back;
//! `name` turns what the client wrote into what is named, and `newest` finds the newest of several. Nothing here runs on
//! the event loop.

mod carrier;
mod copy;
mod fetch;
mod insert;
mod name;
mod newest;
mod site;
mod way;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use self::carrier::Carrier;
pub use self::copy::Copied;
use self::name::{Site, Sought, Wish};
use self::way::way;
use super::client_cache::ClientCache;
use super::clock::Clock;
use super::data_dir::DataDir;
use super::handle::{Handle, Way};
use super::job::{FailureKind, FetchRequest, Fetched, Found, JobFailure, JobRequest, JobState};
use super::jobs::{Feed, Report, Worker};
use super::keeper::Keeper;
use crate::document::fetch::Start;
use crate::document::period::Period;
use crate::document::signed::{Reader, Writer};
use crate::key::uri::{Link, Uri};

/// Does the jobs of one node.
#[derive(Clone, Debug)]
pub struct Documents {
    node: Handle,
    data: DataDir,
    keeper: Arc<Keeper>,
    clock: Clock,
    repairs: Arc<Semaphore>,
    cache: ClientCache,
}

impl Documents {
    /// Works over `node`; writes in the subspaces kept in `data`.
    pub fn new(node: Handle, data: DataDir, keeper: Arc<Keeper>) -> Self {
        let cache = ClientCache::new(data.path().to_owned());
        Self { node, data, keeper, clock: Clock::start(), repairs: Arc::new(Semaphore::new(REPAIRS)), cache }
    }
}

impl Worker for Documents {
    async fn run(
        self,
        request: JobRequest,
        report: Report,
        input: mpsc::Receiver<Feed>,
        output: mpsc::Sender<Bytes>,
    ) -> Result<JobState, JobFailure> {
        let unix_seconds = self.clock.now().as_micros() / 1_000_000;
        match request {
            JobRequest::Insert(request) => {
                let wish = name::wish(request.name.as_deref(), unix_seconds, self.data, self.keeper).await?;
                let carrier = carrier(self.node, request.direct, self.clock).await?.beside(self.cache);
                let writer = writer(&carrier, wish).await?;
                insert::run(carrier, request, writer, report, input).await.map(JobState::Inserted)
            }
            JobRequest::Fetch(request) => {
                let (sought, path) = name::sought(&request, unix_seconds).await?;
                let carrier = carrier(self.node, request.direct, self.clock).await?.beside(self.cache);
                let (start, found) = located(&carrier, sought, request.own_store).await?;
                let readers = name::readers(self.data, self.keeper).await?;
                let way = fetch::Way {
                    range: request.range,
                    file: None,
                    own_store: request.own_store,
                    readers,
                    repairs: self.repairs,
                };
                let fetched = match path.clone() {
                    None if !request.page => fetch::run(carrier, start, way, report, output).await?,
                    path => site::run(carrier, start, path.as_ref(), way, report, output).await?,
                };
                let found = found.map(|uri| Link { uri, path }.to_string());
                Ok(JobState::Fetched(Fetched { found, ..fetched }))
            }
            JobRequest::Find(request) => {
                let site = name::site(&request.uri, self.data, self.keeper).await?;
                let carrier = carrier(self.node, request.direct, self.clock).await?.beside(self.cache);
                let began = carrier.now();
                let edition = newest::edition(&carrier, &site, true).await?.ok_or_else(no_edition)?;
                let seconds = carrier.now().since(began).as_secs_f64();
                let uri = Uri::Usk { subspace: site.subspace, site: site.site, edition };
                Ok(JobState::Found(Found { uri: uri.to_string(), edition, seconds }))
            }
        }
    }
}

impl Documents {
    /// Copies the document `uri` from this node's network to that of `to`, block by block as it is; to nowhere if absent.
    /// Documents of more than `largest` bytes are refused before any of them is copied.
    ///
    /// # Errors
    /// When the document is not found, is too large, or enough nodes cannot be found to keep it.
    pub async fn copy(self, uri: &str, to: Option<&Handle>, largest: Option<u64>) -> Result<Copied, JobFailure> {
        let carrier = Carrier::new(self.node, Way::Direct, self.clock);
        let unix_seconds = self.clock.now().as_micros() / 1_000_000;
        let request = FetchRequest::of(uri.to_owned());
        let (sought, path) = name::sought(&request, unix_seconds).await?;
        if path.is_some() {
            return Err(failed(
                "a gateway copies documents and the contents of sites, not single files: leave the path out",
            ));
        }
        let (start, _) = located(&carrier, sought, true).await?;
        let readers = name::readers(self.data, self.keeper).await?;
        let way = fetch::Way { range: None, file: None, own_store: true, readers, repairs: self.repairs };
        let target = to.map(|to| Carrier::new(to.clone(), Way::Direct, self.clock));
        copy::run(carrier, (start, way), target, largest).await
    }
}

/// Carries the blocks of a job, once what it asks for makes sense.
async fn carrier(node: Handle, direct: bool, clock: Clock) -> Result<Carrier, JobFailure> {
    let way = way(&node, direct).await?;
    Ok(Carrier::new(node, way, clock))
}

/// The right to write what is wished; of a site, the edition after the newest that is found.
async fn writer(carrier: &Carrier, wish: Wish) -> Result<Option<Writer>, JobFailure> {
    let (subspace, site) = match wish {
        Wish::Content => return Ok(None),
        Wish::Name(writer) => return Ok(Some(writer)),
        Wish::Edition { subspace, site } => (subspace, site),
    };
    let known = Site { subspace: subspace.public(), site, known: 0 };
    let newest = newest::edition(carrier, &known, true).await?;
    let edition = match newest {
        None => 0,
        Some(newest) => newest.checked_add(1).ok_or_else(|| failed("there is no edition after the last"))?,
    };
    Ok(Some(Writer::Edition { subspace, site: known.site, edition }))
}

/// Where what is sought begins; where it had to be searched for, what was found.
async fn located(carrier: &Carrier, sought: Sought, own_store: bool) -> Result<(Start, Option<Uri>), JobFailure> {
    match sought {
        Sought::At(start) => Ok((start, None)),
        Sought::Newest(site) => {
            let edition = newest::edition(carrier, &site, own_store).await?.ok_or_else(no_edition)?;
            let Site { subspace, site, .. } = site;
            let start = Start::Signed(Reader::of_edition(subspace.duplicate(), &site, edition));
            Ok((start, Some(Uri::Usk { subspace, site, edition })))
        }
        Sought::Dated { subspace, name, periods } => {
            let found = newest::period(carrier, &subspace, &name, &periods, own_store).await?;
            let (_, name) = found.ok_or_else(|| no_period(&periods))?;
            let start = Start::Signed(Reader::of_name(subspace.duplicate(), &name));
            Ok((start, Some(Uri::Ssk { subspace, name })))
        }
    }
}

fn no_edition() -> JobFailure {
    not_found("no edition of this site was found".to_owned())
}

fn no_period(periods: &[Period]) -> JobFailure {
    not_found(match periods {
        [] => "nothing can be published for that time".to_owned(),
        [one] => format!("nothing was found that is published for {one}"),
        [newest, .., oldest] => format!("nothing was found that is published from {oldest} to {newest}"),
    })
}

const fn not_found(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::NotFound, sentence }
}

fn failed(sentence: &str) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence: sentence.to_owned() }
}

/// Rebuilt blocks being reinserted at once, for all fetches together. Chosen: repair must not crowd out requests.
const REPAIRS: usize = 16;
