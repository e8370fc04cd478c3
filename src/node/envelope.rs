//! All that two nodes say to each other over one link: messages of the overlay, onion packets, words about relays.
//!
//! The type of the cell tells them apart. An onion packet is the payload of its cells, byte for byte, so that a small one
//! is one cell and one with a block thirty, as the overlay's own messages are.

use bytes::Bytes;
use crypto::onion::layout;
use postcard::ser_flavors::Flavor;

use crate::message::class::{Class, Message};
use crate::onion::Direction;
use crate::onion::gossip::Gossip;
use crate::wire::cell::{Kind, payload_bytes};
use crate::wire::frame::Frame;
use crate::wire::malformed::Malformed;
use crate::wire::spelling;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope<M> {
    /// A message of the overlay.
    Overlay(M),
    /// An onion packet of either class.
    Packet(Direction, Bytes),
    /// A word about relays.
    Gossip(Gossip),
}

impl<M: Message> Frame for Envelope<M> {
    fn kind(&self) -> Kind {
        match self {
            Self::Overlay(_) => Kind::Message,
            Self::Packet(Direction::Forward, _) => Kind::Forward,
            Self::Packet(Direction::Reply, _) => Kind::Reply,
            Self::Gossip(_) => Kind::Directory,
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Overlay(message) => message.class(),
            Self::Packet(_, packet) if packet.len() == layout::Class::Block.packet_bytes() => Class::Block,
            Self::Packet(..) | Self::Gossip(_) => Class::Small,
        }
    }

    fn write<W: Flavor>(&self, mut writer: W) -> postcard::Result<W::Output> {
        match self {
            Self::Overlay(message) => postcard::serialize_with_flavor(message, writer),
            Self::Gossip(word) => postcard::serialize_with_flavor(word, writer),
            Self::Packet(_, packet) => {
                writer.try_extend(packet)?;
                writer.finalize()
            }
        }
    }

    fn read(kind: Kind, class: Class, payload: Bytes) -> Result<Self, Malformed> {
        match kind {
            Kind::Message => spelling::message(class, &payload).map(Self::Overlay),
            Kind::Directory => spelling::message(class, &payload).map(Self::Gossip),
            Kind::Forward => packet(class, payload).map(|packet| Self::Packet(Direction::Forward, packet)),
            Kind::Reply => packet(class, payload).map(|packet| Self::Packet(Direction::Reply, packet)),
            Kind::Padding | Kind::Rhythm => Err(Malformed::Kind(kind.to_byte())),
        }
    }
}

fn packet(class: Class, payload: Bytes) -> Result<Bytes, Malformed> {
    let is_whole = payload.len() == payload_bytes(class);
    if is_whole { Ok(payload) } else { Err(Malformed::InUse(payload.len() as u32)) }
}

const _: () = assert!(layout::Class::Small.packet_bytes() == payload_bytes(Class::Small));
const _: () = assert!(layout::Class::Block.packet_bytes() == payload_bytes(Class::Block));

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::limits::CELL_BYTES;
    use crate::onion::gossip;
    use crate::wire::codec::{Budget, decode, encode};

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Word(u8);

    impl Message for Word {
        fn class(&self) -> Class {
            Class::Small
        }
    }

    #[test]
    fn packets_are_the_payload_of_their_cells_and_all_kinds_come_back() {
        let directory =
            crate::onion::directory::Directory::new(crate::id::NodeId([1; 32]), crate::time::Duration::ZERO);
        let cases = [
            (Envelope::Overlay(Word(7)), 3, 1),
            (Envelope::Packet(Direction::Forward, vec![1; 1_120].into()), 0, 1),
            (Envelope::Packet(Direction::Reply, vec![2; 33_600].into()), 1, 30),
            (Envelope::Gossip(gossip::sketch(&directory, gossip::Range::ALL)), 4, 1),
        ];
        for (envelope, kind, cells) in cases {
            let bytes = encode(&envelope, 9, Budget::LINK).expect("it fits its class");
            assert_eq!((bytes[0], bytes.len()), (kind, cells * CELL_BYTES));
            assert_eq!(decode::<Envelope<Word>>(&bytes), Ok(envelope));
        }
    }

    #[test]
    fn a_packet_that_does_not_fill_its_cells_is_refused() {
        let whole = Envelope::<Word>::Packet(Direction::Forward, vec![1; 1_120].into());
        let mut cells = encode(&whole, 9, Budget::LINK).expect("it fits its class").to_vec();
        (cells[8], cells[CELL_BYTES - 1]) = (0x5f, 0);
        assert_eq!(decode::<Envelope<Word>>(&cells), Err(Malformed::InUse(1_119)));
        let short = Envelope::<Word>::Packet(Direction::Forward, vec![1; 1_121].into());
        assert!(encode(&short, 9, Budget::LINK).is_err());
    }
}
