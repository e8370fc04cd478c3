//! The file that a fetch that lasts writes: it grows beside the one that is wanted and becomes it when it is whole.
//!
//! Guarantees that what the book says is written is durable, and that a file that was written in more than one go is the
//! document to the last byte before it appears under its name. Leaves out fetching.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use tokio::sync::mpsc;
use tokio::task;

use crate::daemon::job::{FailureKind, JobFailure, Opened};
use crate::daemon::jobs::book::{Book, trouble};
use crate::daemon::jobs::report::Report;
use crate::daemon::unchanged;

/// A document that is being written.
pub(super) struct Part {
    book: Book,
    file: File,
    path: PathBuf,
    target: PathBuf,
    /// Bytes that were there when this start began.
    pub(super) begun: u64,
    written: u64,
}

impl Part {
    /// Opens what there is of the document that `book` fetches to `target`.
    pub(super) fn open(book: Book, target: &Path) -> Result<Self, JobFailure> {
        let kept = book.kept();
        let path = kept.part.unwrap_or_else(|| beside(target, &kept.seed));
        let cannot = |error: &io::Error| trouble("write", &path, error);
        book.amend(|kept| kept.part = Some(path.clone()))?;
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(|error| cannot(&error))?;
        let there = file.metadata().map_err(|error| cannot(&error))?.len();
        let begun = if there < book.written() { 0 } else { book.written() };
        file.set_len(begun).and_then(|()| file.seek(SeekFrom::Start(begun))).map_err(|error| cannot(&error))?;
        Ok(Self { book, file, path, target: target.to_owned(), begun, written: begun })
    }

    /// Writes what comes out of `output`, to its end.
    pub(super) async fn take(mut self, mut output: mpsc::Receiver<Bytes>, report: &Report) -> Result<Self, JobFailure> {
        let mut is_known = self.begun > 0;
        let mut durable = self.begun;
        while let Some(piece) = output.recv().await {
            if !is_known {
                self.remember(report)?;
                is_known = true;
            }
            self.file.write_all(&piece).map_err(|error| trouble("write", &self.path, &error))?;
            self.written += piece.len() as u64;
            if self.written - durable >= DURABLE_EVERY {
                self.sync().await?;
                durable = self.written;
                self.book.on_written(durable)?;
            }
        }
        Ok(self)
    }

    /// Writes down what the document says of itself, so that a later start can tell whether it is the same.
    fn remember(&self, report: &Report) -> Result<(), JobFailure> {
        let opened = report.view().opened;
        self.book.amend(|kept| kept.opened = opened)
    }

    /// The document has come to its end: makes it appear.
    pub(super) async fn complete(mut self, opened: &Opened) -> Result<u64, JobFailure> {
        if self.begun > 0 && !self.is(opened).await? {
            self.book.on_written(0)?;
            self.book.amend(|kept| kept.opened = None)?;
            return Err(JobFailure {
                kind: FailureKind::Failed,
                sentence: "what was written before is not the beginning of this document: resume the job to begin anew"
                    .to_owned(),
            });
        }
        self.sync().await?;
        fs::rename(&self.path, &self.target).map_err(|error| trouble("write", &self.target, &error))?;
        Ok(self.written)
    }

    /// Whether the file is the document.
    async fn is(&mut self, opened: &Opened) -> Result<bool, JobFailure> {
        let mut file = self.file.try_clone().map_err(|error| trouble("read", &self.path, &error))?;
        let digested = task::spawn_blocking(move || {
            file.seek(SeekFrom::Start(0))?;
            unchanged::digest(&mut file)
        });
        let digested = digested.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let (digest, _) = digested.map_err(|error| trouble("read", &self.path, &error))?;
        Ok(self.written == opened.length && BASE64URL_NOPAD.encode(&digest) == opened.digest)
    }

    async fn sync(&self) -> Result<(), JobFailure> {
        let file = self.file.try_clone();
        let synced = task::spawn_blocking(move || file.and_then(|file| file.sync_data())).await;
        let synced = synced.unwrap_or_else(|error| Err(io::Error::other(error)));
        synced.map_err(|error| trouble("write", &self.path, &error))
    }
}

/// What can be said of a target before anything is fetched.
///
/// # Errors
/// When no document can be written there.
pub(super) fn look(target: &Path) -> Result<(), JobFailure> {
    let bad = |sentence| JobFailure { kind: FailureKind::BadRequest, sentence };
    let shown = target.display();
    if !target.is_absolute() {
        return Err(bad(format!("{shown} is no absolute path")));
    }
    if target.is_dir() {
        return Err(bad(format!("{shown} is a directory")));
    }
    match (target.parent(), target.file_name()) {
        (Some(parent), Some(_)) if parent.is_dir() => Ok(()),
        (Some(parent), Some(_)) => Err(bad(format!("{} is no directory", parent.display()))),
        _ => Err(bad(format!("{shown} names no file"))),
    }
}

/// A name in the same directory that nothing else has.
pub(super) fn beside(target: &Path, seed: &[u8; 32]) -> PathBuf {
    // Long names leave room for what makes this one unique.
    let name: String = target.file_name().unwrap_or_default().to_string_lossy().chars().take(32).collect();
    // Not the seed itself, which opens the job's log.
    let unique = crypto::hash::hash(crypto::hash::Label::DocumentDigest, &[b"part of a document", seed]);
    target.with_file_name(format!(".{name}.{}.part", HEXLOWER.encode(&unique[..8])))
}

/// Bytes between two moments at which what was written is durable. Chosen: what a killed process fetches again.
const DURABLE_EVERY: u64 = 1 << 20;
