//! How a document goes out: the top last, nothing recognisable, failures tried again and then told.

mod document_support;

use std::collections::BTreeSet;

use bolthole::document::fetch::Why as FetchWhy;
use bolthole::document::header::{Header, Message};
use bolthole::document::insert::{Input, Inserter, Keys, Options, Output, Why};
use bolthole::document::layout::Geometry;
use bolthole::document::mime::Mime;
use bolthole::document::root;
use bolthole::document::signed::Writer;
use bolthole::key::uri::{Name, Uri};
use bolthole::limits::BLOCK_ATTEMPTS;
use bolthole::message::block::Block;
use bolthole::time::Instant;
use crypto::content::PAYLOAD_BYTES;
use crypto::keyword;
use crypto::secret::Secret;
use crypto::signed::Subspace;
use document_support::{Network, SMALL, fetch, insert, listed, options, pattern, try_insert};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const BLOCK: u64 = PAYLOAD_BYTES as u64;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn named(text: &str) -> Options {
    let subspace = Subspace::generate(&mut rng(40));
    Options { writer: Some(Writer::Name { subspace, name: name(text) }), ..options(SMALL) }
}

#[test]
fn the_top_block_leaves_when_all_else_is_stored() {
    for length in [5, 9 * BLOCK, 100 * BLOCK] {
        let mut inserter = Inserter::new(options(SMALL), &mut rng(1));
        let (mut read, mut out, mut stored, mut last) = (0, Vec::new(), 0, None);
        let receipt = loop {
            match inserter.poll_output() {
                Some(Output::WantData { bytes }) => {
                    let end = length.min(read + bytes as u64);
                    let data = pattern(1, read..end);
                    read = end;
                    inserter.handle_input(Instant::EPOCH, Input::Data(data.into()));
                    if read == length {
                        inserter.handle_input(Instant::EPOCH, Input::EndOfData);
                    }
                }
                Some(Output::Insert { handle, block }) => {
                    last = Some((block.key(), stored));
                    out.push(handle);
                }
                Some(Output::Progress { .. }) => {}
                Some(Output::Done(receipt)) => break receipt,
                Some(Output::Failed(why)) => panic!("{why}"),
                None => {
                    // The newest first: order of storing is not order of handing out.
                    let handle = out.pop().expect("something is out");
                    stored += 1;
                    inserter.handle_input(Instant::EPOCH, Input::BlockStored { handle, stores: 7 });
                }
            }
        };
        let Uri::Chk { routing, .. } = receipt.uri else { panic!("a content URI") };
        let (key, stored_before) = last.expect("blocks went out");
        assert_eq!(key, routing, "the last block is the top");
        assert_eq!(stored_before + 1, receipt.blocks, "all others were stored before it left");
        assert_eq!(receipt.stored_at_least, 7);
    }
}

#[test]
fn a_signed_block_leaves_after_the_top_it_points_to() {
    let (_, network) = insert(1, 9 * BLOCK, named("big"));
    let [.., top, last] = &network.order[..] else { panic!("blocks went out") };
    let message =
        named("big").writer.expect("a name").reader().open(&network.blocks[last]).expect("the signed block is last");
    let Message::Redirect { routing, .. } = message else { panic!("a document of nine blocks stands elsewhere") };
    assert_eq!(routing, *top);
}

#[test]
fn equal_documents_have_nothing_in_common_unless_they_converge() {
    let keys = |seed: u64, keys: Keys| {
        // The bytes are those of one pattern; the generator of keys is seeded apart.
        let mut inserter = Inserter::new(Options { keys, ..options(SMALL) }, &mut rng(seed));
        let (mut read, mut stored) = (0, BTreeSet::new());
        while let Some(output) = inserter.poll_output() {
            match output {
                Output::WantData { bytes } => {
                    let end = (50 * BLOCK).min(read + bytes as u64);
                    let data = pattern(0, read..end);
                    read = end;
                    inserter.handle_input(Instant::EPOCH, Input::Data(data.into()));
                    if read == 50 * BLOCK {
                        inserter.handle_input(Instant::EPOCH, Input::EndOfData);
                    }
                }
                Output::Insert { handle, block } => {
                    stored.insert(block.key());
                    inserter.handle_input(Instant::EPOCH, Input::BlockStored { handle, stores: 1 });
                }
                Output::Progress { .. } => {}
                Output::Done(_) => return stored,
                Output::Failed(why) => panic!("{why}"),
            }
        }
        panic!("the insert is stuck");
    };
    let mut digester = root::digester();
    digester.update(&pattern(0, 0..50 * BLOCK));
    let digest = digester.finish();
    let secret = |byte| Some(Secret::from_bytes([byte; 32]));
    let converge = |secret| Keys::Convergent { digest, secret };
    assert!(keys(1, Keys::Random).is_disjoint(&keys(2, Keys::Random)));
    assert_eq!(keys(1, converge(None)), keys(2, converge(None)));
    assert_eq!(keys(1, converge(secret(1))), keys(2, converge(secret(1))));
    assert!(keys(1, converge(secret(1))).is_disjoint(&keys(2, converge(secret(2)))));
    assert!(keys(1, converge(secret(1))).is_disjoint(&keys(2, converge(None))));
}

