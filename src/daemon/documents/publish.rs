//! A directory as a site, by a job that lasts: what has changed since the edition before, then the list of all files.
//!
//! Every start reads the directory anew, so what is published is what lies there then. The keys of each document follow from
//! what it holds: what was stored before is made again as it was and not sent again, and what has changed meanwhile has other
//! keys. The list comes last: until it stands nothing names the files. Leaves out inserting the list, which has the site's name.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use crypto::hash::{Label, hash};
use tokio::sync::mpsc;
use tokio::task;

use super::abreast::{abreast, broke_off};
use super::insert::{self, Ground};
use super::source::Source;
use super::tally::Tally;
use super::way::Ways;
use crate::daemon::directory;
use crate::daemon::job::{FailureKind, InsertRequest, Inserted, JobFailure, Progress, PublishRequest, PublishedSite};
use crate::daemon::jobs::book::{Book, Print};
use crate::daemon::jobs::feed::{CHANNEL, Feed};
use crate::daemon::jobs::report::Report;
use crate::daemon::quantity::Size;
use crate::document::mime::Mime;
use crate::document::site::index::{Index, Place, SITE_TYPE};
use crate::document::site::plan::{Found, Plan};
use crate::key::recipient::Recipient;
use crate::key::uri::{SitePath, Uri};
use crate::limits::SITE_INDEX_BYTES;

/// A site all of whose files are stored, and only the list of them is not.
pub(super) struct Ready {
    /// The list.
    pub(super) list: Bytes,
    /// How to insert it.
    pub(super) request: InsertRequest,
    /// How far the job is.
    pub(super) tally: Tally,
    site: PublishedSite,
}

/// Inserts the files of a directory that stand nowhere in the edition `earlier`.
pub(super) async fn files(
    ways: Ways,
    request: PublishRequest,
    earlier: Index,
    report: Report,
    book: &Book,
) -> Result<Ready, JobFailure> {
    let (directory, hidden) = (request.directory.clone(), request.hidden);
    let found = task::spawn_blocking(move || directory::read(&directory, hidden)).await;
    let found = found.map_err(|error| broke_off(&error))??;
    let default = default(&found, request.default.as_deref())?;
    let plan = Plan::new(found, &earlier);
    let kept = plan.kept.len() as u64;
    let tally = Tally::new(report, expected(&plan));
    let directory: Arc<Path> = request.directory.as_path().into();
    let alone = plan.alone.iter().cloned().map(Piece::Alone);
    let pieces: Vec<Piece> = alone.chain(plan.packed.iter().cloned().map(Piece::Pack)).collect();
    let work = pieces.into_iter().map(|piece| {
        let (ways, directory, book, tally) = (ways.clone(), Arc::clone(&directory), book.clone(), tally.clone());
        let files = piece.files();
        async move { tally.follow(files, |report| piece.insert(ways, directory, book, report)).await }
    });
    let inserted = abreast(work).await?;
    let mut site = PublishedSite { stored_at_least: u32::MAX, kept, ..PublishedSite::default() };
    inserted.iter().for_each(|done| add(&mut site, done));
    let mut alone = inserted.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let packs = alone.split_off(plan.alone.len());
    let index = plan.index(&earlier, alone, packs, default);
    (site.bytes, site.files, site.packs) = (index.bytes(), index.files.len() as u64, index.packs.len() as u64);
    let list: Bytes = index.encode().into();
    if list.len() > SITE_INDEX_BYTES {
        let most = Size(SITE_INDEX_BYTES as u64);
        return Err(failed(format!("the list of the files is longer than {most}: shorten their paths")));
    }
    tally.expect(list.len() as u64, insert::expected(&Mime::default(), list.len() as u64));
    let request = InsertRequest {
        name: request.name,
        mime: Some(SITE_TYPE.to_owned()),
        length: Some(list.len() as u64),
        readers: request.readers,
        direct: request.direct,
        ..InsertRequest::default()
    };
    Ok(Ready { list, request, tally, site })
}

impl Ready {
    /// What the list's keys are drawn from, and where it is written down that they are stored.
    pub(super) fn ground(&self, book: &Book) -> Ground {
        let content = hash(Label::DocumentDigest, &[b"list", &self.list]);
        Ground { rng: book.generator_for(&content), book: Some(book.clone()) }
    }

    /// The site, now that its list is stored too.
    pub(super) fn complete(self, list: &Inserted, seconds: f64) -> PublishedSite {
        let mut site = PublishedSite { uri: list.uri.clone(), seconds, ..self.site };
        add(&mut site, list);
        site
    }
}

/// What is one document.
enum Piece {
    Alone(Found),
    Pack(Vec<Found>),
}

impl Piece {
    const fn files(&self) -> u64 {
        match self {
            Self::Alone(_) => 1,
            Self::Pack(files) => files.len() as u64,
        }
    }

