//! The published test vectors of every primitive that this crate stands on, from `crypto/vectors/`.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use crypto::NotVerified;
use crypto::identity::{self, NodeKey};
use crypto::reader::ReaderKey;
use crypto::secret::Secret;
use data_encoding::HEXLOWER;
use serde_json::Value;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the vectors are JSON")
}

fn cases<'a>(file: &'a Value, list: &str) -> &'a [Value] {
    let cases = file[list].as_array().expect("a list of cases");
    assert!(!cases.is_empty());
    cases
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    let text = case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"));
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

fn array<const N: usize>(case: &Value, field: &str) -> [u8; N] {
    bytes(case, field).try_into().expect("the right length")
}

fn number(case: &Value, field: &str) -> u32 {
    let number = case[field].as_u64().expect("a number");
    u32::try_from(number).expect("a small one")
}

fn seal<C: AeadInOut + KeyInit>(case: &Value) -> [Vec<u8>; 2] {
    let cipher = C::new_from_slice(&bytes(case, "key")).expect("the right length");
    let nonce = bytes(case, "nonce").as_slice().try_into().expect("the right length");
    let mut text = bytes(case, "plaintext");
    let tag =
        cipher.encrypt_inout_detached(&nonce, &bytes(case, "associated"), text.as_mut_slice().into()).expect("short");
    [text, tag.to_vec()]
}

#[test]
fn both_ciphers_reproduce_their_published_vectors() {
    let file = parse(include_str!("../vectors/aead.json"));
    for case in cases(&file, "cases") {
        let sealed = match case["cipher"].as_str() {
            Some("ChaCha20-Poly1305") => seal::<ChaCha20Poly1305>(case),
            Some("XChaCha20-Poly1305") => seal::<XChaCha20Poly1305>(case),
            other => panic!("unknown cipher {other:?}"),
        };
        assert_eq!(sealed, [bytes(case, "ciphertext"), bytes(case, "tag")]);
    }
}

#[test]
fn node_keys_reproduce_the_ed25519_vectors() {
    let file = parse(include_str!("../vectors/ed25519.json"));
    for case in cases(&file, "cases") {
        let node = NodeKey::from_seed(Secret::from_bytes(array(case, "secret")));
        let (message, signature) = (bytes(case, "message"), array(case, "signature"));
        assert_eq!(node.id(), array(case, "public"));
        assert_eq!(node.sign_raw(&message), signature);
        assert_eq!(identity::verify_raw(&node.id(), &message, &signature), Ok(()));
        for bit in 0..512 {
            let mut altered = signature;
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(identity::verify_raw(&node.id(), &message, &altered), Err(NotVerified));
        }
    }
}

#[test]
fn x25519_reproduces_its_published_vectors() {
    let file = parse(include_str!("../vectors/x25519.json"));
    for case in cases(&file, "products") {
        let product = x25519_dalek::x25519(array(case, "scalar"), array(case, "point"));
        assert_eq!(product, array(case, "product"));
    }
    for case in cases(&file, "iterations") {
        let (mut scalar, mut point) = (x25519_dalek::X25519_BASEPOINT_BYTES, x25519_dalek::X25519_BASEPOINT_BYTES);
        for _ in 0..number(case, "times") {
            (scalar, point) = (x25519_dalek::x25519(scalar, point), scalar);
        }
        assert_eq!(scalar, array(case, "result"));
    }
    for case in cases(&file, "keys") {
        let reader = ReaderKey::from_secret(Secret::from_bytes(array(case, "secret")));
        assert_eq!(reader.public(), array(case, "public"));
    }
}

#[test]
fn blake3_reproduces_its_published_vectors() {
    let file = parse(include_str!("../vectors/blake3.json"));
    let context = file["context"].as_str().expect("a context");
    for case in cases(&file, "cases") {
        let input: Vec<u8> = (0..=250).cycle().take(number(case, "input_length") as usize).collect();
        for (mut hasher, field) in
            [(blake3::Hasher::new(), "hash"), (blake3::Hasher::new_derive_key(context), "derive_key")]
        {
            let expected = bytes(case, field);
            let mut output = vec![0; expected.len()];
            hasher.update(&input).finalize_xof().fill(&mut output);
            assert_eq!(output, expected, "{field} of {} bytes", input.len());
        }
    }
}

#[test]
fn argon2id_reproduces_its_published_vector() {
    let file = parse(include_str!("../vectors/argon2id.json"));
    for case in cases(&file, "cases") {
        let parameters = ParamsBuilder::new()
            .m_cost(number(case, "memory_kib"))
            .t_cost(number(case, "passes"))
            .p_cost(number(case, "lanes"))
            .data(AssociatedData::new(&bytes(case, "associated")).expect("short"))
            .build()
            .expect("valid parameters");
        let secret = bytes(case, "secret");
        let mut tag = [0; 32];
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, parameters)
            .expect("a valid secret")
            .hash_password_into(&bytes(case, "password"), &bytes(case, "salt"), &mut tag)
            .expect("valid inputs");
        assert_eq!(tag, array(case, "tag"));
    }
}
