//! Arbitrary text as the name of a document.
//!
//! One document, one spelling: what parses prints as it was, less the optional scheme. What does not parse is told where
//! it goes wrong, inside the text or right behind it.

use crate::key::uri::Uri;

/// Parses `data`, prints it, parses it again.
pub fn uris(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<Uri>() {
        Ok(uri) => {
            let printed = uri.to_string();
            assert_eq!(printed, without_scheme(text));
            assert_eq!(printed.parse().as_ref(), Ok(&uri));
            assert_eq!(uri.duplicate(), uri);
        }
        Err(error) => {
            assert!(error.position <= text.chars().count(), "{error}: behind the end");
            assert!(!error.to_string().is_empty());
        }
    }
}

fn without_scheme(text: &str) -> &str {
    let is_scheme = |scheme: &str| scheme.eq_ignore_ascii_case("bolthole:");
    match text.split_at_checked("bolthole:".len()) {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => text,
    }
}
