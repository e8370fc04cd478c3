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
mod part;
mod site;
mod source;
mod way;

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use tokio::sync::{Semaphore, mpsc};
use tracing::warn;

use self::carrier::Carrier;
pub use self::copy::Copied;
use self::insert::Ground;
use self::name::{Site, Sought, Wish};
use self::part::Part;
use self::source::Source;
use self::way::way;
use super::chance;
use super::client_cache::ClientCache;
use super::clock::Clock;
use super::data_dir::DataDir;
use super::handle::{Handle, Way};
use super::job::{
    FailureKind, FetchRequest, Fetched, Found, InsertRequest, Inserted, JobFailure, JobRequest, JobState,
};
use super::jobs::book::Book;
use super::jobs::feed::{CHANNEL, Feed};
use super::jobs::report::Report;
use super::jobs::worker::Worker;
use super::keeper::Keeper;
use super::published::Published;
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
    published: Published,
    cache: ClientCache,
}

impl Documents {
    /// Works over `node`; writes in the subspaces kept in `data`.
    pub fn new(node: Handle, data: DataDir, keeper: Arc<Keeper>) -> Self {
        let published = Published::new(Arc::clone(&keeper));
        let (repairs, cache) = (Arc::new(Semaphore::new(REPAIRS)), ClientCache::new(data.path().to_owned()));
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
        let wish = name::wish(request.name.as_deref(), unix_seconds, self.data, self.keeper).await?;
        let carrier = carrier(self.node, request.direct, self.clock).await?.beside(self.cache);
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
        let carrier = carrier(self.node, request.direct, self.clock).await?.beside(self.cache);
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

/// Carries the blocks of a job, once what it asks for makes sense.
async fn carrier(node: Handle, direct: bool, clock: Clock) -> Result<Carrier, JobFailure> {
    let way = way(&node, direct).await?;
    Ok(Carrier::new(node, way, clock))
}

/// The right to write what is wished; of a site, the edition after the newest that is found.
async fn writer(carrier: &Carrier, wish: Wish, book: Option<&Book>) -> Result<Option<Writer>, JobFailure> {
    let (subspace, site) = match wish {
        Wish::Content => return Ok(None),
        Wish::Name(writer) => return Ok(Some(writer)),
        Wish::Edition { subspace, site } => (subspace, site),
    };
    if let Some(edition) = book.and_then(|book| book.kept().edition) {
        return Ok(Some(Writer::Edition { subspace, site, edition }));
    }
    let known = Site { subspace: subspace.public(), site, known: 0 };
    let newest = newest::edition(carrier, &known, true).await?;
    let edition = match newest {
        None => 0,
        Some(newest) => newest.checked_add(1).ok_or_else(|| failed("there is no edition after the last"))?,
    };
    if let Some(book) = book {
        book.amend(|kept| kept.edition = Some(edition))?;
    }
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

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}

fn failed(sentence: &str) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence: sentence.to_owned() }
}

/// Rebuilt blocks being reinserted at once, for all fetches together. Chosen: repair must not crowd out requests.
const REPAIRS: usize = 16;
