//! What an author may have written: tops, messages and whole documents whose manifest lies.
//!
//! The author holds every key, so nothing that opens need be true. What must hold: one spelling for whatever is read; a
//! fetch ends, within its memory; what it delivers whole is what the top block names by its digest; and a document
//! nobody has tampered with comes back from any network that does not lose too much of it.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use crypto::content::{self, PAYLOAD_BYTES, Root};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::choices::Choices;
use crate::document::fetch::{self, Fetcher, Start};
use crate::document::handle::Handle;
use crate::document::header::{Message, Top};
use crate::document::insert::{self, Inserter, Keys};
use crate::document::layout::{Copies, Geometry, Redundancy};
use crate::document::mime::Mime;
use crate::document::root::{digester, top_key};
use crate::key::RoutingKey;
use crate::key::uri::Uri;
use crate::limits::{BLOCK_ATTEMPTS, BLOCK_SEARCHES};
use crate::message::block::Block;
use crate::time::Instant;

/// Reads what `data` describes.
pub fn manifests(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 4 {
        0 => top(choices.rest(), GEOMETRY),
        1 => top(choices.rest(), Geometry::STANDARD),
        2 => message(choices.rest()),
        _ => document(choices),
    }
}

fn top(written: &[u8], geometry: Geometry) {
    let mut payload = written[..written.len().min(PAYLOAD_BYTES)].to_vec();
    payload.resize(PAYLOAD_BYTES, 0);
    if let Ok(top) = Top::decode(&payload, geometry) {
        let mut again = top.encode();
        again.resize(PAYLOAD_BYTES, 0);
        assert!(again == payload, "{top:?} is written otherwise than it was read");
    }
}

fn message(written: &[u8]) {
    if let Ok(message) = Message::decode(written) {
        assert_eq!(message.encode(), written);
    }
}

fn document(mut choices: Choices<'_>) {
    let length = choices.below(MOST_BLOCKS) * PAYLOAD_BYTES + choices.below(PAYLOAD_BYTES);
    let text = Bytes::from((0..length).map(|at| (at / 251) as u8).collect::<Vec<u8>>());
    let (mut network, root, routing) = inserted(&text);
    let [lies, loss, failures] = choices.array();
    let routing = if lies == 0 { routing } else { rewritten(&mut network, &root, routing, lies, &mut choices) };
    let found = fetched(&network, Start::Content { routing, root }, loss, failures, &mut choices);
    match found {
        Ok(bytes) => assert!(lies != 0 || bytes == text, "a true document came back otherwise"),
        Err(why) => {
            let excused = lies != 0 || loss != 0 || u32::from(failures) >= FAILURES_ENDURED;
            assert!(excused, "a true document was not fetched: {why}");
        }
    }
}

/// Inserts `text` into a network that is a map.
fn inserted(text: &Bytes) -> (BTreeMap<RoutingKey, Block>, Root, RoutingKey) {
    let options = insert::Options {
        mime: Mime::default(),
        redundancy: Redundancy::DEFAULT,
        copies: Copies::DEFAULT,
        length: None,
        keys: Keys::Random,
        writer: None,
        window: WINDOW,
        geometry: GEOMETRY,
    };
    let mut inserter = Inserter::new(options, &mut ChaCha20Rng::from_seed([1; 32]));
    let (mut network, mut left, mut out) = (BTreeMap::new(), text.clone(), VecDeque::new());
    loop {
        let input = match inserter.poll_output() {
            Some(insert::Output::WantData { .. }) if left.is_empty() => insert::Input::EndOfData,
            Some(insert::Output::WantData { bytes }) => insert::Input::Data(left.split_to(bytes.min(left.len()))),
            Some(insert::Output::Insert { handle, block }) => {
                network.insert(block.key(), block);
                out.push_back(handle);
                continue;
            }
            Some(insert::Output::Progress { .. }) => continue,
            Some(insert::Output::Done(receipt)) => match receipt.uri {
                Uri::Chk { routing, root } => return (network, root, routing),
                other => panic!("{other} is no content URI"),
            },
            Some(insert::Output::Failed(why)) => panic!("an insert into a map failed: {why}"),
            None => match out.pop_front() {
                Some(handle) => insert::Input::BlockStored { handle, stores: 3 },
                None => insert::Input::EndOfData,
            },
        };
        inserter.handle_input(Instant::EPOCH, input);
    }
}

/// A top block that lies, put beside the true one. Its routing key.
fn rewritten(
    network: &mut BTreeMap<RoutingKey, Block>,
    root: &Root,
    routing: RoutingKey,
    lies: u8,
    choices: &mut Choices<'_>,
) -> RoutingKey {
    let payload = content::open(&top_key(root), network[&routing].body()).expect("the true top opens");
    let mut top = Top::decode(&payload, GEOMETRY).expect("the true top is a top");
    for _ in 0..lies % 8 {
        lie(&mut top, network, choices);
    }
    let payload = top.encode();
    let sealed = content::seal(&top_key(root), &payload[..payload.len().min(PAYLOAD_BYTES)]).expect("cut to fit");
    let block = Block::new(sealed.into()).expect("a content block");
    let key = block.key();
    network.insert(key, block);
    key
}

