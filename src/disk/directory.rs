//! Opens the store in a directory: one node at a time, files that only their owner may read.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crypto::secret::Secret;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use crate::disk::engine::{Engine, Media, OpenReport, Unusable};
use crate::disk::worker::Handle;
use crate::limits::STORE_MIN_BYTES;
use crate::store::geometry::Capacity;
use crate::store::work::{DiskDone, Recovered};

/// A store on disk, open and locked; its threads do not run yet.
#[derive(Debug)]
pub struct Disk {
    engine: Engine<File>,
    lock: File,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store in {0} is in use by another node")]
    InUse(PathBuf),
    /// The size limit is too low.
    #[error("a store needs a size limit of at least {STORE_MIN_BYTES} bytes, not {0}")]
    TooSmall(u64),
    /// A file or the directory cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files were not written by this node, or by this version.
    #[error("the store in {path} cannot be used: {reason}")]
    Unusable {
        /// Which directory.
        path: PathBuf,
        /// Why.
        reason: Unusable,
    },
}

impl Disk {
    /// Opens the store in `directory`, which is made if need be, with a size limit of `limit_bytes`.
    ///
    /// Gives the disk, what stands on it (least recently used first) for [`Store::recover`](crate::store::Store::recover)
    /// with [`Capacity::of_limit`] of the same limit, and what was found.
    ///
    /// # Errors
    /// When it is in use, belongs to another secret, or the system refuses.
    pub fn open(
        directory: &Path,
        node_secret: &Secret<32>,
        limit_bytes: u64,
    ) -> Result<(Self, Vec<Recovered>, OpenReport), OpenError> {
        if limit_bytes < STORE_MIN_BYTES {
            return Err(OpenError::TooSmall(limit_bytes));
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| OpenError::Io { path: directory.to_owned(), source })?;
        let lock = open_file(directory, "lock")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(directory.to_owned())),
            Err(TryLockError::Error(source)) => return Err(OpenError::Io { path: directory.join("lock"), source }),
        }
        let media = Media {
            content: open_file(directory, "content.slots")?,
            signed: open_file(directory, "signed.slots")?,
            order: [open_file(directory, "order.0")?, open_file(directory, "order.1")?],
        };
        let unusable = |reason| OpenError::Unusable { path: directory.to_owned(), reason };
        // New files must be found again after a power cut, or what is synced in them is lost with their names.
        File::open(directory).and_then(|names| names.sync_all()).map_err(|error| unusable(error.into()))?;
        let rng = nonce_generator().map_err(|error| unusable(error.into()))?;
        let (engine, recovered, report) =
            Engine::open(media, node_secret, Capacity::of_limit(limit_bytes), rng).map_err(unusable)?;
        Ok((Self { engine, lock }, recovered, report))
    }

    /// Starts the threads; every answer is given to `done`, which must not wait.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self, done: impl Fn(DiskDone) + Send + Sync + 'static) -> io::Result<Handle> {
        Handle::start(self.engine, self.lock, done)
    }

    /// The engine itself, to be driven by hand; the store stays locked while the file lives.
    pub fn into_parts(self) -> (Engine<File>, File) {
        (self.engine, self.lock)
    }
}

fn open_file(directory: &Path, name: &str) -> Result<File, OpenError> {
    let path = directory.join(name);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    opened.map_err(|source| OpenError::Io { path, source })
}

/// Nonces of one run, from a seed of the operating system.
fn nonce_generator() -> io::Result<ChaCha20Rng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(ChaCha20Rng::from_seed(seed))
}
