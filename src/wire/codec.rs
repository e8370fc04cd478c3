//! A message to the cells of its class and back.
//!
//! Guarantees: [`decode`] accepts exactly what [`encode`] writes (same bytes when encoded again), allocates one buffer of
//! the class's size at most besides the value itself. Encoding allocates
//! once and copies a block once, straight into its cells.

use bytes::{Bytes, BytesMut};
use postcard::ser_flavors::Flavor;

use super::cell::{Header, Kind, message_bytes};
use super::frame::Frame;
use super::joiner::Joiner;
use super::malformed::Malformed;
use crate::limits::{BLOCK_PAYLOAD_BYTES, CELL_BYTES, CELL_HEADER_BYTES, CELL_PAYLOAD_BYTES, ONION_HEADER_BYTES};
use crate::message::class::Class;

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
pub fn encode<F: Frame>(message: &F, id: u32, budget: Budget) -> Result<Bytes, EncodeError> {
    let class = message.class();
    let most = budget.bytes(class);
    let cells = BytesMut::with_capacity(message_bytes(class));
    let writer = CellWriter { cells, kind: message.kind(), class, id, written: 0, most };
    message.write(writer).map_err(|error| match error {
        postcard::Error::SerializeBufferFull => EncodeError::TooLong { class, most },
        _ => EncodeError::Unserialisable,
    })
}

/// Reads a message from its cells, which are whole and in order.
///
/// # Errors
/// When the bytes are not exactly what [`encode`] writes for some message and id.
pub fn decode<F: Frame>(cells: &[u8]) -> Result<F, Malformed> {
    let mut joiner = Joiner::default();
    joiner.take(cells)?;
    joiner.finish()
}

/// Spreads serialised bytes over the payloads of consecutive cells.
struct CellWriter {
    cells: BytesMut,
    kind: Kind,
    class: Class,
    id: u32,
    written: usize,
    most: usize,
}

impl CellWriter {
    /// Bytes of payload that the cell at hand still takes; begins the next cell when that one is full.
    fn room(&mut self) -> usize {
        let used = self.written % CELL_PAYLOAD_BYTES;
        if used == 0 {
            self.begin_cell();
        }
        CELL_PAYLOAD_BYTES - used
    }

    fn begin_cell(&mut self) {
        let part = self.cells.len() / CELL_BYTES;
        self.cells.extend_from_slice(&self.header(part, 0).to_bytes());
    }

    const fn header(&self, part: usize, in_use: usize) -> Header {
        Header::of(self.kind, self.class, part as u8, self.id, in_use as u32)
    }
}

impl Flavor for CellWriter {
    type Output = Bytes;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, mut data: &[u8]) -> postcard::Result<()> {
        if data.len() > self.most - self.written {
            return Err(postcard::Error::SerializeBufferFull);
        }
        while !data.is_empty() {
            let (now, later) = data.split_at(self.room().min(data.len()));
            self.cells.extend_from_slice(now);
            self.written += now.len();
            data = later;
        }
        Ok(())
    }

    /// Fills the cells that are left with zeros and says in the first how many bytes are in use.
    fn finalize(mut self) -> postcard::Result<Bytes> {
        for part in 0..self.class.cells() {
            if self.cells.len() == part * CELL_BYTES {
                self.begin_cell();
            }
            self.cells.resize(self.cells.len().max((part + 1) * CELL_BYTES), 0);
        }
        let first = self.header(0, self.written).to_bytes();
        self.cells[..CELL_HEADER_BYTES].copy_from_slice(&first);
        Ok(self.cells.freeze())
    }
}
