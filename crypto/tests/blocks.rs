//! Promises of content blocks, signed blocks and identities that hold for any input.

use crypto::content::{self, BlockKind, PAYLOAD_BYTES, Root, SEALED_BYTES};
use crypto::hash::Label;
use crypto::identity::{self, NodeKey};
use crypto::secret::Secret;
use crypto::signed::{self, LONGEST_MESSAGE, SIGNED_BYTES, Subspace};
use crypto::{NotVerified, TooLong};
use proptest::prelude::*;

fn key(byte: u8) -> content::ContentKey {
    content::block_key(&Root::from_bytes([byte; 32]), BlockKind::Data, 1, 2)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_sealed_payload_opens_padded(payload in proptest::collection::vec(any::<u8>(), 0..=PAYLOAD_BYTES)) {
        let sealed = content::seal(&key(1), &payload).expect("it fits");
        prop_assert_eq!(sealed.len(), SEALED_BYTES);
        let opened = content::open(&key(1), &sealed).expect("it is the right key");
        prop_assert_eq!(opened.len(), PAYLOAD_BYTES);
        prop_assert_eq!(&opened[..payload.len()], &payload[..]);
        prop_assert!(opened[payload.len()..].iter().all(|byte| *byte == 0));

        let mut into = [0xff; SEALED_BYTES];
        content::seal_into(&key(1), &payload, &mut into).expect("it fits");
        prop_assert_eq!(&into[..], &sealed[..]);
        prop_assert_eq!(content::open_in_place(&key(1), &mut into).expect("the same block"), &opened[..]);
    }

    #[test]
    fn a_content_block_with_any_bit_flipped_is_refused(bit in 0..SEALED_BYTES * 8) {
        let mut sealed = content::seal(&key(1), b"text").expect("it fits");
        let routing_key = content::routing_key(&sealed);
        sealed[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(content::routing_key(&sealed), routing_key);
        prop_assert_eq!(content::open(&key(1), &sealed), Err(NotVerified));
    }

    #[test]
    fn a_signed_block_says_what_was_signed(
        message in proptest::collection::vec(any::<u8>(), 0..=LONGEST_MESSAGE),
        name in ".{0,40}",
        nonce: [u8; 24],
        secret in proptest::array::uniform32(any::<u8>()),
    ) {
        let subspace = Subspace::from_secret_bytes([secret, [9; 32]].concat().try_into().expect("64 bytes"));
        let reader = subspace.public();
        let block = signed::sign_block(&subspace, &name, &message, &nonce).expect("it fits");
        prop_assert_eq!(signed::verify_block(&block), Ok(reader.routing_key(&name)));
        prop_assert_eq!(signed::open_block(&reader, &name, &block), Ok(message));
    }
}

#[test]
fn a_payload_one_byte_too_long_is_refused() {
    let refusal = TooLong { length: PAYLOAD_BYTES + 1, limit: PAYLOAD_BYTES };
    assert_eq!(content::seal(&key(1), &[0; PAYLOAD_BYTES + 1]), Err(refusal));
}

#[test]
fn a_content_block_of_another_size_or_key_is_refused() {
    let sealed = content::seal(&key(1), b"text").expect("it fits");
    let longer = [&sealed[..], &[0]].concat();
    for bytes in [&[][..], &sealed[1..], &sealed[..SEALED_BYTES - 1], &longer] {
        assert_eq!(content::open(&key(1), bytes), Err(NotVerified));
    }
    assert_eq!(content::open(&key(2), &sealed), Err(NotVerified));
}

#[test]
fn block_keys_differ_by_root_kind_segment_and_index() {
    let root = Root::from_bytes([1; 32]);
    let keys = [
        content::block_key(&root, BlockKind::Data, 0, 0),
        content::block_key(&root, BlockKind::Manifest, 0, 0),
        content::block_key(&root, BlockKind::Top, 0, 0),
        content::block_key(&root, BlockKind::Data, 1, 0),
        content::block_key(&root, BlockKind::Data, 0, 1),
        content::block_key(&Root::from_bytes([2; 32]), BlockKind::Data, 0, 0),
    ];
    for (position, key) in keys.iter().enumerate() {
        assert!(keys[..position].iter().all(|earlier| earlier != key));
    }
}

#[test]
fn convergent_roots_agree_exactly_when_digest_and_secret_do() {
    let secret = Secret::from_bytes([3; 32]);
    let plain = content::convergent_root(&[1; 32], None);
    let salted = content::convergent_root(&[1; 32], Some(&secret));
    assert_eq!(plain, content::convergent_root(&[1; 32], None));
    assert_eq!(salted, content::convergent_root(&[1; 32], Some(&secret)));
    assert_ne!(plain, salted);
    assert_ne!(plain, content::convergent_root(&[2; 32], None));
    assert_ne!(salted, content::convergent_root(&[1; 32], Some(&Secret::from_bytes([4; 32]))));
}

#[test]
fn a_signed_block_with_any_bit_flipped_is_refused() {
    let subspace = Subspace::from_secret_bytes([5; 64]);
    let block = signed::sign_block(&subspace, "name", b"message", &[6; 24]).expect("it fits");
    for bit in 0..SIGNED_BYTES * 8 {
        let mut altered = block;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(signed::verify_block(&altered), Err(NotVerified), "bit {bit}");
    }
    for length in [0, 1, 128, SIGNED_BYTES - 1] {
        assert_eq!(signed::verify_block(&block[..length]), Err(NotVerified));
    }
    assert_eq!(signed::verify_block(&[&block[..], &[0]].concat()), Err(NotVerified));
}

#[test]
fn a_signed_block_opens_for_its_name_and_reader_alone() {
    let subspace = Subspace::from_secret_bytes([5; 64]);
    let reader = subspace.public();
    let block = signed::sign_block(&subspace, "name", b"message", &[6; 24]).expect("it fits");
    assert_eq!(signed::open_block(&reader, "nam", &block), Err(NotVerified));

    let mut other_key = reader.duplicate();
    other_key.public_key_hash[0] ^= 1;
    assert_eq!(signed::open_block(&other_key, "name", &block), Err(NotVerified));
    let mut blind = reader.duplicate();
    blind.reading_key = Secret::from_bytes([6; 32]);
    assert_eq!(signed::open_block(&blind, "name", &block), Err(NotVerified));
}

#[test]
fn a_message_one_byte_too_long_is_refused() {
    let subspace = Subspace::from_secret_bytes([5; 64]);
    let message = [0; LONGEST_MESSAGE + 1];
    assert!(signed::sign_block(&subspace, "name", &message, &[6; 24]).is_err());
}

#[test]
fn a_subspace_survives_its_secret_bytes() {
    let subspace = Subspace::from_secret_bytes([5; 64]);
    let again = Subspace::from_secret_bytes(*subspace.secret_bytes().expose());
    assert_eq!(again.public(), subspace.public());
    assert_eq!(subspace.secret_bytes(), Secret::from_bytes([5; 64]));
}

#[test]
fn a_signature_is_worth_nothing_for_another_purpose_message_or_node() {
    let node = NodeKey::from_seed(Secret::from_bytes([7; 32]));
    let other = NodeKey::from_seed(Secret::from_bytes([8; 32]));
    let signature = node.sign(Label::NodeReference, b"message");
    let verify = |id, label, message| identity::verify(&id, label, message, &signature);
    assert_eq!(verify(node.id(), Label::NodeReference, b"message"), Ok(()));
    assert_eq!(verify(node.id(), Label::Announcement, b"message"), Err(NotVerified));
    assert_eq!(verify(node.id(), Label::NodeReference, b"massage"), Err(NotVerified));
    assert_eq!(verify(other.id(), Label::NodeReference, b"message"), Err(NotVerified));
    assert_eq!(identity::verify_raw(&node.id(), b"message", &signature), Err(NotVerified));
}

#[test]
fn a_raw_signature_is_no_labelled_one() {
    let node = NodeKey::from_seed(Secret::from_bytes([7; 32]));
    let signature = node.sign_raw(b"handshake");
    assert_eq!(identity::verify_raw(&node.id(), b"handshake", &signature), Ok(()));
    for label in Label::ALL {
        assert_eq!(identity::verify(&node.id(), *label, b"handshake", &signature), Err(NotVerified));
    }
    assert_eq!(node.seed(), Secret::from_bytes([7; 32]));
}
