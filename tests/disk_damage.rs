//! Damage costs no more than what it hits, and no file makes the store panic.

use bolthole::disk::check::{check_arbitrary_files, check_damaged_files};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_loses_nothing_that_it_did_not_touch(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        check_damaged_files(&bytes);
    }

    #[test]
    fn arbitrary_files_are_opened_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40_000)) {
        check_arbitrary_files(&bytes);
    }
}