    async fn insert(
        self,
        ways: Ways,
        directory: Arc<Path>,
        book: Book,
        report: Report,
    ) -> Result<Inserted, JobFailure> {
        let (mime, length) = (self.mime().to_string(), self.length());
        let ground = Ground { rng: book.generator_for(&self.content()), book: Some(book) };
        let input = match self {
            Self::Alone(file) => {
                let print = Print { length: file.length, digest: Some(file.digest) };
                Source::of_known(directory::place(&directory, &file), print, AS_IT_IS).await?.pour()
            }
            Self::Pack(files) => {
                let packed = task::spawn_blocking(move || pack(&directory, &files)).await;
                fed(packed.map_err(|error| broke_off(&error))??)
            }
        };
        let request = InsertRequest { mime: Some(mime), length: Some(length), ..InsertRequest::default() };
        insert::run(ways.carrier().await?, request, None, report, input, ground).await
    }

    fn mime(&self) -> Mime {
        match self {
            Self::Alone(file) => file.mime.clone(),
            // Nobody asks for a pack by itself.
            Self::Pack(_) => Mime::default(),
        }
    }

    fn length(&self) -> u64 {
        match self {
            Self::Alone(file) => file.length,
            Self::Pack(files) => files.iter().map(|file| file.length).sum(),
        }
    }

    /// What tells it from any other document.
    fn content(&self) -> [u8; 32] {
        let digests: Vec<u8> = match self {
            Self::Alone(file) => file.digest.to_vec(),
            Self::Pack(files) => {
                files.iter().flat_map(|file| [&file.digest[..], &file.length.to_le_bytes()].concat()).collect()
            }
        };
        let kind: &[u8] = if matches!(self, Self::Alone(_)) { b"alone" } else { b"pack" };
        let length = self.length().to_le_bytes();
        hash(Label::DocumentDigest, &[kind, self.mime().as_str().as_bytes(), &length, &digests])
    }
}

/// The bytes of the files, one after another; each is still what was found.
fn pack(directory: &Path, files: &[Found]) -> Result<Bytes, JobFailure> {
    let mut pack = Vec::new();
    for file in files {
        pack.extend(directory::bytes(directory, file)?);
    }
    Ok(pack.into())
}

/// A document that is there already, for an insert to take.
pub(super) fn fed(document: Bytes) -> mpsc::Receiver<Feed> {
    let (input, feed) = mpsc::channel(CHANNEL);
    for piece in [Feed::Chunk(document), Feed::End] {
        input.try_send(piece).expect("two pieces fit");
    }
    feed
}

/// How much there is to do, as far as it is known before the list is made.
fn expected(plan: &Plan) -> Progress {
    let files = || plan.alone.iter().chain(plan.packed.iter().flatten());
    let packs = plan.packed.iter().map(|files| files.iter().map(|file| file.length).sum::<u64>());
    let alone = plan.alone.iter().map(|file| insert::expected(&file.mime, file.length));
    let paths = files().map(|file| file.path.as_str()).chain(plan.kept.iter().map(|file| file.path.as_str()));
    let list = paths.map(|path| path.len() as u64 + LISTED_BYTES).sum();
    let blocks = alone.chain(packs.map(|length| insert::expected(&Mime::default(), length))).sum::<u64>();
    Progress {
        files: plan.kept.len() as u64,
        total_files: Some(plan.kept.len() as u64 + files().count() as u64),
        total_bytes: Some(list + files().map(|file| file.length).sum::<u64>()),
        total_blocks: Some(blocks + insert::expected(&Mime::default(), list)),
        ..Progress::default()
    }
}

/// What is shown where no path is named.
fn default(files: &[Found], wanted: Option<&str>) -> Result<Option<SitePath>, JobFailure> {
    let Some(text) = wanted else { return Ok(None) };
    let path = SitePath::new(text).map_err(|error| bad(format!("the default document: {error}")))?;
    if files.iter().any(|file| file.path == path) {
        return Ok(Some(path));
    }
    Err(bad(format!("the default document: there is no file {text} in the directory")))
}

/// What is wrong with a request, if that can be seen at once.
///
/// # Errors
/// In a sentence.
pub(super) fn look(request: &PublishRequest) -> Result<(), JobFailure> {
    look_at(&request.directory)?;
    let readers = request.readers.iter().try_for_each(|reader| reader.parse::<Recipient>().map(|_| ()));
    readers.map_err(|error| bad(error.to_string()))
}

fn look_at(directory: &Path) -> Result<(), JobFailure> {
    let shown = directory.display();
    if !directory.is_absolute() {
        return Err(bad(format!("{shown} is no absolute path")));
    }
    if !directory.is_dir() {
        return Err(bad(format!("{shown} is not a directory")));
    }
    Ok(())
}

fn place(inserted: &Inserted) -> Result<Place, JobFailure> {
    let uri: Option<Uri> = inserted.uri.parse().ok();
    uri.as_ref()
        .and_then(Place::of)
        .ok_or_else(|| failed("a file has another name than that of its content".to_owned()))
}

fn add(site: &mut PublishedSite, done: &Inserted) {
    site.blocks += done.blocks;
    site.check_blocks += done.check_blocks;
    site.stored_at_least = site.stored_at_least.min(done.stored_at_least);
    site.direct |= done.direct;
}

const fn failed(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence }
}

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}

const AS_IT_IS: &str = "resume the job to publish the directory as it is now";
/// Bytes that a file takes in the list beside its path: digest, place, length.
const LISTED_BYTES: u64 = 76;
