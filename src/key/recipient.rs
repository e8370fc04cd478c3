//! Textual names of readers whom documents can be sealed to: `bolthole-reader:` and 43 characters of base64url.
//!
//! One reader, one spelling. Leaves out whether anybody holds the other half of the key (`crypto::envelope` refuses those that
//! nobody can hold).

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;

/// The public half of a reader key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient(pub [u8; 32]);

/// A text that names no reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" names no reader: write {PREFIX} and 43 characters, as `bolthole keys show` prints it")]
pub struct BadRecipient(String);

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", BASE64URL_NOPAD.encode(&self.0))
    }
}

impl FromStr for Recipient {
    type Err = BadRecipient;

    fn from_str(text: &str) -> Result<Self, BadRecipient> {
        let read = || BASE64URL_NOPAD.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?.try_into().ok();
        read().map(Self).ok_or_else(|| BadRecipient(text.to_owned()))
    }
}

/// Before the key.
const PREFIX: &str = "bolthole-reader:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_reads_back_as_it_was_written_and_anything_else_is_refused() {
        let reader = Recipient([0xa7; 32]);
        let text = reader.to_string();
        assert_eq!(text.parse(), Ok(reader));
        for bad in
            ["", "bolthole-reader:", &text[1..], &text[..text.len() - 1], &format!("{text}A"), &format!(" {text}")]
        {
            assert!(bad.parse::<Recipient>().is_err(), "{bad}");
        }
    }
}
