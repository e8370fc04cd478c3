//! What outlives the process of one job: its description, what it has done, and the copy of its document if it keeps one.
//!
//! Guarantees: everything in it is sealed under the node secret (protocol.md §8); a description is replaced whole and durably;
//! what was done is written as it is done, so that a process that is killed forgets nothing of it. All keys of a document
//! follow from the description's seed, so an insert that goes on makes the very blocks that it made before. At `LOG_BLOCKS`
//! blocks no more are written down; those beyond are stored again after a restart, which costs time and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::hash::{Label, hash};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::pieces::{PIECE_BYTES, PieceReader, PieceWriter};
use crate::daemon::data_dir::{DataDir, DataError};
use crate::daemon::job::{FailureKind, JobFailure, JobId, JobRequest, JobState, Opened, Priority, Progress};
use crate::daemon::keeper::{Keeper, KeeperError};
use crate::key::RoutingKey;

/// One job's book; clones are the same book.
#[derive(Clone, Debug)]
pub struct Book(Arc<Mutex<Pages>>);

#[derive(Debug)]
struct Pages {
    id: JobId,
    data: DataDir,
    keeper: Arc<Keeper>,
    kept: Kept,
    log: Option<PieceWriter>,
    /// Blocks that are stored, by the beginning of their keys, and by how many nodes.
    stored: BTreeMap<Tag, u8>,
    /// Bytes of the document that are durable where it is written.
    written: u64,
    closed: bool,
}

/// The description of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// What is wanted.
    pub request: JobRequest,
    /// All keys follow from it.
    pub seed: [u8; 32],
    /// When the job was given, in seconds since 1970: which period `today` is does not change on the way.
    pub began: u64,
    /// Which come first.
    pub priority: Priority,
    /// How it stands.
    pub standing: Standing,
    /// What the document was when it was first read.
    pub source: Option<Print>,
    /// The edition that an insert writes, once it is chosen.
    pub edition: Option<u32>,
    /// What a fetch found, where it had to search.
    pub found: Option<String>,
    /// What a fetched document says of itself.
    pub opened: Option<Opened>,
    /// Where a fetched document grows.
    pub part: Option<PathBuf>,
    /// How far it was when it last stopped in order.
    pub progress: Progress,
}

/// How a kept job stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Standing {
    /// Its document is still coming.
    Receiving,
    /// It is to be done.
    Ready,
    /// It is not to go on by itself, because of this if not because it was told so.
    Paused(Option<String>),
    /// It has ended.
    Ended(JobState),
}

/// What tells a document from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// Its length.
    pub length: u64,
    /// Its digest; of a copy that the job keeps itself, which nobody else can change, there is none.
    pub digest: Option<[u8; 32]>,
}

type Tag = [u8; 8];

impl Book {
    /// A new book, which is durable when this returns.
    pub(super) fn create(id: JobId, data: DataDir, keeper: Arc<Keeper>, kept: Kept) -> Result<Self, JobFailure> {
        let pages = Pages::new(id, data, keeper, kept);
        pages.write()?;
        Ok(Self(Arc::new(Mutex::new(pages))))
    }

    /// The book that was kept for `id`.
    pub(super) fn open(id: JobId, data: DataDir, keeper: Arc<Keeper>) -> Result<Self, KeeperError> {
        let damaged = || KeeperError::Damaged(data.file(&name(id)));
        let bytes = keeper.read(&name(id))?.ok_or_else(damaged)?;
        let kept = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let mut pages = Pages::new(id, data, keeper, kept);
        // A log that is missing or torn has less in it, never something wrong.
        let _ = pages.read_log();
        pages.log = None;
        Ok(Self(Arc::new(Mutex::new(pages))))
    }

    /// What is written in it.
    pub fn kept(&self) -> Kept {
        self.pages().kept.clone()
    }

    /// Changes the description; durable when this returns.
    ///
    /// # Errors
    /// When the system refuses, or the job has been forgotten meanwhile.
    pub fn amend(&self, change: impl FnOnce(&mut Kept)) -> Result<(), JobFailure> {
        let mut pages = self.pages();
        change(&mut pages.kept);
        pages.write()
    }

