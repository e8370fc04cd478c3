//! Textual names of documents: `CHK@routing,crypto,extra`, `SSK@hash,readingkey,extra/name`, `KSK@word`,
//! `USK@hash,readingkey,extra/site/edition`.
//!
//! Guarantees: one document, one spelling. What parses prints again as it was (less the optional `bolthole:`), and
//! whatever would be a second spelling of the same thing is refused; every error names the character where it lies and
//! what was expected there. A URI that exists is correct. Secrets in it are never printed by `Debug`.
//! Leaves out where a document lies once its URI is known, and which edition is the newest: that is `document`.
//!
//! Parts are base64url without padding, the unused low bits of the last character zero. `extra` is three bytes: format
//! version, algorithms, flags. Names and words are UTF-8 in which every byte but `A-Z a-z 0-9 - . _ ~` is written `%XX`
//! with capital digits.

use std::fmt;
use std::str::FromStr;

use crypto::content::Root;
use crypto::secret::Secret;
use crypto::signed::SubspaceReader;
use data_encoding::BASE64URL_NOPAD;

use super::error::{NAME_BYTES, UriError, UriErrorKind};
use super::name::{self, Name};
use crate::key::place::RoutingKey;

/// Names one document and holds what is needed to read it.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uri {
    /// A document named by its content.
    Chk {
        /// Where the top block is found.
        routing: RoutingKey,
        /// What every block of the document is derived from.
        root: Root,
    },
    /// A name in a subspace.
    Ssk {
        /// Whose subspace, and what its readers share.
        subspace: SubspaceReader,
        /// The name in it.
        name: Name,
    },
    /// A word that anyone can guess.
    Ksk {
        /// The word.
        word: Name,
    },
    /// One edition of a site in a subspace; also the place to look for newer ones from.
    Usk {
        /// Whose subspace, and what its readers share.
        subspace: SubspaceReader,
        /// The name that all editions share.
        site: Name,
        /// Which edition, from 0.
        edition: Edition,
    },
}

/// The number of an edition.
pub type Edition = u32;

