//! The byte tables of docs/wire.md: every example in the document is encoded here and compared byte by byte.

#[path = "wire_support/mod.rs"]
mod wire_support;

use bolthole::limits::{CELL_BYTES, CELL_HEADER_BYTES, CELL_PAYLOAD_BYTES};
use bolthole::message::class::Class;
use bolthole::wire::cell::{Header, message_bytes, payload_bytes};
use bolthole::wire::codec::{Budget, decode, encode};
use wire_support::Example;

const DOCUMENT: &str = include_str!("../docs/wire.md");

/// The bytes of the line `name: hex…` in the document.
fn documented(name: &str) -> Vec<u8> {
    let prefix = format!("{name}: ");
    let line = DOCUMENT.lines().find_map(|line| line.strip_prefix(&prefix)).expect("the example is in the document");
    line.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits")).collect()
}

#[test]
fn headers_are_the_examples_of_the_document() {
    let cases = [
        ("small header", Header::message(Class::Small, 0, 7, 8)),
        ("block header, part 0", Header::message(Class::Block, 0, 0x0102_0304, 32_789)),
        ("block header, part 29", Header::message(Class::Block, 29, 0x0102_0304, 32_789)),
        ("padding header", Header::padding()),
        ("rhythm header", Header::rhythm(20)),
    ];
    for (name, header) in cases {
        let bytes: [u8; CELL_HEADER_BYTES] = documented(name).try_into().expect("a header has 16 bytes");
        assert_eq!(header.to_bytes(), bytes, "{name}");
        assert_eq!(Header::from_bytes(&bytes), Ok(header), "{name}");
    }
}

#[test]
fn a_small_message_is_the_example_of_the_document() {
    let cells = encode(&Example::note(42), 7, Budget::LINK).expect("fits");
    let documented = documented("small message");
    assert_eq!(cells[..documented.len()], documented);
    assert!(cells[documented.len()..].iter().all(|&byte| byte == 0));
    assert_eq!(decode::<Example>(&cells), Ok(Example::note(42)));
}

#[test]
fn a_block_spreads_over_thirty_cells_as_the_document_says() {
    let message = Example::load(42);
    let cells = encode(&message, 0x0102_0304, Budget::LINK).expect("fits");
    let value = postcard::to_stdvec(&message).expect("serialises");
    assert_eq!(cells.len(), 30 * 1_136);
    let parts: Vec<&[u8]> = cells.chunks(CELL_BYTES).collect();
    assert_eq!(parts[0][..CELL_HEADER_BYTES], documented("block header, part 0"));
    assert_eq!(parts[29][..CELL_HEADER_BYTES], documented("block header, part 29"));
    let payload: Vec<u8> = parts.iter().flat_map(|part| &part[CELL_HEADER_BYTES..]).copied().collect();
    assert_eq!(payload[..value.len()], value);
    assert!(payload[value.len()..].iter().all(|&byte| byte == 0));
}

#[test]
fn sizes_are_those_of_the_document() {
    let sizes = [
        ("one cell", CELL_BYTES),
        ("payload of one cell", CELL_PAYLOAD_BYTES),
        ("block message", message_bytes(Class::Block)),
        ("payload of a block message", payload_bytes(Class::Block)),
        ("onion body, small", Budget::ONION.bytes(Class::Small)),
        ("onion body, block", Budget::ONION.bytes(Class::Block)),
    ];
    for (name, size) in sizes {
        let row = DOCUMENT
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap_or_else(|| panic!("no row {name}"));
        let digits: String = row.split('|').nth(2).expect("two columns").chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.parse(), Ok(size), "{name}");
    }
}
