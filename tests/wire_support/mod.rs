//! The message type that the tests of `wire` and `link` send: one value of either class, as in docs/wire.md.
#![allow(dead_code, reason = "each test uses a part of it")]

use bolthole::message::class::{Class, Message};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The example of docs/wire.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Example {
    /// Travels in one cell.
    Note { number: u32, text: String },
    /// Travels in thirty cells.
    Load { number: u32, body: Bytes },
}

impl Message for Example {
    fn class(&self) -> Class {
        match self {
            Self::Note { .. } => Class::Small,
            Self::Load { .. } => Class::Block,
        }
    }
}

impl Example {
    /// A small message.
    pub(crate) fn note(number: u32) -> Self {
        Self::Note { number, text: "hello".into() }
    }

    /// A message with a block of content's size.
    pub(crate) fn load(number: u32) -> Self {
        let body: Vec<u8> = (0..32_784u32).map(|at| (at.wrapping_mul(31) ^ number) as u8).collect();
        Self::Load { number, body: body.into() }
    }
}
