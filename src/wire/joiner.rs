//! The cells of one message, in order, joined as their bytes arrive.
//!
//! Guarantees: takes bytes in pieces of any size, checks each header as soon as it is whole, holds at most the payload of
//! one message, and accepts no byte beyond it. Leaves out where the bytes come from, and cells of a small message between
//! those of a block: that is `rhythm`.

use super::cell::{Header, Kind, payload_bytes};
use super::frame::Frame;
use super::malformed::Malformed;
use super::payload;
use crate::limits::{CELL_BYTES, CELL_HEADER_BYTES};

/// A message as far as it has arrived.
#[derive(Debug, Default)]
pub struct Joiner {
    first: Option<Header>,
    payload: Vec<u8>,
    /// The header of the cell that is arriving, as far as it is there.
    header: [u8; CELL_HEADER_BYTES],
    taken: usize,
}

impl Joiner {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot belong to the message that has begun.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            if self.is_whole() {
                return Err(Malformed::Surplus);
            }
            let held = self.taken % CELL_BYTES;
            let end = if held < CELL_HEADER_BYTES { CELL_HEADER_BYTES } else { CELL_BYTES };
            let (now, later) = bytes.split_at(bytes.len().min(end - held));
            self.taken += now.len();
            bytes = later;
            if held >= CELL_HEADER_BYTES {
                self.payload.extend_from_slice(now);
                continue;
            }
            self.header[held..][..now.len()].copy_from_slice(now);
            if self.taken % CELL_BYTES == CELL_HEADER_BYTES {
                self.on_header()?;
            }
        }
        Ok(())
    }

    /// Reads the message; nothing follows.
    ///
    /// # Errors
    /// When bytes are missing, or are not exactly those of some message.
    pub fn finish<F: Frame>(self) -> Result<F, Malformed> {
        match self.first {
            Some(first) if self.is_whole() => payload::read(self.payload.into(), first),
            _ => Err(Malformed::Length(self.taken)),
        }
    }

    fn is_whole(&self) -> bool {
        self.first.is_some_and(|first| self.taken == first.class.cells() * CELL_BYTES)
    }

    fn on_header(&mut self) -> Result<(), Malformed> {
        let header = Header::from_bytes(&self.header)?;
        if matches!(header.kind, Kind::Padding | Kind::Rhythm) {
            return Err(Malformed::Kind(self.header[0]));
        }
        let first = *self.first.get_or_insert(header);
        if (header.kind, header.class, header.id) != (first.kind, first.class, first.id) {
            return Err(Malformed::Mixed);
        }
        if usize::from(header.part) != self.taken / CELL_BYTES {
            return Err(Malformed::Part(header.part));
        }
        if header.part == 0 {
            self.payload.reserve_exact(payload_bytes(header.class));
        }
        Ok(())
    }
}
