//! Reads a directory as what a site is made of: its files, their types and digests.
//!
//! Left out are hidden files, what `.boltholeignore` names (in the way of `.gitignore`), links and whatever is no file. A
//! file that cannot be read or named stops everything: a site with a hole is worse than none.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::cli::failure::Failure;
use crate::cli::insert::media_type;
use crate::document::mime::Mime;
use crate::document::root;
use crate::document::site::plan::Found;
use crate::key::uri::SitePath;
use crate::limits::SITE_FILES;

/// The files of `directory`, in the order of their paths in the site.
pub(super) fn read(directory: &Path, hidden: bool) -> Result<Vec<Found>, Failure> {
    if !directory.is_dir() {
        return Err(Failure::failed(format!("{} is not a directory", directory.display())));
    }
    let mut files = Vec::new();
    let walk = WalkBuilder::new(directory)
        .standard_filters(false)
        .hidden(!hidden)
        .follow_links(false)
        .add_custom_ignore_filename(IGNORE)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::failed(format!("cannot read the directory: {error}")))?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && entry.file_name() != IGNORE {
            if files.len() >= SITE_FILES {
                return Err(Failure::failed(format!("a site has at most {SITE_FILES} files")));
            }
            files.push(found(directory, entry.path())?);
        }
    }
    files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn found(directory: &Path, path: &Path) -> Result<Found, Failure> {
    let name = path.display();
    let inner = path.strip_prefix(directory).unwrap_or(path);
    let text = inner.to_str().ok_or_else(|| Failure::failed(format!("the name of {name} is no UTF-8")))?;
    let text = text.replace(std::path::MAIN_SEPARATOR, "/");
    let site_path = SitePath::new(&text).map_err(|error| Failure::failed(format!("cannot publish {name}: {error}")))?;
    let mime = media_type(path).and_then(|text| Mime::new(&text).ok()).unwrap_or_default();
    let mut reader = Digested::open(path)?;
    let length = io::copy(&mut reader, &mut io::sink()).map_err(|error| unreadable(path, &error))?;
    Ok(Found { path: site_path, mime, length, digest: reader.digest() })
}

/// The bytes of a file of the directory, which must still be what was found.
pub(super) fn bytes(directory: &Path, found: &Found) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut reader = Unchanged::open(directory, found)?;
    reader.read_to_end(&mut bytes).map_err(|error| unreadable(&place(directory, found), &error))?;
    Ok(bytes)
}

fn place(directory: &Path, found: &Found) -> PathBuf {
    directory.join(found.path.as_str())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot read {}: {error}", path.display()))
}

/// A file that is digested as it is read.
struct Digested {
    file: File,
    digester: crypto::hash::Digester,
}

impl Digested {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self { file, digester: root::digester() })
    }

    fn digest(self) -> [u8; 32] {
        self.digester.finish()
    }
}

impl Read for Digested {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.digester.update(&buffer[..count]);
        Ok(count)
    }
}

/// A file that ends with an error if it is not, to the last byte, what was found before.
pub(super) struct Unchanged {
    reader: Option<Digested>,
    left: u64,
    digest: [u8; 32],
}

impl Unchanged {
    pub(super) fn open(directory: &Path, found: &Found) -> Result<Self, Failure> {
        let reader = Digested::open(&place(directory, found))?;
        Ok(Self { reader: Some(reader), left: found.length, digest: found.digest })
    }
}

impl Read for Unchanged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let changed = || io::Error::other("it changed while the site was being published");
        let Some(reader) = &mut self.reader else { return Ok(0) };
        let count = reader.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(changed)?;
        if count == 0 && !buffer.is_empty() {
            let same = self.reader.take().is_some_and(|reader| reader.digest() == self.digest);
            return if same && self.left == 0 { Ok(0) } else { Err(changed()) };
        }
        Ok(count)
    }
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
        std::fs::create_dir_all(place("a/.git")).expect("made");
        for name in ["index.html", "a/page.html", "a/draft.txt", "a/.git/config", ".hidden"] {
            std::fs::write(place(name), name).expect("written");
        }
        std::fs::write(place(".boltholeignore"), "draft.*\n").expect("written");
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
        std::fs::write(directory.path().join("file"), b"as it was").expect("written");
        let found = read(directory.path(), false).expect("it can be read").remove(0);
        assert_eq!(bytes(directory.path(), &found).ok().as_deref(), Some(&b"as it was"[..]));
        for other in [&b"as it is!"[..], b"as it", b"as it was before"] {
            std::fs::write(directory.path().join("file"), other).expect("written");
            assert!(bytes(directory.path(), &found).is_err());
        }
    }
}
