//! Our own formats, byte for byte: `crypto/vectors/` holds inputs and outputs, made once and never again.
//!
//! Each test computes the outputs of every case from its inputs and compares; a failure prints the file as it would be.

use crypto::content::{self, BlockKind, Root};
use crypto::envelope;
use crypto::hash::{Label, hash};
use crypto::identity::{self, NodeKey};
use crypto::keyword;
use crypto::reader::ReaderKey;
use crypto::secret::Secret;
use crypto::signed::{self, Subspace};
use crypto::slot::{self, SlotKey};
use crypto::standby;
use crypto::vault::{self, Parameters};
use crypto::work;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

fn check(text: &str, complete: impl Fn(&mut Value)) {
    let file: Value = serde_json::from_str(text).expect("the vectors are JSON");
    let mut computed = file.clone();
    let cases = computed["cases"].as_array_mut().expect("a list of cases");
    assert!(!cases.is_empty());
    cases.iter_mut().for_each(complete);
    assert!(computed == file, "computed:\n{computed:#}");
}

fn decode(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a string");
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

fn array<const N: usize>(text: &Value) -> [u8; N] {
    decode(text).try_into().expect("the right length")
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a number")).expect("a small one")
}

fn hex(bytes: &[u8]) -> Value {
    json!(HEXLOWER.encode(bytes))
}

fn label(case: &Value) -> Label {
    let named = |label: &&Label| case["label"] == label.context();
    *Label::ALL.iter().find(named).expect("a label of ours")
}

#[test]
fn content_blocks() {
    check(include_str!("../vectors/content.json"), |case| {
        let root = Root::from_bytes(array(&case["root"]));
        let kind = u8::try_from(number(&case["kind"])).expect("a byte");
        let kind = BlockKind::from_byte(kind).expect("a kind of block");
        let key = content::block_key(&root, kind, number(&case["segment"]), number(&case["index"]));
        let payload: Vec<u8> = (0..=250).cycle().take(number(&case["payload_length"]) as usize).collect();
        let sealed = content::seal(&key, &payload).expect("it fits");
        assert_eq!(content::open(&key, &sealed).expect("its own key")[..payload.len()], payload);
        case["key"] = hex(key.expose());
        case["sealed_head"] = hex(&sealed[..64]);
        case["sealed_tag"] = hex(&sealed[content::PLAIN_BYTES..]);
        case["sealed_blake3"] = hex(blake3::hash(&sealed).as_bytes());
        case["routing_key"] = hex(&content::routing_key(&sealed));
    });
}

#[test]
fn convergent_roots() {
    check(include_str!("../vectors/convergent.json"), |case| {
        let secret = (!case["secret"].is_null()).then(|| Secret::from_bytes(array(&case["secret"])));
        let root = content::convergent_root(&array(&case["digest"]), secret.as_ref());
        case["root"] = hex(root.expose());
    });
}

#[test]
fn signed_blocks() {
    check(include_str!("../vectors/signed.json"), |case| {
        let subspace = Subspace::from_secret_bytes(array(&case["secret"]));
        let reader = subspace.public();
        let (name, message) = (case["name"].as_str().expect("a name"), decode(&case["message"]));
        let block = signed::sign_block(&subspace, name, &message, &array(&case["nonce"])).expect("it fits");
        let routing_key = signed::verify_block(&block).expect("signed just now");
        assert_eq!(signed::open_block(&reader, name, &block), Ok(message));
        case["public_key_hash"] = hex(&reader.public_key_hash);
        case["routing_key"] = hex(&routing_key);
        case["block"] = hex(&block);
    });
}

#[test]
fn node_signatures() {
    check(include_str!("../vectors/identity.json"), |case| {
        let node = NodeKey::from_seed(Secret::from_bytes(array(&case["seed"])));
        let message = decode(&case["message"]);
        let signature = node.sign(label(case), &message);
        assert_eq!(identity::verify(&node.id(), label(case), &message, &signature), Ok(()));
        case["id"] = hex(&node.id());
        case["signature"] = hex(&signature);
    });
}

#[test]
fn envelopes() {
    check(include_str!("../vectors/envelope.json"), |case| {
        let reader = ReaderKey::from_secret(Secret::from_bytes(array(&case["reader"])));
        let content = envelope::open(&decode(&case["envelope"]), [&reader]).expect("it is one of the readers");
        case["content"] = hex(content.expose());
    });
}

#[test]
fn labelled_hashes() {
    check(include_str!("../vectors/hash.json"), |case| {
        let parts: Vec<_> = case["parts"].as_array().expect("parts").iter().map(decode).collect();
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        case["hash"] = hex(&hash(label(case), &parts));
    });
}

#[test]
fn proofs_of_work() {
    check(include_str!("../vectors/work.json"), |case| {
        let (challenge, bits) = (decode(&case["challenge"]), number(&case["bits"]));
        let start = case["start"].as_u64().expect("a number");
        let nonce = work::solve(label(case), &challenge, bits, start);
        assert!(work::verify(label(case), &challenge, bits, nonce));
        case["nonce"] = json!(nonce);
    });
}

#[test]
fn vaults() {
    check(include_str!("../vectors/vault.json"), |case| {
        let [memory_kib, passes, lanes] = ["memory_kib", "passes", "lanes"].map(|field| number(&case[field]));
        let parameters = Parameters::new(memory_kib, passes, lanes).expect("within bounds");
        let passphrase = case["passphrase"].as_str().expect("a passphrase").as_bytes();
        let secret = decode(&case["secret"]);
        let vault = vault::lock(&secret, passphrase, parameters, &array(&case["salt"]), &array(&case["nonce"]));
        assert_eq!(*vault::unlock(&vault, passphrase).expect("its own passphrase"), secret);
        case["vault"] = hex(&vault);
    });
}

#[test]
fn keywords() {
    check(include_str!("../vectors/keyword.json"), |case| {
        let subspace = keyword::subspace(case["word"].as_str().expect("a word"));
        case["secret"] = hex(subspace.secret_bytes().expose());
        case["routing_key"] = hex(&subspace.public().routing_key(keyword::NAME));
    });
}

#[test]
fn readers() {
    check(include_str!("../vectors/reader.json"), |case| {
        let reader = ReaderKey::from_secret(Secret::from_bytes(array(&case["secret"])));
        case["public"] = hex(&reader.public());
    });
}

#[test]
fn standbys() {
    check(include_str!("../vectors/standby.json"), |case| {
        let number = u8::try_from(number(&case["number"])).expect("a byte");
        let subspace = standby::subspace(&Root::from_bytes(array(&case["root"])), number);
        case["secret"] = hex(subspace.secret_bytes().expose());
        case["routing_key"] = hex(&subspace.public().routing_key(standby::NAME));
    });
}

#[test]
fn slots() {
    check(include_str!("../vectors/slot.json"), |case| {
        let key = SlotKey::new(&Secret::from_bytes(array(&case["node_secret"])));
        let (nonce, associated) = (array(&case["nonce"]), decode(&case["associated"]));
        let mut body = decode(&case["body"]);
        let tag = slot::seal_in_place(&key, &nonce, &associated, &mut body);
        case["sealed"] = hex(&body);
        case["tag"] = hex(&tag);
    });
}
