//! Promises of what lies on a disk: vaults, slots, and the keys that come from words and seeds.

use crypto::NotVerified;
use crypto::keyword;
use crypto::reader::ReaderKey;
use crypto::secret::Secret;
use crypto::slot::{self, SlotKey};
use crypto::vault::{self, OVERHEAD_BYTES, Parameters, UnlockError};
use proptest::prelude::*;

const SALT: [u8; 16] = [1; 16];
const NONCE: [u8; 24] = [2; 24];

fn locked(secret: &[u8]) -> Vec<u8> {
    vault::lock(secret, b"passphrase", Parameters::FLOOR, &SALT, &NONCE)
}

#[test]
fn a_vault_gives_back_its_secret_to_its_passphrase_alone() {
    for secret in [&b""[..], b"x", &[7; 1_000]] {
        let vault = locked(secret);
        assert_eq!(vault.len(), OVERHEAD_BYTES + secret.len());
        assert_eq!(vault::unlock(&vault, b"passphrase").as_deref().map(Vec::as_slice), Ok(secret));
        for wrong in [&b""[..], b"Passphrase", b"passphrase "] {
            assert_eq!(vault::unlock(&vault, wrong), Err(UnlockError::NotVerified));
        }
    }
}

#[test]
fn a_vault_lies_as_the_byte_table_says() {
    let vault = locked(b"four");
    assert_eq!(&vault[..8], b"boltvalt");
    assert_eq!(vault[8], 1);
    assert_eq!(vault[9..13], 8_192_u32.to_le_bytes());
    assert_eq!(vault[13..17], 3_u32.to_le_bytes());
    assert_eq!(vault[17..21], 1_u32.to_le_bytes());
    assert_eq!(vault[21..37], SALT);
    assert_eq!(vault[37..61], NONCE);
    assert_eq!(vault.len(), 61 + 32 + 4 + 16);
}

#[test]
fn a_damaged_vault_is_told_from_what_is_no_vault() {
    let vault = locked(b"four");
    for at in 0..vault.len() {
        let mut damaged = vault.clone();
        damaged[at] ^= 1;
        let refusal = vault::unlock(&damaged, b"passphrase").expect_err("a byte is wrong");
        let allowed: &[UnlockError] = match at {
            0..9 => &[UnlockError::Malformed],
            // A flipped bit of the parameters may still be acceptable, and then gives another key.
            9..21 => &[UnlockError::Unacceptable, UnlockError::NotVerified],
            _ => &[UnlockError::NotVerified],
        };
        assert!(allowed.contains(&refusal), "byte {at}: {refusal:?}");
    }
    for length in [0, 8, OVERHEAD_BYTES - 1] {
        assert_eq!(vault::unlock(&vault[..length], b"passphrase"), Err(UnlockError::Malformed));
    }
}

#[test]
fn a_hostile_vault_cannot_ask_for_terabytes_nor_for_nothing() {
    for (at, value) in [(9, u32::MAX), (9, 8), (13, u32::MAX), (13, 0), (17, 0), (17, 5)] {
        let mut hostile = locked(b"four");
        hostile[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(vault::unlock(&hostile, b"passphrase"), Err(UnlockError::Unacceptable));
    }
    assert_eq!(Parameters::new(8_191, 3, 1), None);
    assert_eq!(Parameters::new(1_048_577, 3, 1), None);
    assert_eq!(Parameters::new(65_536, 3, 1), Some(Parameters::default()));
}

#[test]
fn a_word_gives_one_subspace() {
    let reader = keyword::subspace("word").public();
    assert_eq!(reader, keyword::subspace("word").public());
    assert_ne!(reader, keyword::subspace("words").public());
}

#[test]
fn a_reader_survives_its_secret() {
    let reader = ReaderKey::from_secret(Secret::from_bytes([3; 32]));
    assert_eq!(ReaderKey::from_secret(reader.secret()).public(), reader.public());
    assert_ne!(ReaderKey::from_secret(Secret::from_bytes([4; 32])).public(), reader.public());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_slot_opens_as_it_was_sealed(
        body in proptest::collection::vec(any::<u8>(), 0..2_000),
        associated in proptest::collection::vec(any::<u8>(), 0..40),
        nonce in proptest::array::uniform24(any::<u8>()),
    ) {
        let key = SlotKey::new(&Secret::from_bytes([5; 32]));
        let mut buffer = body.clone();
        let tag = slot::seal_in_place(&key, &nonce, &associated, &mut buffer);
        prop_assert_eq!(slot::open_in_place(&key, &nonce, &associated, &mut buffer, &tag), Ok(()));
        prop_assert_eq!(buffer, body);
    }
}

#[test]
fn a_slot_with_any_bit_flipped_is_refused() {
    let key = SlotKey::new(&Secret::from_bytes([5; 32]));
    let mut parts = [vec![6; 24], vec![7; 8], vec![8; 100], Vec::new()];
    let nonce = [6; 24];
    let tag = slot::seal_in_place(&key, &nonce, &[7; 8], &mut parts[2]);
    parts[3] = tag.to_vec();
    let open = |[nonce, associated, body, tag]: &[Vec<u8>; 4]| {
        let (nonce, tag) = (nonce[..].try_into().expect("24"), tag[..].try_into().expect("16"));
        slot::open_in_place(&key, nonce, associated, &mut body.clone(), tag)
    };
    assert_eq!(open(&parts), Ok(()));
    for part in 0..4 {
        for bit in 0..parts[part].len() * 8 {
            let mut altered = parts.clone();
            altered[part][bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&altered), Err(NotVerified), "part {part}, bit {bit}");
        }
    }
    let other = SlotKey::new(&Secret::from_bytes([6; 32]));
    assert_eq!(slot::open_in_place(&other, &nonce, &[7; 8], &mut parts[2], &tag), Err(NotVerified));
}
