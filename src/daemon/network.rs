//! Which network a node belongs to: the genesis file and its place in the data directory.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::data_dir::{DataDir, DataError};
use crate::message::genesis::{BadGenesis, Genesis};

/// Why there is no network to take part in.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The data directory does not give it.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The genesis file cannot be read or written.
    #[error("cannot {verb} {path}: {source}")]
    System {
        /// What was tried.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no genesis.
    #[error("{path}: {source}")]
    Bad {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: BadGenesis,
    },
    /// The directory belongs to another network.
    #[error("{path} belongs to the network {here}, not to {wanted}; use another data directory")]
    Other {
        /// Which directory.
        path: PathBuf,
        /// The network it belongs to.
        here: String,
        /// The network that was asked for.
        wanted: String,
    },
}

/// Writes a genesis file that does not exist yet.
///
/// # Errors
/// When it exists or the system refuses.
pub fn write(path: &Path, genesis: &Genesis) -> Result<(), NetworkError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    made.and_then(|mut file| file.write_all(&genesis.to_bytes()).and_then(|()| file.sync_all()))
        .map_err(|source| NetworkError::System { verb: "write", path: path.to_owned(), source })
}

/// Reads a genesis file.
///
/// # Errors
/// When the system refuses or the file is no genesis.
pub fn read(path: &Path) -> Result<Genesis, NetworkError> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
        .map_err(|source| NetworkError::System { verb: "read", path: path.to_owned(), source })?;
    Genesis::from_bytes(&bytes).map_err(|source| NetworkError::Bad { path: path.to_owned(), source })
}

/// The network that `data` belongs to, if it does to any.
///
/// # Errors
/// When the file is damaged or the system refuses.
pub fn resume(data: &DataDir) -> Result<Option<Genesis>, NetworkError> {
    let Some(bytes) = data.read(GENESIS)? else { return Ok(None) };
    let bad = |source| NetworkError::Bad { path: data.file(GENESIS), source };
    Genesis::from_bytes(&bytes).map(Some).map_err(bad)
}

/// Makes `data` belong to the network of `genesis`.
///
/// # Errors
/// When it belongs to another one or the system refuses.
pub fn adopt(data: &DataDir, genesis: &Genesis) -> Result<(), NetworkError> {
    match resume(data)? {
        Some(here) if here == *genesis => Ok(()),
        Some(here) => Err(NetworkError::Other {
            path: data.path().to_owned(),
            here: here.network().to_string(),
            wanted: genesis.network().to_string(),
        }),
        None => Ok(data.replace(GENESIS, &genesis.to_bytes())?),
    }
}

/// The genesis of the network that a data directory belongs to.
const GENESIS: &str = "genesis";
/// No genesis is longer: 16 members of 32 bytes, a name and parameters.
const LONGEST: u64 = 4096;