    /// The generator that all keys of the document come from: the same at every start.
    pub fn generator(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.pages().kept.seed)
    }

    /// The generator that all keys of one document of several come from: the same for the same `content` at every start, and
    /// another for any other, so that no key seals two contents.
    pub fn generator_for(&self, content: &[u8; 32]) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(hash(Label::GeneratorSeed, &[&self.pages().kept.seed, content]))
    }

    /// Blocks that are known to be stored.
    pub fn stored_blocks(&self) -> u64 {
        self.pages().stored.len() as u64
    }

    /// By how many nodes the block of `key` is kept, if it is known to be stored.
    pub fn stored(&self, key: &RoutingKey) -> Option<u32> {
        self.pages().stored.get(&tag(key)).map(|stores| u32::from(*stores))
    }

    /// The block of `key` is kept by `stores` nodes.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn on_stored(&self, key: &RoutingKey, stores: u32) -> Result<(), JobFailure> {
        let mut pages = self.pages();
        if pages.stored.len() >= LOG_BLOCKS {
            return Ok(());
        }
        let stores = u8::try_from(stores).unwrap_or(u8::MAX);
        pages.stored.insert(tag(key), stores);
        pages.append(&[&tag(key)[..], &[stores]].concat())
    }

    /// Bytes of the document that are durable where it is written.
    pub fn written(&self) -> u64 {
        self.pages().written
    }

    /// So many bytes of the document are durable where it is written.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn on_written(&self, bytes: u64) -> Result<(), JobFailure> {
        let mut pages = self.pages();
        pages.written = bytes;
        pages.append(&bytes.to_le_bytes())
    }

    /// The copy of the document, from its beginning.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn copy(&self) -> Result<PieceReader, JobFailure> {
        let pages = self.pages();
        let path = pages.path(COPY);
        PieceReader::open(&path, pages.key(COPY)).map_err(|error| trouble("read", &path, &error))
    }

    /// An empty copy of the document.
    pub(super) fn new_copy(&self) -> Result<Copy, JobFailure> {
        let pages = self.pages();
        let path = pages.path(COPY);
        let writer = PieceWriter::create(&path, pages.key(COPY)).map_err(|error| trouble("write", &path, &error))?;
        Ok(Copy { writer, path, length: 0 })
    }

    /// Removes what is of no use when the job is done.
    pub(super) fn clear(&self) {
        self.pages().clear();
    }

    /// Removes all of it, and what a fetch has written of its document; nothing is written any more.
    pub(super) fn burn(&self) {
        let mut pages = self.pages();
        pages.closed = true;
        pages.clear();
        if let Some(part) = &pages.kept.part {
            let _ = if part.is_dir() { fs::remove_dir_all(part) } else { fs::remove_file(part) };
        }
        pages.data.remove(&name(pages.id));
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Every change is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    const fn new(id: JobId, data: DataDir, keeper: Arc<Keeper>, kept: Kept) -> Self {
        Self { id, data, keeper, kept, log: None, stored: BTreeMap::new(), written: 0, closed: false }
    }

    fn write(&self) -> Result<(), JobFailure> {
        if self.closed {
            return Err(forgotten());
        }
        let text = serde_json::to_vec(&self.kept).expect("a description holds only plain values");
        self.keeper.write(&name(self.id), &text).map_err(|error| match error {
            KeeperError::Data(DataError::System { verb, path, source }) => trouble(verb, &path, &source),
            other => JobFailure { kind: FailureKind::Failed, sentence: other.to_string() },
        })
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), JobFailure> {
        if self.closed {
            return Err(forgotten());
        }
        let path = self.path(LOG);
        if self.log.is_none() {
            self.log = Some(self.read_log().map_err(|error| trouble("write", &path, &error))?);
        }
        let log = self.log.as_mut().expect("it was opened above");
        log.append(entry).map_err(|error| trouble("write", &path, &error))
    }

    /// Takes in what the log says; new entries go behind it.
    fn read_log(&mut self) -> io::Result<PieceWriter> {
        let (path, key) = (self.path(LOG), || self.key(LOG));
        let mut reader = match PieceReader::open(&path, key()) {
            Ok(reader) => reader,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return PieceWriter::create(&path, key()),
            Err(error) => return Err(error),
        };
        while let Some(entry) = reader.next_piece()? {
            if let Ok(written) = <[u8; 8]>::try_from(entry.as_slice()) {
                self.written = u64::from_le_bytes(written);
            } else if let Some((tag, [stores])) = entry.split_first_chunk::<8>() {
                self.stored.insert(*tag, *stores);
            }
        }
        PieceWriter::behind(reader, &path)
    }

    fn clear(&mut self) {
        self.log = None;
        self.stored = BTreeMap::new();
        for part in [LOG, COPY] {
            // What cannot be removed opens for no other job: it is sealed for this one's seed.
            let _ = fs::remove_file(self.path(part));
        }
    }

    fn path(&self, part: &str) -> PathBuf {
        self.data.file(&format!("{}.{part}", name(self.id)))
    }

    fn key(&self, part: &str) -> crypto::slot::SlotKey {
        self.keeper.key_of(part.as_bytes(), &self.kept.seed)
    }
}

