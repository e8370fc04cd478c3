//! The document that lists a site's files: their paths, types, lengths, digests, and where each stands.
//!
//! Guarantees, however hostile the bytes: one spelling; paths that lead down only, each once and none through a file; no
//! more files than [`SITE_FILES`]; parts of packs that do not overlap, so that a site cannot unpack to more than its
//! packs and documents hold. Leaves out whether what it names exists.

use std::collections::BTreeSet;
use std::fmt;

use crypto::content::Root;
use serde::{Deserialize, Serialize};

use crate::document::mime::Mime;
use crate::key::RoutingKey;
use crate::key::uri::{SitePath, Uri};
use crate::limits::{DOCUMENT_BYTES, SITE_FILES, SITE_INDEX_BYTES};

/// The list of a site's files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// What is shown where no path is named.
    pub default: Option<SitePath>,
    /// Documents that hold several files.
    pub packs: Vec<Pack>,
    /// The files, by path.
    pub files: Vec<File>,
}

/// A document of files, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Where it stands.
    pub place: Place,
    /// Its length.
    pub length: u64,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: SitePath,
    /// What it is.
    pub mime: Mime,
    /// Its length.
    pub length: u64,
    /// Digest of its bytes, as of a document.
    pub digest: [u8; 32],
    /// Where its bytes are.
    pub body: Body,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// In a document of their own.
    Own(Place),
    /// In a pack.
    Packed {
        /// Which, counted from zero.
        pack: u32,
        /// Bytes before it.
        offset: u64,
    },
}

/// Where a document stands. Whoever knows it can read the document, so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Place {
    routing: RoutingKey,
    /// The bytes of the root: an index holds many, and is itself sealed.
    root: [u8; 32],
}

/// Bytes that are no list of files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIndex {
    /// Longer than any.
    #[error("the list of the site's files is longer than {SITE_INDEX_BYTES} bytes")]
    TooLong,
    /// Not what an index is written as.
    #[error("the list of the site's files is damaged, or of a newer version")]
    Malformed,
    /// More than [`SITE_FILES`].
    #[error("a site has at most {SITE_FILES} files")]
    TooMany,
    /// A path that cannot be, is listed twice, out of order, or leads through a file.
    #[error("the site lists a path that cannot be")]
    Path,
    /// A type that is none, a length beyond any, a pack that is not there.
    #[error("the site says of a file what cannot be")]
    File,
    /// A part of a pack beyond its end, or of two files.
    #[error("two files of the site share bytes of a pack, or reach beyond it")]
    Overlap,
}

impl Place {
    /// Where the document of a `CHK@` URI stands; none of another kind.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        match uri {
            Uri::Chk { routing, root } => Some(Self { routing: *routing, root: *root.expose() }),
            _ => None,
        }
    }

    /// The URI of the document.
    #[must_use]
    pub fn uri(&self) -> Uri {
        Uri::Chk { routing: self.routing, root: Root::from_bytes(self.root) }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Place(..)")
    }
}