impl Uri {
    /// A second copy, secrets included.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Chk { routing, root } => Self::Chk { routing: *routing, root: root.duplicate() },
            Self::Ssk { subspace, name } => Self::Ssk { subspace: subspace.duplicate(), name: name.clone() },
            Self::Ksk { word } => Self::Ksk { word: word.clone() },
            Self::Usk { subspace, site, edition } => {
                Self::Usk { subspace: subspace.duplicate(), site: site.clone(), edition: *edition }
            }
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let of = |subspace: &SubspaceReader| {
            let (hash, reading_key) = (part(&subspace.public_key_hash), part(subspace.reading_key.expose()));
            format!("{hash},{reading_key},{}", part(&EXTRA))
        };
        match self {
            Self::Chk { routing, root } => {
                write!(formatter, "CHK@{},{},{}", part(&routing.0), part(root.expose()), part(&EXTRA))
            }
            Self::Ssk { subspace, name } => write!(formatter, "SSK@{}/{name}", of(subspace)),
            Self::Ksk { word } => write!(formatter, "KSK@{word}"),
            Self::Usk { subspace, site, edition } => write!(formatter, "USK@{}/{site}/{edition}", of(subspace)),
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let mut cursor = Cursor { text, at: 0 };
        cursor.check_length()?;
        cursor.skip_scheme();
        let kind = cursor.kind()?;
        cursor.check_single()?;
        match kind {
            Kind::Chk => cursor.chk(),
            Kind::Ssk => cursor.ssk(),
            Kind::Ksk => Ok(Self::Ksk { word: cursor.name("a word")? }),
            Kind::Usk => cursor.usk(),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Chk,
    Ssk,
    Ksk,
    Usk,
}

impl Kind {
    const MARKS: [(&'static str, Self); 4] =
        [("CHK@", Self::Chk), ("SSK@", Self::Ssk), ("KSK@", Self::Ksk), ("USK@", Self::Usk)];
}

/// Reads a URI from the front; knows where it stands.
struct Cursor<'a> {
    text: &'a str,
    /// In bytes; always between two characters.
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn error(&self, kind: UriErrorKind) -> UriError {
        self.error_at(self.at, kind)
    }

    fn error_at(&self, byte: usize, kind: UriErrorKind) -> UriError {
        UriError { position: self.text[..byte].chars().count(), kind }
    }

    /// The next character is not what was expected, or there is none.
    fn unexpected(&self, expected: &'static str) -> UriError {
        self.error(match self.rest().chars().next() {
            None => UriErrorKind::CutShort { expected },
            Some(found) => UriErrorKind::Unexpected { found, expected },
        })
    }

    fn check_length(&self) -> Result<(), UriError> {
        match self.text.char_indices().nth(URI_CHARACTERS) {
            None => Ok(()),
            Some((byte, _)) => Err(self.error_at(byte, UriErrorKind::TooLong { most: URI_CHARACTERS })),
        }
    }

    fn skip_scheme(&mut self) {
        // Schemes do not distinguish case (RFC 3986 §3.1).
        if self.rest().get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME)) {
            self.at += SCHEME.len();
        }
    }

    fn kind(&mut self) -> Result<Kind, UriError> {
        for (mark, kind) in Kind::MARKS {
            if self.rest().starts_with(mark) {
                self.at += mark.len();
                return Ok(kind);
            }
        }
        if Kind::MARKS.iter().any(|(mark, _)| mark.starts_with(self.rest())) {
            self.at = self.text.len();
            return Err(self.unexpected("CHK@, SSK@, KSK@ or USK@"));
        }
        Err(self.error(UriErrorKind::WrongType))
    }

    /// No part of a URI holds an `@` of its own, so a second mark is a second URI.
    fn check_single(&self) -> Result<(), UriError> {
        let second = Kind::MARKS.iter().filter_map(|(mark, _)| self.rest().find(mark)).min();
        second.map_or(Ok(()), |offset| Err(self.error_at(self.at + offset, UriErrorKind::Doubled)))
    }

    fn chk(&mut self) -> Result<Uri, UriError> {
        let routing = RoutingKey(self.part()?);
        self.take(',', "a comma")?;
        let root = Root::from_bytes(self.part()?);
        self.take(',', "a comma")?;
        self.extra()?;
        if self.rest().is_empty() {
            return Ok(Uri::Chk { routing, root });
        }
        Err(self.unexpected("the end"))
    }

    fn ssk(&mut self) -> Result<Uri, UriError> {
        let subspace = self.subspace()?;
        self.take('/', "a slash and a name")?;
        let name = self.name("a name")?;
        Ok(Uri::Ssk { subspace, name })
    }

    fn usk(&mut self) -> Result<Uri, UriError> {
        let subspace = self.subspace()?;
        self.take('/', "a slash and a site")?;
        let end = self.rest().find('/').map_or(self.text.len(), |slash| self.at + slash);
        let site = Cursor { text: &self.text[..end], at: self.at }.name("a site")?;
        self.at = end;
        self.take('/', "a slash and an edition")?;
        let edition = self.edition()?;
        Ok(Uri::Usk { subspace, site, edition })
    }

    fn subspace(&mut self) -> Result<SubspaceReader, UriError> {
        let public_key_hash = self.part()?;
        self.take(',', "a comma")?;
        let reading_key = Secret::from_bytes(self.part()?);
        self.take(',', "a comma")?;
        self.extra()?;
        Ok(SubspaceReader { public_key_hash, reading_key })
    }

    /// A decimal number in its one spelling, up to the end.
    fn edition(&mut self) -> Result<Edition, UriError> {
        let digits = self.rest();
        if let Some((offset, found)) = digits.char_indices().find(|(_, character)| !character.is_ascii_digit()) {
            let kind = UriErrorKind::Unexpected { found, expected: "a digit or the end" };
            return Err(self.error_at(self.at + offset, kind));
        }
        match digits.parse::<Edition>() {
            Ok(edition) if edition.to_string() == digits => Ok(edition),
            Ok(edition) => Err(self.error(UriErrorKind::Spelling { canonical: edition.to_string() })),
            Err(_) if digits.is_empty() => Err(self.unexpected("the number of an edition")),
            Err(_) => Err(self.error(UriErrorKind::NoEdition)),
        }
    }

    fn take(&mut self, wanted: char, expected: &'static str) -> Result<(), UriError> {
        if !self.rest().starts_with(wanted) {
            return Err(self.unexpected(expected));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn extra(&mut self) -> Result<(), UriError> {
        let start = self.at;
        let [version, algorithm, flags] = self.part::<3>()?;
        let unknown = |kind| Err(self.error_at(start, kind));
        match [version, algorithm, flags] {
            EXTRA => Ok(()),
            [VERSION, ALGORITHM, _] => unknown(UriErrorKind::UnknownFlags { found: flags }),
            [VERSION, ..] => unknown(UriErrorKind::UnknownAlgorithm { found: algorithm }),
            _ => unknown(UriErrorKind::UnknownVersion { found: version }),
        }
    }

    /// `N` bytes in base64url.
    fn part<const N: usize>(&mut self) -> Result<[u8; N], UriError> {
        let characters = (N * 8).div_ceil(6);
        let start = self.at;
        for _ in 0..characters {
            if !self.rest().starts_with(is_base64url) {
                return Err(self.unexpected("a letter, a digit, - or _"));
            }
            self.at += 1;
        }
        let mut bytes = [0; N];
        let decoded = BASE64URL_NOPAD.decode_mut(&self.text.as_bytes()[start..self.at], &mut bytes);
        // The alphabet and the length are checked: only the unused bits of the last character can still be wrong.
        decoded.map_err(|_| self.error_at(self.at - 1, UriErrorKind::TrailingBits))?;
        Ok(bytes)
    }

    fn name(&mut self, expected: &'static str) -> Result<Name, UriError> {
        if self.rest().is_empty() {
            return Err(self.unexpected(expected));
        }
        let decoded = name::decode(self.rest()).map_err(|(offset, kind)| self.error_at(self.at + offset, kind))?;
        Name::new(&decoded).map_err(|bad| self.error(UriErrorKind::BadName(bad)))
    }
}

fn is_base64url(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-' || character == '_'
}

/// Most characters of a URI: the longest URI of an edition with every byte of its site escaped has 883. Longer text is refused
/// before it is read.
pub const URI_CHARACTERS: usize = 1_024;

const _: () = assert!("bolthole:USK@".len() + 43 + 1 + 43 + 1 + 4 + 1 + 3 * NAME_BYTES + 11 <= URI_CHARACTERS);

const SCHEME: &str = "bolthole:";
/// The format of documents that this URI leads to.
const VERSION: u8 = 1;
/// ChaCha20-Poly1305, BLAKE3 and, in subspaces, Ed25519.
const ALGORITHM: u8 = 1;
const EXTRA: [u8; 3] = [VERSION, ALGORITHM, 0];
