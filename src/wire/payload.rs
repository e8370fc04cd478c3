//! The joined payload of a message's cells to the message.
//!
//! Guarantees that only the one spelling of a message is read, and that no length that a peer wrote is trusted. Leaves out
//! how the payload was joined.

use postcard::ser_flavors::Flavor;

use super::cell::{Header, all_zero};
use super::malformed::Malformed;
use crate::message::class::Message;

/// Reads a message from the joined payload of its cells. `header` is that of part 0.
pub(super) fn read<M: Message>(payload: &[u8], header: Header) -> Result<M, Malformed> {
    let (used, unused) = payload.split_at_checked(header.in_use as usize).ok_or(Malformed::InUse(header.in_use))?;
    if !all_zero(unused) {
        return Err(Malformed::Unused);
    }
    let (message, rest) = postcard::take_from_bytes::<M>(used).map_err(|_| Malformed::Value)?;
    if !rest.is_empty() {
        return Err(Malformed::Trailing);
    }
    if message.class() != header.class {
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
