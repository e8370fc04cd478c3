//! The byte tables of `docs/documents.md`: their examples are what is written and read.

use bolthole::document::header::{Header, Message, Top};
use bolthole::document::layout::{Copies, Geometry, Layout, Redundancy};
use bolthole::document::mime::Mime;
use bolthole::document::root;
use bolthole::document::tree::Tree;
use bolthole::key::RoutingKey;
use bolthole::limits::STANDBYS;
use crypto::content::Root;

const PAGE: &str = include_str!("../docs/documents.md");

/// The bytes of the example `name`: the hexadecimal block under the line that names it, `..` for repeats.
fn example(name: &str) -> Vec<u8> {
    let marker = format!("Example `{name}`");
    let after = PAGE.split_once(&marker).unwrap_or_else(|| panic!("{marker} is on the page")).1;
    let block = after.split("```").nth(1).expect("a block follows");
    let mut bytes = Vec::new();
    for word in block.split_whitespace().filter(|word| *word != "text") {
        let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
        let times: usize = times.parse().expect("a number of repeats");
        let byte = u8::from_str_radix(digits, 16).expect("hexadecimal");
        bytes.extend(std::iter::repeat_n(byte, times));
    }
    bytes
}

fn hello() -> (Header, &'static [u8]) {
    let content = b"hello";
    let mut digester = root::digester();
    digester.update(content);
    let mime = Mime::new("text/plain").expect("a media type");
    (Header { mime, length: 5, digest: digester.finish() }, content)
}

#[test]
fn the_example_of_an_inline_top_is_what_is_written() {
    let (header, content) = hello();
    let top = Top::Inline { header, content: content.into() };
    assert_eq!(top.encode(), example("inline"));
    assert_eq!(Top::decode(&example("inline"), Geometry::STANDARD), Ok(top));
}

#[test]
fn the_example_of_a_split_top_is_what_is_written() {
    let mime = Mime::new("text/plain").expect("a media type");
    let keys = [0xa1, 0xa2, 0xc1, 0xc2].map(|byte| RoutingKey([byte; 32])).to_vec();
    let header = Header { mime, length: 40_000, digest: [0xdd; 32] };
    let top = Top::Split { header, redundancy: Redundancy::DEFAULT, copies: Copies::DEFAULT, keys };
    assert_eq!(top.encode(), example("split"));
    assert_eq!(Top::decode(&example("split"), Geometry::STANDARD), Ok(top));
}

#[test]
fn the_example_of_a_redirect_is_what_is_written() {
    let message = Message::Redirect { routing: RoutingKey([0xa1; 32]), root: Root::from_bytes([0xb2; 32]) };
    assert_eq!(message.encode(), example("redirect"));
    assert_eq!(Message::decode(&example("redirect")), Ok(message));
}

#[test]
fn the_counts_on_the_page_are_those_of_the_layout() {
    let rows = PAGE.split_once("| bytes | data blocks |").expect("the table of counts").1;
    let mut seen = 0;
    for row in rows.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let numbers: Vec<u64> = row.split('|').filter_map(|cell| cell.trim().replace(',', "").parse().ok()).collect();
        let [bytes, data, segments, check, nodes, total] = numbers[..] else { panic!("{row}") };
        let layout = Layout::new(Geometry::STANDARD, bytes, Redundancy::DEFAULT).expect("short");
        let tree = Tree::new(Geometry::STANDARD, Copies::DEFAULT, layout.keys());
        let found = (layout.data_blocks(), layout.segments(), layout.keys() - layout.data_blocks(), tree.blocks());
        assert_eq!(found, (data, segments, check, nodes), "{row}");
        assert_eq!(total, 1 + 2 * u64::from(STANDBYS) + layout.keys() + tree.blocks(), "{row}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen} rows");
}
