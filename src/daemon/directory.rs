//! Reads a directory as what a site is made of: its files, their types and digests; and says where one can be written.
//!
//! Left out are hidden files, what `.boltholeignore` names (in the way of `.gitignore`), links and whatever is no file. A
//! file that cannot be read or named stops everything: a site with a hole is worse than none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::daemon::job::{FailureKind, JobFailure};
use crate::daemon::unchanged::{self, Unchanged};
use crate::document::mime::Mime;
use crate::document::site::plan::Found;
use crate::key::uri::SitePath;
use crate::limits::SITE_FILES;

/// The files of `directory`, in the order of their paths in the site.
///
/// # Errors
/// When something in it cannot be published.
pub fn read(directory: &Path, hidden: bool) -> Result<Vec<Found>, JobFailure> {
    if !directory.is_dir() {
        return Err(failed(format!("{} is not a directory", directory.display())));
    }
    let mut files = Vec::new();
    let walk = WalkBuilder::new(directory)
        .standard_filters(false)
        .hidden(!hidden)
        .follow_links(false)
        .add_custom_ignore_filename(IGNORE)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| failed(format!("cannot read the directory: {error}")))?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && entry.file_name() != IGNORE {
            if files.len() >= SITE_FILES {
                return Err(failed(format!("a site has at most {SITE_FILES} files")));
            }
            files.push(found(directory, entry.path())?);
        }
    }
    if files.is_empty() {
        return Err(failed(format!("{} has no files to publish", directory.display())));
    }
    files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn found(directory: &Path, path: &Path) -> Result<Found, JobFailure> {
    let name = path.display();
    let inner = path.strip_prefix(directory).unwrap_or(path);
    let text = inner.to_str().ok_or_else(|| failed(format!("the name of {name} is no UTF-8")))?;
    let text = text.replace(std::path::MAIN_SEPARATOR, "/");
    let site_path = SitePath::new(&text).map_err(|error| failed(format!("cannot publish {name}: {error}")))?;
    let mime = media_type(path).and_then(|text| Mime::new(&text).ok()).unwrap_or_default();
    let digested = File::open(path).and_then(|mut file| unchanged::digest(&mut file));
    let (digest, length) = digested.map_err(|error| unreadable(path, &error))?;
    Ok(Found { path: site_path, mime, length, digest })
}

/// A file of the directory, which must still be what was found.
///
/// # Errors
/// When it cannot be opened, or is not.
pub fn open(directory: &Path, found: &Found) -> Result<Unchanged, JobFailure> {
    let path = place(directory, found);
    let opened = File::open(&path).and_then(|file| file.metadata().map(|now| (file, now)));
    let (file, now) = opened.map_err(|error| unreadable(&path, &error))?;
    if now.len() != found.length {
        return Err(failed(format!("{} has changed since the directory was read", path.display())));
    }
    Ok(Unchanged::new(file, now, found.digest))
}

/// The bytes of a file of the directory, which must still be what was found.
///
/// # Errors
/// When it cannot be read, or is not.
pub fn bytes(directory: &Path, found: &Found) -> Result<Vec<u8>, JobFailure> {
    let mut bytes = Vec::new();
    let mut reader = open(directory, found)?;
    reader.read_to_end(&mut bytes).map_err(|error| unreadable(&place(directory, found), &error))?;
    Ok(bytes)
}

/// Where a file of the directory lies.
#[must_use]
pub fn place(directory: &Path, found: &Found) -> PathBuf {
    directory.join(found.path.as_str())
}

/// Refuses a directory that has something in it: a site is written where nothing was.
///
/// # Errors
/// When there is something, or it cannot be read.
pub fn check_new(directory: &Path) -> Result<(), JobFailure> {
    let name = directory.display();
    match fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed(format!("{name} is not empty: a site is written into a new directory"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(format!("cannot write into {name}: {error}"))),
    }
}

/// What the name of a file says of its type; nothing for names without a known ending.
#[must_use]
pub fn media_type(file: &Path) -> Option<String> {
    mime_guess::from_path(file).first_raw().map(str::to_owned)
}

fn unreadable(path: &Path, error: &io::Error) -> JobFailure {
    failed(format!("cannot read {}: {error}", path.display()))
}

const fn failed(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence }
}

/// Names what is not published.
const IGNORE: &str = ".boltholeignore";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_without_what_is_hidden_ignored_or_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        fs::create_dir_all(place("a/.git")).expect("made");
        for name in ["index.html", "a/page.html", "a/draft.txt", "a/.git/config", ".hidden"] {
            fs::write(place(name), name).expect("written");
        }
        fs::write(place(".boltholeignore"), "draft.*\n").expect("written");
        std::os::unix::fs::symlink("/etc/passwd", place("link")).expect("linked");
        let paths = |hidden| -> Vec<String> {
            let files = read(directory.path(), hidden).expect("it can be read");
            files.iter().map(|file| file.path.as_str().to_owned()).collect()
        };
        assert_eq!(paths(false), ["a/page.html", "index.html"]);
        assert_eq!(paths(true), [".hidden", "a/.git/config", "a/page.html", "index.html"]);
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("file"), b"as it was").expect("written");
        let found = read(directory.path(), false).expect("it can be read").remove(0);
        assert_eq!(bytes(directory.path(), &found).ok().as_deref(), Some(&b"as it was"[..]));
        for other in [&b"as it is!"[..], b"as it", b"as it was before"] {
            fs::write(directory.path().join("file"), other).expect("written");
            assert!(bytes(directory.path(), &found).is_err());
        }
    }
}
