//! Cells of several messages of an overlay, in any order, back to messages: for links whose clock interleaves them.
//!
//! Guarantees: holds at most [`limits::ASSEMBLIES`](crate::limits::ASSEMBLIES) unfinished messages of one class size each,
//! gives a message out once, and refuses a part that came twice. Leaves out time: the owner drops an assembler whose
//! link is gone; an unfinished message of a live link is bounded by the limit alone.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use bytes::Bytes;

use super::cell::{Cell, Header, Kind, payload_bytes};
use super::malformed::Malformed;
use super::payload;
use crate::limits::{ASSEMBLIES, CELL_PAYLOAD_BYTES};
use crate::message::class::{Class, Message};

/// The unfinished messages of one direction of one link.
#[derive(Debug)]
pub struct Assembler<M> {
    unfinished: BTreeMap<u32, Parts>,
    message: PhantomData<fn() -> M>,
}

/// The parts of one message that are there.
#[derive(Debug)]
struct Parts {
    payload: Vec<u8>,
    present: u32,
    first: Option<Header>,
    class: Class,
}

impl<M: Message> Assembler<M> {
    /// An assembler that has seen nothing.
    pub const fn new() -> Self {
        Self { unfinished: BTreeMap::new(), message: PhantomData }
    }

    /// Takes the next cell; gives the message that it completes.
    ///
    /// Padding is checked and forgotten. After an error the link is beyond repair: the peer broke a rule.
    ///
    /// # Errors
    /// When the cell is malformed, came twice, disagrees with other cells of its message, completes a payload that is
    /// no message, or begins one message too many.
    pub fn take(&mut self, cell: &[u8]) -> Result<Option<M>, Malformed> {
        let cell = Cell::from_bytes(cell)?;
        match (cell.header.kind, cell.header.class) {
            (Kind::Padding, _) => Ok(None),
            (kind @ (Kind::Forward | Kind::Reply | Kind::Directory | Kind::Rhythm), _) => {
                Err(Malformed::Kind(kind.to_byte()))
            }
            (Kind::Message, Class::Small) => self.whole(&cell).map(Some),
            (Kind::Message, Class::Block) => self.part(&cell),
        }
    }

    /// How many messages are begun and not finished.
    pub fn unfinished(&self) -> usize {
        self.unfinished.len()
    }

    fn whole(&self, cell: &Cell<'_>) -> Result<M, Malformed> {
        if self.unfinished.contains_key(&cell.header.id) {
            return Err(Malformed::Mixed);
        }
        payload::read(Bytes::copy_from_slice(cell.payload), cell.header)
    }

    fn part(&mut self, cell: &Cell<'_>) -> Result<Option<M>, Malformed> {
        let id = cell.header.id;
        if !self.unfinished.contains_key(&id) && self.unfinished.len() == ASSEMBLIES {
            return Err(Malformed::TooMany);
        }
        let parts = self.unfinished.entry(id).or_insert_with(|| Parts::new(cell.header.class));
        parts.put(cell)?;
        if !parts.complete() {
            return Ok(None);
        }
        self.unfinished.remove(&id).map(|parts| parts.open()).transpose()
    }
}

impl<M: Message> Default for Assembler<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl Parts {
    fn new(class: Class) -> Self {
        Self { payload: vec![0; payload_bytes(class)], present: 0, first: None, class }
    }

    fn put(&mut self, cell: &Cell<'_>) -> Result<(), Malformed> {
        let part = cell.header.part;
        let bit = 1 << part;
        if self.present & bit != 0 {
            return Err(Malformed::Duplicate(part));
        }
        self.present |= bit;
        if part == 0 {
            self.first = Some(cell.header);
        }
        self.payload[usize::from(part) * CELL_PAYLOAD_BYTES..][..CELL_PAYLOAD_BYTES].copy_from_slice(cell.payload);
        Ok(())
    }

    const fn complete(&self) -> bool {
        self.present.count_ones() as usize == self.class.cells()
    }

    fn open<M: Message>(self) -> Result<M, Malformed> {
        payload::read(self.payload.into(), self.first.expect("a complete message has its part 0"))
    }
}

const _: () = assert!(Class::Block.cells() <= u32::BITS as usize);
