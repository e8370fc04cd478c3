//! The path of a file in a site, and its one spelling in a URI.
//!
//! Guarantees that a path leads down from where it starts and nowhere else: it has no empty segment, none that is `.` or `..`,
//! no backslash, no control character, and its segments are no longer than file systems allow.

use std::fmt;

use super::error::{BadPath, PATH_BYTES, UriErrorKind};
use super::name::{Name, decode};

/// Segments with slashes between them.
///
/// `Display` prints its spelling in a URI, each segment escaped like a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SitePath(String);

impl SitePath {
    /// Takes `text` as a path, unescaped.
    ///
    /// # Errors
    /// When it is too long, or a segment cannot be one.
    pub fn new(text: &str) -> Result<Self, BadPath> {
        if text.len() > PATH_BYTES {
            return Err(BadPath::TooLong(text.len()));
        }
        text.split('/').try_for_each(check)?;
        Ok(Self(text.to_owned()))
    }

    /// The path itself, unescaped.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the spelling in a URI; what is wrong is given with its byte offset.
    pub(super) fn spelled(spelled: &str) -> Result<Self, (usize, UriErrorKind)> {
        let mut text = String::with_capacity(spelled.len());
        let mut at = 0;
        for segment in spelled.split('/') {
            let segment_text = decode(segment).map_err(|(offset, kind)| (at + offset, kind))?;
            check(&segment_text).map_err(|bad| (at, UriErrorKind::BadPath(bad)))?;
            if at > 0 {
                text.push('/');
            }
            text.push_str(&segment_text);
            at += segment.len() + 1;
        }
        Self::new(&text).map_err(|bad| (0, UriErrorKind::BadPath(bad)))
    }
}

impl fmt::Display for SitePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.0.split('/').enumerate() {
            let slash = if number == 0 { "" } else { "/" };
            let segment = Name::new(segment).map_err(|_| fmt::Error)?;
            write!(formatter, "{slash}{segment}")?;
        }
        Ok(())
    }
}

fn check(segment: &str) -> Result<(), BadPath> {
    match segment {
        "." | ".." => Err(BadPath::Dots),
        _ if segment.contains('\\') => Err(BadPath::Backslash),
        // A decoded `%2F`: it would lead elsewhere once the path is written out.
        _ if segment.contains('/') => Err(BadPath::Slash),
        _ => Name::new(segment).map(|_| ()).map_err(BadPath::Segment),
    }
}
