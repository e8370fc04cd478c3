//! Promises of envelopes: who opens them, who does not, and what they tell.

use crypto::NotVerified;
use crypto::envelope::{BadReaders, CONTENT_BYTES, Envelope, READERS, length, open};
use crypto::reader::ReaderKey;
use crypto::secret::Secret;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

fn reader(number: u8) -> ReaderKey {
    ReaderKey::from_secret(Secret::from_bytes([number; 32]))
}

fn sealed(readers: usize, content: &[u8; CONTENT_BYTES]) -> Vec<u8> {
    let public: Vec<[u8; 32]> = (1..=readers as u8).map(|number| reader(number).public()).collect();
    let envelope = Envelope::to(&public, &mut ChaCha20Rng::seed_from_u64(7)).expect("readers of that number");
    envelope.seal(content)
}

#[test]
fn every_reader_opens_it_and_nobody_else() {
    let content = [5; CONTENT_BYTES];
    for readers in [1, 2, 3, 7, READERS] {
        let envelope = sealed(readers, &content);
        for number in 1..=readers as u8 {
            let keys = [reader(200), reader(number)];
            assert_eq!(open(&envelope, &keys).expect("one of the keys opens it").expose(), &content);
        }
        assert_eq!(open(&envelope, [&reader(200)]).unwrap_err(), NotVerified);
        assert_eq!(open(&envelope, []).unwrap_err(), NotVerified);
    }
}

#[test]
fn an_envelope_shows_no_more_than_the_next_power_of_two_of_its_readers() {
    let lengths: Vec<usize> = [5, 6, 7, 8].map(|readers| sealed(readers, &[0; CONTENT_BYTES]).len()).into();
    assert_eq!(lengths, [length(8).expect("a power of two"); 4]);
    let envelope = sealed(5, &[0; CONTENT_BYTES]);
    for number in 1..=5 {
        let public = reader(number).public();
        assert!(!envelope.windows(32).any(|window| window == public), "reader {number} is named");
    }
}

#[test]
fn readers_that_are_none_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let refused = |readers: &[[u8; 32]], rng: &mut ChaCha20Rng| Envelope::to(readers, rng).expect_err("refused");
    assert_eq!(refused(&[], &mut rng), BadReaders::Count(0));
    assert_eq!(refused(&[reader(1).public(); READERS + 1], &mut rng), BadReaders::Count(READERS + 1));
    // Points of small order, with which everybody shares the same secret.
    let mut one = [0; 32];
    one[0] = 1;
    assert_eq!(refused(&[reader(1).public(), [0; 32]], &mut rng), BadReaders::Weak(2));
    assert_eq!(refused(&[one], &mut rng), BadReaders::Weak(1));
}

#[test]
fn an_envelope_by_a_weak_key_opens_for_nobody() {
    let mut envelope = sealed(1, &[5; CONTENT_BYTES]);
    envelope[1..33].fill(0);
    assert_eq!(open(&envelope, [&reader(1)]).unwrap_err(), NotVerified);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_envelope_with_any_bit_flipped_is_refused(bit in 0..8 * length(1).expect("one wrap")) {
        let mut envelope = sealed(1, &[5; CONTENT_BYTES]);
        envelope[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(open(&envelope, [&reader(1)]).unwrap_err(), NotVerified);
    }

    #[test]
    fn bytes_that_are_no_envelope_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(open(&bytes, [&reader(1)]).unwrap_err(), NotVerified);
    }
}
