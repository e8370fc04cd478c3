//! Names in a subspace and words: short text without control characters, and its one spelling in a URI.

use std::fmt;
use std::fmt::Write as _;

use super::error::{BadName, NAME_BYTES, UriErrorKind};
/// A name in a subspace, or a word: 1 to [`NAME_BYTES`] bytes of UTF-8 without control characters.
///
/// Whoever knows it can find the document, so `Debug` does not print it; `Display` prints its spelling in a URI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Takes `text` as a name, as it is: no normal form is applied.
    ///
    /// # Errors
    /// When it is empty, too long or has control characters.
    pub fn new(text: &str) -> Result<Self, BadName> {
        match text.len() {
            0 => return Err(BadName::Empty),
            1..=NAME_BYTES => {}
            bytes => return Err(BadName::TooLong(bytes)),
        }
        match text.chars().find(|character| is_control(*character)) {
            Some(control) => Err(BadName::Control(u32::from(control))),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The name itself, unescaped.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&spelling(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Name(..)")
    }
}

/// The text that `spelled` stands for, or the byte offset of what is wrong with it.
pub(super) fn decode(spelled: &str) -> Result<String, (usize, UriErrorKind)> {
    let mut decoded = Vec::with_capacity(spelled.len());
    // Where each decoded byte came from, for the position of bytes that are no UTF-8.
    let mut origins = Vec::with_capacity(spelled.len());
    let mut rest = spelled.char_indices();
    while let Some((offset, character)) = rest.next() {
        origins.push(offset);
        decoded.push(match character {
            '%' => escaped(&spelled[offset..]).map_err(|kind| (offset, kind))?,
            plain if is_plain(plain) => plain as u8,
            other => {
                return Err((offset, UriErrorKind::Spelling { canonical: spelling(other.encode_utf8(&mut [0; 4])) }));
            }
        });
        if character == '%' {
            rest.nth(1);
        }
    }
    String::from_utf8(decoded).map_err(|error| (origins[error.utf8_error().valid_up_to()], UriErrorKind::NotUtf8))
}

/// The byte that `%XX` at the front of `spelled` stands for.
fn escaped(spelled: &str) -> Result<u8, UriErrorKind> {
    let digits = spelled.get(1..3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let digits = digits.ok_or(UriErrorKind::BadEscape)?;
    let byte = u8::from_str_radix(digits, 16).map_err(|_| UriErrorKind::BadEscape)?;
    if is_plain(char::from(byte)) {
        return Err(UriErrorKind::Spelling { canonical: char::from(byte).to_string() });
    }
    if digits.bytes().any(|digit| digit.is_ascii_lowercase()) {
        return Err(UriErrorKind::Spelling { canonical: format!("%{byte:02X}") });
    }
    Ok(byte)
}

fn spelling(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for byte in text.bytes() {
        match char::from(byte) {
            plain if is_plain(plain) => spelled.push(plain),
            _ => write!(spelled, "%{byte:02X}").expect("writing to a string succeeds"),
        }
    }
    spelled
}

/// The unreserved characters of RFC 3986 §2.3.
const fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_' | '~')
}

fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
