//! What a client tells an exit to do, and what the exit answers: one command of the overlay, as bytes.
//!
//! | offset | length | body of a packet | | offset | length | message of an answer |
//! |---|---|---|---|---|---|---|
//! | 0 | 1 | 1 fetch, 2 insert, 3 loop | | 0 | 1 | 0 unavailable, 1 found, 2 not found, 3 inserted, 4 collision, 5 looped |
//! | 1 | 32 or the block | the key, or the block | | 1 | 2 | found: hops and 0; inserted: stores and wanted; else zeros |
//! | | | zeros | | 3 | to the end | found, collision: the block |
//!
//! Guarantees: both come padded and sealed, so their length says nothing; a block that is read verifies, and is the one that
//! was asked for where one was. An exit learns the key and nothing else.

use bytes::Bytes;
use crypto::onion::layout::Class;
use crypto::{content, signed};

use crate::key::RoutingKey;
use crate::message::block::{Block, BlockKind};

/// One command of a client, carried out by an exit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Find a block.
    Fetch(RoutingKey),
    /// Store a block.
    Insert(Block),
    /// Nothing: answer at once. The client sees whether its path still carries, and its guard sees one packet more.
    Loop,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing came of it; another time perhaps.
    Unavailable,
    /// The block was found.
    Found {
        /// The block.
        block: Block,
        /// Forwards made from the exit on.
        hops: u32,
    },
    /// The search ended without the block.
    NotFound,
    /// The block was stored.
    Inserted {
        /// Distinct stores that keep it.
        stores: u32,
        /// How many would have been enough.
        wanted: u32,
    },
    /// Another block stands under that key.
    Collision(Block),
    /// A loop has come round.
    Looped,
}

impl Instruction {
    /// The class of a packet that carries it.
    pub const fn class(&self) -> Class {
        match self {
            Self::Insert(block) if matches!(block.kind(), BlockKind::Content) => Class::Block,
            Self::Insert(_) | Self::Fetch(_) | Self::Loop => Class::Small,
        }
    }

    /// The class of its answer, whatever that says. A fetch does not say which kind of block it is after.
    pub const fn reply_class(&self) -> Class {
        match self {
            Self::Fetch(_) => Class::Block,
            Self::Insert(_) | Self::Loop => Class::Small,
        }
    }

    /// What stands in the body of the packet.
    pub fn to_body(&self) -> Vec<u8> {
        match self {
            Self::Fetch(key) => [&[FETCH][..], &key.0].concat(),
            Self::Insert(block) => [&[INSERT][..], block.body()].concat(),
            Self::Loop => vec![LOOP],
        }
    }

    /// Reads the body of a packet of `class`; none if it holds no command, or no block that verifies.
    pub fn from_body(class: Class, body: &[u8]) -> Option<Self> {
        let (command, rest) = body.split_first()?;
        match (*command, class) {
            (FETCH, Class::Small) => Some(Self::Fetch(RoutingKey(*rest.first_chunk()?))),
            (LOOP, Class::Small) => Some(Self::Loop),
            (INSERT, Class::Small) => block(rest.get(..signed::SIGNED_BYTES)?).map(Self::Insert),
            (INSERT, Class::Block) => block(rest.get(..content::SEALED_BYTES)?).map(Self::Insert),
            _ => None,
        }
    }

    /// The key that it is about, if it is about one.
    pub const fn key(&self) -> Option<RoutingKey> {
        match self {
            Self::Fetch(key) => Some(*key),
            Self::Insert(block) => Some(block.key()),
            Self::Loop => None,
        }
    }
}

impl Outcome {
    /// What stands in the answer.
    pub fn to_message(&self) -> Vec<u8> {
        let few = |count: u32| u8::try_from(count).unwrap_or(u8::MAX);
        let (head, body) = match self {
            Self::Unavailable => ([UNAVAILABLE, 0, 0], None),
            Self::Found { block, hops } => ([FOUND, few(*hops), 0], Some(block)),
            Self::NotFound => ([NOT_FOUND, 0, 0], None),
            Self::Inserted { stores, wanted } => ([INSERTED, few(*stores), few(*wanted)], None),
            Self::Collision(block) => ([COLLISION, 0, 0], Some(block)),
            Self::Looped => ([LOOPED, 0, 0], None),
        };
        [&head[..], body.map_or(&[][..], |block| block.body())].concat()
    }

