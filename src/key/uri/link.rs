//! A URI, and perhaps the path of a file in the site that it names: `CHK@…/path`, `SSK@…/name/path`, `USK@…/site/3/path`.

use std::fmt;
use std::str::FromStr;

use super::error::{UriError, UriErrorKind};
use super::grammar::{URI_CHARACTERS, Uri};
use super::path::SitePath;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    /// The document.
    pub uri: Uri,
    /// The file in it, if it is a site.
    pub path: Option<SitePath>,
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            None => write!(formatter, "{}", self.uri),
            Some(path) => write!(formatter, "{}/{path}", self.uri),
        }
    }
}

impl FromStr for Link {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        // No part of a URI before its path has a slash of its own but those that its kind asks for.
        let slashes = if text.contains("USK@") { 2 } else { usize::from(text.contains("SSK@")) };
        let Some((end, _)) = text.match_indices('/').nth(slashes) else {
            return Ok(Self { uri: text.parse()?, path: None });
        };
        let uri: Uri = text[..end].parse()?;
        let start = text[..=end].chars().count();
        let spelled = &text[end + 1..];
        if spelled.chars().count() > LINK_CHARACTERS {
            return Err(UriError { position: start, kind: UriErrorKind::TooLong { most: LINK_CHARACTERS } });
        }
        let path = SitePath::spelled(spelled)
            .map_err(|(offset, kind)| UriError { position: start + spelled[..offset].chars().count(), kind })?;
        Ok(Self { uri, path: Some(path) })
    }
}

/// Most characters of a path as it is spelled: the longest with every byte escaped.
pub const LINK_CHARACTERS: usize = 3 * super::error::PATH_BYTES;

const _: () = assert!(URI_CHARACTERS < LINK_CHARACTERS);
