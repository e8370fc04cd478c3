//! Sizes and places: what lies where in a packet, and what a relay reads in its slot.
//!
//! | offset | length | packet as any hop receives it |
//! |---|---|---|
//! | 0 | 32 | X25519 public key of this layer |
//! | 32 | 16 | Poly1305 tag over all that follows |
//! | 48 | 56 | slot, encrypted |
//! | 104 | 312 | records of the hops after this one, encrypted |
//! | 416 | 704 or 33,184 | body, encrypted; never moves |
//!
//! | offset | length | slot, numbers little-endian |
//! |---|---|---|
//! | 0 | 1 | command: 1 relay, 2 deliver, 3 discard |
//! | 1 | 1 | bit 0: an answer may come back; bit 1: it is of block class; others 0 |
//! | 2 | 2 | seconds for which the way back is kept |
//! | 4 | 4 | milliseconds to wait before passing on |
//! | 8 | 32 | id of the next relay; zeros unless the command is 1 |
//! | 40 | 16 | tag at the front of the answer towards the client |
//!
//! Guarantees: nothing in clear tells two packets of a class apart, so there is no version, epoch, type or length byte.

use crate::error::NotVerified;

/// The most relays of a path. With a header of exactly four records a fifth is handed nothing but fillers.
pub const MOST_HOPS: usize = 4;
/// Bytes of the header: four records.
pub const HEADER_BYTES: usize = MOST_HOPS * RECORD_BYTES;
/// Bytes of a reply tag.
pub const REPLY_TAG_BYTES: usize = 16;
/// Bytes of a replay tag.
pub const REPLAY_TAG_BYTES: usize = 16;
/// The longest that a relay keeps a way back, in seconds, whatever its slot asks for.
pub const LONGEST_LIFETIME_S: u16 = 90;

/// A public key, a tag and a slot.
pub(super) const RECORD_BYTES: usize = SLOT_END;
/// Where the tag begins: after the public key.
pub(super) const TAG_START: usize = 32;
/// Where the slot, and with it the ciphertext, begins.
pub(super) const SLOT_START: usize = 48;
/// Where the records of later hops begin.
pub(super) const SLOT_END: usize = SLOT_START + SLOT_BYTES;
/// Bytes of the records that are left when a relay drops its own.
pub(super) const KEPT_BYTES: usize = HEADER_BYTES - RECORD_BYTES;
/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = 56;

const _: () = assert!(RECORD_BYTES == 104 && HEADER_BYTES == 416 && KEPT_BYTES == 312);

/// The two sizes there are; the size is the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// 1,120 bytes: one cell.
    Small,
    /// 33,600 bytes: thirty cells, which hold a sealed block.
    Block,
}

impl Class {
    /// Bytes of a packet, forward or reply.
    #[must_use]
    pub const fn packet_bytes(self) -> usize {
        match self {
            Self::Small => 1_120,
            Self::Block => 33_600,
        }
    }

    /// Bytes of a body.
    #[must_use]
    pub const fn body_bytes(self) -> usize {
        self.packet_bytes() - HEADER_BYTES
    }

    /// Bytes of the longest message of a reply.
    #[must_use]
    pub const fn reply_bytes(self) -> usize {
        self.packet_bytes() - REPLY_TAG_BYTES - 16 - 4
    }

    /// The class of a packet of `length` bytes, if any.
    #[must_use]
    pub const fn of_length(length: usize) -> Option<Self> {
        match length {
            1_120 => Some(Self::Small),
            33_600 => Some(Self::Block),
            _ => None,
        }
    }
}

const _: () = assert!(Class::Small.body_bytes() == 704 && Class::Block.body_bytes() == 33_184);
const _: () = assert!(Class::Small.reply_bytes() == 1_084 && Class::Block.reply_bytes() == 33_564);

/// What a relay is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Relay { next: [u8; 32] },
    Deliver,
    Discard,
}

/// What a relay finds in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) command: Command,
    pub(super) expects_reply: bool,
    pub(super) reply_class: Class,
    pub(super) lifetime_s: u16,
    pub(super) delay_ms: u32,
    pub(super) reply_tag: [u8; REPLY_TAG_BYTES],
}

impl Slot {
    pub(super) fn encode(&self) -> [u8; SLOT_BYTES] {
        let (command, next) = match self.command {
            Command::Relay { next } => (1, next),
            Command::Deliver => (2, [0; 32]),
            Command::Discard => (3, [0; 32]),
        };
        let flags = u8::from(self.expects_reply) | u8::from(self.reply_class == Class::Block) << 1;
        let mut bytes = [0; SLOT_BYTES];
        bytes[..2].copy_from_slice(&[command, flags]);
        bytes[2..4].copy_from_slice(&self.lifetime_s.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.delay_ms.to_le_bytes());
        bytes[8..40].copy_from_slice(&next);
        bytes[40..].copy_from_slice(&self.reply_tag);
        bytes
    }

    pub(super) fn decode(bytes: &[u8; SLOT_BYTES]) -> Result<Self, NotVerified> {
        let [command, flags, lifetime_low, lifetime_high, rest @ ..] = bytes;
        let (delay, rest) = rest.split_first_chunk().ok_or(NotVerified)?;
        let (next, reply_tag) = rest.split_first_chunk::<32>().ok_or(NotVerified)?;
        let command = match command {
            1 => Command::Relay { next: *next },
            2 if *next == [0; 32] => Command::Deliver,
            3 if *next == [0; 32] => Command::Discard,
            _ => return Err(NotVerified),
        };
        if flags & !0b11 != 0 {
            return Err(NotVerified);
        }
        Ok(Self {
            command,
            expects_reply: flags & 1 != 0,
            reply_class: if flags & 2 == 0 { Class::Small } else { Class::Block },
            lifetime_s: u16::from_le_bytes([*lifetime_low, *lifetime_high]),
            delay_ms: u32::from_le_bytes(*delay),
            reply_tag: reply_tag.try_into().map_err(|_| NotVerified)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot = Slot {
        command: Command::Relay { next: [9; 32] },
        expects_reply: true,
        reply_class: Class::Block,
        lifetime_s: 0x0102,
        delay_ms: 0x0304_0506,
        reply_tag: [7; 16],
    };

    #[test]
    fn a_slot_lies_as_the_byte_table_says() {
        let bytes = SLOT.encode();
        assert_eq!(bytes[..8], [1, 3, 2, 1, 6, 5, 4, 3]);
        assert_eq!(bytes[8..40], [9; 32]);
        assert_eq!(bytes[40..], [7; 16]);
        assert_eq!(Slot::decode(&bytes), Ok(SLOT));
    }

    #[test]
    fn an_unknown_command_or_flag_is_refused() {
        for (at, byte) in [(0, 0), (0, 4), (0, 255), (1, 4), (1, 0x80), (0, 2), (0, 3)] {
            let mut bytes = SLOT.encode();
            bytes[at] = byte;
            assert_eq!(Slot::decode(&bytes), Err(NotVerified), "{byte} at {at}");
        }
    }

    #[test]
    fn the_length_is_the_class() {
        for class in [Class::Small, Class::Block] {
            assert_eq!(Class::of_length(class.packet_bytes()), Some(class));
        }
        assert_eq!(Class::of_length(1_119), None);
        assert_eq!(Class::of_length(0), None);
    }
}
