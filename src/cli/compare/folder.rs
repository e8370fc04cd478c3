//! Where a comparison is written: made before anything is measured, and taken away again if a signal ends the work.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::super::interrupt;

/// A folder that exists.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, made if it does not exist.
    pub(super) fn make(path: &Path) -> Result<Self, Failure> {
        let is_new = !path.exists();
        fs::create_dir_all(path)
            .map_err(|error| Failure::failed(format!("cannot make {}: {error}", path.display())))?;
        if is_new {
            let left = path.to_path_buf();
            // Only if nothing is in it: that is what this refuses otherwise.
            interrupt::on_stop(move || drop(fs::remove_dir(left)));
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// Writes one file.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
    }
}
