//! One cell: 1,136 bytes, a header of 16 and a payload of 1,120 (protocol.md §6).
//!
//! Guarantees that a [`Header`] read from bytes is one that this version writes: known kind, right format, parts of a
//! class, part within them, reserved bytes zero. Leaves out what the payload means.

use super::malformed::Malformed;
use crate::limits::{BLOCK_CELLS, CELL_BYTES, CELL_HEADER_BYTES, CELL_PAYLOAD_BYTES};
use crate::message::class::Class;

/// What a cell carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A part of an onion packet on its way from the client.
    Forward,
    /// A part of an onion packet on its way to the client.
    Reply,
    /// Nothing: keeps a link's rhythm. Payload, id and length are zero.
    Padding,
    /// A part of a message between the two ends of the link.
    Message,
    /// A word about relays between the two ends of the link.
    Directory,
    /// Cells follow at a steady rate; the id says how many a second. Payload and length are zero.
    Rhythm,
}

/// The first 16 bytes of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the cell carries.
    pub kind: Kind,
    /// Class of the message; its number of cells stands in the header.
    pub class: Class,
    /// Which part of the message, from 0.
    pub part: u8,
    /// Tells the messages of one link and direction apart while they are on the way.
    pub id: u32,
    /// Bytes of payload in use in the whole message. Stands on part 0; zero on all others.
    pub in_use: u32,
}

/// A cell whose header is well formed.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// Its header.
    pub header: Header,
    /// Its 1,120 bytes of payload, not yet looked at.
    pub payload: &'a [u8],
}

impl Header {
    /// The header of part `part` of a message.
    pub const fn message(class: Class, part: u8, id: u32, in_use: u32) -> Self {
        Self::of(Kind::Message, class, part, id, in_use)
    }

    /// The header of part `part` of whatever cells of `kind` carry.
    pub const fn of(kind: Kind, class: Class, part: u8, id: u32, in_use: u32) -> Self {
        Self { kind, class, part, id, in_use: if part == 0 { in_use } else { 0 } }
    }

    /// The header of a cell that carries nothing.
    pub const fn padding() -> Self {
        Self { kind: Kind::Padding, class: Class::Small, part: 0, id: 0, in_use: 0 }
    }

    /// The header of the cell that opens a rhythm of so many cells a second.
    pub const fn rhythm(cells_per_second: u32) -> Self {
        Self { kind: Kind::Rhythm, class: Class::Small, part: 0, id: cells_per_second, in_use: 0 }
    }

    /// The header as it travels.
    pub fn to_bytes(self) -> [u8; CELL_HEADER_BYTES] {
        let mut bytes = [0; CELL_HEADER_BYTES];
        bytes[KIND] = self.kind.to_byte();
        bytes[VERSION] = FORMAT;
        bytes[PARTS] = self.class.cells() as u8;
        bytes[PART] = self.part;
        bytes[ID..IN_USE].copy_from_slice(&self.id.to_le_bytes());
        bytes[IN_USE..RESERVED].copy_from_slice(&self.in_use.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// When any byte is one that this version does not write.
    pub fn from_bytes(bytes: &[u8; CELL_HEADER_BYTES]) -> Result<Self, Malformed> {
        let kind = Kind::from_byte(bytes[KIND])?;
        if bytes[VERSION] != FORMAT {
            return Err(Malformed::Format(bytes[VERSION]));
        }
        let class = class_of_parts(bytes[PARTS])?;
        if usize::from(bytes[PART]) >= class.cells() {
            return Err(Malformed::Part(bytes[PART]));
        }
        if bytes[RESERVED..].iter().any(|&byte| byte != 0) {
            return Err(Malformed::Unused);
        }
        let header = Self { kind, class, part: bytes[PART], id: word(bytes, ID), in_use: word(bytes, IN_USE) };
        header.check()
    }

    fn check(self) -> Result<Self, Malformed> {
        if self.kind == Kind::Padding {
            return if self == Self::padding() { Ok(self) } else { Err(Malformed::Unused) };
        }
        if self.kind == Kind::Rhythm {
            let is_one = RATES.contains(&self.id) && self == Self::rhythm(self.id);
            return if is_one { Ok(self) } else { Err(Malformed::Unused) };
        }
        let most = if self.part == 0 { payload_bytes(self.class) } else { 0 };
        // Every value of a message type has at least one byte: its variant.
        let least = u32::from(self.part == 0);
        if self.in_use < least || self.in_use as usize > most {
            return Err(Malformed::InUse(self.in_use));
        }
        Ok(self)
    }
}

impl<'a> Cell<'a> {
    /// Reads one cell.
    ///
    /// # Errors
    /// When `bytes` is not one cell long, the header is malformed, or a cell of padding is not all zero.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() != CELL_BYTES {
            return Err(Malformed::Length(bytes.len()));
        }
        let (head, payload) = bytes.split_first_chunk().ok_or(Malformed::Length(bytes.len()))?;
        let header = Header::from_bytes(head)?;
        if matches!(header.kind, Kind::Padding | Kind::Rhythm) && !all_zero(payload) {
            return Err(Malformed::Unused);
        }
        Ok(Self { header, payload })
    }
}

impl Kind {
    /// The byte that names it.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Forward => 0,
            Self::Reply => 1,
            Self::Padding => 2,
            Self::Message => 3,
            Self::Directory => 4,
            Self::Rhythm => 5,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            0 => Ok(Self::Forward),
            1 => Ok(Self::Reply),
            2 => Ok(Self::Padding),
            3 => Ok(Self::Message),
            4 => Ok(Self::Directory),
            5 => Ok(Self::Rhythm),
            other => Err(Malformed::Kind(other)),
        }
    }
}

/// Bytes of payload that the cells of a class hold together.
pub const fn payload_bytes(class: Class) -> usize {
    class.cells() * CELL_PAYLOAD_BYTES
}

/// Bytes that a message of a class has on a link, headers included.
pub const fn message_bytes(class: Class) -> usize {
    class.cells() * CELL_BYTES
}

pub(super) fn all_zero(bytes: &[u8]) -> bool {
    // In words: this runs over every unused byte of every message.
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}

const fn class_of_parts(parts: u8) -> Result<Class, Malformed> {
    if parts as usize == Class::Small.cells() {
        Ok(Class::Small)
    } else if parts as usize == Class::Block.cells() {
        Ok(Class::Block)
    } else {
        Err(Malformed::Parts(parts))
    }
}

fn word(bytes: &[u8; CELL_HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Cells a second of the rhythms there are.
const RATES: [u32; 4] = [5, 20, 80, 320];
/// Version of the cell format.
pub const FORMAT: u8 = 1;

const KIND: usize = 0;
const VERSION: usize = 1;
const PARTS: usize = 2;
const PART: usize = 3;
const ID: usize = 4;
const IN_USE: usize = 8;
const RESERVED: usize = 12;

const _: () = assert!(Class::Block.cells() == BLOCK_CELLS && Class::Small.cells() == 1);
