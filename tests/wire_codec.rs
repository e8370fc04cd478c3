//! What `wire` promises of any message and of any bytes: one spelling, one size per class, a named cause for all else.

#[path = "wire_support/mod.rs"]
mod wire_support;

use bolthole::limits::{CELL_BYTES, CELL_HEADER_BYTES, CELL_PAYLOAD_BYTES};
use bolthole::message::class::{Class, Message};
use bolthole::wire::cell::{Header, message_bytes};
use bolthole::wire::codec::{Budget, EncodeError, decode, encode};
use bolthole::wire::joiner::Joiner;
use bolthole::wire::malformed::Malformed;
use bolthole::wire::rhythm::Heard;
use bytes::Bytes;
use proptest::prelude::*;
use wire_support::Example;

fn cells(message: &Example, id: u32) -> Vec<u8> {
    encode(message, id, Budget::LINK).expect("fits").to_vec()
}

fn note_with(change: impl FnOnce(&mut Vec<u8>)) -> Result<Example, Malformed> {
    let mut bytes = cells(&Example::note(1), 9);
    change(&mut bytes);
    decode(&bytes)
}

fn load_with(change: impl FnOnce(&mut Vec<u8>)) -> Result<Example, Malformed> {
    let mut bytes = cells(&Example::load(1), 9);
    change(&mut bytes);
    decode(&bytes)
}

