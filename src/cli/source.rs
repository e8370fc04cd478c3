//! What is inserted: a file or standard input, opened and looked at before any node is asked.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;

use super::failure::Failure;
use crate::daemon::unchanged;

/// An open document.
pub(crate) struct Source {
    /// Its bytes.
    pub(crate) document: Box<dyn Read>,
    /// How many, if that is known.
    pub(crate) length: Option<u64>,
    /// Their digest, if it was asked for.
    pub(crate) digest: Option<String>,
}

impl Source {
    /// Opens the file at `path`, or standard input for `-`; reads it through once if the digest is wanted.
    pub(crate) fn open(path: &Path, digested: bool) -> Result<Self, Failure> {
        let name = path.display();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Failure::failed(format!("{name} does not exist")),
            _ => Failure::failed(format!("cannot read {name}: {error}")),
        };
        if path == Path::new("-") {
            return Self::stream(Box::new(io::stdin()), digested).map_err(failed);
        }
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if found.is_dir() {
            let sentence = format!("{name} is a directory: publish it with `bolthole site publish`");
            return Err(Failure::failed(sentence));
        }
        if !found.is_file() {
            return Self::stream(Box::new(file), digested).map_err(failed);
        }
        let digest = digested.then(|| digest(&file)).transpose().map_err(failed)?;
        Ok(Self { document: Box::new(file), length: Some(found.len()), digest })
    }

    /// What can be read only once goes through a file without a name if it must be read twice.
    fn stream(mut document: Box<dyn Read>, digested: bool) -> io::Result<Self> {
        if !digested {
            return Ok(Self { document, length: None, digest: None });
        }
        let mut file = tempfile::tempfile()?;
        let length = io::copy(&mut document, &mut file)?;
        file.flush()?;
        file.seek(SeekFrom::Start(0))?;
        let digest = digest(&file)?;
        Ok(Self { document: Box::new(file), length: Some(length), digest: Some(digest) })
    }
}

fn digest(mut file: &File) -> io::Result<String> {
    let (digest, _) = unchanged::digest(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(BASE64URL_NOPAD.encode(&digest))
}
