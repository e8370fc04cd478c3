//! The store beside its naive model, under inputs and disk faults in any order.
//!
//! The model lives with the store, whose property tests use it too.

use crate::store::model;

/// Runs the store through what `data` describes.
pub fn store(data: &[u8]) {
    // Beyond this the same situations only come again.
    model::check(&data[..data.len().min(STEPS_BYTES)]);
}

/// Two bytes a step.
const STEPS_BYTES: usize = 4_096;
