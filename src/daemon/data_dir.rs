//! The directory in which a node keeps what outlives it.
//!
//! Guarantees: one running node per directory; files readable by their owner alone; a file is replaced whole or not at
//! all. What the files mean is known to those who write them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A node's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir(PathBuf);

/// Held while a node runs on a directory; released with the process at the latest.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another node runs on it.
    #[error("another node is running on {0}")]
    InUse(PathBuf),
    /// The path is taken by something else.
    #[error("{0} is not a directory")]
    NotADirectory(PathBuf),
    /// The system refuses.
    #[error("cannot {verb} {path}: {source}")]
    System {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataDir {
    /// The directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of the file `name` in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the directory, for its owner alone, if it does not exist.
    ///
    /// # Errors
    /// When something else is there or the system refuses.
    pub fn create(&self) -> Result<(), DataError> {
        if self.0.exists() && !self.0.is_dir() {
            return Err(DataError::NotADirectory(self.0.clone()));
        }
        make_private(&self.0)
    }

    /// Takes the directory for a running node.
    ///
    /// # Errors
    /// [`DataError::InUse`] when another node has it.
    pub fn lock(&self) -> Result<Lock, DataError> {
        let path = self.file(LOCK);
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = open.map_err(|source| DataError::System { verb: "open", path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(self.0.clone())),
            Err(TryLockError::Error(source)) => Err(DataError::System { verb: "lock", path, source }),
        }
    }

    /// The content of the file `name`, if there is one.
    ///
    /// # Errors
    /// When the system refuses to read it.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DataError> {
        match fs::read(self.file(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(DataError::System { verb: "read", path: self.file(name), source }),
        }
    }

    /// Replaces the file `name` whole: after a crash it holds either what it held before or `bytes`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DataError> {
        let path = self.file(name);
        replace_file(&path, bytes).map_err(|source| DataError::System { verb: "write", path, source })
    }

    /// Removes the file `name`, if there is one.
    pub fn remove(&self, name: &str) {
        // What cannot be removed now is overwritten by the next start.
        let _ = fs::remove_file(self.file(name));
    }

    /// Makes the directory `name` in it, for its owner alone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn subdirectory(&self, name: &str) -> Result<Self, DataError> {
        let path = self.file(name);
        make_private(&path).map(|()| Self(path))
    }
}

/// Writes `bytes` beside `path` and renames them into place once they are durable.
fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // A temporary file is readable by its owner alone from the start.
    let mut file = NamedTempFile::new_in(parent)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(parent)?.sync_all()
}

fn make_private(path: &Path) -> Result<(), DataError> {
    let built = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    built.map_err(|source| DataError::System { verb: "make the directory", path: path.to_owned(), source })
}

const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_node_at_a_time_holds_a_directory() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path().join("node"));
        data.create().unwrap();
        let held = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(DataError::InUse(_))));
        drop(held);
        assert!(data.lock().is_ok());
    }

    #[test]
    fn files_are_the_owners_alone() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path().join("node"));
        data.create().unwrap();
        data.replace("secret", b"first").unwrap();
        data.replace("secret", b"second").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data.file("secret")), 0o600);
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(data.read("secret").unwrap().as_deref(), Some(&b"second"[..]));
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_named() {
        let file = NamedTempFile::new().unwrap();
        assert!(matches!(DataDir::new(file.path()).create(), Err(DataError::NotADirectory(_))));
    }
}
