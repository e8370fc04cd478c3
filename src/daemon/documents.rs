//! Does the jobs of local clients: documents to blocks and blocks to documents, over a running node.
//!
//! `insert` and `fetch` drive the machines of `document`; `carrier` brings single blocks to the network and back;
//! `name` turns what the client wrote into what is named, and `newest` finds the newest of several. `publish` and `save` do
//! whole sites. Nothing here runs on the event loop.

mod abreast;
mod carrier;
mod copy;
mod fetch;
mod insert;
mod located;
mod name;
mod newest;
mod part;
mod publish;
mod save;
mod site;
mod source;
mod tally;
mod way;

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use tokio::sync::{Semaphore, mpsc};
use tracing::warn;

use self::carrier::Carrier;
pub use self::copy::Copied;
use self::insert::Ground;
use self::located::{located, no_edition, writer};
use self::part::Part;
use self::source::Source;
use self::way::Ways;
use super::chance;
use super::client_cache::ClientCache;
use super::clock::Clock;
use super::data_dir::DataDir;
use super::handle::{Handle, Way};
use super::job::{
    FailureKind, FetchRequest, Fetched, Found, InsertRequest, Inserted, JobFailure, JobRequest, JobState,
    PublishRequest, PublishedSite, SaveRequest, SavedSite,
};
use super::jobs::book::Book;
use super::jobs::feed::{CHANNEL, Feed};
use super::jobs::report::Report;
use super::jobs::worker::Worker;
use super::keeper::Keeper;
use super::published::Published;
use crate::document::fetch::Start;
use crate::document::signed::{Reader, Writer};
use crate::document::site::index::Index;
use crate::key::uri::{Link, Uri};

/// Does the jobs of one node.
#[derive(Clone, Debug)]
pub struct Documents {
    node: Handle,
    data: DataDir,
    keeper: Arc<Keeper>,
    clock: Clock,
    repairs: Arc<Semaphore>,
    published: Published,
    cache: ClientCache,
}

impl Documents {
    /// Works over `node`; writes in the subspaces kept in `data`.
    pub fn new(node: Handle, data: DataDir, keeper: Arc<Keeper>) -> Self {
        let published = Published::new(Arc::clone(&keeper));
        let cache = ClientCache::new(data.path().to_owned());
        let repairs = Arc::new(Semaphore::new(REPAIRS));
        Self { node, data, keeper, clock: Clock::start(), repairs, published, cache }
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
        let unix_seconds = self.unix_seconds();
        match request {
            JobRequest::Insert(request) => {
                let ground = Ground { rng: chance::generator(), book: None };
                self.insert(request, unix_seconds, report, input, ground).await.map(JobState::Inserted)
            }
            JobRequest::Fetch(request) => {
                self.fetch(request, unix_seconds, report, output, None).await.map(JobState::Fetched)
            }
            JobRequest::Find(request) => {
                let ways = self.ways(request.direct);
                let site = name::site(&request.uri, self.data, self.keeper).await?;
                let carrier = ways.carrier().await?;
                let began = carrier.now();
                let edition = newest::edition(&carrier, &site, true).await?.ok_or_else(no_edition)?;
                let seconds = carrier.now().since(began).as_secs_f64();
                let uri = Uri::Usk { subspace: site.subspace, site: site.site, edition };
                Ok(JobState::Found(Found { uri: uri.to_string(), edition, seconds }))
            }
            JobRequest::Publish(_) | JobRequest::Save(_) => Err(failed("a whole site is a job that lasts")),
        }
    }

    async fn go_on(self, book: Book, report: Report) -> Result<JobState, JobFailure> {
        let kept = book.kept();
        match kept.request {
            JobRequest::Insert(request) => {
                let source = Source::open(book.clone(), &request).await?;
                let digest = request.digest.clone().or_else(|| source.print.digest.map(|d| BASE64URL_NOPAD.encode(&d)));
                let request = InsertRequest { length: Some(source.print.length), digest, ..request };
                let ground = Ground { rng: book.generator(), book: Some(book) };
                self.insert(request, kept.began, report, source.pour(), ground).await.map(JobState::Inserted)
            }
            JobRequest::Fetch(request) => {
                let target = request.file.clone().ok_or_else(|| failed("the fetch has no file to write to"))?;
                let part = Part::open(book.clone(), &target)?;
                self.fetch_on(request, kept.began, report, part, book).await.map(JobState::Fetched)
            }
            JobRequest::Publish(request) => {
                self.publish(request, kept.began, report, book).await.map(JobState::Published)
            }
            JobRequest::Save(request) => self.save(request, kept.began, report, book).await.map(JobState::Saved),
            JobRequest::Find(_) => Err(failed("a search does not last")),
        }
    }

