//! The books of all jobs that last, in the data directory.
//!
//! Guarantees that a book that cannot be read stays where it is, and is told of. What stands in a book is `book`'s.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use tracing::warn;

use super::book::{Book, DIRECTORY, Kept};
use crate::daemon::data_dir::DataDir;
use crate::daemon::job::{FailureKind, JobFailure, JobId};
use crate::daemon::keeper::Keeper;

/// Where jobs that last are kept.
#[derive(Clone, Debug)]
pub struct Ledger {
    data: DataDir,
    keeper: Arc<Keeper>,
}

impl Ledger {
    /// In `data`, sealed by `keeper`.
    pub const fn new(data: DataDir, keeper: Arc<Keeper>) -> Self {
        Self { data, keeper }
    }

    /// All books that can be read, and the first number that none has.
    pub(super) fn open(&self) -> (BTreeMap<JobId, Book>, u64) {
        let entries = fs::read_dir(self.data.file(DIRECTORY)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let ids: Vec<u64> = names.filter_map(|name| name.parse().ok()).collect();
        let next = ids.iter().max().map_or(0, |last| last + 1);
        let read = |id: u64| match Book::open(JobId(id), self.data.clone(), Arc::clone(&self.keeper)) {
            Ok(book) => Some((JobId(id), book)),
            Err(error) => {
                warn!(%error, "a job cannot be read; it stays where it is");
                None
            }
        };
        (ids.into_iter().filter_map(read).collect(), next)
    }

    /// A new book.
    pub(super) fn begin(&self, id: JobId, kept: Kept) -> Result<Book, JobFailure> {
        let made = self.data.subdirectory(DIRECTORY);
        made.map_err(|error| JobFailure { kind: FailureKind::Failed, sentence: error.to_string() })?;
        Book::create(id, self.data.clone(), Arc::clone(&self.keeper), kept)
    }
}
