//! Files that must not change under whoever reads them, and the digest that tells.
//!
//! Guarantees that a file that was read to its end is, to the last byte, the one whose digest was taken, and that a change is
//! noticed at the next read where its length or time tells. Leaves out what becomes of the bytes.

use std::fs::{File, Metadata};
use std::io::{self, Read};

use crypto::hash::Digester;

use crate::document::root;

/// A file that is read from its beginning and ends with an error if it is not what was found.
#[derive(Debug)]
pub struct Unchanged {
    file: File,
    found: Metadata,
    digester: Option<Box<Digester>>,
    digest: [u8; 32],
}

/// Why no more of it can be read.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It is not what it was.
    #[error("it changed while it was being read")]
    Changed,
    /// The system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Unchanged {
    /// `file`, which stands at its beginning, is like `found` and has this digest.
    #[must_use]
    pub fn new(file: File, found: Metadata, digest: [u8; 32]) -> Self {
        Self { file, found, digester: Some(Box::new(root::digester())), digest }
    }

    /// The next bytes into `buffer`, which is not empty; how many, none at the end.
    ///
    /// # Errors
    /// When the file has changed, or the system refuses.
    pub fn read_on(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        let Some(digester) = &mut self.digester else { return Ok(0) };
        let count = self.file.read(buffer)?;
        let now = self.file.metadata()?;
        if now.len() != self.found.len() || now.modified().ok() != self.found.modified().ok() {
            return Err(Trouble::Changed);
        }
        if count > 0 {
            digester.update(&buffer[..count]);
            return Ok(count);
        }
        let is_same = self.digester.take().is_some_and(|digester| digester.finish() == self.digest);
        if is_same { Ok(0) } else { Err(Trouble::Changed) }
    }
}

impl Read for Unchanged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_on(buffer).map_err(|trouble| match trouble {
            Trouble::Changed => io::Error::other(trouble),
            Trouble::System(error) => error,
        })
    }
}

/// The digest of what `reader` has left, as of a document, and how many bytes that was.
///
/// # Errors
/// When it cannot be read.
pub fn digest(reader: &mut dyn Read) -> io::Result<([u8; 32], u64)> {
    let mut digester = root::digester();
    let length = digest_into(&mut digester, reader)?;
    Ok((digester.finish(), length))
}

/// Takes what `reader` has left into `digester`; how many bytes that was.
///
/// # Errors
/// When it cannot be read.
pub fn digest_into(digester: &mut Digester, reader: &mut dyn Read) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut length = 0;
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(length);
        }
        digester.update(&buffer[..count]);
        length += count as u64;
    }
}

/// Bytes read at once. Chosen: a read of a disk that is worth its while.
pub const BUFFER_BYTES: usize = 256 << 10;
