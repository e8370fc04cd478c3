//! Cells of several messages, joined by `wire` as a stream and as a rhythm, and by a naive model.
//!
//! The model takes whole cells and compares each byte of their headers with what must stand there: a slower way to the same
//! message, or to none.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::choices::Choices;
use crate::limits::{BLOCK_CELLS, CELL_BYTES, CELL_HEADER_BYTES};
use crate::message::block::Parcel;
use crate::message::class::{Class, Message};
use crate::wire::codec::{Budget, encode};
use crate::wire::joiner::Joiner;
use crate::wire::rhythm::Heard;

/// A message of either class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Probe {
    Small(u64),
    Block(Parcel),
}

impl Message for Probe {
    fn class(&self) -> Class {
        match self {
            Self::Small(_) => Class::Small,
            Self::Block(_) => Class::Block,
        }
    }
}

/// Joins the cells that `data` describes as a stream that arrives in pieces, and as a rhythm that mixes messages.
///
/// Both stop at the first malformed cell, as a link does.
pub fn reassembly(data: &[u8]) {
    let mut choices = Choices::new(data);
    let piece = 1 + choices.below(3 * CELL_BYTES);
    let mut cells = Vec::new();
    while !choices.is_empty() {
        cells.extend(next_cells(&mut choices));
    }
    stream(&cells.concat(), piece);
    rhythm(&cells);
}

/// One stream: it is read exactly if it is what [`naive`] reads, however it is cut.
fn stream(bytes: &[u8], piece: usize) {
    let mut joiner = Joiner::default();
    let taken = bytes.chunks(piece).try_for_each(|piece| joiner.take(piece));
    let read = taken.and_then(|()| joiner.finish::<Probe>());
    assert_eq!(read.ok(), naive(&bytes.chunks(CELL_BYTES).collect::<Vec<_>>()));
}

/// A rhythm: small messages as they come, blocks from thirty cells in a row, nothing of padding.
fn rhythm(cells: &[Vec<u8>]) {
    let (mut heard, mut block) = (Heard::default(), Vec::new());
    for cell in cells {
        let said = heard.take::<Probe>(cell);
        let Some((kind, parts)) = cell.first().zip(cell.get(2)) else { return };
        match (*kind, usize::from(*parts)) {
            (PADDING, _) => assert_eq!(said.clone().ok().flatten(), None),
            (MESSAGE, 1) => assert_eq!(said.clone().ok().flatten(), naive(&[cell])),
            (MESSAGE, BLOCK_CELLS) => {
                block.push(&cell[..]);
                let whole = if block.len() == BLOCK_CELLS { naive(&std::mem::take(&mut block)) } else { None };
                assert_eq!(said.clone().ok().flatten(), whole);
            }
            // Cells of an onion or of the directory: no block of theirs is a probe.
            _ => assert!(!matches!(said, Ok(Some(_))), "{said:?}"),
        }
        if said.is_err() {
            return;
        }
    }
}

/// The message of these cells, as one would explain it.
fn naive(cells: &[&[u8]]) -> Option<Probe> {
    let first = cells.first()?;
    let mut payload = Vec::new();
    for (part, cell) in cells.iter().enumerate() {
        // Kind, format, parts, part; the id; the length in the first cell alone; four bytes of nothing.
        let head = [MESSAGE, 1, cells.len() as u8, part as u8];
        let length = if part == 0 { first.get(8..12)? } else { &[0; 4] };
        let is_next = cell.len() == CELL_BYTES && cell[..4] == head && cell[4..8] == first[4..8];
        if !is_next || cell[8..12] != *length || cell[12..16] != [0; 4] {
            return None;
        }
        payload.extend_from_slice(&cell[CELL_HEADER_BYTES..]);
    }
    let in_use = u32::from_le_bytes(first[8..12].try_into().ok()?) as usize;
    let (used, unused) = payload.split_at_checked(in_use)?;
    let message: Probe = postcard::from_bytes(used).ok()?;
    let is_of_class = message.class().cells() == cells.len() && unused.iter().all(|byte| *byte == 0);
    (is_of_class && postcard::to_stdvec(&message).ok()? == used).then_some(message)
}

/// One cell, or a run of cells of one message, as the next choices say.
fn next_cells(choices: &mut Choices<'_>) -> Vec<Vec<u8>> {
    let [what, id, part] = choices.array();
    let part = usize::from(part) % BLOCK_CELLS;
    let block = cells_of(&probe_block(id), id);
    match what % 6 {
        0 => vec![block[part].clone()],
        // All parts but those before `part`, then those: whole messages must be cheap to describe.
        1 => [&block[part..], &block[..part]].concat(),
        2 => block.into_iter().rev().skip(part).collect(),
        3 => cells_of(&Probe::Small(u64::from(part as u32)), id),
        4 => vec![altered(block[part].clone(), choices)],
        _ => vec![padded(&choices.array::<20>())],
    }
}

fn probe_block(id: u8) -> Probe {
    let body = Bytes::from(vec![id; crypto::content::SEALED_BYTES]);
    Probe::Block(Parcel::new(body).expect("the length of a content block"))
}

fn cells_of(message: &Probe, id: u8) -> Vec<Vec<u8>> {
    let cells = encode(message, u32::from(id), Budget::LINK).expect("a probe fits its class");
    cells.chunks(CELL_BYTES).map(<[u8]>::to_vec).collect()
}

fn altered(mut cell: Vec<u8>, choices: &mut Choices<'_>) -> Vec<u8> {
    let at = choices.below(cell.len());
    cell[at] ^= choices.byte();
    cell
}

fn padded(head: &[u8]) -> Vec<u8> {
    let mut cell = vec![0; CELL_BYTES];
    cell[..head.len()].copy_from_slice(head);
    cell
}

const PADDING: u8 = 2;
const MESSAGE: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_reads_what_is_written_and_nothing_else() {
        let block = cells_of(&probe_block(7), 7);
        let whole: Vec<&[u8]> = block.iter().map(Vec::as_slice).collect();
        assert_eq!(naive(&whole), Some(probe_block(7)));
        assert_eq!(naive(&whole[..BLOCK_CELLS - 1]), None);
        let small = cells_of(&Probe::Small(3), 8);
        assert_eq!(naive(&[&small[0]]), Some(Probe::Small(3)));
        assert_eq!(naive(&[&small[0], &small[0]]), None);
    }
}