    fn check(&self, request: &JobRequest) -> Result<(), JobFailure> {
        match request {
            JobRequest::Insert(InsertRequest { file: Some(file), .. }) => source::look(file),
            JobRequest::Fetch(FetchRequest { range: Some(_), .. }) => {
                Err(failed("a fetch that lasts is one of the whole document"))
            }
            JobRequest::Fetch(FetchRequest { file: Some(file), uri, .. }) => {
                uri.parse::<Link>().map_err(|error| bad(error.to_string()))?;
                part::look(file)
            }
            JobRequest::Publish(request) => publish::look(request),
            JobRequest::Save(SaveRequest { uri, directory, .. }) => {
                uri.parse::<Link>().map_err(|error| bad(error.to_string()))?;
                save::look(directory)
            }
            _ => Ok(()),
        }
    }

    fn unix_seconds(&self) -> u64 {
        self.clock.now().as_micros() / 1_000_000
    }
}

impl Documents {
    async fn insert(
        self,
        request: InsertRequest,
        unix_seconds: u64,
        report: Report,
        input: mpsc::Receiver<Feed>,
        ground: Ground,
    ) -> Result<Inserted, JobFailure> {
        let (kind, published, clock) = (request.name.clone(), self.published, self.clock);
        let ways = Ways { node: self.node, cache: self.cache, clock, direct: request.direct };
        let wish = name::wish(request.name.as_deref(), unix_seconds, self.data, self.keeper).await?;
        let carrier = ways.carrier().await?;
        let writer = writer(&carrier, wish, ground.book.as_ref()).await?;
        let done = insert::run(carrier, request, writer, report, input, ground).await?;
        let (uri, bytes, now) = (done.uri.clone(), done.bytes, clock.now().as_micros() / 1_000_000);
        let noted =
            tokio::task::spawn_blocking(move || published.note(&kind.unwrap_or_default(), &uri, bytes, now)).await;
        if let Ok(Err(error)) = noted {
            // The document stands; only its owner's list of names does not have it.
            warn!(%error, "what was published could not be noted");
        }
        Ok(done)
    }

    /// Fetches into `output`; what was found on the way to the document is written into the book of one that lasts, and the
    /// bytes that it has are not fetched again.
    async fn fetch(
        self,
        request: FetchRequest,
        unix_seconds: u64,
        report: Report,
        output: mpsc::Sender<Bytes>,
        lasting: Option<(&Book, u64)>,
    ) -> Result<Fetched, JobFailure> {
        let (sought, path) = name::sought(&request, unix_seconds).await?;
        let ways = Ways { node: self.node, cache: self.cache, clock: self.clock, direct: request.direct };
        let carrier = ways.carrier().await?;
        let (start, found) = located(&carrier, sought, request.own_store).await?;
        let found = found.map(|uri| Link { uri, path: path.clone() }.to_string());
        if let (Some((book, _)), Some(found)) = (lasting, &found) {
            book.amend(|kept| kept.found = Some(found.clone()))?;
        }
        let begun = lasting.map_or(0, |(_, begun)| begun);
        let readers = name::readers(self.data, self.keeper).await?;
        let way = fetch::Way {
            range: if begun > 0 { Some(begun..u64::MAX) } else { request.range },
            file: None,
            own_store: request.own_store,
            readers,
            begun,
            repairs: self.repairs,
        };
        let fetched = match path {
            None if !request.page => fetch::run(carrier, start, way, report, output).await?,
            path => site::run(carrier, start, path.as_ref(), way, report, output).await?,
        };
        Ok(Fetched { found, ..fetched })
    }

    /// Goes on with a fetch that lasts.
    async fn fetch_on(
        self,
        request: FetchRequest,
        unix_seconds: u64,
        report: Report,
        part: Part,
        book: Book,
    ) -> Result<Fetched, JobFailure> {
        let (direct, begun, kept) = (request.direct, part.begun, book.kept());
        report.progress(|progress| progress.bytes = begun);
        // What was found once is what is fetched on, whatever is the newest by now.
        let request = match kept.found.clone() {
            Some(uri) => FetchRequest { uri, exact: true, dated: None, ..request },
            None => request,
        };
        if let Some(opened) = kept.opened.filter(|opened| begun > 0 && begun == opened.length) {
            let bytes = part.complete(&opened).await?;
            return Ok(Fetched { found: kept.found, mime: Some(opened.mime), bytes, direct, ..Fetched::default() });
        }
        let (output, pieces) = mpsc::channel(CHANNEL);
        let fetching = self.fetch(request, unix_seconds, report.clone(), output, Some((&book, begun)));
        let (fetched, part) = tokio::join!(fetching, part.take(pieces, &report));
        // If nothing can be written, that is why nothing more was taken.
        let part = part?;
        let fetched = fetched?;
        let opened = report.view().opened.ok_or_else(|| failed("the document does not say what it is"))?;
        let bytes = part.complete(&opened).await?;
        Ok(Fetched { bytes, found: fetched.found.or(kept.found), ..fetched })
    }

