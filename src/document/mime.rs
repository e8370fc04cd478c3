//! Media types, as a document says of itself what it is.

use std::fmt;

use crate::limits::MIME_BYTES;

/// A media type: 3 to [`MIME_BYTES`] printable ASCII characters with a slash in it, such as `text/html; charset=utf-8`.
///
/// No control characters: it ends up in the header of an answer to a browser.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mime(String);

/// Text that is no media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a media type is like text/plain, in at most {MIME_BYTES} printable ASCII characters")]
pub struct BadMime;

impl Mime {
    /// Takes `text` as a media type.
    ///
    /// # Errors
    /// When it is too long, has other characters than printable ASCII, or no slash between two parts.
    pub fn new(text: &str) -> Result<Self, BadMime> {
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let parts = text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && subtype.starts_with(is_tchar));
        if text.len() <= MIME_BYTES && printable && parts { Ok(Self(text.to_owned())) } else { Err(BadMime) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Mime {
    /// Bytes of which nothing is known.
    fn default() -> Self {
        Self("application/octet-stream".to_owned())
    }
}

impl fmt::Display for Mime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_tchar)
}

/// The characters of a token (RFC 9110 §5.6.2).
fn is_tchar(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_short_printable_and_has_two_parts() {
        for good in ["a/b", "text/html; charset=utf-8", "application/vnd.oci+json"] {
            assert!(Mime::new(good).is_ok(), "{good}");
        }
        let long = format!("a/{}", "b".repeat(MIME_BYTES - 1));
        for bad in ["", "/", "a/", "/b", "a", "a b/c", "a/\r\nSet-Cookie: x", "a/b\u{e9}", &long] {
            assert_eq!(Mime::new(bad), Err(BadMime), "{bad:?}");
        }
        assert!(Mime::new(&long[..MIME_BYTES]).is_ok());
    }
}
