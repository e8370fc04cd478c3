//! The store agrees with a naive model, whatever it is asked and whatever the disk does.

use bolthole::store::model::check;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_store_agrees_with_a_naive_model(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes);
    }
}
