//! Where a fetched document goes: a file that appears whole or not at all, standard output, or nowhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::failure::Failure;

/// An open target.
#[derive(Debug)]
pub(crate) enum Target {
    /// A file beside the one that is wanted; renamed when complete.
    File {
        /// What is written meanwhile.
        temporary: NamedTempFile,
        /// What it becomes.
        path: PathBuf,
    },
    /// Something that is no regular file, such as a pipe: written as it comes.
    Special(File),
    /// Standard output.
    Stdout,
    /// Verified and dropped.
    Nowhere,
}

impl Target {
    /// Opens the target that `-o` means.
    pub(crate) fn open(path: Option<&Path>, json: bool) -> Result<Self, Failure> {
        match path {
            None if json => Ok(Self::Nowhere),
            None => Ok(Self::Stdout),
            Some(path) if path == Path::new("-") && json => Err(Failure::usage(
                "--json and the document cannot share standard output: write it to a file with -o FILE",
            )),
            Some(path) if path == Path::new("-") => Ok(Self::Stdout),
            Some(path) => file(path),
        }
    }

    /// The path to remove if the process must stop.
    pub(crate) fn temporary(&self) -> Option<PathBuf> {
        match self {
            Self::File { temporary, .. } => Some(temporary.path().to_owned()),
            Self::Special(_) | Self::Stdout | Self::Nowhere => None,
        }
    }

    /// Makes the document appear.
    pub(crate) fn complete(self) -> Result<Option<PathBuf>, Failure> {
        match self {
            Self::File { temporary, path } => {
                let synced = temporary.as_file().sync_all();
                synced.map_err(|error| cannot_write(&path, &error))?;
                temporary.persist(&path).map_err(|error| cannot_write(&path, &error.error))?;
                Ok(Some(path))
            }
            Self::Stdout => {
                io::stdout().flush().map_err(|error| Failure::failed(format!("cannot write the document: {error}")))?;
                Ok(None)
            }
            Self::Special(_) | Self::Nowhere => Ok(None),
        }
    }
}

impl Write for Target {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { temporary, .. } => temporary.write(buffer),
            Self::Special(file) => file.write(buffer),
            Self::Stdout => io::stdout().write(buffer),
            Self::Nowhere => Ok(buffer.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { temporary, .. } => temporary.flush(),
            Self::Special(file) => file.flush(),
            Self::Stdout => io::stdout().flush(),
            Self::Nowhere => Ok(()),
        }
    }
}

fn file(wanted: &Path) -> Result<Target, Failure> {
    // A link is followed, so that the file behind it is replaced and not the link.
    let path = fs::canonicalize(wanted).unwrap_or_else(|_| wanted.to_owned());
    match fs::metadata(&path) {
        Ok(found) if found.is_dir() => Err(Failure::failed(format!("{} is a directory", wanted.display()))),
        Ok(found) if !found.is_file() => {
            let open = OpenOptions::new().write(true).open(&path);
            open.map(Target::Special).map_err(|error| cannot_write(wanted, &error))
        }
        _ => beside(&path).map_err(|error| cannot_write(wanted, &error)),
    }
}

fn beside(path: &Path) -> io::Result<Target> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut prefix = std::ffi::OsString::from(".");
    // Long names leave room for what makes the temporary one unique.
    prefix.push(name.to_string_lossy().chars().take(32).collect::<String>());
    let temporary = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(parent)?;
    Ok(Target::File { temporary, path: path.to_owned() })
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_appears_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("document");
        fs::write(&path, "before").unwrap();
        let mut given_up = Target::open(Some(&path), false).unwrap();
        given_up.write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(fs::read(&path).unwrap(), b"before");
        let mut complete = Target::open(Some(&path), false).unwrap();
        complete.write_all(b"whole").unwrap();
        complete.complete().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_directory_and_a_missing_parent_are_refused() {
        let place = tempfile::tempdir().unwrap();
        assert!(Target::open(Some(place.path()), false).unwrap_err().sentence.contains("is a directory"));
        assert!(Target::open(Some(&place.path().join("no/where")), false).is_err());
    }
}
