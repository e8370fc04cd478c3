//! Bytes to a message in its one spelling.
//!
//! Guarantees that only what would be written for the value is read as the value. Leaves out where the bytes come from.

use postcard::ser_flavors::Flavor;

use super::malformed::Malformed;
use crate::message::class::{Class, Message};

/// Reads a message of `class` that takes all of `used`.
///
/// # Errors
/// When the bytes are no value, more than one, one of the other class, or spelled in a longer way than it is written.
pub fn message<M: Message>(class: Class, used: &[u8]) -> Result<M, Malformed> {
    let (message, rest) = postcard::take_from_bytes::<M>(used).map_err(|_| Malformed::Value)?;
    if !rest.is_empty() {
        return Err(Malformed::Trailing);
    }
    if message.class() != class {
        return Err(Malformed::Class);
    }
    // A varint has longer spellings than the one we write; compared piece by piece, nothing is allocated.
    postcard::serialize_with_flavor(&message, Comparison(used)).map_err(|_| Malformed::Spelling)?;
    Ok(message)
}

/// Compares what would be written with what was read.
struct Comparison<'a>(&'a [u8]);

impl Flavor for Comparison<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0 = self.0.strip_prefix(data).ok_or(postcard::Error::DeserializeBadEncoding)?;
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(postcard::Error::DeserializeBadEncoding) }
    }
}
