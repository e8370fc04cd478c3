//! Cells of several messages in any order, reassembled by `wire` and by a naive model.
//!
//! The model keeps whole cells in a list per message and, once all are there, has them decoded in order: a slower way
//! to the same answer, error by error.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::choices::Choices;
use crate::limits::{ASSEMBLIES, BLOCK_CELLS, CELL_BYTES};
use crate::message::block::Parcel;
use crate::message::class::{Class, Message};
use crate::wire::assembler::Assembler;
use crate::wire::cell::{Cell, Header, Kind};
use crate::wire::codec::{Budget, decode, encode};
use crate::wire::malformed::Malformed;

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

/// Reassembles the cells that `data` describes and compares with the model after each.
///
/// Both stop at the first malformed cell, as a link does.
pub fn reassembly(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut assembler = Assembler::<Probe>::new();
    let mut model = Model::default();
    while !choices.is_empty() {
        for cell in next_cells(&mut choices) {
            let expected = model.take(&cell);
            assert_eq!(assembler.take(&cell), expected);
            assert_eq!(assembler.unfinished(), model.unfinished.len());
            if expected.is_err() {
                return;
            }
        }
    }
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

/// Reassembly as one would explain it.
#[derive(Default)]
struct Model {
    unfinished: BTreeMap<u32, Vec<Vec<u8>>>,
}

impl Model {
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Probe>, Malformed> {
        let Header { kind, class, part, id, .. } = Cell::from_bytes(bytes)?.header;
        match (kind, class, self.unfinished.contains_key(&id)) {
            (Kind::Padding, ..) => return Ok(None),
            (Kind::Forward | Kind::Reply | Kind::Directory | Kind::Rhythm, ..) => {
                return Err(Malformed::Kind(bytes[0]));
            }
            (_, Class::Small, true) => return Err(Malformed::Mixed),
            (_, Class::Small, false) => return decode(bytes).map(Some),
            (_, Class::Block, false) if self.unfinished.len() == ASSEMBLIES => return Err(Malformed::TooMany),
            (_, Class::Block, _) => {}
        }
        let cells = self.unfinished.entry(id).or_default();
        if cells.iter().any(|cell| Cell::from_bytes(cell).is_ok_and(|cell| cell.header.part == part)) {
            return Err(Malformed::Duplicate(part));
        }
        cells.push(bytes.to_vec());
        if cells.len() < BLOCK_CELLS {
            return Ok(None);
        }
        let mut cells = self.unfinished.remove(&id).expect("the entry was just used");
        cells.sort_by_key(|cell| Cell::from_bytes(cell).map_or(0, |cell| cell.header.part));
        decode(&cells.concat()).map(Some)
    }
}
