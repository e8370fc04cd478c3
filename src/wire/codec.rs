//! A message to the cells of its class and back.
//!
//! Guarantees: [`decode`] accepts exactly what [`encode`] writes (same bytes when encoded again), allocates one buffer of
//! the class's size at most besides the value itself, and never trusts a length that a peer wrote. Encoding allocates
//! once and copies a block once, straight into its cells.

use bytes::{Bytes, BytesMut};
use postcard::ser_flavors::Flavor;

use super::cell::{Header, all_zero, message_bytes};
use super::joiner::Joiner;
use super::malformed::Malformed;
use crate::limits::{BLOCK_PAYLOAD_BYTES, CELL_BYTES, CELL_HEADER_BYTES, CELL_PAYLOAD_BYTES, ONION_HEADER_BYTES};
use crate::message::class::{Class, Message};

/// How many bytes a message may have, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    small: usize,
    block: usize,
}

/// Why a message of our own cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The message does not fit its class: a bound of the message type is wrong.
    #[error("a {class:?} message has at most {most} bytes here")]
    TooLong {
        /// The class the message says it belongs to.
        class: Class,
        /// What the budget allows.
        most: usize,
    },
    /// The type does not serialise.
    #[error("the message does not serialise")]
    Unserialisable,
}

impl Budget {
    /// Between two neighbours: the whole payload, 1,120 and 33,600 bytes.
    pub const LINK: Self = Self { small: CELL_PAYLOAD_BYTES, block: BLOCK_PAYLOAD_BYTES };
    /// Inside an onion with room for four layers: 704 and 33,184 bytes.
    pub const ONION: Self =
        Self { small: CELL_PAYLOAD_BYTES - ONION_HEADER_BYTES, block: BLOCK_PAYLOAD_BYTES - ONION_HEADER_BYTES };

    /// Bytes that a message of `class` may have.
    pub const fn bytes(self, class: Class) -> usize {
        match class {
            Class::Small => self.small,
            Class::Block => self.block,
        }
    }
}

/// Writes `message` into the cells of its class under the per-link id `id`.
///
/// The result has 1,136 or 34,080 bytes and is the only allocation.
///
/// # Errors
/// When the message is longer than the budget of its class.
pub fn encode<M: Message>(message: &M, id: u32, budget: Budget) -> Result<Bytes, EncodeError> {
    let class = message.class();
    let most = budget.bytes(class);
    let cells = BytesMut::zeroed(message_bytes(class));
    let writer = CellWriter { cells, written: 0, most };
    let (mut cells, in_use) = postcard::serialize_with_flavor(message, writer).map_err(|error| match error {
        postcard::Error::SerializeBufferFull => EncodeError::TooLong { class, most },
        _ => EncodeError::Unserialisable,
    })?;
    for part in 0..class.cells() {
        let header = Header::message(class, part as u8, id, in_use as u32);
        cells[part * CELL_BYTES..][..CELL_HEADER_BYTES].copy_from_slice(&header.to_bytes());
    }
    Ok(cells.freeze())
}

/// Reads a message from its cells, which are whole and in order.
///
/// # Errors
/// When the bytes are not exactly what [`encode`] writes for some message and id.
pub fn decode<M: Message>(cells: &[u8]) -> Result<M, Malformed> {
    let mut joiner = Joiner::default();
    joiner.take(cells)?;
    joiner.finish()
}

/// Reads a message from the joined payload of its cells. `header` is that of part 0.
pub(super) fn decode_payload<M: Message>(payload: &[u8], header: Header) -> Result<M, Malformed> {
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

/// Spreads serialised bytes over the payloads of consecutive cells.
struct CellWriter {
    cells: BytesMut,
    written: usize,
    most: usize,
}

impl Flavor for CellWriter {
    type Output = (BytesMut, usize);

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.written == self.most {
            return Err(postcard::Error::SerializeBufferFull);
        }
        let at = place(self.written);
        self.cells[at] = byte;
        self.written += 1;
        Ok(())
    }

    fn try_extend(&mut self, mut data: &[u8]) -> postcard::Result<()> {
        if data.len() > self.most - self.written {
            return Err(postcard::Error::SerializeBufferFull);
        }
        while !data.is_empty() {
            let room = CELL_PAYLOAD_BYTES - self.written % CELL_PAYLOAD_BYTES;
            let (now, later) = data.split_at(room.min(data.len()));
            self.cells[place(self.written)..][..now.len()].copy_from_slice(now);
            self.written += now.len();
            data = later;
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Self::Output> {
        Ok((self.cells, self.written))
    }
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

/// Where the payload byte `offset` of a message stands among its cells.
const fn place(offset: usize) -> usize {
    offset / CELL_PAYLOAD_BYTES * CELL_BYTES + CELL_HEADER_BYTES + offset % CELL_PAYLOAD_BYTES
}
