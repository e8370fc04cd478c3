//! The document of an insert that lasts: a file of the user's, or the copy that the job keeps.
//!
//! Guarantees that every start of the job reads the same bytes: a file is digested before the first block is sealed, again at
//! every later start, and watched while it is read. Otherwise one key would seal two contents, and whoever holds both blocks
//! would learn how they differ. Leaves out what becomes of the bytes.

use std::fs::{File, Metadata};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task;

use crate::daemon::job::{FailureKind, InsertRequest, JobFailure};
use crate::daemon::jobs::book::{Book, Print};
use crate::daemon::jobs::feed::{CHANNEL, Feed};
use crate::daemon::jobs::pieces::PieceReader;
use crate::daemon::unchanged::{self, BUFFER_BYTES, Trouble, Unchanged};

/// A document that is read from its beginning.
pub(super) struct Source {
    /// What it is.
    pub(super) print: Print,
    reader: Reader,
}

enum Reader {
    Copy { pieces: PieceReader, left: u64 },
    File { file: Unchanged, path: PathBuf, advice: Advice },
}

/// What to do about a file that has changed.
type Advice = &'static str;

impl Source {
    /// Opens the document of `book`, which must be what it was when it was first opened.
    pub(super) async fn open(book: Book, request: &InsertRequest) -> Result<Self, JobFailure> {
        let path = request.file.clone();
        let opened = task::spawn_blocking(move || match path {
            Some(path) => Self::of_own_file(&book, path),
            None => Self::of_copy(&book),
        });
        opened.await.map_err(|error| failed(format!("the work broke off: {error}")))?
    }

    /// Opens a file that must be what `known` says; if it is not, a person reads `advice`.
    pub(super) async fn of_known(path: PathBuf, known: Print, advice: Advice) -> Result<Self, JobFailure> {
        let opened = task::spawn_blocking(move || Self::of_file(path, Some(known), advice));
        opened.await.map_err(|error| failed(format!("the work broke off: {error}")))?
    }

    fn of_copy(book: &Book) -> Result<Self, JobFailure> {
        let print = book.kept().source.ok_or_else(|| failed("the job has no document".to_owned()))?;
        Ok(Self { print, reader: Reader::Copy { pieces: book.copy()?, left: print.length } })
    }

    fn of_own_file(book: &Book, path: PathBuf) -> Result<Self, JobFailure> {
        let known = book.kept().source;
        let source = Self::of_file(path, known, PUT_BACK)?;
        if known.is_none() {
            book.amend(|kept| kept.source = Some(source.print))?;
        }
        Ok(source)
    }

    fn of_file(path: PathBuf, known: Option<Print>, advice: Advice) -> Result<Self, JobFailure> {
        let unreadable = |error: io::Error| unreadable(&path, &error);
        let mut file = File::open(&path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        check(&path, &found)?;
        if known.is_some_and(|known| known.length != found.len()) {
            return Err(changed(&path, advice));
        }
        let (digest, _) = unchanged::digest(&mut file).map_err(unreadable)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let print = Print { length: found.len(), digest: Some(digest) };
        if known.is_some_and(|known| known != print) {
            return Err(changed(&path, advice));
        }
        Ok(Self { print, reader: Reader::File { file: Unchanged::new(file, found, digest), path, advice } })
    }

    /// Pours the document into a job. Ends when nobody takes it any more.
    pub(super) fn pour(self) -> mpsc::Receiver<Feed> {
        let (input, feed) = mpsc::channel(CHANNEL);
        let mut reader = self.reader;
        task::spawn(async move {
            loop {
                // A slow disk holds up nobody else.
                let read = task::spawn_blocking(move || {
                    let piece = reader.next();
                    (reader, piece)
                });
                let Ok((back, piece)) = read.await else { break };
                reader = back;
                let is_last = !matches!(piece, Feed::Chunk(_));
                if input.send(piece).await.is_err() || is_last {
                    break;
                }
            }
        });
        feed
    }
}

impl Reader {
    fn next(&mut self) -> Feed {
        let read = match self {
            Self::Copy { pieces, left } => copied(pieces, left),
            Self::File { file, path, advice } => filed(file, path, advice),
        };
        read.unwrap_or_else(Feed::Broken)
    }
}

fn copied(pieces: &mut PieceReader, left: &mut u64) -> Result<Feed, JobFailure> {
    let read = pieces.next_piece().map_err(|error| failed(format!("the job's copy cannot be read: {error}")))?;
    match read {
        Some(piece) => {
            *left = left.saturating_sub(piece.len() as u64);
            Ok(Feed::Chunk(Bytes::copy_from_slice(&piece)))
        }
        None if *left == 0 => Ok(Feed::End),
        None => Err(failed("the job's copy of the document is damaged: cancel the job and insert it again".to_owned())),
    }
}

fn filed(file: &mut Unchanged, path: &Path, advice: Advice) -> Result<Feed, JobFailure> {
    let mut buffer = vec![0; BUFFER_BYTES];
    match file.read_on(&mut buffer) {
        Ok(0) => Ok(Feed::End),
        Ok(count) => {
            buffer.truncate(count);
            Ok(Feed::Chunk(buffer.into()))
        }
        Err(Trouble::Changed) => Err(changed(path, advice)),
        Err(Trouble::System(error)) => Err(unreadable(path, &error)),
    }
}

/// What can be said of a file before it is read.
///
/// # Errors
/// When it cannot be the document of a job.
pub(super) fn look(path: &Path) -> Result<(), JobFailure> {
    if !path.is_absolute() {
        return Err(bad(format!("{} is no absolute path", path.display())));
    }
    let found = File::open(path).and_then(|file| file.metadata()).map_err(|error| {
        let JobFailure { sentence, .. } = unreadable(path, &error);
        bad(sentence)
    })?;
    check(path, &found)
}

fn check(path: &Path, found: &Metadata) -> Result<(), JobFailure> {
    if found.is_file() {
        return Ok(());
    }
    Err(bad(format!("{} is no regular file: send what it gives to the job instead", path.display())))
}

fn changed(path: &Path, advice: Advice) -> JobFailure {
    failed(format!("{} has changed since it was first read: {advice}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> JobFailure {
    let path = path.display();
    failed(match error.kind() {
        io::ErrorKind::NotFound => format!("{path} is gone: put it back and resume the job, or cancel it"),
        io::ErrorKind::PermissionDenied => {
            format!("the node may not read {path}: allow it, or send the document instead")
        }
        _ => format!("cannot read {path}: {error}"),
    })
}

const fn failed(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence }
}

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}

const PUT_BACK: Advice = "put it back as it was and resume the job, or cancel it and insert the file anew";