fn lie(top: &mut Top, network: &BTreeMap<RoutingKey, Block>, choices: &mut Choices<'_>) {
    let [what, value] = choices.array();
    let at = choices.below(1 << 15);
    match top {
        Top::Sealed { .. } => {}
        Top::Inline { header, .. } => header.length = at as u64,
        Top::Split { header, redundancy, copies, keys } => match what % 6 {
            0 => header.length = header.length.wrapping_add(at as u64).wrapping_sub(u64::from(value)),
            1 => header.digest[usize::from(value) % 32] ^= 1,
            2 => *redundancy = Redundancy::percent(u16::from(value)).unwrap_or(*redundancy),
            3 => *copies = Copies::new(value).unwrap_or(*copies),
            4 if !keys.is_empty() => {
                let (at, with) = (at % keys.len(), usize::from(value) % keys.len());
                keys.swap(at, with);
            }
            _ if !keys.is_empty() => {
                let other = network.keys().nth(usize::from(value) % network.len()).expect("within the map");
                let at = at % keys.len();
                keys[at] = *other;
            }
            _ => {}
        },
    }
}

/// Fetches over a network that loses blocks and fails to answer as the choices say.
fn fetched(
    network: &BTreeMap<RoutingKey, Block>,
    start: Start,
    loss: u8,
    mut failures: u8,
    choices: &mut Choices<'_>,
) -> Result<Bytes, fetch::Why> {
    let options =
        fetch::Options { window: WINDOW, race: u32::from(loss % 3), order: 1, range: None, geometry: GEOMETRY };
    let mut fetcher = Fetcher::new(start, options);
    let (mut now, mut bytes, mut untaken, mut named) = (Instant::EPOCH, Vec::new(), 0, None);
    let mut open: VecDeque<(Handle, RoutingKey)> = VecDeque::new();
    for _ in 0..STEPS {
        assert!(fetcher.held_bytes() <= fetcher.most_held_bytes(), "{} bytes held", fetcher.held_bytes());
        let input = match fetcher.poll_output() {
            Some(fetch::Output::Fetch { handle, key }) => {
                open.push_back((handle, key));
                assert!(open.len() <= WINDOW, "more blocks are asked for than the window allows");
                continue;
            }
            Some(fetch::Output::Cancel { handle }) => {
                open.retain(|(other, _)| *other != handle);
                continue;
            }
            Some(fetch::Output::Deliver(data)) => {
                untaken += data.len();
                bytes.extend(data);
                continue;
            }
            Some(fetch::Output::Repair { block }) => {
                assert!(network.contains_key(&block.key()), "rebuilt a block that the document does not have");
                continue;
            }
            Some(fetch::Output::Opened { length, digest, .. }) => {
                named = Some((length, digest));
                continue;
            }
            Some(fetch::Output::Done(summary)) => {
                assert_eq!(summary.bytes, bytes.len() as u64);
                let mut digester = digester();
                digester.update(&bytes);
                assert_eq!(named, Some((summary.bytes, digester.finish())), "not what the top block names");
                return Ok(bytes.into());
            }
            Some(fetch::Output::Failed(why)) => return Err(why),
            None if untaken > 0 => fetch::Input::Delivered { bytes: std::mem::take(&mut untaken) },
            None => match open.pop_front() {
                Some((handle, _)) if failures > 0 && choices.byte() % 4 == 1 => {
                    failures -= 1;
                    fetch::Input::BlockFailed { handle }
                }
                Some((handle, _)) if loss != 0 && choices.byte() < loss => fetch::Input::BlockMissing { handle },
                Some((handle, key)) => match network.get(&key) {
                    Some(block) => fetch::Input::BlockFound { handle, block: block.clone() },
                    None => fetch::Input::BlockMissing { handle },
                },
                None => {
                    now = fetcher.poll_timeout().expect("a fetch waits for a block, a consumer or the clock");
                    fetch::Input::Timeout
                }
            },
        };
        fetcher.handle_input(now, input);
    }
    panic!("a fetch without end")
}

/// Small segments and nodes: deep trees of small documents.
const GEOMETRY: Geometry = Geometry::new(4, 16, 10);
const WINDOW: usize = 8;
const MOST_BLOCKS: usize = 12;
/// So many failures, all of one block, and it is given up.
const FAILURES_ENDURED: u32 = BLOCK_ATTEMPTS * BLOCK_SEARCHES;
/// Chosen: a document of that many blocks has less than a hundred, each asked a few times.
const STEPS: usize = 100_000;