    /// Goes on with a directory that is published.
    async fn publish(
        self,
        request: PublishRequest,
        unix_seconds: u64,
        report: Report,
        book: Book,
    ) -> Result<PublishedSite, JobFailure> {
        let (ways, began) = (self.ways(request.direct), self.clock.now());
        let wish = name::wish(request.name.as_deref(), unix_seconds, self.data.clone(), self.keeper.clone()).await?;
        let carrier = ways.carrier().await?;
        // The edition is chosen once, so that every start builds on the same one before it.
        let earlier = match writer(&carrier, wish, Some(&book)).await? {
            Some(Writer::Edition { subspace, site, edition }) if edition > 0 && !request.fresh => {
                let start = Start::Signed(Reader::of_edition(subspace.public(), &site, edition - 1));
                site::earlier(carrier, start, self.way_of_list().await?).await?
            }
            _ => Index::default(),
        };
        let ready = publish::files(ways, request, earlier, report, &book).await?;
        let (list, input, clock) = (ready.request.clone(), publish::fed(ready.list.clone()), self.clock);
        let (tally, ground) = (ready.tally.clone(), ready.ground(&book));
        let inserting = |report| self.insert(list, unix_seconds, report, input, ground);
        let listed = tally.follow(0, inserting).await?;
        Ok(ready.complete(&listed, clock.now().since(began).as_secs_f64()))
    }

    /// Goes on with a site that is saved.
    async fn save(
        self,
        request: SaveRequest,
        unix_seconds: u64,
        report: Report,
        book: Book,
    ) -> Result<SavedSite, JobFailure> {
        let (ways, kept, target) = (self.ways(request.direct), book.kept(), request.directory);
        let (clock, start_of_work) = (self.clock, self.clock.now());
        // What was found once is what is fetched on, whatever is the newest by now.
        let exact = request.exact || kept.found.is_some();
        let wanted = FetchRequest { exact, ..FetchRequest::of(kept.found.clone().unwrap_or(request.uri)) };
        let (sought, path) = name::sought(&wanted, unix_seconds).await?;
        if path.is_some() {
            return Err(bad("a site is saved as a whole: leave the path out".to_owned()));
        }
        let carrier = ways.carrier().await?;
        let (start, found) = located(&carrier, sought, true).await?;
        let found = found.map(|uri| uri.to_string()).or(kept.found);
        book.amend(|kept| kept.found.clone_from(&found))?;
        let (index, listing) = site::list(carrier, start, self.way_of_list().await?).await?;
        save::check_length(&index, request.most)?;
        let part = kept.part.unwrap_or_else(|| part::beside(&target, &kept.seed));
        book.amend(|kept| kept.part = Some(part.clone()))?;
        save::begin(&part)?;
        let (files, bytes) = (index.files.len() as u64, index.bytes());
        let mut done = save::files(ways, index, part.clone(), report, self.repairs).await?;
        save::complete(&part, &target)?;
        done.push(listing);
        let seconds = clock.now().since(start_of_work).as_secs_f64();
        Ok(SavedSite { found, bytes, files, seconds, ..save::sum(&done) })
    }

    fn ways(&self, direct: bool) -> Ways {
        Ways { node: self.node.clone(), cache: self.cache.clone(), clock: self.clock, direct }
    }

    /// How to fetch the list of a site's files.
    async fn way_of_list(&self) -> Result<fetch::Way, JobFailure> {
        let readers = name::readers(self.data.clone(), Arc::clone(&self.keeper)).await?;
        let repairs = Arc::clone(&self.repairs);
        Ok(fetch::Way { range: None, file: None, own_store: true, readers, begun: 0, repairs })
    }

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
        let way = fetch::Way { range: None, file: None, own_store: true, readers, begun: 0, repairs: self.repairs };
        let target = to.map(|to| Carrier::new(to.clone(), Way::Direct, self.clock));
        copy::run(carrier, (start, way), target, largest).await
    }
}

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}

fn failed(sentence: &str) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence: sentence.to_owned() }
}

/// Rebuilt blocks being reinserted at once, for all fetches together. Chosen: repair must not crowd out requests.
const REPAIRS: usize = 16;