/// The copy of a document as it comes in.
#[derive(Debug)]
pub(super) struct Copy {
    writer: PieceWriter,
    path: PathBuf,
    length: u64,
}

impl Copy {
    /// Takes in the next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), JobFailure> {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.writer.append(piece).map_err(|error| trouble("write", &self.path, &error))?;
            self.length += piece.len() as u64;
        }
        Ok(())
    }

    /// Makes it durable; its length.
    pub(super) fn end(self) -> Result<u64, JobFailure> {
        self.writer.sync().map_err(|error| trouble("write", &self.path, &error))?;
        Ok(self.length)
    }
}

/// What a person reads when the system refuses something; a full disk is told from other trouble.
pub fn trouble(verb: &str, path: &Path, error: &io::Error) -> JobFailure {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if is_full {
        let sentence = format!("the disk is full: there is no room for {}", path.display());
        return JobFailure { kind: FailureKind::DiskFull, sentence };
    }
    JobFailure { kind: FailureKind::Failed, sentence: format!("cannot {verb} {}: {error}", path.display()) }
}

fn forgotten() -> JobFailure {
    JobFailure { kind: FailureKind::Cancelled, sentence: "the job has been cancelled".to_owned() }
}

fn tag(key: &RoutingKey) -> Tag {
    // A chance of one in 2^64 for two blocks to be taken for one; a lost block of a segment is rebuilt.
    *key.0.first_chunk().expect("a key is longer")
}

/// The file of a job's description.
pub(super) fn name(id: JobId) -> String {
    format!("{DIRECTORY}/{}", id.0)
}

/// Where books lie.
pub(super) const DIRECTORY: &str = "jobs";
const LOG: &str = "log";
const COPY: &str = "copy";
/// Blocks written down for one job. Chosen: 170 GiB of document; 64 MiB of memory and 424 MB of log at most.
pub(super) const LOG_BLOCKS: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::daemon::job::FetchRequest;

    #[test]
    fn a_book_is_read_again_as_it_was_written_and_says_nothing_in_clear() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path());
        data.subdirectory(DIRECTORY).unwrap();
        let keeper = Arc::new(Keeper::open(&data, |_| None).unwrap());
        let kept = Kept {
            request: JobRequest::Fetch(FetchRequest::of("KSK@in-clear".into())),
            seed: [7; 32],
            began: 1,
            priority: Priority::High,
            standing: Standing::Ready,
            source: None,
            edition: None,
            found: None,
            opened: None,
            part: None,
            progress: Progress::default(),
        };
        let (id, other) = (JobId(3), RoutingKey([9; 32]));
        let book = Book::create(id, data.clone(), keeper.clone(), kept.clone()).unwrap();
        book.on_stored(&RoutingKey([1; 32]), 4).unwrap();
        book.on_written(77).unwrap();
        book.amend(|kept| kept.edition = Some(12)).unwrap();
        let again = Book::open(id, data.clone(), keeper.clone()).unwrap();
        let draws = |book: &Book, content| book.generator_for(&[content; 32]).random::<u64>();
        assert!(draws(&again, 1) == draws(&book, 1) && draws(&again, 1) != draws(&again, 2));
        assert_eq!((again.kept().edition, again.kept().request), (Some(12), kept.request.clone()));
        assert_eq!((again.stored(&RoutingKey([1; 32])), again.stored(&other)), (Some(4), None));
        assert_eq!((again.written(), again.stored_blocks()), (77, 1));
        again.on_stored(&other, 5).unwrap();
        assert_eq!(Book::open(id, data.clone(), keeper.clone()).unwrap().stored_blocks(), 2, "it goes on behind");
        for entry in fs::read_dir(data.file(DIRECTORY)).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(8).any(|part| part == b"in-clear" || part == [1; 8]));
        }
        // Another job of the same number does not take the log for its own.
        data.remove(&name(id));
        let fresh = Book::create(id, data.clone(), keeper, Kept { seed: [8; 32], ..kept }).unwrap();
        fresh.on_written(5).unwrap();
        assert_eq!((fresh.stored_blocks(), fresh.written()), (0, 5));
        fresh.burn();
        assert!(fresh.on_written(6).is_err() && fresh.amend(|_| {}).is_err());
        assert_eq!(fs::read_dir(data.file(DIRECTORY)).unwrap().count(), 0);
    }
}