#[test]
fn a_convergent_root_is_bound_to_the_form_of_the_document() {
    // One key must not seal two top blocks: they differ in media type.
    use bolthole::document::layout::{Copies, Redundancy};
    let of = |mime: &str, percent, copies| {
        let mime = Mime::new(mime).expect("a media type");
        let redundancy = Redundancy::percent(percent).expect("allowed");
        *root::convergent(&[1; 32], &mime, redundancy, Copies::new(copies).expect("allowed"), None).expose()
    };
    let roots = BTreeSet::from([of("a/b", 50, 4), of("a/c", 50, 4), of("a/b", 51, 4), of("a/b", 50, 3)]);
    assert_eq!(roots.len(), 4);
    assert_eq!(of("a/b", 50, 4), of("a/b", 50, 4));
}

#[test]
fn a_document_that_is_not_the_one_announced_fails() {
    let mut network = Network::default();
    let mut longer = options(SMALL);
    longer.length = Some(9 * BLOCK);
    assert_eq!(try_insert(1, 9 * BLOCK - 1, longer, &mut network), Err(Why::Changed));
    let mut other = options(SMALL);
    other.keys = Keys::Convergent { digest: [1; 32], secret: None };
    assert_eq!(try_insert(1, 9 * BLOCK, other, &mut network), Err(Why::Changed));
    let mut shorter = options(SMALL);
    shorter.length = Some(5);
    assert_eq!(try_insert(1, 6, shorter, &mut network), Err(Why::Changed));
}

#[test]
fn more_data_than_wanted_is_refused() {
    let mut inserter = Inserter::new(options(SMALL), &mut rng(1));
    inserter.handle_input(Instant::EPOCH, Input::Data(vec![0; 1].into()));
    assert!(matches!(inserter.poll_output(), Some(Output::Failed(Why::Unwanted))));
    assert!(inserter.poll_output().is_none());
}

/// Inserts 5 bytes and fails their only block so often before storing it.
fn after_failures(failures: u32) -> Result<u32, Why> {
    let mut inserter = Inserter::new(options(SMALL), &mut rng(1));
    let (mut now, mut attempts) = (Instant::EPOCH, 0);
    loop {
        match inserter.poll_output() {
            Some(Output::WantData { .. }) => {
                inserter.handle_input(now, Input::Data(b"hello"[..].into()));
                inserter.handle_input(now, Input::EndOfData);
            }
            Some(Output::Insert { handle, .. }) => {
                attempts += 1;
                let stored = Input::BlockStored { handle, stores: 1 };
                inserter.handle_input(now, if attempts > failures { stored } else { Input::BlockFailed { handle } });
            }
            Some(Output::Progress { .. }) => {}
            Some(Output::Done(_)) => return Ok(attempts),
            Some(Output::Failed(why)) => return Err(why),
            None => {
                let later = inserter.poll_timeout().expect("it rests");
                assert!(later > now, "a block rests before it is tried again");
                now = later;
                inserter.handle_input(now, Input::Timeout);
            }
        }
    }
}

#[test]
fn a_failed_block_is_tried_again_and_the_document_fails_after_too_many() {
    assert_eq!(after_failures(0), Ok(1));
    assert_eq!(after_failures(BLOCK_ATTEMPTS - 1), Ok(BLOCK_ATTEMPTS));
    assert_eq!(after_failures(BLOCK_ATTEMPTS), Err(Why::NotStored { attempts: BLOCK_ATTEMPTS }));
}

#[test]
fn a_window_of_none_hands_out_nothing_until_it_opens() {
    let mut inserter = Inserter::new(Options { window: 0, ..options(SMALL) }, &mut rng(1));
    assert!(matches!(inserter.poll_output(), Some(Output::WantData { .. })));
    inserter.handle_input(Instant::EPOCH, Input::EndOfData);
    assert!(inserter.poll_output().is_none());
    inserter.set_window(1);
    assert!(matches!(inserter.poll_output(), Some(Output::Insert { .. })));
}

#[test]
fn a_name_holds_small_documents_and_points_to_large_ones() {
    let room = Header::signed_room(&Mime::default()) as u64;
    for (length, blocks) in [(0, 1), (room, 1), (room + 1, 2), (9 * BLOCK, 1 + 18 + 16 + 1)] {
        let (receipt, network) = insert(3, length, named("a name/with ünicode"));
        assert!(receipt.uri.to_string().ends_with("/a%20name%2Fwith%20%C3%BCnicode"));
        if length < BLOCK {
            assert_eq!(receipt.blocks, blocks, "{length} bytes");
        }
        let uri: Uri = receipt.uri.to_string().parse().expect("what is printed parses");
        assert!(fetch(&uri, &network, SMALL).expect("it is there").bytes == pattern(3, 0..length));
    }
}

