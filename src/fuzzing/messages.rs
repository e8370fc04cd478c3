//! Arbitrary bytes as a message of an overlay.
//!
//! The naive model says when bytes are a message: they are the one spelling of a value, nothing follows them, and the
//! value belongs to the class of its cells. Decoding must agree with it on every input, and a message that was read
//! must be written as it was.

use super::choices::Choices;
use crate::limits::{CELL_BYTES, CELL_HEADER_BYTES, CELL_PAYLOAD_BYTES};
use crate::message::class::{Class, Message};
use crate::overlay::freenet;
use crate::wire::codec::{Budget, decode, encode};
use crate::wire::rhythm::Heard;

/// Decodes what `data` describes as a message of `freenet`.
pub fn messages(data: &[u8]) {
    decoding::<freenet::Message>(data);
}

/// Decodes what `data` describes as a message of type `M`.
///
/// The first byte chooses: raw cells, or a payload put into the cells of either class, so that the fuzzer need not
/// guess headers before it reaches the values.
fn decoding<M: Message + PartialEq>(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 3 {
        0 => raw::<M>(choices.rest()),
        1 => payload::<M>(Class::Small, choices.rest()),
        _ => {
            // A block is mostly bytes that nobody looks at: zeros stand for those the input does not spell out.
            let in_use = choices.below(Class::Block.cells() * CELL_PAYLOAD_BYTES + 1);
            let mut bytes = choices.rest().to_vec();
            bytes.resize(in_use, 0);
            payload::<M>(Class::Block, &bytes);
        }
    }
}

fn raw<M: Message + PartialEq>(cells: &[u8]) {
    if let Ok(message) = decode::<M>(cells) {
        let id = u32::from_le_bytes([cells[4], cells[5], cells[6], cells[7]]);
        assert_eq!(encode(&message, id, Budget::LINK).as_deref(), Ok(cells));
    }
}

fn payload<M: Message + PartialEq>(class: Class, bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(class.cells() * CELL_PAYLOAD_BYTES)];
    let cells = cells_of(class, bytes);
    let expected = postcard::from_bytes::<M>(bytes)
        .ok()
        .filter(|message| message.class() == class && postcard::to_stdvec(message).as_deref() == Ok(bytes));
    assert_eq!(decode::<M>(&cells).ok(), expected);
    if let Some(message) = expected {
        assert_eq!(encode(&message, ID, Budget::LINK).as_deref(), Ok(&cells[..]));
        let mut heard = Heard::default();
        let last = cells.chunks(CELL_BYTES).map(|cell| heard.take(cell)).last();
        assert_eq!(last, Some(Ok(Some(message))));
    }
}

/// The cells of a payload, written without the help of `wire`.
fn cells_of(class: Class, payload: &[u8]) -> Vec<u8> {
    let mut cells = vec![0; class.cells() * CELL_BYTES];
    for (part, cell) in cells.chunks_mut(CELL_BYTES).enumerate() {
        let in_use = if part == 0 { payload.len() as u32 } else { 0 };
        cell[..4].copy_from_slice(&[3, 1, class.cells() as u8, part as u8]);
        cell[4..8].copy_from_slice(&ID.to_le_bytes());
        cell[8..12].copy_from_slice(&in_use.to_le_bytes());
        let rest = payload.get(part * CELL_PAYLOAD_BYTES..).unwrap_or_default();
        let here = &rest[..rest.len().min(CELL_PAYLOAD_BYTES)];
        cell[CELL_HEADER_BYTES..][..here.len()].copy_from_slice(here);
    }
    cells
}

const ID: u32 = 0x0102_0304;
