//! The document of an insert that lasts: a file of the user's, or the copy that the job keeps.
//!
//! Guarantees that every start of the job reads the same bytes: a file is digested before the first block is sealed, again at
//! every later start, and watched while it is read. Otherwise one key would seal two contents, and whoever holds both blocks
//! would learn how they differ. Leaves out what becomes of the bytes.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use crypto::hash::Digester;
use tokio::sync::mpsc;
use tokio::task;

use crate::daemon::job::{FailureKind, InsertRequest, JobFailure};
use crate::daemon::jobs::book::{Book, Print};
use crate::daemon::jobs::feed::{CHANNEL, Feed};
use crate::daemon::jobs::pieces::PieceReader;
use crate::document::root;

/// A document that is read from its beginning.
pub(super) struct Source {
    /// What it is.
    pub(super) print: Print,
    reader: Reader,
}

enum Reader {
    Copy { pieces: PieceReader, left: u64 },
    File { file: File, path: PathBuf, found: Metadata, digester: Box<Digester>, digest: [u8; 32] },
}

impl Source {
    /// Opens the document of `book`, which must be what it was when it was first opened.
    pub(super) async fn open(book: Book, request: &InsertRequest) -> Result<Self, JobFailure> {
        let path = request.file.clone();
        let opened = task::spawn_blocking(move || match path {
            Some(path) => Self::of_file(&book, path),
            None => Self::of_copy(&book),
        });
        opened.await.map_err(|error| failed(format!("the work broke off: {error}")))?
    }

    fn of_copy(book: &Book) -> Result<Self, JobFailure> {
        let print = book.kept().source.ok_or_else(|| failed("the job has no document".to_owned()))?;
        Ok(Self { print, reader: Reader::Copy { pieces: book.copy()?, left: print.length } })
    }

    fn of_file(book: &Book, path: PathBuf) -> Result<Self, JobFailure> {
        let unreadable = |error: &io::Error| unreadable(&path, error);
        let mut file = File::open(&path).map_err(|error| unreadable(&error))?;
        let found = file.metadata().map_err(|error| unreadable(&error))?;
        check(&path, &found)?;
        let known = book.kept().source;
        if known.is_some_and(|known| known.length != found.len()) {
            return Err(changed(&path));
        }
        let digest = digest(&mut file).map_err(|error| unreadable(&error))?;
        let print = Print { length: found.len(), digest: Some(digest) };
        match known {
            None => book.amend(|kept| kept.source = Some(print))?,
            Some(known) if known != print => return Err(changed(&path)),
            Some(_) => {}
        }
        let digester = Box::new(root::digester());
        let reader = Reader::File { file, path, found, digester, digest };
        Ok(Self { print, reader })
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
            Self::File { file, path, found, digester, digest } => filed(file, path, found, digester, digest),
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

fn filed(
    file: &mut File,
    path: &Path,
    found: &Metadata,
    digester: &mut Digester,
    digest: &[u8; 32],
) -> Result<Feed, JobFailure> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let count = file.read(&mut buffer).map_err(|error| unreadable(path, &error))?;
    let now = file.metadata().map_err(|error| unreadable(path, &error))?;
    if now.len() != found.len() || now.modified().ok() != found.modified().ok() {
        return Err(changed(path));
    }
    if count > 0 {
        buffer.truncate(count);
        digester.update(&buffer);
        return Ok(Feed::Chunk(buffer.into()));
    }
    let whole = std::mem::replace(digester, root::digester()).finish();
    if whole == *digest { Ok(Feed::End) } else { Err(changed(path)) }
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

fn digest(file: &mut File) -> io::Result<[u8; 32]> {
    let mut digester = root::digester();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digester.update(&buffer[..count]);
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(digester.finish())
}

fn changed(path: &Path) -> JobFailure {
    failed(format!(
        "{} has changed since the insert began: put it back as it was and resume the job, or cancel it and insert the file anew",
        path.display()
    ))
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

const BUFFER_BYTES: usize = 256 << 10;