#[test]
fn a_word_is_all_that_is_needed_to_find_its_document() {
    let word = name("open sesame");
    let subspace = keyword::subspace(word.as_str());
    let options = Options { writer: Some(Writer::Word { word, subspace }), ..options(SMALL) };
    let (receipt, network) = insert(3, 70_000, options);
    assert_eq!(receipt.uri.to_string(), "KSK@open%20sesame");
    let uri: Uri = "KSK@open%20sesame".parse().expect("a word");
    assert!(fetch(&uri, &network, SMALL).expect("it is there").bytes == pattern(3, 0..70_000));
    let uri: Uri = "KSK@open%20barley".parse().expect("a word");
    assert_eq!(fetch(&uri, &network, SMALL).expect_err("another word"), FetchWhy::NotFound);
}

#[test]
fn a_name_that_says_the_same_already_is_no_collision_and_any_other_is() {
    let nonce = |byte: u8| [byte; 24];
    let saying = |bytes: &'static [u8], byte| {
        let options = named("taken");
        let mut digester = root::digester();
        digester.update(bytes);
        let header = Header { mime: Mime::default(), length: bytes.len() as u64, digest: digester.finish() };
        let message = Message::Inline { header, content: bytes.into() };
        options.writer.expect("a writer").block(&message, &nonce(byte))
    };
    for (existing, outcome) in [(saying(b"hello", 1), Ok(())), (saying(b"other", 1), Err(Why::NameTaken))] {
        let mut inserter = Inserter::new(named("taken"), &mut rng(5));
        let end = loop {
            match inserter.poll_output().expect("no step is missing") {
                Output::WantData { .. } => {
                    inserter.handle_input(Instant::EPOCH, Input::Data(b"hello"[..].into()));
                    inserter.handle_input(Instant::EPOCH, Input::EndOfData);
                }
                Output::Insert { handle, block } => {
                    assert_eq!(block.key(), existing.key());
                    assert_ne!(block, existing, "each signing has its nonce");
                    inserter.handle_input(Instant::EPOCH, Input::BlockCollided { handle, existing: existing.clone() });
                }
                Output::Progress { .. } => {}
                Output::Done(_) => break Ok(()),
                Output::Failed(why) => break Err(why),
            }
        };
        assert_eq!(end, outcome);
    }
}

#[test]
fn a_second_publisher_of_a_site_gets_the_next_edition() {
    let site = |edition| Options {
        writer: Some(Writer::Edition { subspace: Subspace::generate(&mut rng(9)), site: name("pages"), edition }),
        ..options(SMALL)
    };
    let mut inserter = Inserter::new(site(7), &mut rng(5));
    let (mut blocks, mut refused) = (Vec::new(), 0);
    let receipt = loop {
        match inserter.poll_output().expect("no step is missing") {
            Output::WantData { bytes } => {
                inserter.handle_input(Instant::EPOCH, Input::Data(pattern(3, 0..70_000.min(bytes as u64)).into()));
                inserter.handle_input(Instant::EPOCH, Input::EndOfData);
            }
            Output::Insert { handle, block } if (7..9).any(|taken| is_edition(&site(taken), &block)) => {
                // Somebody else's message stands there.
                refused += 1;
                let header = Header { mime: Mime::default(), length: 0, digest: [0; 32] };
                let message = Message::Inline { header, content: Default::default() };
                let taken = site(6 + refused).writer.expect("a writer").block(&message, &[1; 24]);
                assert_eq!(taken.key(), block.key());
                inserter.handle_input(Instant::EPOCH, Input::BlockCollided { handle, existing: taken });
            }
            Output::Insert { handle, block } => {
                blocks.push(block);
                inserter.handle_input(Instant::EPOCH, Input::BlockStored { handle, stores: 3 });
            }
            Output::Progress { .. } => {}
            Output::Done(receipt) => break receipt,
            Output::Failed(why) => panic!("{why}"),
        }
    };
    assert_eq!((receipt.uri, refused), (site(9).writer.expect("a writer").uri(), 2));
    assert!(blocks.last().is_some_and(|block| is_edition(&site(9), block)), "the name comes last");
    assert_eq!(receipt.blocks, blocks.len() as u64);
}

fn is_edition(options: &Options, block: &Block) -> bool {
    options.writer.as_ref().expect("a writer").reader().routing_key() == block.key()
}

#[test]
fn sizes_that_differ_a_little_make_equal_counts() {
    let blocks = |length| insert(1, length, options(Geometry::STANDARD)).0.blocks;
    assert_eq!(blocks(97 * BLOCK), blocks(104 * BLOCK));
    assert_ne!(blocks(96 * BLOCK), blocks(97 * BLOCK));
    let (receipt, network) = insert(1, 97 * BLOCK, options(Geometry::STANDARD));
    assert_eq!(listed(&receipt.uri, &network, Geometry::STANDARD).segments[0].0.len(), 104);
}