    /// Reads the answer to `instruction`; none if it is no answer to that.
    pub fn from_message(instruction: &Instruction, message: &[u8]) -> Option<Self> {
        let ([kind, first, second], body) = message.split_first_chunk()?;
        let of_key = |body: &[u8]| block(body).filter(|block| Some(block.key()) == instruction.key());
        match (*kind, instruction) {
            (UNAVAILABLE, _) => Some(Self::Unavailable),
            (FOUND, Instruction::Fetch(_)) => Some(Self::Found { block: of_key(body)?, hops: u32::from(*first) }),
            (NOT_FOUND, Instruction::Fetch(_)) => Some(Self::NotFound),
            (INSERTED, Instruction::Insert(_)) => {
                Some(Self::Inserted { stores: u32::from(*first), wanted: u32::from(*second) })
            }
            (LOOPED, Instruction::Loop) => Some(Self::Looped),
            (COLLISION, Instruction::Insert(_)) => of_key(body).map(Self::Collision),
            _ => None,
        }
    }
}

fn block(body: &[u8]) -> Option<Block> {
    Block::new(Bytes::copy_from_slice(body)).ok()
}

const FETCH: u8 = 1;
const INSERT: u8 = 2;
const LOOP: u8 = 3;
const UNAVAILABLE: u8 = 0;
const FOUND: u8 = 1;
const NOT_FOUND: u8 = 2;
const INSERTED: u8 = 3;
const COLLISION: u8 = 4;
const LOOPED: u8 = 5;

const _: () = assert!(signed::SIGNED_BYTES < Class::Small.body_bytes());
const _: () = assert!(content::SEALED_BYTES < Class::Block.body_bytes());
const _: () = assert!(3 + content::SEALED_BYTES <= Class::Block.reply_bytes());
const _: () = assert!(3 + signed::SIGNED_BYTES <= Class::Small.reply_bytes());

#[cfg(test)]
mod tests {
    use super::*;

    fn content_block(byte: u8) -> Block {
        Block::new(vec![byte; content::SEALED_BYTES].into()).expect("any bytes of that length are a content block")
    }

    #[test]
    fn commands_and_answers_come_back_as_they_went() {
        let (block, key) = (content_block(1), RoutingKey([7; 32]));
        for instruction in [Instruction::Fetch(key), Instruction::Insert(block.clone()), Instruction::Loop] {
            let mut body = instruction.to_body();
            body.resize(instruction.class().body_bytes(), 0);
            assert_eq!(Instruction::from_body(instruction.class(), &body), Some(instruction.clone()));
        }
        let (fetch, insert) = (Instruction::Fetch(block.key()), Instruction::Insert(block.clone()));
        let cases = [
            (&fetch, Outcome::Found { block: block.clone(), hops: 5 }),
            (&fetch, Outcome::NotFound),
            (&fetch, Outcome::Unavailable),
            (&insert, Outcome::Inserted { stores: 7, wanted: 3 }),
            (&insert, Outcome::Collision(block)),
            (&Instruction::Loop, Outcome::Looped),
        ];
        for (instruction, outcome) in cases {
            assert_eq!(Outcome::from_message(instruction, &outcome.to_message()), Some(outcome));
        }
    }

    #[test]
    fn an_answer_to_something_else_is_none() {
        let (fetch, insert) = (Instruction::Fetch(RoutingKey([7; 32])), Instruction::Insert(content_block(1)));
        let other = Outcome::Found { block: content_block(2), hops: 1 }.to_message();
        assert_eq!(Outcome::from_message(&fetch, &other), None, "another block");
        assert_eq!(Outcome::from_message(&insert, &Outcome::NotFound.to_message()), None);
        assert_eq!(Outcome::from_message(&fetch, &Outcome::Inserted { stores: 3, wanted: 3 }.to_message()), None);
        assert_eq!(Outcome::from_message(&fetch, &[]), None);
        assert_eq!(Outcome::from_message(&fetch, &Outcome::Looped.to_message()), None);
        assert_eq!(Instruction::from_body(Class::Small, &[4; 704]), None);
        assert_eq!(Instruction::from_body(Class::Block, &[FETCH; 33_184]), None);
        assert_eq!(Instruction::from_body(Class::Small, &[INSERT; 704]), None, "no signed block");
    }
}
