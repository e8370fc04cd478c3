//! What a top block and the message of a signed block say: byte tables in `docs/documents.md`.
//!
//! Guarantees: what decodes encodes again to the same bytes; a document has one layout, which its length, redundancy and
//! copies decide. Leaves out sealing and signing.

use bytes::Bytes;
use crypto::content::{PAYLOAD_BYTES, Root};
use crypto::envelope;
use crypto::signed::LONGEST_MESSAGE;

use crate::document::keys;
use crate::document::layout::{Copies, Geometry, Layout, OutOfBounds, Redundancy};
use crate::document::mime::Mime;
use crate::document::tree::Tree;
use crate::key::RoutingKey;
use crate::limits::{DOCUMENT_BYTES, MANIFEST_TOP_KEYS, MIME_BYTES};

/// What a document says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub mime: Mime,
    /// Its length in bytes.
    pub length: u64,
    /// Digest of all its bytes.
    pub digest: [u8; 32],
}

/// What a top block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Top {
    /// The document itself.
    Inline {
        /// What it says of itself.
        header: Header,
        /// Its bytes.
        content: Bytes,
    },
    /// Where its blocks are listed.
    Split {
        /// What it says of itself.
        header: Header,
        /// How its segments are protected.
        redundancy: Redundancy,
        /// In how many copies its manifest is stored.
        copies: Copies,
        /// The topmost keys of the manifest.
        keys: Vec<RoutingKey>,
    },
    /// An envelope that holds where the document stands and opens for its readers only.
    Sealed {
        /// As [`crypto::envelope`] writes it.
        envelope: Bytes,
    },
}

/// What opens a document: where its top block is, and what its blocks are derived from.
#[derive(Debug, PartialEq, Eq)]
pub struct Opener {
    /// Where the top block is.
    pub routing: RoutingKey,
    /// What the blocks are derived from.
    pub root: Root,
}

/// What the message of a signed block holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// The document itself.
    Inline {
        /// What it says of itself.
        header: Header,
        /// Its bytes.
        content: Bytes,
    },
    /// The document stands elsewhere.
    Redirect {
        /// Where its top block is.
        routing: RoutingKey,
        /// What its blocks are derived from.
        root: Root,
    },
}

/// Bytes that are no top block and no message, though whoever wrote them had the key: a hostile or a newer document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A format that this version does not know.
    #[error("unknown format version {0}")]
    Version(u8),
    /// A kind of document that this version does not know, or that cannot stand here.
    #[error("unknown kind of document {0}")]
    Kind(u8),
    /// The bytes end within a field.
    #[error("a field is cut short")]
    CutShort,
    /// No media type.
    #[error("the media type is none")]
    Mime,
    /// A number out of bounds.
    #[error(transparent)]
    Number(#[from] OutOfBounds),
    /// The content is longer than its block.
    #[error("the length does not match the content")]
    Length,
    /// Split although it would have fit into one block: a second form of the same document.
    #[error("split although it fits into one block")]
    NotSmallest,
    /// Something other than zeros after the end, or fewer keys than the length asks for.
    #[error("something other than what the length asks for follows the header")]
    Padding,
    /// One key is listed twice.
    #[error("a key is listed twice")]
    DuplicateKey,
}

impl Header {
    /// Bytes of the header of a document of this type.
    #[must_use]
    pub fn bytes(mime: &Mime) -> usize {
        FIXED_BYTES + mime.as_str().len()
    }

    /// Longest document of this type that fits into its top block.
    #[must_use]
    pub fn inline_room(mime: &Mime) -> usize {
        PAYLOAD_BYTES - Self::bytes(mime)
    }

    /// Longest document of this type that fits into a signed block.
    #[must_use]
    pub fn signed_room(mime: &Mime) -> usize {
        LONGEST_MESSAGE - Self::bytes(mime)
    }

    fn write(&self, kind: u8) -> Vec<u8> {
        let mime = self.mime.as_str().as_bytes();
        let mut bytes = vec![VERSION, kind];
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.digest);
        bytes.push(u8::try_from(mime.len()).expect("a media type is short"));
        bytes.extend(mime);
        bytes
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = u64::from_le_bytes(reader.array()?);
        if length > DOCUMENT_BYTES {
            return Err(OutOfBounds::Length(length).into());
        }
        let digest = reader.array()?;
        let [mime_length] = reader.array()?;
        let mime = std::str::from_utf8(reader.take(usize::from(mime_length))?).map_err(|_| Malformed::Mime)?;
        Ok(Self { mime: Mime::new(mime).map_err(|_| Malformed::Mime)?, length, digest })
    }
}