impl Index {
    /// The bytes of the document.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(&Written::from(self)).expect("plain values encode")
    }

    /// Reads the bytes of the document.
    ///
    /// # Errors
    /// When they are not what [`Index::encode`] writes, or list what cannot be.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadIndex> {
        if bytes.len() > SITE_INDEX_BYTES {
            return Err(BadIndex::TooLong);
        }
        let (written, rest) = postcard::take_from_bytes::<Written>(bytes).map_err(|_| BadIndex::Malformed)?;
        if !rest.is_empty() || written.version != VERSION {
            return Err(BadIndex::Malformed);
        }
        let index = written.checked()?;
        index.check_overlaps()?;
        if index.encode() != bytes {
            return Err(BadIndex::Malformed);
        }
        Ok(index)
    }

    /// The file at `path`; without a path, the one that is shown then. A path may also name a directory with a file
    /// `index.html`.
    #[must_use]
    pub fn file(&self, path: Option<&SitePath>) -> Option<&File> {
        let Some(path) = path.or(self.default.as_ref()) else { return self.at(INDEX_HTML) };
        self.at(path.as_str()).or_else(|| self.at(&format!("{}/{INDEX_HTML}", path.as_str())))
    }

    /// Bytes of all files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.length))
    }

    fn at(&self, path: &str) -> Option<&File> {
        let found = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(found)
    }

    fn check_overlaps(&self) -> Result<(), BadIndex> {
        let mut parts: Vec<(u32, u64, u64)> = Vec::new();
        for file in &self.files {
            if let Body::Packed { pack, offset } = file.body {
                let pack_length = self.packs.get(pack as usize).ok_or(BadIndex::File)?.length;
                let end = offset.checked_add(file.length).filter(|end| *end <= pack_length);
                parts.push((pack, offset, end.ok_or(BadIndex::Overlap)?));
            }
        }
        parts.sort_unstable();
        let overlap = parts.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2);
        if overlap { Err(BadIndex::Overlap) } else { Ok(()) }
    }
}

/// An index as it is written: types are listed once.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u8,
    default: Option<String>,
    types: Vec<String>,
    packs: Vec<([u8; 32], [u8; 32], u64)>,
    files: Vec<WrittenFile>,
}

#[derive(Serialize, Deserialize)]
struct WrittenFile {
    path: String,
    mime: u32,
    length: u64,
    digest: [u8; 32],
    body: WrittenBody,
}

#[derive(Serialize, Deserialize)]
enum WrittenBody {
    Own([u8; 32], [u8; 32]),
    Packed(u32, u64),
}

impl From<&Index> for Written {
    fn from(index: &Index) -> Self {
        let types: BTreeSet<&str> = index.files.iter().map(|file| file.mime.as_str()).collect();
        let types: Vec<String> = types.into_iter().map(str::to_owned).collect();
        let files = index.files.iter().map(|file| WrittenFile {
            path: file.path.as_str().to_owned(),
            mime: types.iter().position(|known| known == file.mime.as_str()).unwrap_or_default() as u32,
            length: file.length,
            digest: file.digest,
            body: match &file.body {
                Body::Own(place) => WrittenBody::Own(place.routing.0, place.root),
                Body::Packed { pack, offset } => WrittenBody::Packed(*pack, *offset),
            },
        });
        let files = files.collect();
        let packs = index.packs.iter().map(|pack| (pack.place.routing.0, pack.place.root, pack.length)).collect();
        let default = index.default.as_ref().map(|path| path.as_str().to_owned());
        Self { version: VERSION, default, types, packs, files }
    }
}

impl Written {
    fn checked(self) -> Result<Index, BadIndex> {
        if self.files.len() > SITE_FILES {
            return Err(BadIndex::TooMany);
        }
        let types: Vec<Mime> =
            self.types.iter().map(|text| Mime::new(text)).collect::<Result<_, _>>().map_err(|_| BadIndex::File)?;
        let packs = self
            .packs
            .into_iter()
            .map(|(routing, root, length)| Pack { place: Place { routing: RoutingKey(routing), root }, length });
        let packs: Vec<Pack> = packs.collect();
        if packs.iter().any(|pack| pack.length > DOCUMENT_BYTES) {
            return Err(BadIndex::File);
        }
        let mut files: Vec<File> = Vec::with_capacity(self.files.len());
        for written in self.files {
            let path = SitePath::new(&written.path).map_err(|_| BadIndex::Path)?;
            if files.last().is_some_and(|last| last.path >= path) {
                return Err(BadIndex::Path);
            }
            let mime = types.get(written.mime as usize).cloned().ok_or(BadIndex::File)?;
            if written.length > DOCUMENT_BYTES {
                return Err(BadIndex::File);
            }
            let body = match written.body {
                WrittenBody::Own(routing, root) => Body::Own(Place { routing: RoutingKey(routing), root }),
                WrittenBody::Packed(pack, offset) => Body::Packed { pack, offset },
            };
            files.push(File { path, mime, length: written.length, digest: written.digest, body });
        }
        let default = self.default.map(|path| SitePath::new(&path)).transpose().map_err(|_| BadIndex::Path)?;
        let index = Index { default, packs, files };
        if index.default.as_ref().is_some_and(|path| index.at(path.as_str()).is_none()) || index.leads_through_a_file()
        {
            return Err(BadIndex::Path);
        }
        Ok(index)
    }
}

