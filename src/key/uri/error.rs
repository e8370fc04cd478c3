//! What can be wrong with a URI, and where.

/// Text that is no URI: what is wrong and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (at character {})", position + 1)]
pub struct UriError {
    /// Characters before the one at fault; the message counts from one.
    pub position: usize,
    /// What is wrong there.
    pub kind: UriErrorKind,
}

/// What is wrong with a URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriErrorKind {
    /// The text ends too early.
    #[error("the URI is cut short: {expected} should follow")]
    CutShort {
        /// What should stand there.
        expected: &'static str,
    },
    /// A second URI begins.
    #[error("the URI is doubled: another one begins")]
    Doubled,
    /// No kind of URI begins like that.
    #[error("this is no kind of URI: CHK@, SSK@, KSK@ or USK@ is expected")]
    WrongType,
    /// More than any edition has.
    #[error("editions are numbered up to {}", u32::MAX)]
    NoEdition,
    /// A character that cannot stand there.
    #[error("unexpected {found:?}: {expected} is expected")]
    Unexpected {
        /// What stands there.
        found: char,
        /// What should.
        expected: &'static str,
    },
    /// The unused bits of a base64url part are not zero: a second spelling.
    #[error("the last character of this part has bits beyond its end: mistyped")]
    TrailingBits,
    /// A format that this version does not know.
    #[error("unknown format version {found}: a newer bolthole is needed")]
    UnknownVersion {
        /// The version.
        found: u8,
    },
    /// Algorithms that this version does not know.
    #[error("unknown algorithm {found}: a newer bolthole is needed")]
    UnknownAlgorithm {
        /// The algorithms.
        found: u8,
    },
    /// Flags that this version does not know.
    #[error("unknown flags {found:#04x}: a newer bolthole is needed")]
    UnknownFlags {
        /// The flags.
        found: u8,
    },
    /// A character of a name that must be, or must not be, written as `%XX`.
    #[error("not the canonical spelling: {canonical} is expected")]
    Spelling {
        /// How it is written.
        canonical: String,
    },
    /// A `%` without two hexadecimal digits.
    #[error("two hexadecimal digits must follow a %")]
    BadEscape,
    /// Escaped bytes that are no text.
    #[error("these bytes are not UTF-8")]
    NotUtf8,
    /// A name that cannot be.
    #[error(transparent)]
    BadName(BadName),
    /// A path that cannot be.
    #[error(transparent)]
    BadPath(BadPath),
    /// More characters than any URI has.
    #[error("a URI has at most {most} characters")]
    TooLong {
        /// The bound.
        most: usize,
    },
}

/// Text that cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing at all.
    #[error("a name has at least one character")]
    Empty,
    /// More than [`NAME_BYTES`].
    #[error("a name has at most {NAME_BYTES} bytes, not {0}")]
    TooLong(usize),
    /// Characters that steer a terminal or the direction of writing: they make one name look like another.
    #[error("a name has no control characters (U+{0:04X})")]
    Control(u32),
}

/// Longest name or word, bytes. Chosen: what file systems allow, so that a name can be a file's. A longer one is refused.
pub const NAME_BYTES: usize = 255;

/// Text that cannot be a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// More than [`PATH_BYTES`].
    #[error("a path has at most {PATH_BYTES} bytes, not {0}")]
    TooLong(usize),
    /// A segment `.` or `..`.
    #[error("a path has no segments . and ..")]
    Dots,
    /// A backslash, which some systems take for a slash.
    #[error("a path has no backslash")]
    Backslash,
    /// A slash within a segment.
    #[error("a segment of a path has no slash")]
    Slash,
    /// A segment that cannot be a name.
    #[error("a segment of the path cannot be: {0}")]
    Segment(BadName),
}

/// Longest path in a site, bytes. Chosen: below what file systems allow, so that a site can be written out anywhere.
pub const PATH_BYTES: usize = 1_024;
