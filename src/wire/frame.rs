//! What travels in cells: a value that says in which type of cell and in which class, and reads itself from there.
//!
//! A message type of an overlay is a frame as it stands: type 3, in postcard form, one spelling. Whoever carries more over
//! a link than one overlay's messages has a frame of its own. Leaves out how payloads are cut and joined.

use std::fmt::Debug;

use bytes::Bytes;
use postcard::ser_flavors::Flavor;

use super::cell::Kind;
use super::malformed::Malformed;
use super::spelling;
use crate::message::class::{Class, Message};

/// A value that can travel in cells.
pub trait Frame: Clone + Debug + Send + 'static {
    /// The type of its cells.
    fn kind(&self) -> Kind;

    /// The class it is sent in.
    fn class(&self) -> Class;

    /// Writes the bytes of its payload that are in use.
    ///
    /// # Errors
    /// When it does not serialise, or the writer has no room.
    fn write<W: Flavor>(&self, writer: W) -> postcard::Result<W::Output>;

    /// Reads a frame from the bytes in use of the joined payload of cells of that type and class.
    ///
    /// # Errors
    /// When they are not exactly what [`Self::write`] writes for some frame.
    fn read(kind: Kind, class: Class, payload: Bytes) -> Result<Self, Malformed>;
}

impl<M: Message> Frame for M {
    fn kind(&self) -> Kind {
        Kind::Message
    }

    fn class(&self) -> Class {
        Message::class(self)
    }

    fn write<W: Flavor>(&self, writer: W) -> postcard::Result<W::Output> {
        postcard::serialize_with_flavor(self, writer)
    }

    fn read(kind: Kind, class: Class, payload: Bytes) -> Result<Self, Malformed> {
        if kind == Kind::Message { spelling::message(class, &payload) } else { Err(Malformed::Kind(kind.to_byte())) }
    }
}