impl Index {
    /// Whether some path has another one as its beginning: a file cannot be a directory too.
    fn leads_through_a_file(&self) -> bool {
        let is_file = |path: &str| self.at(path).is_some();
        let through =
            |file: &File| file.path.as_str().match_indices('/').any(|(end, _)| is_file(&file.path.as_str()[..end]));
        self.files.iter().any(through)
    }
}

/// The media type of a list of files.
pub const SITE_TYPE: &str = "application/vnd.bolthole.site";

const VERSION: u8 = 1;
const INDEX_HTML: &str = "index.html";

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> SitePath {
        SitePath::new(text).expect("a path")
    }

    fn packed(name: &str, offset: u64, length: u64) -> File {
        let mime = Mime::new("text/plain").expect("a type");
        File { path: path(name), mime, length, digest: [1; 32], body: Body::Packed { pack: 0, offset } }
    }

    fn place(byte: u8) -> Place {
        Place { routing: RoutingKey([byte; 32]), root: [byte; 32] }
    }

    fn index(files: Vec<File>) -> Index {
        Index { default: None, packs: vec![Pack { place: place(7), length: 100 }], files }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let mut whole = index(vec![packed("a", 0, 60), packed("b/index.html", 60, 40)]);
        whole.default = Some(path("a"));
        whole.files[1].body = Body::Own(place(9));
        let bytes = whole.encode();
        assert_eq!(Index::decode(&bytes).as_ref(), Ok(&whole));
        for end in 0..bytes.len() {
            assert!(Index::decode(&bytes[..end]).is_err());
        }
        assert!(Index::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert_eq!(whole.file(None).map(|file| file.path.as_str()), Some("a"));
        assert_eq!(whole.file(Some(&path("b"))).map(|file| file.path.as_str()), Some("b/index.html"));
        assert_eq!(whole.file(Some(&path("c"))), None);
    }

    #[test]
    fn hostile_lists_are_refused() {
        for (files, why) in [
            (vec![packed("b", 0, 1), packed("a", 1, 1)], BadIndex::Path),
            (vec![packed("a", 0, 1), packed("a", 1, 1)], BadIndex::Path),
            (vec![packed("a", 0, 1), packed("a/b", 1, 1)], BadIndex::Path),
            (vec![packed("a", 0, 50), packed("b", 49, 1)], BadIndex::Overlap),
            (vec![packed("a", 0, 101)], BadIndex::Overlap),
            (vec![packed("a", u64::MAX, 2)], BadIndex::Overlap),
            (vec![packed("a", 0, u64::MAX)], BadIndex::File),
        ] {
            assert_eq!(Index::decode(&index(files).encode()), Err(why));
        }
        let mut nowhere = index(vec![packed("a", 0, 1)]);
        nowhere.default = Some(path("b"));
        assert_eq!(Index::decode(&nowhere.encode()), Err(BadIndex::Path));
        let mut unpacked = index(vec![packed("a", 0, 1)]);
        unpacked.packs.clear();
        assert_eq!(Index::decode(&unpacked.encode()), Err(BadIndex::File));
    }

    #[test]
    fn a_path_that_leaves_the_site_is_no_path() {
        for wrong in ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".", "a\\b", "a/\0"] {
            assert!(SitePath::new(wrong).is_err(), "{wrong}");
        }
    }
}