impl Top {
    /// The payload of the top block, without the zeros that fill it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Inline { header, content } => inline(header, content),
            Self::Split { header, redundancy, copies, keys } => {
                let mut bytes = header.write(SPLIT);
                bytes.extend(redundancy.as_percent().to_le_bytes());
                bytes.push(copies.count());
                keys::write(&mut bytes, keys);
                bytes
            }
            Self::Sealed { envelope } => [&[VERSION, SEALED], &envelope[..]].concat(),
        }
    }

    /// Reads the payload of a top block.
    ///
    /// # Errors
    /// When it is not what [`Top::encode`] writes, followed by zeros.
    pub fn decode(payload: &[u8], geometry: Geometry) -> Result<Self, Malformed> {
        let mut reader = Reader(payload);
        match reader.kind()? {
            INLINE => {
                let (header, content) = reader.inline()?;
                if keys::is_zero(reader.0) { Ok(Self::Inline { header, content }) } else { Err(Malformed::Padding) }
            }
            SPLIT => reader.split(geometry),
            SEALED => {
                let wraps = *reader.0.first().ok_or(Malformed::CutShort)?;
                let length = envelope::length(wraps).ok_or(Malformed::Length)?;
                let envelope = Bytes::copy_from_slice(reader.take(length)?);
                if keys::is_zero(reader.0) { Ok(Self::Sealed { envelope }) } else { Err(Malformed::Padding) }
            }
            other => Err(Malformed::Kind(other)),
        }
    }
}

impl Opener {
    /// What an envelope holds.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; envelope::CONTENT_BYTES] {
        let mut bytes = [0; envelope::CONTENT_BYTES];
        bytes[..32].copy_from_slice(&self.routing.0);
        bytes[32..].copy_from_slice(self.root.expose());
        bytes
    }

    /// Reads what an envelope holds.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; envelope::CONTENT_BYTES]) -> Self {
        let [routing, root] = bytes.as_chunks::<32>().0 else { unreachable!("64 bytes are two times 32") };
        Self { routing: RoutingKey(*routing), root: Root::from_bytes(*root) }
    }
}

impl Message {
    /// The message of a signed block.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Inline { header, content } => inline(header, content),
            Self::Redirect { routing, root } => {
                let mut bytes = vec![VERSION, REDIRECT];
                bytes.extend(routing.0);
                bytes.extend(root.expose());
                bytes
            }
        }
    }

    /// Reads the message of a signed block.
    ///
    /// # Errors
    /// When it is not exactly what [`Message::encode`] writes.
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(message);
        let decoded = match reader.kind()? {
            INLINE => {
                let (header, content) = reader.inline()?;
                Self::Inline { header, content }
            }
            REDIRECT => {
                Self::Redirect { routing: RoutingKey(reader.array()?), root: Root::from_bytes(reader.array()?) }
            }
            other => return Err(Malformed::Kind(other)),
        };
        if reader.0.is_empty() { Ok(decoded) } else { Err(Malformed::Padding) }
    }
}

/// Reads fields from the front of what is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Malformed::CutShort)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::CutShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn kind(&mut self) -> Result<u8, Malformed> {
        let [version, kind] = self.array()?;
        if version == VERSION { Ok(kind) } else { Err(Malformed::Version(version)) }
    }

    /// A document that stands here.
    fn inline(&mut self) -> Result<(Header, Bytes), Malformed> {
        let header = Header::read(self)?;
        let length = usize::try_from(header.length).map_err(|_| Malformed::Length)?;
        let content = self.take(length).map_err(|_| Malformed::Length)?;
        Ok((header, Bytes::copy_from_slice(content)))
    }

    fn split(&mut self, geometry: Geometry) -> Result<Top, Malformed> {
        let header = Header::read(self)?;
        if header.length <= Header::inline_room(&header.mime) as u64 {
            return Err(Malformed::NotSmallest);
        }
        let redundancy = Redundancy::percent(u16::from_le_bytes(self.array()?))?;
        let [copies] = self.array()?;
        let copies = Copies::new(copies)?;
        let layout = Layout::new(geometry, header.length, redundancy)?;
        let listed = Tree::new(geometry, copies, layout.keys()).listed_at_top();
        let listed = usize::try_from(listed).map_err(|_| Malformed::Length)?;
        let keys = keys::read(self.0, listed).ok_or(Malformed::Padding)?;
        if !keys::distinct(&keys) {
            return Err(Malformed::DuplicateKey);
        }
        Ok(Top::Split { header, redundancy, copies, keys })
    }
}

fn inline(header: &Header, content: &[u8]) -> Vec<u8> {
    let mut bytes = header.write(INLINE);
    bytes.extend(content);
    bytes
}

const VERSION: u8 = 1;
const INLINE: u8 = 0;
const SPLIT: u8 = 1;
const REDIRECT: u8 = 2;
const SEALED: u8 = 3;
/// Version, kind, length, digest, length of the media type.
const FIXED_BYTES: usize = 2 + 8 + 32 + 1;
/// The longest envelope, after version and kind.
const LONGEST_ENVELOPE: Option<usize> = envelope::length(envelope::READERS as u8);
/// Redundancy and copies.
const SPLIT_BYTES: usize = 2 + 1;

const _: () = assert!(FIXED_BYTES + MIME_BYTES + SPLIT_BYTES + 32 * MANIFEST_TOP_KEYS as usize <= PAYLOAD_BYTES);
const _: () = assert!(FIXED_BYTES + MIME_BYTES <= LONGEST_MESSAGE);
const _: () = assert!(matches!(LONGEST_ENVELOPE, Some(bytes) if 2 + bytes <= PAYLOAD_BYTES));