fn any_message() -> impl Strategy<Value = Example> {
    prop_oneof![
        (any::<u32>(), "[a-zé]{0,400}").prop_map(|(number, text)| Example::Note { number, text }),
        (any::<u32>(), prop::collection::vec(any::<u8>(), 0..33_000))
            .prop_map(|(number, body)| Example::Load { number, body: body.into() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_message_survives_its_cells_and_has_the_size_of_its_class(message in any_message(), id: u32) {
        let bytes = cells(&message, id);
        prop_assert_eq!(bytes.len(), message_bytes(message.class()));
        prop_assert_eq!(decode::<Example>(&bytes), Ok(message));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(message in any_message(), at: prop::sample::Index, flip in 1u8..) {
        let mut bytes = cells(&message, 5);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(read) = decode::<Example>(&bytes) {
            let id = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            prop_assert_eq!(cells(&read, id), bytes);
        }
    }

    #[test]
    fn a_message_that_arrives_in_pieces_reads_as_it_does_whole(
        message in any_message(),
        cuts in prop::collection::vec(1usize..3_000, 0..60),
        harm in prop::option::of((any::<prop::sample::Index>(), 1u8..)),
        surplus in 0usize..3,
    ) {
        let mut bytes = cells(&message, 5);
        bytes.extend(vec![0; surplus]);
        if let Some((at, flip)) = harm {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        let (mut joiner, mut left) = (Joiner::default(), &bytes[..]);
        let mut pieces = cuts.into_iter().map_while(|cut| {
            let (now, later) = left.split_at(cut.min(left.len()));
            left = later;
            (!now.is_empty()).then_some(now)
        });
        let joined = pieces.try_for_each(|piece| joiner.take(piece)).and_then(|()| joiner.take(left));
        let joined = joined.and_then(|()| joiner.finish::<Example>());
        prop_assert_eq!(joined.clone().ok(), decode::<Example>(&bytes).ok());
        prop_assert!(surplus == 0 || joined.is_err());
    }

    #[test]
    fn arbitrary_payload_never_decodes_to_a_second_spelling(payload in prop::collection::vec(any::<u8>(), 1..64)) {
        let mut bytes = vec![0; CELL_BYTES];
        let header = Header::message(Class::Small, 0, 1, payload.len() as u32);
        bytes[..CELL_HEADER_BYTES].copy_from_slice(&header.to_bytes());
        bytes[CELL_HEADER_BYTES..][..payload.len()].copy_from_slice(&payload);
        if let Ok(read) = decode::<Example>(&bytes) {
            prop_assert_eq!(cells(&read, 1), bytes);
        }
    }
}

#[test]
fn a_broken_small_message_is_refused_with_its_cause() {
    let cases: [(Result<Example, Malformed>, Malformed); 12] = [
        (note_with(|bytes| bytes.truncate(1_135)), Malformed::Length(1_135)),
        (note_with(|bytes| bytes.push(0)), Malformed::Surplus),
        (note_with(|bytes| bytes[0] = 0), Malformed::Kind(0)),
        (note_with(|bytes| bytes[0] = 1), Malformed::Kind(1)),
        (note_with(|bytes| bytes[1] = 2), Malformed::Format(2)),
        (note_with(|bytes| bytes[2] = 2), Malformed::Parts(2)),
        (note_with(|bytes| bytes[3] = 1), Malformed::Part(1)),
        (note_with(|bytes| bytes[8..12].copy_from_slice(&1_121u32.to_le_bytes())), Malformed::InUse(1_121)),
        (note_with(|bytes| bytes[8] = 0), Malformed::InUse(0)),
        (note_with(|bytes| bytes[15] = 1), Malformed::Unused),
        (note_with(|bytes| bytes[1_135] = 1), Malformed::Unused),
        (note_with(|bytes| bytes[8] += 1), Malformed::Trailing),
    ];
    for (got, cause) in cases {
        assert_eq!(got, Err(cause));
    }
}

#[test]
fn a_broken_block_message_is_refused_with_its_cause() {
    let second = CELL_BYTES;
    let cases: [(Result<Example, Malformed>, Malformed); 6] = [
        (load_with(|bytes| bytes.truncate(29 * CELL_BYTES)), Malformed::Length(29 * CELL_BYTES)),
        (load_with(|bytes| bytes[second + 4] ^= 1), Malformed::Mixed),
        (load_with(|bytes| bytes[second + 3] = 2), Malformed::Part(2)),
        (load_with(|bytes| bytes[second + 8] = 1), Malformed::InUse(1)),
        (load_with(|bytes| bytes.rotate_left(CELL_BYTES)), Malformed::Part(1)),
        (load_with(|bytes| bytes[30 * CELL_BYTES - 1] = 1), Malformed::Unused),
    ];
    for (got, cause) in cases {
        assert_eq!(got, Err(cause));
    }
}

/// A small cell whose payload is `value`.
fn small_cell(value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; CELL_BYTES];
    bytes[..CELL_HEADER_BYTES].copy_from_slice(&Header::message(Class::Small, 0, 1, value.len() as u32).to_bytes());
    bytes[CELL_HEADER_BYTES..][..value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn a_message_in_the_other_class_is_refused() {
    let load = Example::Load { number: 1, body: Bytes::from_static(b"short") };
    let value = postcard::to_stdvec(&load).expect("serialises");
    assert_eq!(decode::<Example>(&small_cell(&value)), Err(Malformed::Class));
}

#[test]
fn a_long_spelling_of_a_number_is_refused() {
    // Variant 0, number 1 as two bytes instead of one, empty text.
    assert_eq!(decode::<Example>(&small_cell(&[0, 0x81, 0x00, 0])), Err(Malformed::Spelling));
    assert!(decode::<Example>(&small_cell(&[0, 0x01, 0])).is_ok());
}

#[test]
fn a_length_that_a_peer_wrote_beyond_the_payload_is_refused() {
    // Variant 1, number 0, a body that claims 2^32 - 1 bytes.
    let claim = [1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(decode::<Example>(&small_cell(&claim)), Err(Malformed::Value));
}

#[test]
fn a_message_beyond_its_budget_is_not_encoded() {
    let text = |bytes| Example::Note { number: 0, text: "x".repeat(bytes) };
    // Variant 1, number 1, length 2 bytes.
    assert!(encode(&text(CELL_PAYLOAD_BYTES - 4), 0, Budget::LINK).is_ok());
    let too_long = |class, most| Err(EncodeError::TooLong { class, most });
    assert_eq!(encode(&text(CELL_PAYLOAD_BYTES - 3), 0, Budget::LINK), too_long(Class::Small, 1_120));
    assert!(encode(&text(700), 0, Budget::ONION).is_ok());
    assert_eq!(encode(&text(701), 0, Budget::ONION), too_long(Class::Small, 704));
    let load = Example::Load { number: 0, body: vec![0; 33_184].into() };
    assert_eq!(encode(&load, 0, Budget::ONION), too_long(Class::Block, 33_184));
}

#[test]
fn a_rhythm_takes_small_messages_between_the_cells_of_one_block_and_no_other_block() {
    let (block, small) = (cells(&Example::load(1), 9), cells(&Example::note(2), 10));
    let mut heard = Heard::default();
    let parts: Vec<&[u8]> = block.chunks(CELL_BYTES).collect();
    for part in &parts[..29] {
        assert_eq!(heard.take::<Example>(part), Ok(None));
        assert_eq!(heard.take(&small), Ok(Some(Example::note(2))));
    }
    assert_eq!(heard.take(parts[29]), Ok(Some(Example::load(1))));
    assert_eq!(heard.take::<Example>(parts[0]), Ok(None));
    assert_eq!(heard.take::<Example>(parts[0]), Err(Malformed::Part(0)));
    let mut heard = Heard::default();
    assert_eq!(heard.take::<Example>(parts[0]), Ok(None));
    let other = cells(&Example::load(1), 11);
    assert_eq!(heard.take::<Example>(&other[CELL_BYTES..2 * CELL_BYTES]), Err(Malformed::Mixed));
}

#[test]
fn padding_is_checked_and_forgotten() {
    let mut heard = Heard::default();
    let mut cell = vec![0; CELL_BYTES];
    cell[..CELL_HEADER_BYTES].copy_from_slice(&Header::padding().to_bytes());
    assert_eq!(heard.take::<Example>(&cell), Ok(None));
    assert_eq!(decode::<Example>(&cell), Err(Malformed::Kind(2)));
    cell[1_000] = 1;
    assert_eq!(heard.take::<Example>(&cell), Err(Malformed::Unused));
}
